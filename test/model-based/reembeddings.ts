/** Collections taken over to another model's space, by the model's own reckoning. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../crash/random.js';
import { diverges, expectSame, expectThat } from './divergence.js';
import type { Json } from './metadata.js';
import { expectCollection } from './reads.js';
import type { Shelf } from './shelf.js';
import type { World } from './world.js';
import { urlOf } from './writes.js';

const patienceMs = 60_000;

/** Begins one, or takes the next step of the one there is. */
export async function step(random: Random, world: World, shelf: Shelf): Promise<void> {
  if (!shelf.reembedding) return start(random, world, shelf);
  const kind = random.next();
  if (shelf.isOnItsWay) return kind < 0.7 ? untilItEnds(world, shelf) : stop(random, world, shelf);
  if (kind < 0.25) return stop(random, world, shelf);
  return goOn(random, world, shelf);
}

export interface Wanted {
  body: Json;
  isDry: boolean;
}

export function drawStart(random: Random, world: World, shelf: Shelf): Wanted {
  const other = shelf.space.model === 'first' ? 'second' : 'first';
  const model = random.next() < 0.85 ? other : shelf.space.model;
  const skip = random.next();
  return {
    body: { model, ...(random.next() < 0.6 ? { from_thumbnails: random.next() < 0.6 } : {}), ...(skip < 0.8 ? { skip_impossible: skip < 0.7 } : {}) },
    isDry: random.next() < 0.1,
  };
}

/** The reembedding that the request begins. */
export function begun(world: World, { body }: Wanted): NonNullable<Shelf['reembedding']> {
  return { to: world.space(body['model'] as string), fromThumbnails: body['from_thumbnails'] === true, skipImpossible: body['skip_impossible'] === true, isRunning: true };
}

async function start(random: Random, world: World, shelf: Shelf): Promise<void> {
  const wanted = drawStart(random, world, shelf);
  const { status, body } = await world.service.call('POST', urlOf(shelf, '/reembed'), { ...wanted.body, ...(wanted.isDry ? { dry_run: true } : {}) });
  const what = `reembed ${shelf.name} ${JSON.stringify(wanted)}`;
  const reembedding = begun(world, wanted);
  const { to, fromThumbnails, skipImpossible } = reembedding;
  if (to === shelf.space && shelf.unembedded === 0) return expectSame(`${what}: in this space already`, status, 409);
  const plan = shelf.plan(to, fromThumbnails);
  if (plan.impossible > 0 && !skipImpossible && !wanted.isDry) return expectSame(`${what}: refused for ${plan.impossible} items`, status, 409);
  expectSame(`${what}: status (${JSON.stringify(body).slice(0, 300)})`, status, 200);
  const { items, kept, from_thumbnails, impossible } = body.plan;
  expectSame(`${what}: plan`, { items, kept, from_thumbnails, impossible }, plan);
  if (wanted.isDry) return expectSame(`${what}: nothing is begun`, body.reembedding, undefined);
  shelf.reembedding = reembedding;
  world.tally.reembeddings++;
  world.observe(shelf, body);
}

/** The one that has stopped; now and then with more allowed than before. */
async function goOn(random: Random, world: World, shelf: Shelf): Promise<void> {
  const before = shelf.reembedding!;
  const wanted = { ...(random.next() < 0.5 ? { model: before.to.model } : {}), ...(random.next() < 0.4 ? { from_thumbnails: true } : {}), ...(random.next() < 0.5 ? { skip_impossible: true } : {}) };
  const next = { ...before, fromThumbnails: before.fromThumbnails || wanted.from_thumbnails === true, skipImpossible: before.skipImpossible || wanted.skip_impossible === true, isRunning: true };
  const { status, body } = await world.service.call('POST', urlOf(shelf, '/reembed'), wanted);
  const what = `go on with ${shelf.name} ${JSON.stringify(wanted)}`;
  if (shelf.plan(next.to, next.fromThumbnails).impossible > 0 && !next.skipImpossible) return expectSame(`${what}: refused`, status, 409);
  expectSame(`${what}: status (${JSON.stringify(body).slice(0, 300)})`, status, 200);
  shelf.reembedding = next;
  world.observe(shelf, body);
}

async function stop(random: Random, world: World, shelf: Shelf): Promise<void> {
  const discards = random.next() < 0.4;
  const { status, body } = await world.service.call('DELETE', urlOf(shelf, `/reembed${discards ? '?discard=true' : ''}`));
  if (status === 404) {
    if (!shelf.isOnItsWay) diverges(`The reembedding of ${shelf.name} is there to be stopped`, shelf.reembedding, status);
    return world.goesOver(shelf);
  }
  expectSame(`stop the reembedding of ${shelf.name}: status`, status, 200);
  if (body.reembedding === undefined && discards) {
    // Thrown away, or done before.
    const { body: seen } = await world.service.call('GET', urlOf(shelf));
    if (seen.fingerprint === shelf.space.fingerprint && shelf.reembedding!.to !== shelf.space) shelf.reembedding = undefined;
    else if (seen.reembedding === undefined && shelf.reembedding!.to === shelf.space) shelf.reembedding = seen.not_embedded === shelf.unembedded ? undefined : shelf.reembedding;
    return expectCollection(world, shelf, seen);
  }
  if (body.reembedding === undefined) return world.observe(shelf, body);
  expectSame(`stop the reembedding of ${shelf.name}: state`, [body.reembedding.state, discards], ['stopped', false]);
  shelf.reembedding!.isRunning = false;
}

/** It goes over, or stops for what cannot be embedded: which of the two is known beforehand. */
export async function untilItEnds(world: World, shelf: Shelf): Promise<void> {
  const began = Date.now();
  while (shelf.isOnItsWay) {
    const { status, body } = await world.service.call('GET', urlOf(shelf));
    expectSame(`GET of ${shelf.name}`, status, 200);
    world.observe(shelf, body);
    if (shelf.isOnItsWay) await sleep(10);
    expectThat(`The reembedding of ${shelf.name} ends within a minute`, Date.now() - began < patienceMs, body.reembedding);
  }
  const { status, body } = await world.service.call('GET', urlOf(shelf));
  expectSame(`GET of ${shelf.name}`, status, 200);
  expectCollection(world, shelf, body);
  if (!shelf.reembedding) return;
  const impossible = shelf.impossible(shelf.reembedding.to, shelf.reembedding.fromThumbnails);
  expectSame(`The reembedding of ${shelf.name}: impossible`, body.reembedding.impossible, impossible.size);
  const told = await world.service.call('GET', urlOf(shelf, '/reembed'));
  const first = told.body.reembedding.first_impossible.map(({ id }: { id: string }) => id);
  expectThat(`The reembedding of ${shelf.name}: the first of ${impossible.size} that are impossible`, first.length === Math.min(10, impossible.size) && first.every((id: string) => impossible.has(id)), told.body);
}
