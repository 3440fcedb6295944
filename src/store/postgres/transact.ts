import type { StoredItem } from '../stored-item.js';
import { noChanges, type Changes } from '../writing/writer.js';
import type { SightingTables } from '../writing/sightings.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { followExamples } from './following-examples.js';
import { writeWorkingSet } from './item-rows.js';
import { Tallies } from './tallies.js';
import { findElsewhere, findSeen, WorkingSightings, type FileName } from './working-sightings.js';
import { workingSetOf } from './working-set.js';

/** What a change is of: items by their ids, and files in which items are, or were, seen. */
export interface Concerned {
  ids: string[];
  files?: FileName[];
}

/** Reads what `work` may look at, lets it change that in memory, and writes it; inside the caller's transaction, in which the collection has been taken. */
export async function changeItems<T>(session: Session, collection: CollectionRow, { ids, files = [] }: Concerned, work: (tables: SightingTables<StoredItem>, changes: Changes<StoredItem>) => T): Promise<T> {
  const found = files.length === 0 ? { rows: [], departed: new Map<string, never>() } : await findSeen(session, collection, files, ids);
  const set = await workingSetOf(session, collection, [...ids, ...found.rows.flatMap(({ item, former }) => (former === null ? [item] : [item, former]))]);
  // What was taken in by path goes on with another of its files.
  const byPath = files.length === 0 ? [] : set.held().filter(({ row }) => row.path !== null);
  const elsewhere = await findElsewhere(session, collection, byPath.map(({ row }) => row.id), files);
  const sightings = new WorkingSightings(found, elsewhere, set);
  const outcome = work({ items: set.items, embeddings: set.embeddings, seen: sightings.seen, examples: sightings.examples }, noChanges());
  const tallies = new Tallies();
  await followExamples(session, collection, sightings.following);
  await writeWorkingSet(session, collection, set, tallies);
  await sightings.write(session, collection);
  await tallies.write(session);
  return outcome;
}
