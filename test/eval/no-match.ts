/** Whether a search for what is not there can be told from one for what is, by the best score alone. */
import type { Embedder } from './embedder.js';
import type { Figure, Minimum } from './figure.js';
import { dot } from './ranks.js';

const kept = 0.95;

export interface NoMatchTask {
  name: string;
  pictures: Float32Array[];
  /** Names of what the pictures show, and of what none of them does. */
  present: string[];
  absent: string[];
  templates: readonly string[];
  minimum?: Minimum;
}

export async function noMatch(embedder: Embedder, { name, pictures, present, absent, templates, minimum }: NoMatchTask): Promise<Figure> {
  const best = async (names: string[]): Promise<number[]> =>
    (await embedder.ensembles(names, templates)).map((query) => pictures.reduce((highest, picture) => Math.max(highest, dot(query, picture)), -1));
  const ofPresent = (await best(present)).sort((a, b) => a - b);
  const ofAbsent = await best(absent);
  const minScore = ofPresent[Math.floor(present.length * (1 - kept))]!;
  return {
    name: `${name}: ${absent.length} absent names beside ${present.length} present ones, ${pictures.length} pictures`,
    queries: absent.length,
    within: {},
    rejected: { share: ofAbsent.filter((score) => score < minScore).length / absent.length, minScore },
    ...(minimum ? { minimum } : {}),
  };
}

/** `count` of them, evenly spread. */
export function spread<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]!);
}
