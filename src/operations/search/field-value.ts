import type { Exif } from '../../domain/exif.js';
import { foldersOf } from '../../domain/folders.js';
import { itemPrefix } from '../../domain/filter.js';
import type { Item } from '../../store/catalog.js';

const exifPrefix = 'exif.';

/** Of a field as filters name it; undefined where the item has none. */
export function fieldValueOf(item: Item, field: string): unknown {
  if (field.startsWith(itemPrefix)) return ownValue(item, field.slice(itemPrefix.length));
  let value: unknown = item.metadata;
  for (const key of field.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function ownValue(item: Item, name: string): unknown {
  const own: Record<string, unknown> = {
    modality: item.modality,
    created_at: item.createdAt,
    updated_at: item.updatedAt,
    source: item.sources,
    width: item.width,
    height: item.height,
    media_type: item.mediaType,
    taken_at: item.takenAt,
    folder: foldersOf(item.sources),
  };
  if (name.startsWith(exifPrefix)) return item.exif?.[name.slice(exifPrefix.length) as keyof Exif];
  return Object.hasOwn(own, name) ? own[name] : undefined;
}
