import type { z } from 'zod';
import type { RouteName, Routes } from '../contract/routes.js';

type Part<N extends RouteName, K extends string> = Routes[N] extends Record<K, infer S extends z.ZodType> ? z.input<S> : never;
/** A key is there only if the route has that part. */
type Only<K extends string, T> = [T] extends [never] ? unknown : Record<K, T>;
/** A query string may always be left out. */
type Maybe<K extends string, T> = [T] extends [never] ? unknown : Partial<Record<K, T>>;

/** What a call of a route takes: its path's parameters, its query string, its body; more headers. */
export type CallParts<N extends RouteName> = Only<'params', Part<N, 'params'>> &
  Maybe<'query', Part<N, 'query'>> &
  Only<'body', Part<N, 'body'> | (Routes[N] extends { multipart: object } ? FormData : never) | (Routes[N] extends { upload: string } ? Blob | ReadableStream<Uint8Array> : never) | (Routes[N] extends { uploads: readonly string[] } ? Blob | ReadableStream<Uint8Array> : never)> & { headers?: Record<string, string>; signal?: AbortSignal };

/** Nothing to give: the argument may be left out. */
export type CallArguments<N extends RouteName> = object extends CallParts<N> ? [parts?: CallParts<N>] : [parts: CallParts<N>];

export type Answer<N extends RouteName> = Routes[N] extends { response: infer S extends z.ZodType }
  ? z.output<S>
  : Routes[N] extends { bytes: string }
    ? Blob
    : Routes[N] extends { formats: object }
      ? ReadableStream<Uint8Array>
      : Routes[N] extends { events: object }
        ? ReadableStream<Uint8Array> | null
        : undefined;
