import type { Scalar } from '../../../domain/filter.js';
import { timeOf } from '../../../domain/times.js';
import type { FieldPredicate } from '../filter.js';
import { grown } from '../grown.js';

/** Whether an item matches: not, not to be told without its row, or so. In this order, so that the lesser is "and", the greater "or". */
export const verdict = { no: 0, unknown: 1, yes: 2 } as const;

/** Codes of what is no value: the field is missing; it is too long to be held here, and has to be looked up. */
const missing = 0;
const beyond = 1;
/** Characters of a string, and of a list as JSON. */
const longestString = 256;
const longestList = 1024;
/** What a value takes beside its characters: in the list, in the map, as an object of V8. */
const valueBytes = 112;

/** All of them hold of a number, or of a time in milliseconds since 1970, that passes. */
export interface Range {
  of: 'numbers' | 'times';
  above: number;
  from: number;
  below: number;
  to: number;
}

/** Which scalars pass: some of these; or the numbers or times of a range, other strings being judged one by one. Lists always are. */
export type PassingScalars = { among: Scalar[] } | Range;

/** One field of many items: each distinct value once, and of each item which one it has. Lists are held with the scalars in them, objects as being one. */
export class Column {
  /** By code. */
  readonly values: unknown[] = [undefined, undefined];
  #codes = new Uint32Array(256);
  /** By code; NaN of what is none. */
  #numbers = new Float64Array(16).fill(NaN);
  #times = new Float64Array(16).fill(NaN);
  readonly #scalars = new Map<Scalar, number>();
  /** By their JSON. */
  readonly #lists = new Map<string, number>();
  /** About so much memory. */
  bytes = 256 * 4;

  /** Of the item at this place. */
  set(place: number, value: unknown): void {
    const code = this.#codeOf(value);
    if (place >= this.#codes.length) {
      if (code === missing) return;
      const length = Math.max(place + 1, 2 * this.#codes.length);
      this.bytes += 4 * (length - this.#codes.length);
      this.#codes = grown(this.#codes, length);
    }
    this.#codes[place] = code;
  }

  codeAt(place: number): number {
    return this.#codes[place] ?? missing;
  }

  /** `undefined` where it is missing. */
  valueAt(place: number): unknown {
    return this.values[this.codeAt(place)];
  }

  /** Whether the item has one that is not held here. */
  isBeyond(place: number): boolean {
    return this.codeAt(place) === beyond;
  }

  /** Of each item from one place to another, that excluded, whether its value passes. `scalars`: what is known of those that can. */
  verdicts(passes: FieldPredicate, scalars: PassingScalars | undefined, from: number, to: number): Uint8Array {
    const byCode = this.#verdictsByCode(passes, scalars);
    const found = new Uint8Array(to - from);
    const codes = this.#codes;
    const held = Math.min(to, codes.length);
    for (let place = from; place < held; place++) found[place - from] = byCode[codes[place]!]!;
    if (to > held && byCode[missing] !== verdict.no) found.fill(byCode[missing]!, Math.max(0, held - from));
    return found;
  }

  #verdictsByCode(passes: FieldPredicate, scalars: PassingScalars | undefined): Uint8Array {
    const byCode = new Uint8Array(this.values.length);
    const judge = (code: number): void => {
      byCode[code] = passes(this.values[code]) ? verdict.yes : verdict.no;
    };
    if (!scalars) {
      for (let code = 0; code < byCode.length; code++) judge(code);
    } else {
      if ('among' in scalars) for (const each of scalars.among) judge(this.#scalars.get(each) ?? missing);
      else this.#judgeRange(scalars, byCode, judge);
      for (const code of this.#lists.values()) judge(code);
    }
    byCode[beyond] = verdict.unknown;
    return byCode;
  }

  #judgeRange({ of, above, from, below, to }: Range, byCode: Uint8Array, judge: (code: number) => void): void {
    const numbers = of === 'numbers' ? this.#numbers : this.#times;
    for (let code = 0; code < byCode.length; code++) {
      const number = numbers[code]!;
      if (number > above && number >= from && number < below && number <= to) byCode[code] = verdict.yes;
    }
    if (of === 'numbers') return;
    // No number holds a time to the nanosecond: near a bound, and where a string is no time, the strings decide.
    const ends = [above, from, below, to];
    for (let code = 0; code < byCode.length; code++) {
      const time = numbers[code]!;
      if (Number.isNaN(time) ? typeof this.values[code] === 'string' : ends.some((end) => Math.abs(time - end) < 1)) judge(code);
    }
  }

  #codeOf(value: unknown): number {
    if (value === undefined) return missing;
    if (Array.isArray(value)) return this.#codeOfList(value.filter(isScalar));
    if (!isScalar(value)) return this.#codeIn(this.#lists, '{}', {});
    if (typeof value === 'string' && value.length > longestString) return beyond;
    return this.#codeIn(this.#scalars, value, value);
  }

  #codeOfList(list: Scalar[]): number {
    const json = JSON.stringify(list);
    return json.length > longestList ? beyond : this.#codeIn(this.#lists, json, list);
  }

  #codeIn<Key>(codes: Map<Key, number>, key: Key, value: unknown): number {
    const known = codes.get(key);
    if (known !== undefined) return known;
    const code = this.values.push(value) - 1;
    if (code >= this.#numbers.length) {
      this.#numbers = grown(this.#numbers, 2 * code, NaN);
      this.#times = grown(this.#times, 2 * code, NaN);
    }
    if (typeof value === 'number') this.#numbers[code] = value;
    else if (typeof value === 'string') this.#times[code] = timeOf(value) ?? NaN;
    codes.set(key, code);
    this.bytes += valueBytes + (typeof key === 'string' ? key.length * 2 : 0);
    return code;
  }
}

const isScalar = (value: unknown): value is Scalar => value === null || typeof value !== 'object';
