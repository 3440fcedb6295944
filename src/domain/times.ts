const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(?:Z|([+-])(\d\d):(\d\d))?)?$/;
const longest = 64;

/**
 * Milliseconds since 1970 of a time as RFC 3339 and ISO 8601 write it, `YYYY-MM-DD[Thh:mm[:ss[.s]][Z | +hh:mm | -hh:mm]]`;
 * without a zone it is UTC. `undefined` for any other string, and for days and hours that there are not.
 */
export function timeOf(text: string): number | undefined {
  if (text.length > longest) return undefined;
  const found = pattern.exec(text);
  if (!found) return undefined;
  const [year, month, day, hour, minute, second, fraction] = [1, 2, 3, 4, 5, 6, 7].map((group) => Number(found[group] ?? 0)) as [number, number, number, number, number, number, number];
  const [zoneHour, zoneMinute] = [Number(found[9] ?? 0), Number(found[10] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return undefined;
  const zone = (zoneHour * 60 + zoneMinute) * (found[8] === '-' ? -1 : 1);
  return at.getTime() + ((hour * 60 + minute - zone) * 60 + second + fraction) * 1000;
}

/** Whether two strings that are written alike, zone and all, stand in the order of their times if they are times. */
export function areWrittenAlike(a: string, b: string): boolean {
  return a.length === b.length && zoneMark(a) === zoneMark(b) && zoneMark(a) !== 'offset';
}

function zoneMark(text: string): 'none' | 'Z' | 'offset' {
  if (text.endsWith('Z')) return 'Z';
  const sign = text.length > 10 ? text[text.length - 6] : undefined;
  return sign === '+' || sign === '-' ? 'offset' : 'none';
}
