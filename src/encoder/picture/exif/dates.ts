/** A moment as a camera's clock showed it: local, for cameras rarely know where they are. */
export interface Moment {
  /** `YYYY-MM-DD[Thh:mm[:ss]]`, as much as was told. */
  local: string;
  /** `+hh:mm` or `-hh:mm`, where it was told. */
  offset?: string;
}

const pattern = /^(\d{4})[:\-/.](\d{1,2})[:\-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{1,2}:?\d{2})?)?$/;
const two = (text: string): string => text.padStart(2, '0');

/**
 * Of EXIF's `YYYY:MM:DD hh:mm:ss` and of XMP's ISO 8601, fractions of a second cut off; `undefined` for a day or an hour
 * that there is not, for year 0, which is how clocks that were never set are told, and for what tells no day.
 */
export function momentOf(text: string): Moment | undefined {
  const found = pattern.exec(text.slice(0, longest).trim());
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, zone] = found as unknown as [string, string, string, string, string?, string?, string?, string?];
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const date = `${year}-${two(month)}-${two(day)}`;
  if (hour === undefined || minute === undefined) return { local: date };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  const offset = offsetOf(zone);
  return { local: `${date}T${two(hour)}:${two(minute)}${second === undefined ? '' : `:${two(second)}`}`, ...(offset === undefined ? {} : { offset }) };
}

const longest = 64;

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Of `+02:00`, `-0330` or `Z`; `undefined` where no clock on earth is as far from UTC. */
export function offsetOf(text: string | undefined): string | undefined {
  const trimmed = text?.slice(0, longest).trim();
  if (trimmed === 'Z' || trimmed === 'z') return '+00:00';
  const found = /^([+-])(\d{1,2}):?(\d{2})$/.exec(trimmed ?? '');
  if (!found) return undefined;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  if (Number(found[3]) > 59 || minutes > (found[1] === '-' ? 12 : 14) * 60) return undefined;
  return `${found[1]}${two(found[2]!)}:${found[3]}`;
}
