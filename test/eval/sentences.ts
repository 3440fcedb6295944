/** Sentences with filters, written by someone who has not seen the rules: what is understood of them, and what is wrongly. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Filter } from '../../src/domain/filter.js';
import { understand } from '../../src/operations/search/understand/understand.js';
import type { Collection } from '../../src/store/catalog.js';
import type { Context } from '../../src/operations/context.js';
import type { Figure } from './figure.js';

interface Expected {
  rest: string;
  from: string | null;
  to: string | null;
  folder: string | null;
  kind: string | null;
  metadata: Record<string, string>;
}
interface Sentence {
  lang: string;
  sentence: string;
  expected: Expected;
}
interface Fixture {
  today: string;
  folders: string[];
  metadata: Record<string, string[]>;
}

const read = (name: string): string => readFileSync(path.join(import.meta.dirname, name), 'utf8');

/** `wrong`: a filter that is not meant, or another one than is meant; that hides what is looked for. */
export async function sentences(tell: (line: string) => void = () => undefined): Promise<Figure[]> {
  const fixture = JSON.parse(read('sentences-fixture.json')) as Fixture;
  const all = read('sentences.jsonl').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Sentence);
  const outcomes: { lang: string; right: boolean; wrong: boolean; rest: boolean }[] = [];
  for (const { lang, sentence, expected } of all) {
    const { parts, rest } = await understand(contextOf(fixture), { name: 'sentences', createdAt: '' } as Collection, sentence, { now: new Date(`${fixture.today}T12:00:00Z`) });
    const got = told(parts.map(({ filter }) => filter));
    const meant = told(filtersOf(expected));
    const [isRight, isWrong] = [[...got].sort().join() === [...meant].sort().join(), got.some((each) => !meant.includes(each))];
    outcomes.push({ lang, right: isRight, wrong: isWrong, rest: plain(rest) === plain(expected.rest) });
    if (!isRight) tell(`${lang} ${isWrong ? 'wrong' : 'missed'}`);
  }
  const figure = (name: string, of: typeof outcomes): Figure => ({ name, queries: of.length, within: { 1: of.filter(({ right }) => right).length / of.length } });
  const share = (of: (outcome: (typeof outcomes)[number]) => boolean): string => `${outcomes.filter(of).length} of ${outcomes.length}`;
  const languages = [...new Set(outcomes.map(({ lang }) => lang))];
  return [
    figure(`Sentences with filters understood right (wrongly filtered: ${share(({ wrong }) => wrong)}; rest word for word: ${share(({ rest }) => rest)})`, outcomes),
    ...languages.map((lang) => figure(`the same in ${lang}`, outcomes.filter((each) => each.lang === lang))),
  ];
}

function filtersOf({ from, to, folder, kind, metadata }: Expected): Filter[] {
  return [
    ...(from || to ? [{ '$item.taken_at': { ...(from ? { $gte: from } : {}), ...(to ? { $lt: to } : {}) } }] : []),
    ...(folder ? [{ '$item.source': { $prefix: `/photos/${folder}/` } }] : []),
    ...(kind ? [{ '$item.modality': kind }] : []),
    ...Object.entries(metadata).map(([field, value]) => ({ [field]: value })),
  ];
}

const told = (filters: Filter[]): string[] => filters.map((filter) => JSON.stringify(filter));
const plain = (text: string): string => text.toLowerCase().replace(/[\s\p{P}]+/gu, ' ').trim();

/** Folders and values as a collection would tell them. */
function contextOf({ folders, metadata }: Fixture): Context {
  const items = Object.entries(metadata).map(([field, [value]]) => ({ metadata: { [field]: value } }));
  const countValues = (_: string, { fields }: { fields: string[] }): Promise<unknown> =>
    Promise.resolve(Object.fromEntries(fields.map((field) => [field, { values: metadata[field]!.map((value) => ({ value, count: 10 })), other: 0, missing: 0 }])));
  const foldersNamed = (_: string, name: string): Promise<string[]> => Promise.resolve(folders.filter((each) => each.toLowerCase() === name.toLowerCase()).map((each) => `/photos/${each}/`));
  return { catalog: { listItems: () => Promise.resolve({ items }), countValues }, words: { foldersNamed } } as unknown as Context;
}
