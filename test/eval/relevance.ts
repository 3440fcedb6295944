/** Whether searches say nothing for what is not there, and keep what is: names in four languages, over collections of three sizes. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SearchMatch } from '../../src/contract/search.js';
import { expectedCalibrationError, type Guess } from './calibration.js';
import type { Embedder } from './embedder.js';
import { shareOf, type Figure } from './figure.js';
import { namedPictures, type NamedPicture } from './pack.js';

const sizes = [100, 1_000, 20_000];
const languages = ['en', 'de', 'zh', 'fr'] as const;
const drawn = 200;
const seen = 10;
const perRequest = 500;
/** Words. */
const longestName = 3;

type Concept = Record<(typeof languages)[number], string> & { synonyms?: string[] };
interface Asked {
  concept: Concept;
  /** Of the collection's pictures. */
  shows: Set<string>;
}

export async function relevance(embedder: Embedder): Promise<Figure[]> {
  const lines = await readFile(path.join(import.meta.dirname, 'concepts.jsonl'), 'utf8');
  const concepts = lines.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Concept);
  const pictures = namedPictures();
  const found = wordings(pictures);
  const naming = concepts.map((concept) => picturesNaming(concept, found));
  const dev = pictures.flatMap(({ split }, i) => (split === 'dev' ? [i] : []));
  const figures: Figure[] = [];
  for (const size of sizes) {
    const random = randomFrom(size);
    const base = size < dev.length ? shuffled(dev, random).slice(0, size) : dev;
    const held = new Set(base);
    const order = shuffled([...concepts.keys()], random);
    const present = order.filter((c) => naming[c]!.some((i) => held.has(i))).slice(0, drawn);
    const absent = order.filter((c) => !naming[c]!.some((i) => held.has(i))).slice(0, drawn);
    const asked = new Set([...present, ...absent].flatMap((c) => naming[c]!));
    const fill = pictures.flatMap(({ split }, i) => (split === 'train' && !asked.has(i) ? [i] : [])).slice(0, Math.max(0, size - base.length));
    const collection = `relevance-${size}`;
    const chosen = [...base, ...fill];
    await fillCollection(embedder, collection, chosen, pictures);
    const shows = (c: number): Set<string> => new Set(naming[c]!.map(String));
    const questions = [...present.map((c): Asked => ({ concept: concepts[c]!, shows: new Set([...shows(c)].filter((id) => held.has(Number(id)))) })), ...absent.map((c): Asked => ({ concept: concepts[c]!, shows: new Set() }))];
    for (const language of languages) figures.push(await ask(embedder, { collection, language, questions, size: chosen.length }));
    figures.push(await letters(embedder, collection, chosen.length));
    await embedder.client.deleteCollection(collection);
  }
  return figures;
}

async function ask({ client }: Embedder, { collection, language, questions, size }: { collection: string; language: (typeof languages)[number]; questions: Asked[]; size: number }): Promise<Figure> {
  let [empty, absent, kept, hits, keptInPlace, hitsInPlace] = [0, 0, 0, 0, 0, 0];
  const guesses: Guess[] = [];
  for (const { concept, shows } of questions) {
    const query = concept[language];
    const cut = await client.search(collection, query, { limit: seen, cutoff: 'auto' });
    cut.matches.forEach(({ id, relevance = 0 }: SearchMatch) => guesses.push({ place: shows.has(id) ? 1 : 2, probability: relevance }));
    if (shows.size === 0) {
      absent++;
      if (cut.matches.length === 0) empty++;
      continue;
    }
    const there = new Set(cut.matches.map(({ id }) => id));
    const { matches } = await client.search(collection, query, { limit: seen });
    matches.forEach(({ id }, place) => {
      if (!shows.has(id)) return;
      hits++;
      kept += Number(there.has(id));
      if (place >= shows.size) return;
      hitsInPlace++;
      keptInPlace += Number(there.has(id));
    });
  }
  return {
    name: `No match, ${language}, ${absent} absent and ${questions.length - absent} present names, ${size} pictures`,
    queries: questions.length,
    within: {},
    calibrationError: expectedCalibrationError(guesses),
    more: { 'empty where absent': shareOf(empty, absent), 'true hits of the first ten kept': shareOf(kept, hits), 'those within as many places as there are true ones': shareOf(keptInPlace, hitsInPlace) },
  };
}

async function letters({ client }: Embedder, collection: string, size: number): Promise<Figure> {
  const random = randomFrom(7);
  const words = Array.from({ length: 100 }, () => Array.from({ length: 6 + Math.floor(random() * 7) }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join(''));
  let empty = 0;
  for (const word of words) empty += Number((await client.search(collection, word, { limit: 1, cutoff: 'auto' })).matches.length === 0);
  return { name: `Random letters, ${size} pictures`, queries: words.length, within: {}, more: { empty: shareOf(empty, words.length) } };
}

async function fillCollection(embedder: Embedder, name: string, chosen: number[], pictures: NamedPicture[]): Promise<void> {
  const embeddings = await embedded(embedder, chosen, pictures);
  await embedder.client.createCollection({ name });
  for (let from = 0; from < chosen.length; from += perRequest) {
    await embedder.client.addItems(
      name,
      chosen.slice(from, from + perRequest).map((i, k) => ({ id: String(i), embedding: [...embeddings[from + k]!], modality: 'image' as const })),
    );
  }
}

/** Kept in the temporary folder from one run to the next: 20,000 pictures take minutes. */
async function embedded(embedder: Embedder, chosen: number[], pictures: NamedPicture[]): Promise<Float32Array[]> {
  // What was reckoned meanwhile may have taken longer than a connection is kept.
  const [model] = await embedder.client.models().catch(() => embedder.client.models());
  const { fingerprint, dimensions } = model as { fingerprint: string; dimensions: number };
  const file = path.join(tmpdir(), `mixspace-eval-${fingerprint.slice(0, 16)}.f32`);
  const known = new Float32Array(pictures.length * dimensions);
  if (existsSync(file)) known.set(new Float32Array(new Uint8Array(await readFile(file)).buffer).subarray(0, known.length));
  const at = (i: number): Float32Array => known.subarray(i * dimensions, (i + 1) * dimensions);
  const missing = chosen.filter((i) => at(i).every((value) => value === 0));
  for (let from = 0; from < missing.length; from += perRequest) {
    const some = missing.slice(from, from + perRequest);
    (await embedder.pictures(some.map((i) => pictures[i]!.webp()))).forEach((embedding, k) => at(some[k]!).set(embedding));
  }
  if (missing.length > 0) await writeFile(file, Buffer.from(known.buffer));
  return chosen.map(at);
}

/** Pictures by each run of one to three words in their labels and captions, lower case. */
function wordings(pictures: NamedPicture[]): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  pictures.forEach(({ texts }, i) => {
    for (const text of texts) {
      const words = wordsOf(text);
      words.forEach((_, from) => {
        for (let length = 1; length <= longestName && from + length <= words.length; length++) {
          const run = words.slice(from, from + length).join(' ');
          const known = found.get(run);
          if (known) known.add(i);
          else found.set(run, new Set([i]));
        }
      });
    }
  });
  return found;
}

/** Those whose label or captions hold the name or a synonym, as whole words, plural or not. */
function picturesNaming({ en, synonyms = [] }: Concept, found: Map<string, Set<number>>): number[] {
  const names = [en, ...synonyms].map((name) => wordsOf(name).join(' '));
  const forms = names.flatMap((name) => [name, `${name}s`, `${name}es`, ...(name.endsWith('y') ? [`${name.slice(0, -1)}ies`] : []), ...(name.endsWith('man') ? [`${name.slice(0, -3)}men`] : [])]);
  return [...new Set(forms.flatMap((form) => [...(found.get(form) ?? [])]))].sort((a, b) => a - b);
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9']+/g) ?? [];

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(all: T[], random: () => number): T[] {
  const mixed = [...all];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}
