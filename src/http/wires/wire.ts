import type { Request } from 'express';
import type { z } from 'zod';
import type { Scope } from '../../domain/scope.js';
import type { WireName } from '../../domain/wires.js';
import type { Caller, JobContext } from '../../operations/context.js';
import type { Readiness } from '../../operations/readiness.js';
import type { Access } from '../access/access.js';
import type { BodyLimits } from '../bodies.js';
import type { ErrorShape } from '../errors.js';

/** What every wire translates to. */
export interface WireParts {
  context: JobContext;
  readiness: Readiness;
  limits: BodyLimits;
}

export interface WireCall<Body> {
  /** As the route's schema has it; undefined where it has none. */
  body: Body;
  request: Request;
  access: Access;
  caller: Caller;
}

export interface WireRoute<Body = unknown> {
  method: 'get' | 'post';
  path: string;
  scope: Scope;
  body?: z.ZodType<Body>;
  /** How the body comes. `any-type`: JSON, whatever the content type says; `own`: the route reads it by itself. Left out: JSON. */
  reads?: 'any-type' | 'own';
  /** JSON, or text where it is a string. */
  answer(call: WireCall<Body>): unknown;
}

/** Another service's protocol, translated to the operations that `/v1` calls too. */
export interface Wire {
  name: WireName;
  routes(parts: WireParts): WireRoute[];
  /** As its clients read errors. */
  errorBody: ErrorShape;
  /** From the operations' names of fields to the wire's, where these differ: `input` becomes `inputs`. */
  fields?: Record<string, string>;
}

/** What the schema has read is what answers: the types are one here, and forgotten in the list. */
export const route = <Body = undefined>(given: WireRoute<Body>): WireRoute => given;
