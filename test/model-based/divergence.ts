import { isDeepStrictEqual } from 'node:util';

/** The service does not answer as the model does. */
export class Divergence extends Error {}

export function diverges(what: string, expected: unknown, seen: unknown): never {
  throw new Divergence(`${what}\n  expected ${shown(expected)}\n  seen     ${shown(seen)}`);
}

export function expectSame(what: string, seen: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(seen, expected)) diverges(what, expected, seen);
}

export function expectThat(what: string, isSo: boolean, seen: unknown): void {
  if (!isSo) diverges(what, 'that this is so', seen);
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 1_500 ? `${text.slice(0, 1_500)}...` : text;
};
