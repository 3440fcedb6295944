/** Requests that write items: what they bring about, whole or, where no answer came, in part. */
import type { Answer } from '../api.js';
import { base64 } from '../api.js';
import type { Random } from '../crash/random.js';
import { learnHash, expectItem } from './comparing.js';
import { diverges, expectSame, expectThat } from './divergence.js';
import { matches } from './filter-oracle.js';
import { drawFilter, drawMetadata, reordered, type Json } from './metadata.js';
import type { Content, Entry, Item, Shelf } from './shelf.js';
import type { World } from './world.js';

/** Entries that the service writes in one transaction. */
const chunkEntries = 32;

export interface Write {
  name: string;
  shelf: Shelf;
  /** Ids that it may touch; undefined: any. */
  ids: string[] | undefined;
  send(): Promise<Answer>;
  /** Takes the answer into the model. */
  settle(answer: Answer): void;
  /** Touched items, after nothing of it, after each transaction. */
  states(): Map<string, Item | undefined>[];
}

export const urlOf = (shelf: Shelf, rest = ''): string => `/v1/collections/${shelf.name}${rest}`;
export const itemUrl = (shelf: Shelf, id: string, rest = ''): string => urlOf(shelf, `/items/${encodeURIComponent(id)}${rest}`);

function withMetadata(random: Random, world: World, shelf: Shelf, id: string | undefined): Pick<Entry, 'metadata'> {
  const kind = random.next();
  if (kind < 0.35) return {};
  const before = id === undefined ? undefined : shelf.items.get(id);
  if (kind < 0.55 && before) return { metadata: reordered(before.metadata) };
  return { metadata: drawMetadata(random) };
}

const drawSource = (random: Random): Pick<Entry, 'source'> => (random.next() < 0.3 ? { source: random.pick(['camera', '/photos/a.jpg', 'été.png', 'x😀']) } : {});

function drawContent(random: Random, world: World): Content {
  const kind = random.next();
  const share = world.profile.store ? 0.04 : 0.15;
  if (kind < share) return { kind: 'text', text: random.between(0, world.inputs.texts.length - 1) };
  if (kind < share * 1.7) return { kind: 'picture', picture: random.between(0, world.inputs.pictures.length - 1) };
  return { kind: 'given', modality: random.next() < 0.75 ? 'image' : 'text', values: random.next() < 0.12 ? random.pick(world.common) : world.drawVector(random) };
}

/** Now and then what is there already, or its numbers under the other modality. */
function contentFor(random: Random, world: World, before: Item | undefined): Content {
  const kind = random.next();
  if (before && kind < 0.3) return before.content;
  if (before?.content.kind === 'given' && kind < 0.4) return { ...before.content, modality: before.content.modality === 'image' ? 'text' : 'image' };
  return drawContent(random, world);
}

export function drawEntry(random: Random, world: World, shelf: Shelf, ids: readonly string[] | undefined): Entry {
  if (random.next() < 0.05) return badEntry(random, world, shelf, ids);
  let id: string | undefined = ids ? random.pick(ids) : random.next() < 0.93 ? random.pick(world.ids) : undefined;
  const before = id === undefined ? undefined : shelf.items.get(id);
  let content = contentFor(random, world, before);
  // What becomes of these while it goes over, the clock decides.
  if (shelf.isOnItsWay && ((content.kind === 'picture' && shelf.originals === 'thumbnail') || (content.kind === 'given' && (ids !== undefined || random.next() < 0.9)))) content = { kind: 'text', text: random.between(0, world.inputs.texts.length - 1) };
  if (id === undefined && ids === undefined && content.kind === 'given' && shelf.hashOf(content) === undefined) id = random.pick(world.ids);
  const note = { ...(id === undefined ? {} : { id }), ...withMetadata(random, world, shelf, id), ...drawSource(random) };
  if (content.kind === 'text') return { body: { ...note, text: world.inputs.texts[content.text] }, ...note, content };
  if (content.kind === 'given') {
    const fingerprint = shelf.isOnItsWay || random.next() < 0.2 ? { fingerprint: shelf.space.fingerprint } : {};
    return { body: { ...note, embedding: content.values, modality: content.modality, ...fingerprint }, ...note, ...fingerprint, content };
  }
  const { bytes, file, mediaType } = world.inputs.pictures[content.picture]!;
  if (shelf.originals === 'keep' && random.next() < 0.3) return { body: { ...note, path: file }, source: file, ...note, content, byPath: true };
  return { body: { ...note, image: random.next() < 0.5 ? base64(bytes) : `data:${mediaType};base64,${base64(bytes)}` }, ...note, content };
}

function badEntry(random: Random, world: World, shelf: Shelf, ids: readonly string[] | undefined): Entry {
  const id = random.pick(ids ?? world.ids);
  const good = { id, embedding: world.drawVector(random), modality: 'image' };
  const body = random.pick<Json>([
    { ...good, metadata: ['no object'] },
    { ...good, metadata: { long: 'x'.repeat(70_000) } },
    { ...good, embedding: good.embedding.slice(1) },
    { ...good, embedding: good.embedding.map(() => 0) },
    { ...good, fingerprint: 'of another space' },
    { ...good, text: 'both' },
    { ...good, surprise: 1 },
    { ...good, modality: 'sound' },
    { ...good, source: '' },
    { id },
    { id, image: base64(world.inputs.damaged) },
    { id, image: 'no base64!' },
    { id, image: base64(Buffer.from('no picture at all')) },
    { id, path: `${world.inputs.pictures[0]!.file}.missing` },
    { id, path: '/etc/hostname' },
  ]);
  return { body, id };
}

export function add(random: Random, world: World, shelf: Shelf, ids?: readonly string[]): Write {
  const size = random.next() < 0.5 ? random.between(1, 4) : random.between(1, world.profile.batch);
  const entries = Array.from({ length: size }, () => drawEntry(random, world, shelf, ids));
  if (random.next() < 0.3) entries.push({ ...random.pick(entries) });
  return batch(world, shelf, 'add', entries, () => world.service.call('POST', urlOf(shelf, '/items'), { items: entries.map(({ body }) => body) }));
}

/** Files of a form. */
export function upload(random: Random, world: World, shelf: Shelf): Write {
  const byName = random.next() < 0.3;
  const entries = Array.from({ length: random.between(1, 6) }, (_, i): Entry & { bytes: Buffer; file: string } => {
    const file = `${random.pick(['a', 'é', '日 本', '😀'])}${byName ? i : ''}.bin`;
    const picture = random.between(0, world.inputs.pictures.length - 1);
    const isBad = random.next() < 0.12;
    const id = byName || random.next() < 0.1 ? undefined : random.pick(world.ids);
    const note = { ...(id === undefined ? {} : { id }), ...withMetadata(random, world, shelf, id), ...(byName ? {} : drawSource(random)) };
    return { body: note, source: file, ...note, ...(isBad ? {} : { content: { kind: 'picture', picture } }), bytes: isBad ? world.inputs.damaged : world.inputs.pictures[picture]!.bytes, file };
  });
  const form = new FormData();
  for (const { bytes, file } of entries) form.append('file', new Blob([new Uint8Array(bytes)]), file);
  const noted = entries.filter(({ metadata }) => metadata !== undefined);
  form.append('metadata', JSON.stringify(byName ? Object.fromEntries(noted.map(({ file, metadata }) => [file, metadata])) : entries.map(({ body }) => body)));
  return batch(world, shelf, 'upload', entries, () => world.service.call('POST', urlOf(shelf, '/items'), form));
}

function batch(world: World, shelf: Shelf, kind: string, entries: Entry[], send: () => Promise<Answer>): Write {
  const ids = [...new Set(entries.flatMap(({ id, content }) => id ?? (content && shelf.hashOf(content)) ?? []))];
  const name = `${kind} ${entries.length} to ${shelf.name}: ${entries.slice(0, 4).map(({ id, content }) => `${id?.slice(-8)}=${content?.kind ?? 'bad'}`).join(' ')}`;
  return {
    name,
    shelf,
    ids,
    send,
    settle: ({ status, body }) => {
      expectSame(`${name}: its status (${JSON.stringify(body).slice(0, 300)})`, status, 200);
      expectSame(`${name}: outcomes`, body.items.length, entries.length);
      entries.forEach((entry, at) => settleEntry(world, shelf, `${name}: entry ${at}`, entry, body.items[at]));
    },
    states: () => {
      const items = new Map(ids.map((id) => [id, shelf.items.get(id)]));
      const states = [new Map(items)];
      for (let from = 0; from < entries.length; from += chunkEntries) {
        for (const entry of entries.slice(from, from + chunkEntries)) shelf.take(items as Map<string, Item>, entry);
        states.push(new Map(items));
      }
      return states;
    },
  };
}

function settleEntry(world: World, shelf: Shelf, what: string, entry: Entry, seen: any): void {
  const { content } = entry;
  if (content?.kind === 'given' && entry.id === undefined && seen.status !== 'failed') learnHash(what, shelf, content, seen.id);
  if (content && entry.fingerprint === shelf.space.fingerprint && shelf.isOnItsWay && seen.status === 'failed' && seen.error.code === 'conflict') world.goesOver(shelf);
  const { status, id } = shelf.take(shelf.items, entry);
  const { status: seenStatus, id: seenId, error } = seen;
  if (status !== seenStatus) diverges(`${what}: status of ${JSON.stringify(entry.body).slice(0, 300)}`, status, seen);
  if (id !== undefined) expectSame(`${what}: id`, seenId, id);
  expectThat(`${what}: only what failed says why`, (error !== undefined) === (status === 'failed'), seen);
}

export function patch(random: Random, world: World, shelf: Shelf, ids?: readonly string[]): Write {
  const id = drawId(random, world, shelf, ids);
  const before = shelf.items.get(id);
  const metadata = before && random.next() < 0.15 ? reordered(before.metadata) : drawMetadata(random);
  return {
    name: `patch ${id.slice(-8)} of ${shelf.name}`,
    shelf,
    ids: [id],
    send: () => world.service.call('PATCH', itemUrl(shelf, id), { metadata }),
    settle: ({ status, body }) => {
      if (!shelf.items.has(id)) return expectSame(`PATCH of a missing ${id}`, status, 404);
      expectSame(`PATCH of ${id}: status`, status, 200);
      const item = shelf.noted(id, metadata);
      shelf.items.set(id, item);
      expectItem('PATCH', shelf, item, body);
    },
    states: () => [new Map([[id, shelf.items.get(id)]]), new Map([[id, shelf.items.has(id) ? shelf.noted(id, metadata) : undefined]])],
  };
}

export function remove(random: Random, world: World, shelf: Shelf, ids?: readonly string[]): Write {
  const id = drawId(random, world, shelf, ids);
  return {
    name: `delete ${id.slice(-8)} of ${shelf.name}`,
    shelf,
    ids: [id],
    send: () => world.service.call('DELETE', itemUrl(shelf, id)),
    settle: ({ status }) => {
      expectSame(`DELETE of ${id}: status`, status, shelf.items.delete(id) ? 204 : 404);
    },
    states: () => [new Map([[id, shelf.items.get(id)]]), new Map([[id, undefined]])],
  };
}

/** With a filter, or everything. */
export function removeWhere(random: Random, world: World, shelf: Shelf): Write {
  const drawn = random.next() < 0.04 ? [] : [drawFilter(random)];
  const both = (): Json | undefined => (drawn.length > 1 ? { $and: drawn } : drawn[0]);
  let filter = both();
  const chosen = (): string[] => [...shelf.items.values()].filter((item) => filter === undefined || shelf.matches(filter, item)).map(({ id }) => id);
  // Now and then nearly all of it, else what leaves something to go on with.
  for (let tries = 0; filter && tries < 8 && chosen().length > shelf.items.size / 6; tries++) {
    drawn.push(drawFilter(random));
    filter = both();
  }
  const query = filter === undefined ? 'all=true' : `filter=${encodeURIComponent(JSON.stringify(filter))}`;
  const name = `delete where ${filter === undefined ? 'anything' : JSON.stringify(filter)} of ${shelf.name}`;
  return {
    name,
    shelf,
    ids: undefined,
    send: () => world.service.call('DELETE', urlOf(shelf, `/items?${query}`)),
    settle: ({ status, body }) => {
      const gone = chosen();
      // Whether it leaves anything out is told of any metadata; what is here can only say where it does.
      if (status === 400 && filter !== undefined && gone.length === shelf.items.size && matches(filter, {})) {
        return expectSame(name, (body as { error: { message: string } }).error.message.startsWith('This filter leaves nothing out: '), true);
      }
      for (const id of gone) shelf.items.delete(id);
      expectSame(name, [status, body], [200, { deleted: gone.length }]);
    },
    states: () => [new Map(chosen().map((id) => [id, shelf.items.get(id)])), new Map(chosen().map((id) => [id, undefined]))],
  };
}

/** Mostly of something that is there. */
export function drawId(random: Random, world: World, shelf: Shelf, ids: readonly string[] = world.ids): string {
  for (let tries = 0; tries < 12; tries++) {
    const id = random.pick(ids);
    if (shelf.items.has(id)) return id;
  }
  return random.pick(ids);
}
