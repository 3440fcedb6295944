/** What lies before a collection that goes over to another space, and what its items are embedded from, whichever engine has them. */
import type { ReembeddingItem, ReembeddingPlan } from '../reembedding-catalog.js';
import type { SourceChoice, SourceItem, Sources } from './sources.js';

const readAtOnce = 8;
/** Bytes of pictures handed out at once, but for one that is larger. */
const batchBytes = 64e6;
/** Milliseconds that planning may spend on reading files; the rest of the touched ones are found out when they are embedded. */
const planReadsForMs = 60_000;
const told = 10;

/** Of the items that wait. */
export async function planFrom<Row extends SourceItem>(items: AsyncIterable<Row>, sources: Sources<Row>, choice: SourceChoice): Promise<ReembeddingPlan> {
  const plan: ReembeddingPlan = { items: 0, kept: 0, fromThumbnails: 0, impossible: 0, first: [] };
  const readUntil = performance.now() + planReadsForMs;
  for await (const item of items) {
    const found = await sources.look(item, choice, performance.now() < readUntil);
    plan.items++;
    if (found === 'embedding') plan.kept++;
    else if (found === 'thumbnail') plan.fromThumbnails++;
    else if (typeof found === 'object') {
      plan.impossible++;
      if (plan.first.length < told) plan.first.push({ id: item.id, reason: found.impossible });
    }
  }
  return plan;
}

/** In their order, and fewer where they are large. */
export async function readFrom<Row extends SourceItem>(rows: Row[], sources: Sources<Row>, choice: SourceChoice): Promise<ReembeddingItem[]> {
  const items: ReembeddingItem[] = [];
  let bytes = 0;
  for (let from = 0; from < rows.length && bytes < batchBytes; from += readAtOnce) {
    const read = await Promise.all(rows.slice(from, from + readAtOnce).map(async (row) => ({ key: row.key, id: row.id, modality: row.modality, source: await sources.read(row, choice) })));
    for (const item of read) if ('picture' in item.source) bytes += item.source.picture.byteLength;
    items.push(...read);
  }
  return items;
}
