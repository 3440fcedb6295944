import type { Merged, MetadataMerge } from '../contract/items.js';
import type { AdditionOutcome, ListPlace } from '../store/catalog.js';
import type { Caller, Context } from './context.js';
import { checkMetadata } from './input/limits.js';

/** In one transaction. */
const atOnce = 256;
/** Failures that are named. */
const mostNamed = 1_000;

/**
 * `PATCH .../items`: fields laid over the metadata of many items, some of them in a transaction each. A caller who hangs
 * up stops it between two of these; sent again, it comes to the same.
 *
 * @throws MixspaceError `not_found`: no such collection; `too_large`: the fields alone are more than an item may have.
 */
export async function mergeMetadata(context: Context, collection: string, { ids, filter, metadata }: MetadataMerge, { signal }: Caller): Promise<Merged> {
  checkMetadata(context, metadata);
  const merged: Merged = { updated: 0, missing: [], failed: [], failures: 0 };
  for await (const some of ids ? slicesOf([...new Set(ids)]) : matching(context, collection, filter!)) {
    signal?.throwIfAborted();
    const outcomes = await context.catalog.addMetadata(collection, some.map((id) => ({ id, fields: metadata })), context.limits.metadata);
    outcomes.forEach((outcome, i) => note(merged, context, some[i]!, outcome));
  }
  // Of what a filter found, an item that has gone meanwhile is nobody's concern.
  return ids ? merged : { ...merged, missing: [] };
}

function note(merged: Merged, { limits }: Context, id: string, outcome: AdditionOutcome): void {
  if (outcome === 'written') merged.updated++;
  else if (outcome === 'missing') merged.missing.push(id);
  else {
    merged.failures++;
    const reason = outcome === 'damaged' ? 'The item is damaged; writing it again mends that.' : `Its metadata would be more than ${limits.metadata} bytes of JSON.`;
    if (merged.failed.length < mostNamed) merged.failed.push({ id, reason });
  }
}

function* slicesOf(ids: string[]): Generator<string[]> {
  for (let from = 0; from < ids.length; from += atOnce) yield ids.slice(from, from + atOnce);
}

/** By id, whatever the merging changes about what matches: one that was passed does not come again. */
async function* matching({ catalog }: Context, collection: string, filter: NonNullable<MetadataMerge['filter']>): AsyncGenerator<string[]> {
  for (let after: ListPlace | undefined; ; ) {
    const { items, next } = await catalog.listItems(collection, { limit: atOnce, filter, ...(after && { after }) });
    yield items.map(({ id }) => id);
    if (next === undefined) return;
    after = next;
  }
}
