import type { Values } from './map-source.js';

/** What of a field's values alone is shown, as the address says it: a number, or a day (that day included). */
export interface Range {
  from?: string | undefined;
  to?: string | undefined;
}

const secondsOfDay = 86_400;

/** In the field's own units; what cannot be read bounds nothing. */
function boundsOf({ from, to }: Range, kind: 'numbers' | 'times'): { least: number; most: number } {
  const read = (text: string | undefined, otherwise: number): number => {
    const value = text === undefined || text.trim() === '' ? Number.NaN : kind === 'times' ? Date.parse(`${text}T00:00:00Z`) / 1000 : Number(text);
    return Number.isNaN(value) ? otherwise : value;
  };
  const last = read(to, Infinity);
  // Values come as float32: one that is the bound itself is inside.
  return kind === 'times' ? { least: read(from, -Infinity), most: last + secondsOfDay - 1 } : { least: Math.fround(read(from, -Infinity)), most: Math.fround(last) };
}

export const isRange = ({ from, to }: Range): boolean => Boolean(from) || Boolean(to);

/** By number, 1: its value is inside. */
export function within({ kind, of }: Extract<Values, { kind: 'numbers' | 'times' }>, range: Range): Uint8Array {
  const { least, most } = boundsOf(range, kind);
  return Uint8Array.from(of, (value) => (value >= least && value <= most ? 1 : 0));
}
