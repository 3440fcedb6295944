import { phraseOf } from '../../domain/words.js';
import type { FullText } from '../full-text.js';
import { foldersNamedIn } from '../named-folders.js';
import { findCollection, spaceTalliesOf } from './collections.js';
import type { Parts } from './parts.js';
import { compilePhrase } from './phrases.js';
import { isGone } from './problems.js';
import { itemsOf } from './tables.js';
import { withWords } from './with-words.js';

/** Items of which the folders are looked at. */
const mostOfFolders = 5_000;

export function fullTextOf({ database }: Parts): FullText {
  return {
    countWords: (name, phrases, most) =>
      database.read(async (session) => {
        const { key, space } = await findCollection(session, name);
        const counts: number[] = [];
        for (const phrase of phrases) {
          const values: unknown[] = [];
          const condition = compilePhrase(phrase, values);
          const row = await session.row<{ count: number }>(`SELECT count(*) AS count FROM (SELECT FROM ${itemsOf(key)} WHERE ${condition} LIMIT $${values.push(most)}) AS found`, values);
          counts.push(row!.count);
        }
        const tallies = Object.values(await spaceTalliesOf(session, space));
        return { items: tallies.reduce((sum, { items }) => sum + items, 0), counts };
      }, isGone),
    withWords: (name, { fingerprint: wanted, ...request }) => {
      let fingerprint = wanted;
      return database.read(async (session) => {
        const collection = await findCollection(session, name, fingerprint);
        // Run again, it must be in the same space still.
        fingerprint = collection.fingerprint;
        return withWords(session, collection, request);
      }, isGone);
    },
    foldersNamed: (name, folder, most) =>
      database.read(async (session) => {
        const { key } = await findCollection(session, name);
        const phrase = phraseOf(folder);
        if (!phrase) return [];
        const values: unknown[] = [];
        const rows = await session.rows<{ sources: string }>(`SELECT sources FROM ${itemsOf(key)} WHERE ${compilePhrase(phrase, values)} ORDER BY key LIMIT ${mostOfFolders}`, values);
        const found = new Set<string>();
        for (const { sources } of rows) {
          for (const source of JSON.parse(sources) as string[]) for (const path of foldersNamedIn(source, folder)) found.add(path);
          if (found.size >= most) break;
        }
        return [...found].sort().slice(0, most);
      }, isGone),
  };
}
