/** A collection as the contract has it, in memory; nothing of the service's own code is asked. */
import { isDeepStrictEqual } from 'node:util';
import { matchesItem } from './filter-oracle.js';
import { sha256, unit, type Inputs, type Space } from './inputs.js';
import type { Json } from './metadata.js';

export type Modality = 'image' | 'text';

export type Content =
  | { kind: 'text'; text: number }
  | { kind: 'picture'; picture: number }
  | { kind: 'given'; modality: Modality; values: number[] };

/** Never changed in place. */
export interface Item {
  id: string;
  content: Content;
  metadata: Json;
  sources: string[];
  /** The original's bytes can be had. */
  hasOriginal: boolean;
  /** Of which space its one embedding is, and of what it was made. */
  space: string;
  of: 'content' | 'thumbnail';
  /** As they were last seen; unknown after a write. */
  createdAt?: string;
  updatedAt?: string;
}

export interface Entry {
  /** The item as it is sent. */
  body: Json;
  id?: string;
  /** Left out: it cannot be taken. */
  content?: Content;
  metadata?: Json;
  source?: string;
  fingerprint?: string;
  byPath?: boolean;
}

export type Status = 'created' | 'updated' | 'unchanged' | 'failed';

export interface Reembedding {
  to: Space;
  fromThumbnails: boolean;
  skipImpossible: boolean;
  isRunning: boolean;
}

type Items = Pick<Map<string, Item>, 'get' | 'set'>;

const isSameContent = (a: Content, b: Content): boolean =>
  a.kind === b.kind && (a.kind !== 'given' || a.modality === (b as typeof a).modality) && isDeepStrictEqual(a, b);

export class Shelf {
  items = new Map<string, Item>();
  reembedding: Reembedding | undefined;
  createdAt: string | undefined;
  readonly inputs: Inputs;
  readonly name: string;
  readonly originals: 'keep' | 'thumbnail';
  readonly description: string | null;
  /** By the numbers as they were sent: the content hash, which depends on how they are rounded. */
  readonly hashes: Map<string, string>;
  space: Space;

  constructor(options: { inputs: Inputs; hashes: Map<string, string>; name: string; space: Space; originals: 'keep' | 'thumbnail'; description: string | null }) {
    this.inputs = options.inputs;
    this.hashes = options.hashes;
    this.name = options.name;
    this.space = options.space;
    this.originals = options.originals;
    this.description = options.description;
  }

  get isOnItsWay(): boolean {
    return this.reembedding?.isRunning === true;
  }

  matches(filter: Json, item: Item): boolean {
    return matchesItem(filter, { ...item, modality: this.modalityOf(item) });
  }

  modalityOf({ content }: Item): Modality {
    return content.kind === 'given' ? content.modality : content.kind === 'text' ? 'text' : 'image';
  }

  /** Undefined where it is not known yet. */
  hashOf(content: Content): string | undefined {
    if (content.kind === 'text') return sha256(this.inputs.texts[content.text]!);
    if (content.kind === 'picture') return this.inputs.pictures[content.picture]!.hash;
    return this.hashes.get(String(content.values));
  }

  /** Undefined: it is not found in the shelf's space. */
  vectorOf(item: Item, space = this.space): Float64Array | undefined {
    if (item.space !== space.fingerprint) return undefined;
    const { content } = item;
    if (content.kind === 'given') return givenVector(content.values);
    const made = this.inputs.embeddings.get(space.fingerprint)!;
    if (content.kind === 'text') return made.text[content.text]!;
    return (item.of === 'thumbnail' ? made.thumbnail : made.picture)[content.picture]!;
  }

  /** One entry of a batch; entries come one after the other. */
  take(items: Items, { id: named, content, metadata, source, fingerprint, byPath }: Entry): { status: Status; id: string | undefined } {
    if (content === undefined || (fingerprint !== undefined && fingerprint !== this.space.fingerprint)) return { status: 'failed', id: named };
    const id = named ?? this.hashOf(content)!;
    const before = items.get(id);
    const isKept = content.kind === 'picture' && (this.originals === 'keep' || byPath === true);
    if (!before) {
      items.set(id, { id, content, metadata: metadata ?? {}, sources: source === undefined ? [] : [source], hasOriginal: isKept, space: this.space.fingerprint, of: 'content' });
      return { status: 'created', id };
    }
    const sources = source === undefined || before.sources.includes(source) ? before.sources : [...before.sources, source];
    const isSame = isSameContent(before.content, content) && before.space === this.space.fingerprint;
    const isNoted = metadata !== undefined && !isDeepStrictEqual(metadata, before.metadata);
    if (isSame && !isNoted && sources === before.sources) return { status: 'unchanged', id };
    const after: Item = { ...before, metadata: metadata ?? before.metadata, sources };
    delete after.updatedAt;
    items.set(id, isSame ? after : { ...after, content, hasOriginal: isKept, space: this.space.fingerprint, of: 'content' });
    return { status: 'updated', id };
  }

  noted(id: string, metadata: Json): Item {
    const { updatedAt: _, ...rest } = this.items.get(id)!;
    return isDeepStrictEqual(rest.metadata, metadata) ? this.items.get(id)! : { ...rest, metadata };
  }

  /** What an item's embedding in another space is made of; undefined where it cannot have one. */
  #again(item: Item, to: Space, fromThumbnails: boolean): Pick<Item, 'space' | 'of'> | undefined {
    if (item.space === to.fingerprint) return { space: item.space, of: item.of };
    if (item.content.kind === 'text' || (item.content.kind === 'picture' && item.hasOriginal)) return { space: to.fingerprint, of: 'content' };
    if (item.content.kind === 'picture' && fromThumbnails) return { space: to.fingerprint, of: 'thumbnail' };
    return undefined;
  }

  plan(to: Space, fromThumbnails: boolean): { items: number; kept: number; from_thumbnails: number; impossible: number } {
    const plan = { items: this.items.size, kept: 0, from_thumbnails: 0, impossible: 0 };
    for (const item of this.items.values()) {
      const again = this.#again(item, to, fromThumbnails);
      if (!again) plan.impossible++;
      else if (item.space === to.fingerprint) plan.kept++;
      else if (again.of === 'thumbnail') plan.from_thumbnails++;
    }
    return plan;
  }

  impossible(to: Space, fromThumbnails: boolean): Set<string> {
    return new Set([...this.items.values()].filter((item) => !this.#again(item, to, fromThumbnails)).map(({ id }) => id));
  }

  /** Whether its way into the other space can end there. */
  get mayGoOver(): boolean {
    const { to, fromThumbnails, skipImpossible } = this.reembedding!;
    return skipImpossible || this.plan(to, fromThumbnails).impossible === 0;
  }

  /** The shelf as it is once it has gone over. */
  gone(): Shelf {
    const { to, fromThumbnails } = this.reembedding!;
    const shelf = new Shelf({ ...this, space: to });
    shelf.createdAt = this.createdAt;
    for (const [id, item] of this.items) shelf.items.set(id, { ...item, ...this.#again(item, to, fromThumbnails) });
    return shelf;
  }

  goOver(): void {
    const { items, space } = this.gone();
    this.items = items;
    this.space = space;
    this.reembedding = undefined;
  }

  get counts(): { image: number; text: number; total: number } {
    const counts = { image: 0, text: 0, total: this.items.size };
    for (const item of this.items.values()) counts[this.modalityOf(item)]++;
    return counts;
  }

  get unembedded(): number {
    let count = 0;
    for (const { space } of this.items.values()) if (space !== this.space.fingerprint) count++;
    return count;
  }
}

const units = new WeakMap<number[], Float64Array>();
function givenVector(values: number[]): Float64Array {
  let vector = units.get(values);
  if (!vector) {
    vector = unit(values);
    units.set(values, vector);
  }
  return vector;
}
