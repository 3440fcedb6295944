import type { Filter } from '../../../domain/filter.js';

/** What of a text was understood: from `start` to before `end` goes, `text` of it is told. */
export interface Span {
  start: number;
  end: number;
  text: string;
  filter: Filter;
}

/** Stands where something was understood, so that places stay. */
export const taken = '\u0001';

/** Of those that overlap the longest, and of these the first. In the order of the text. */
export function apart(spans: Span[]): Span[] {
  const kept: Span[] = [];
  for (const span of [...spans].sort((a, b) => b.text.length - a.text.length || b.end - b.start - (a.end - a.start))) {
    if (kept.every(({ start, end }) => span.end <= start || span.start >= end)) kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}

/** The text with marks in their places. */
export function without(text: string, spans: Span[]): string {
  return spans.reduce((left, { start, end }) => left.slice(0, start) + taken.repeat(end - start) + left.slice(end), text);
}
