import { createHash } from 'node:crypto';
import { CollectionName } from '../../contract/shared.js';
import { scopes, type Scope } from '../../domain/scope.js';

/** What one key may do. The key itself is forgotten once it is read. */
export interface Grant {
  /** SHA-256 of the key, hex. */
  hash: string;
  /** What the log and the list of keys call its holder. */
  name: string;
  scope: Scope;
  /** Undefined: all, and what concerns the whole service. */
  collections?: ReadonlySet<string>;
  /** Calls in any minute; undefined: no bound. */
  rate?: number;
}

/** Its message says what is wrong with which line, and repeats no word that may be a key. */
export class KeyLineError extends Error {}

const mostRate = 1_000_000;
const longestName = 100;

export const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** What an Authorization header can carry, and a list with commas hold. */
export const isKey = (text: string): boolean => /^[\x21-\x2b\x2d-\x7e]+$/.test(text);

/**
 * A key a line: `KEY [scope=read|write|admin] [collection=A,B] [rate=N/min] [name=WHO]`. Empty lines and those that begin
 * with `# ` say nothing.
 * @throws KeyLineError
 */
export function readKeyLines(text: string): Grant[] {
  const grants: Grant[] = [];
  const lineOf = new Map<string, number>();
  text.split(/\r?\n/).forEach((line, i) => {
    const words = line.trim().split(/\s+/).filter(Boolean);
    if (words.length === 0 || words[0] === '#') return;
    const grant = grantOf(words, i + 1);
    const earlier = lineOf.get(grant.hash);
    if (earlier !== undefined) throw new KeyLineError(`has the same key in lines ${earlier} and ${i + 1}`);
    lineOf.set(grant.hash, i + 1);
    grants.push(grant);
  });
  if (grants.length === 0) throw new KeyLineError('holds no key');
  return grants;
}

function grantOf([key, ...options]: string[], line: number): Grant {
  if (!isKey(key!)) throw new KeyLineError(`holds no key in line ${line}: a key is made of letters, digits and signs of ASCII but spaces and commas`);
  const grant: Grant = { hash: hashOf(key!), name: `line ${line}`, scope: 'admin' };
  const seen = new Set<string>();
  for (const option of options) {
    const at = option.indexOf('=');
    const [name, value] = at < 0 ? ['', ''] : [option.slice(0, at), option.slice(at + 1)];
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (!read) throw new KeyLineError(`cannot be read in line ${line}: behind a key stand scope=, collection=, rate= and name=`);
    if (seen.has(name)) throw new KeyLineError(`says ${name}= twice in line ${line}`);
    seen.add(name);
    const refusal = read(grant, value);
    if (refusal !== undefined) throw new KeyLineError(`cannot be read in line ${line}: ${name}= takes ${refusal}`);
  }
  return grant;
}

/** Each sets its part of the grant, or answers what it takes. */
const readers: Record<string, (grant: Grant, value: string) => string | undefined> = {
  scope: (grant, value) => {
    const scope = scopes.find((each) => each === value);
    if (!scope) return `one of ${scopes.join(', ')}`;
    grant.scope = scope;
    return undefined;
  },
  collection: (grant, value) => {
    const names = value.split(',');
    if (!names.every((name) => CollectionName.safeParse(name).success)) return 'names of collections, separated by commas';
    grant.collections = new Set(names);
    return undefined;
  },
  rate: (grant, value) => {
    const rate = Number(/^(\d{1,9})\/min$/.exec(value)?.[1] ?? 0);
    if (rate < 1 || rate > mostRate) return `calls a minute, such as 600/min, at most ${mostRate}`;
    grant.rate = rate;
    return undefined;
  },
  name: (grant, value) => {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(value) || value.length > longestName) return `a name of at most ${longestName} characters`;
    grant.name = value;
    return undefined;
  },
};
