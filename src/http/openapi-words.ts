import type { Route } from '../contract/routes.js';

/** In the order in which a reader meets them. */
const tagMeanings = {
  Search: 'Find items by words, pictures, other items or embeddings.',
  Embeddings: 'Texts and pictures as vectors of one space.',
  Classification: 'Labels without training, saved classifiers, typed questions.',
  Collections: 'Sets of items that are bound to one model, and what is measured of them.',
  Items: 'What a collection holds.',
  Imports: 'Archives, lists of URLs and folders that are taken in or followed.',
  Findings: 'Near-duplicates and clusters of a collection.',
  Map: 'A whole collection on a plane, alike beside alike.',
  Jobs: 'Long work: its progress, its failures, pause and resume.',
  Models: 'The encoders there are, and those that can be pulled.',
  Backup: 'All collections at one moment, and back again.',
  Keys: 'Who may do what.',
} as const;
type Tag = keyof typeof tagMeanings;

/** The last of a path's words that is here says what the route is of. */
const tagByWord: Record<string, Tag> = {
  search: 'Search',
  embeddings: 'Embeddings',
  classify: 'Classification',
  classifiers: 'Classification',
  decisions: 'Classification',
  collections: 'Collections',
  items: 'Items',
  export: 'Items',
  facets: 'Items',
  imports: 'Imports',
  sync: 'Imports',
  duplicates: 'Findings',
  clusters: 'Findings',
  map: 'Map',
  jobs: 'Jobs',
  models: 'Models',
  backup: 'Backup',
  restore: 'Backup',
  keys: 'Keys',
};

/** Of what lies below them, whatever it is called. */
const whole = ['map', 'items', 'classifiers', 'jobs', 'models'];

/** A route of which nothing is known here goes by the first word of its path. */
export function tagOf(path: string): string {
  const words = path.split('/').filter((word) => word !== '' && word !== 'v1' && !word.startsWith('{'));
  const word = words.find((each) => whole.includes(each)) ?? words.findLast((each) => Object.hasOwn(tagByWord, each));
  return word === undefined ? (words[0] ?? 'Service').replace(/^./, (first) => first.toUpperCase()) : tagByWord[word]!;
}

/** Those that are used, with their meanings. */
export function tagsOf(paths: string[]): { name: string; description?: string }[] {
  const used = new Set(paths.map(tagOf));
  const known = Object.entries(tagMeanings).filter(([name]) => used.has(name)).map(([name, description]) => ({ name, description }));
  return [...known, ...[...used].filter((name) => !Object.hasOwn(tagMeanings, name)).sort().map((name) => ({ name }))];
}

/** What is done, up to where its sentence begins to tell how. */
export const summaryOf = ({ summary }: Route): string => summary.split(/[:;.](?= )/, 1)[0]!;

/** The whole sentence, and what the route's form says of how it is called. */
export function descriptionOf({ summary, status, multipart, uploads, query, formats, events }: Route): string {
  const sentences = [`${summary}.`];
  if (multipart) sentences.push(`JSON, or multipart. ${multipart.description}`);
  if (uploads) sentences.push(`JSON, or the file itself as ${uploads.join(', ')}.`);
  if (status === 202) sentences.push('The work is a job: `GET /v1/jobs/{id}/events` follows it.');
  if (query && 'cursor' in query.shape) sentences.push("A page at a time: the answer's `next_cursor` is the next one's `cursor`; the last page has none.");
  if (formats) sentences.push(`Comes as it is made; an error on the way breaks it off. By \`format\`: ${Object.entries(formats).map(([name, type]) => `\`${name}\` (${type})`).join(', ')}.`);
  if (events) sentences.push('Server-sent events; `Last-Event-ID` goes on behind the last one that was seen.');
  return sentences.join('\n\n');
}
