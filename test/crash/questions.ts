/** Filters and orders over what items of these rounds hold. */
import { drawFilter, type Json } from '../model-based/metadata.js';
import type { Random } from './random.js';

export function drawQuestion(random: Random): Json {
  const kind = random.next();
  if (kind < 0.45) return drawFilter(random);
  if (kind < 0.6) return { bucket: { $in: Array.from({ length: random.between(1, 4) }, () => random.between(0, 9)) } };
  if (kind < 0.75) {
    const least = random.next();
    return { rank: { $gte: least, $lt: least + random.pick([0.01, 0.1, 0.5]) } };
  }
  if (kind < 0.85) return { day: { $gte: `2024-${month(random)}-01T00:00+02:00`, $not: { $prefix: `2024-${month(random)}` } } };
  if (kind < 0.93) return { $or: [{ note: { $gt: 0 } }, { version: { $gt: 1 } }], bucket: { $ne: random.between(0, 9) } };
  return { $not: { '$item.modality': 'text' }, day: { $lt: `2024-${month(random)}-15` }, $or: [drawFilter(random), { bucket: random.between(0, 9) }] };
}

const month = (random: Random): string => String(random.between(1, 12)).padStart(2, '0');

/** Now and then by the service's own times, where they are known. */
export function drawSort(random: Random, { times }: { times: boolean }): string {
  const fields = ['rank', 'bucket', 'day', 'year', 'tag', 'list', 'size', 'place.name', '$item.modality', ...(times ? ['$item.created_at', '$item.updated_at', '$item.width'] : [])];
  return `${random.next() < 0.5 ? '-' : ''}${random.pick(fields)}`;
}

export const facetFields = ['bucket', 'year', 'tag', 'list', 'size', 'place', 'place.name', 'constructor', 'é', 'version', '$item.modality', '$item.source'];
