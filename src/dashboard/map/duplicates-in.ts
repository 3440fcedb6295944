import type { DuplicateItem } from '../../contract/duplicates.js';
import { whereFound } from '../shell/where-found.js';
import type { MapItem } from './map-source.js';
import { itemsOf, type Work } from './selection-work.js';

export interface AlikeHere {
  id: string;
  /** Of the selection, those to keep first. */
  items: (MapItem & Pick<DuplicateItem, 'keep'>)[];
}

export interface DuplicatesHere {
  groups: AlikeHere[];
  isStale: boolean;
}

/** Of the groups of near-duplicates those of which two at least are in the selection; undefined: nobody has looked yet. Where none of a group's that are to be kept is among them, the first is kept. */
export async function duplicatesIn(work: Work): Promise<DuplicatesHere | undefined> {
  const { client, source, signal } = work;
  const found = await whereFound('duplicates', { client, collection: source.collection, signal }, async () => {
    const here = new Map<string, MapItem>();
    for await (const items of itemsOf(work)) {
      for (const item of items) here.set(item.id, item);
      work.onProgress(here.size);
    }
    const groups: AlikeHere[] = [];
    for await (const { id, mirrored, items } of client.duplicateGroups(source.collection, { signal })) {
      const inside = items.flatMap(({ id: item, keep }) => {
        const known = here.get(item);
        return known ? [{ ...known, keep }] : [];
      });
      if (mirrored || inside.length < 2) continue;
      if (!inside.some(({ keep }) => keep)) inside[0]!.keep = true;
      groups.push({ id, items: inside });
    }
    return groups;
  });
  return found && { groups: found.found, isStale: found.isStale };
}
