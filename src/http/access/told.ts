import type { Key, OwnKey } from '../../contract/keys.js';
import type { Access } from './access.js';
import type { KeyUse } from './key-ring.js';

export function ownKey({ name, ...held }: Access): OwnKey {
  return { ...(name === undefined ? {} : { name }), ...toldAccess(held) };
}

export function toldKey({ name, calls, lastUsedAt, ...held }: KeyUse): Key {
  return { name, ...toldAccess(held), calls, ...(lastUsedAt === undefined ? {} : { last_used_at: lastUsedAt.toISOString() }) };
}

function toldAccess({ scope, collections, rate }: Access): Omit<OwnKey, 'name'> {
  return { scope, ...(collections === undefined ? {} : { collections: [...collections] }), ...(rate === undefined ? {} : { rate }) };
}
