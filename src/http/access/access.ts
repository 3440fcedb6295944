import { holds, type Scope } from '../../domain/scope.js';
import { MixspaceError } from '../../errors.js';

/** What whoever calls may do. */
export interface Access {
  /** Who it is, for the log; undefined where no keys are set. */
  name?: string;
  scope: Scope;
  /** Undefined: all, and what concerns the whole service. */
  collections?: ReadonlySet<string>;
  rate?: number;
}

/** Where no keys are set, anyone may do anything. */
export const openAccess: Access = { scope: 'admin' };

const forbidden = (message: string): MixspaceError => new MixspaceError('forbidden', message);

/** Of who could send no key. */
export const readOnlyAccess: Access = { scope: 'read' };

/** @throws MixspaceError `forbidden` */
export function requireScope(access: Access, wanted: Scope): void {
  if (!holds(access.scope, wanted)) throw forbidden(`This needs a key with scope=${wanted}; this key has scope=${access.scope}.`);
}

/** @throws MixspaceError `forbidden`, whether or not there is such a collection */
export function requireCollection({ collections }: Access, name: string): void {
  if (collections && !collections.has(name)) throw forbidden(`This key is for ${namesOf(collections)} alone.`);
}

/** Of what is everybody's: models, classifiers, backups, keys. @throws MixspaceError `forbidden` */
export function requireWhole({ collections }: Access): void {
  if (collections) throw forbidden(`This concerns the whole service; this key is for ${namesOf(collections)} alone.`);
}

const namesOf = (collections: ReadonlySet<string>): string => `the collection${collections.size > 1 ? 's' : ''} ${[...collections].join(', ')}`;
