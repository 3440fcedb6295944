import type { Request, RequestHandler, Response } from 'express';
import type { Scope } from '../../domain/scope.js';
import { MixspaceError } from '../../errors.js';
import { openAccess, requireCollection, requireScope, requireWhole, type Access } from './access.js';
import type { KeyRing } from './key-ring.js';

/** `Authorization: Bearer KEY`: who it is and what they may do, which `accessOf` tells from then on. `isCounted`: the call counts against the key's rate. */
export function keyGuard(keys: KeyRing, { isCounted = true } = {}): RequestHandler {
  return (request, response, next) => {
    if (keys.isOpen) {
      setAccess(response, openAccess);
      return next();
    }
    const given = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) throw new MixspaceError('unauthorized', 'An API key is needed: Authorization: Bearer KEY.');
    const held = keys.find(given);
    if (!held) throw new MixspaceError('unauthorized', 'This API key is not known.');
    setAccess(response, held.access);
    if (!isCounted) return next();
    const { rate } = held.access;
    const wait = rate === undefined ? undefined : held.minute.take(rate, Math.floor(performance.now() / 1000));
    if (wait !== undefined) throw new MixspaceError('overloaded', `This key may make ${rate} calls a minute.`, { retryAfter: wait });
    held.calls += 1;
    held.lastUsed = Date.now();
    next();
  };
}

export interface Needs {
  scope: Scope;
  /** It concerns what is everybody's. */
  isWhole?: boolean;
}

/** Before a body is read. `params.name`: the collection, where the path names one. */
export function accessGuard({ scope, isWhole }: Needs, namesCollection: boolean): RequestHandler {
  return (request, response, next) => {
    const access = accessOf(request);
    response.locals['needs'] = scope;
    requireScope(access, scope);
    if (isWhole) requireWhole(access);
    if (namesCollection) requireCollection(access, String(request.params['name']));
    next();
  };
}

export const setAccess = (response: Response, access: Access): void => void (response.locals['access'] = access);

/** What `keyGuard` has found; undefined where it was not asked, or refused. */
export const knownAccess = (response: Response): Access | undefined => response.locals['access'] as Access | undefined;

/** Behind `keyGuard`. */
export function accessOf({ res }: Request): Access {
  const access = res && knownAccess(res);
  if (!access) throw new MixspaceError('internal', 'A route stands before its guard.');
  return access;
}

/** The scope that the route asks for, once it is known which it is. */
export const neededScope = (response: Response): Scope | undefined => response.locals['needs'] as Scope | undefined;
