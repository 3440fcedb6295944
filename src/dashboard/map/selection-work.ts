import type { MixspaceClient } from '../../client/index.js';
import type { MapItem, MapSource } from './map-source.js';

/** Points that one call tells of. */
const mostAtOnce = 1_000;
/** Calls that change one item each. */
const callsAtOnce = 4;
/** Examples that a classifier is given in one call, and so at all. */
export const mostExamples = 1_000;
/** Ids that an address can name. */
export const mostLinked = 100;

export interface Work {
  source: MapSource;
  client: MixspaceClient;
  numbers: Uint32Array;
  signal: AbortSignal;
  onProgress: (done: number) => void;
}

/** What came of it. `failed`: how many could not be done, and why the first one could not. */
export interface Outcome {
  done: number[];
  failed: number;
  problem?: unknown;
}

/** By the thousand, in the order of the numbers. */
export async function* itemsOf({ source, numbers, signal }: Work): AsyncGenerator<MapItem[], void, undefined> {
  for (let from = 0; from < numbers.length; from += mostAtOnce) yield await source.items([...numbers.subarray(from, from + mostAtOnce)], { signal });
}

/** JSON lines of the ids. */
export async function exportIds(work: Work): Promise<Blob> {
  const lines: string[] = [];
  for await (const items of itemsOf(work)) {
    for (const { id } of items) lines.push(`${JSON.stringify({ id })}\n`);
    work.onProgress(lines.length);
  }
  return new Blob(lines, { type: 'application/jsonl' });
}

export const deleteItems = (work: Work): Promise<Outcome> => eachItem(work, ({ id }) => work.client.deleteItem(work.source.collection, id, { signal: work.signal }));

/** Lays a field over each one's metadata. */
export function labelItems(work: Work, field: string, value: string): Promise<Outcome> {
  const { client, source, signal } = work;
  return eachPage(work, async (items, outcome) => {
    const { missing, failed } = await client.mergeMetadata(source.collection, { ids: items.map(({ id }) => id), metadata: { [field]: value } }, { signal });
    const left = new Set([...missing, ...failed.map(({ id }) => id)]);
    for (const { id, number } of items) if (!left.has(id)) outcome.done.push(number);
    outcome.failed += left.size;
    if (failed[0]) outcome.problem ??= new Error(failed[0].reason);
    work.onProgress(outcome.done.length + outcome.failed);
  });
}

/** A classifier of two labels, whose examples of the first one these are. */
export async function makeClassifier(work: Work, { name, label, other }: { name: string; label: string; other: string }): Promise<void> {
  const { client, source, signal } = work;
  const items = await source.items([...work.numbers.subarray(0, mostExamples)], { signal });
  await client.putClassifier(name, { labels: [label, other] }, { signal });
  await client.addExamples(name, { label, collection: source.collection, ids: items.map(({ id }) => id) }, { signal });
}

function eachItem(work: Work, change: (item: MapItem) => Promise<unknown>): Promise<Outcome> {
  return eachPage(work, async (items, outcome) => {
    const next = items.values();
    const takeTurns = async (): Promise<void> => {
      for (const item of next) {
        work.signal.throwIfAborted();
        try {
          await change(item);
          outcome.done.push(item.number);
        } catch (error) {
          outcome.failed++;
          outcome.problem ??= error;
        }
        work.onProgress(outcome.done.length + outcome.failed);
      }
    };
    await Promise.all(Array.from({ length: callsAtOnce }, takeTurns));
  });
}

async function eachPage(work: Work, change: (items: MapItem[], outcome: Outcome) => Promise<void>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: 0 };
  try {
    for await (const items of itemsOf(work)) await change(items, outcome);
  } catch (error) {
    // What was done before is done.
    if (!work.signal.aborted) outcome.problem ??= error;
  }
  return outcome;
}

export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
