import type { Entry } from '../ingest.js';

/** Kinds of what is not taken in and does not fail. */
export type LeftOutKind = 'other' | 'hidden' | 'side_folders' | 'excluded' | 'links' | 'aae';
export type LeftOutCounts = Partial<Record<LeftOutKind, number>>;

export interface Refusal {
  /** The file, or the entry behind its archive's name. */
  name: string;
  /** A sentence. */
  reason: string;
}

/** One thing of what is imported: to be taken in, refused, or seen to be no picture only when it was read. */
export type Step =
  | { name: string; entry: Entry; bytes: number; /** Of its side files. */ problems?: Refusal[] }
  | Refusal
  | { leftOut: LeftOutKind };

/** What is imported. Of the same stamp, its steps are the same in the same order. */
export interface ImportSource {
  stamp: string;
  /** How many steps there are. */
  total: number;
  leftOut: LeftOutCounts;
  /** Those from the step of this number on. */
  steps(from: number): AsyncIterable<Step>;
  close(): Promise<void>;
}

export function countLeftOut(counts: LeftOutCounts, kind: LeftOutKind): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}
