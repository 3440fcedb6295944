/** Google Takeout's side files: which belongs to a picture, and what it says. */
import type { Metadata } from '../../domain/metadata.js';

/** What stands between the picture's name and `.json` since 2024, cut where the name would be longer than this. */
const supplement = '.supplemental-metadata';
const longestName = 46;

/**
 * Names that the side file of a picture may have, the likeliest first: `a.jpg.json`, `a.jpg.supplemental-metadata.json` and its
 * beginnings; `a(1).jpg` goes with `a.jpg(1).json`, and `a-edited.jpg` with its original's.
 */
export function takeoutNames(picture: string): string[] {
  const [, folder, file] = /^(.*\/)?([^/]*)$/s.exec(picture)!;
  const originals = [file!, ...(/-(edited|bearbeitet|已修改)(?=(\(\d+\))?\.[^.]*$)/.test(file!) ? [file!.replace(/-(edited|bearbeitet|已修改)(?=(\(\d+\))?\.[^.]*$)/, '')] : [])];
  const names = originals.flatMap((original) => {
    const [, before, count, extension] = /^(.*)(\(\d+\))(\.[^.]*)$/s.exec(original) ?? [];
    const core = before === undefined ? original : before + extension;
    const suffix = count ?? '';
    const supplemented = Array.from({ length: supplement.length + 1 }, (_, cut) => core + supplement.slice(0, supplement.length - cut) + suffix);
    return [...supplemented, core.slice(0, longestName) + suffix, original, original.slice(0, longestName), original.replace(/\.[^.]*$/, '')];
  });
  return [...new Set(names)].map((name) => `${folder ?? ''}${name}.json`);
}

/** Told from other JSON by fields that no other program writes together. */
export function isTakeout(told: Metadata): boolean {
  return typeof told['title'] === 'string' && ['photoTakenTime', 'creationTime', 'geoData', 'googlePhotosOrigin'].some((field) => isObject(told[field]));
}

export function takeoutFields({ title, description, photoTakenTime, geoData, geoDataExif, people, favorited }: Metadata): Metadata {
  const place = [geoData, geoDataExif].find((each) => isObject(each) && isNumber(each['latitude']) && isNumber(each['longitude']) && (each['latitude'] !== 0 || each['longitude'] !== 0)) as Metadata | undefined;
  const names = Array.isArray(people) ? people.flatMap((each) => (isObject(each) && isText(each['name']) ? [each['name']] : [])) : [];
  const takenAt = isObject(photoTakenTime) ? timeOf(photoTakenTime['timestamp']) : undefined;
  return {
    ...(isText(title) ? { title } : {}),
    ...(isText(description) ? { description } : {}),
    ...(takenAt === undefined ? {} : { taken_at: takenAt }),
    ...(place ? { latitude: place['latitude'], longitude: place['longitude'], ...(isNumber(place['altitude']) && place['altitude'] !== 0 ? { altitude: place['altitude'] } : {}) } : {}),
    ...(names.length > 0 ? { people: names } : {}),
    ...(favorited === true ? { favorite: true } : {}),
  };
}

/** Seconds since 1970, as text, perhaps below zero. */
function timeOf(timestamp: unknown): string | undefined {
  const seconds = typeof timestamp === 'string' && /^-?\d{1,12}$/.test(timestamp) ? Number(timestamp) : typeof timestamp === 'number' ? Math.trunc(timestamp) : NaN;
  const time = new Date(seconds * 1000);
  const year = Number.isNaN(time.getTime()) ? NaN : time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time.toISOString().replace('.000', '') : undefined;
}

const isObject = (value: unknown): value is Metadata => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
