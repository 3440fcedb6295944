/** Requests side by side, SIGKILL and SIGTERM among them, and what is there afterwards. */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../api.js';
import type { Random } from '../crash/random.js';
import { Divergence, diverges, expectSame } from './divergence.js';
import type { Json } from './metadata.js';
import { collections, expectCollection, get, list, search } from './reads.js';
import { begun, drawStart } from './reembeddings.js';
import type { Item, Shelf } from './shelf.js';
import type { World } from './world.js';
import { add, patch, remove, removeWhere, urlOf, type Write } from './writes.js';

/** Writes whose effects commute: of ids of their own, or of a shelf of their own. */
function drawWrites(random: Random, world: World, most: number): Write[] {
  const writes: Write[] = [];
  const share = Math.floor(world.ids.length / most);
  const shuffled = random.shuffle(world.ids);
  const whole = random.next() < 0.25 ? random.pick([...world.shelves.values()]) : undefined;
  for (let n = 0; n < random.between(2, most); n++) {
    const shelf = world.drawShelf(random);
    // While it goes over, of two answers nobody knows which was given first.
    if (shelf === whole || (shelf.isOnItsWay && writes.some((write) => write.shelf === shelf))) continue;
    const ids = shuffled.slice(n * share, (n + 1) * share);
    const kind = random.next();
    writes.push(kind < 0.6 ? add(random, world, shelf, ids) : kind < 0.8 ? patch(random, world, shelf, ids) : remove(random, world, shelf, ids));
  }
  if (whole) writes.push(removeWhere(random, world, whole));
  return writes;
}

export async function sideBySide(random: Random, world: World): Promise<string> {
  const writes = drawWrites(random, world, 4);
  const written = new Map<Shelf, Set<string> | undefined>();
  for (const { shelf, ids } of writes) written.set(shelf, ids === undefined ? undefined : new Set([...(written.get(shelf) ?? []), ...ids]));
  const calm = world.ids.filter((id) => [...written.values()].every((ids) => !ids?.has(id)));
  const searched = new Set<Shelf>();
  const reading = Array.from({ length: 3 }, (_, n) => {
    const shelf = world.drawShelf(random);
    // What a search answers while everything goes is nobody's to foresee; nor while the shelf goes over.
    if (shelf.isOnItsWay ? written.has(shelf) || searched.has(shelf) : written.has(shelf) && written.get(shelf) === undefined) return undefined;
    searched.add(shelf);
    return n === 0 && calm.length > 0 ? get(random, world, shelf, calm) : search(random, world, shelf, written.get(shelf));
  });
  await Promise.all([...writes.map(async (write) => write.settle(await write.send())), ...reading]);
  return writes.map(({ name }) => name).join('; ');
}

/** What the requests were about that no answer came to. */
interface Open {
  name: string;
  /** Settles what of it has happened. */
  resolve(shelves: Map<string, any>): Promise<void>;
}

/** Ends the service in the middle of writes, starts it again and compares all that it holds. */
export async function interrupt(random: Random, world: World, signal: 'SIGKILL' | 'SIGTERM'): Promise<string> {
  const writes = drawWrites(random, world, 5);
  const lifecycle = drawLifecycle(random, world, new Set(writes.map(({ shelf }) => shelf)));
  const sent = writes.map(async (write) => ({ write, answer: await write.send().catch(gone) }));
  const lifecycleSent = lifecycle?.send().catch(gone);
  await sleep(random.between(0, world.profile.store ? 60 : 30));
  await (signal === 'SIGKILL' ? world.service.kill() : world.service.stop());
  world.tally.restarts++;
  if (signal === 'SIGKILL') world.tally.kills++;

  const open: Open[] = [];
  for (const { write, answer } of await Promise.all(sent)) {
    if (answer instanceof Divergence) throw answer;
    if (answer && (signal === 'SIGKILL' || answer.status < 400)) write.settle(answer);
    else open.push({ name: write.name, resolve: () => resolveWrite(world, write) });
  }
  const lifecycleAnswer = await lifecycleSent;
  if (lifecycleAnswer instanceof Divergence) throw lifecycleAnswer;
  if (lifecycle && lifecycleAnswer && lifecycleAnswer.status < 500) lifecycle.settle(lifecycleAnswer);
  else if (lifecycle) open.push(lifecycle);

  const cells = random.next();
  if (cells < 0.15) world.service.dropCells();
  else if (cells < 0.35) world.service.damageCells();
  await world.service.startAgain();
  await verify(random, world, open);
  return `${signal} during ${[...writes, ...(lifecycle ? [lifecycle] : [])].map(({ name }) => name).join('; ')}; open: ${open.map(({ name }) => name).join('; ')}`;
}

const gone = (error: unknown): Divergence | undefined => (error instanceof Divergence ? error : undefined);

export async function verify(random: Random, world: World, open: Open[] = []): Promise<void> {
  const { body } = await world.service.call('GET', '/v1/collections');
  const seen = new Map<string, any>(body.collections.map((each: any) => [each.name, each]));
  for (const each of open) await each.resolve(seen);
  await collections(world);
  for (const shelf of world.shelves.values()) {
    await list(random, world, shelf, true);
    await search(random, world, shelf);
  }
}

async function listed(world: World, shelf: Shelf): Promise<Map<string, any>> {
  const items = new Map<string, any>();
  for (let cursor = ''; ; ) {
    const { body } = await world.service.call('GET', urlOf(shelf, `/items?limit=1000${cursor}`));
    for (const item of body.items) items.set(item.id, item);
    if (body.next_cursor === undefined) return items;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
}

/** All of a transaction or nothing, and none before the one before it. */
async function resolveWrite(world: World, write: Write): Promise<void> {
  const { shelf } = write;
  const seen = await listed(world, shelf);
  const states = write.states();
  let state: Map<string, Item | undefined> | undefined;
  for (const each of states.filter((each) => [...each].every(([id, item]) => isAs(shelf, item, seen.get(id)))).reverse()) {
    const fresh = [...each].filter(([id, item]) => item && item !== states[0]!.get(id));
    if ((await Promise.all(fresh.map(([id, item]) => holds(world, shelf, id, item!)))).every(Boolean)) state = each;
    if (state) break;
  }
  if (!state) {
    const differing = [...states.at(-1)!].filter(([id]) => !states.some((each) => isAs(shelf, each.get(id), seen.get(id)))).map(([id]) => id);
    diverges(`After a restart, ${write.name} is there in whole transactions or not at all (${differing.length} items are neither as before nor as after)`, states.map((each) => [...each].slice(0, 40).map(([id, item]) => [id, item && [item.content.kind, item.metadata]])), [...states[0]!.keys()].slice(0, 40).map((id) => seen.get(id)));
  }
  for (const [id, item] of state) {
    if (!item) shelf.items.delete(id);
    else {
      const { createdAt: _, updatedAt: __, ...unseen } = item;
      shelf.items.set(id, unseen);
    }
  }
}

function isAs(shelf: Shelf, item: Item | undefined, seen: any): boolean {
  if (!item || !seen) return !item && !seen;
  const hash = shelf.hashOf(item.content);
  return isDeepStrictEqual([item.metadata, item.sources, shelf.modalityOf(item)], [seen.metadata, seen.sources, seen.modality]) && (hash === undefined ? item.content.kind === 'given' && seen.text === undefined : hash === seen.content_hash);
}

/** Whether an item has the embedding that came with it, where nothing else would tell it from the one before. */
async function holds(world: World, shelf: Shelf, id: string, { content, space }: Item): Promise<boolean> {
  if (content.kind !== 'given' || shelf.hashOf(content) !== undefined || space !== shelf.space.fingerprint) return true;
  const { body } = await world.service.call('POST', urlOf(shelf, '/search'), { query: { embedding: content.values }, modality: content.modality, exact: true, limit: 1000 });
  return body.matches.some((match: any) => match.id === id && match.score > 0.99999);
}

interface Lifecycle extends Open {
  send(): Promise<Answer>;
  settle(answer: Answer): void;
}

/** A collection that comes, goes, or sets out for another space. */
function drawLifecycle(random: Random, world: World, busy: Set<Shelf>): Lifecycle | undefined {
  const free = [...world.shelves.values()].filter((shelf) => !busy.has(shelf) && shelf.name !== 'default');
  const kind = random.next();
  if (kind < 0.25) return creation(random, world);
  if (kind < 0.4 && free.length > 1) return deletion(world, random.pick(free));
  const idle = free.filter((shelf) => !shelf.reembedding && shelf.items.size > 0);
  if (kind < 0.9 && idle.length > 0) return departure(random, world, random.pick(idle));
  return undefined;
}

export function creation(random: Random, world: World): Lifecycle | undefined {
  const name = ['a', 'B.2', 'c-c_', 'd'].find((each) => !world.shelves.has(each));
  if (name === undefined) return undefined;
  const space = world.space(random.pick(['first', 'second']));
  const originals = random.pick(['keep', 'thumbnail'] as const);
  const description = random.pick([null, 'été 😀']);
  const shelf = world.newShelf(name, space, originals, description);
  const body: Json = { name, model: space.model, originals, ...(description === null ? {} : { description }) };
  const create = (seen: any): void => {
    world.shelves.set(name, shelf);
    expectCollection(world, shelf, seen);
  };
  return {
    name: `create ${name}`,
    send: () => world.service.call('POST', '/v1/collections', body),
    settle: (answer) => {
      expectSame(`create ${name}: status`, answer.status, 201);
      create(answer.body);
    },
    resolve: async (seen) => {
      if (seen.has(name)) create(seen.get(name));
    },
  };
}

export function deletion(world: World, shelf: Shelf): Lifecycle {
  return {
    name: `delete collection ${shelf.name}`,
    send: () => world.service.call('DELETE', urlOf(shelf)),
    settle: ({ status }) => {
      expectSame(`delete ${shelf.name}: status`, status, 204);
      world.shelves.delete(shelf.name);
    },
    resolve: async (seen) => {
      if (!seen.has(shelf.name)) world.shelves.delete(shelf.name);
    },
  };
}

function departure(random: Random, world: World, shelf: Shelf): Lifecycle | undefined {
  const wanted = drawStart(random, world, shelf);
  const reembedding = begun(world, wanted);
  const { to, fromThumbnails, skipImpossible } = reembedding;
  if (to === shelf.space || (!skipImpossible && shelf.plan(to, fromThumbnails).impossible > 0)) return undefined;
  const depart = (): void => {
    shelf.reembedding = reembedding;
    world.tally.reembeddings++;
  };
  return {
    name: `reembed ${shelf.name} into ${to.model}`,
    send: () => world.service.call('POST', urlOf(shelf, '/reembed'), wanted.body),
    settle: ({ status }) => {
      expectSame(`reembed ${shelf.name}: status`, status, 200);
      depart();
    },
    resolve: async (seen) => {
      if (seen.get(shelf.name)?.reembedding !== undefined || seen.get(shelf.name)?.fingerprint === to.fingerprint) depart();
    },
  };
}
