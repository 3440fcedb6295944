/** Columns of an item that are made of its others: what filters see of it, and what full text reads. */
import { contentOf } from '../item-words.js';
import { fieldsOf, type StoredItem } from '../stored-item.js';
import { toStoredJson } from './stored-text.js';

/** A tsvector holds 1 MB of words. */
const mostWordBytes = 1_000_000;
/** Stands between two texts, and is no word. */
const isSign = (word: string): boolean => word === '\uE000';

export interface ReadColumns {
  /** All words in their order, with a space before and behind each. */
  content: string;
  /** Each once, with a space between two: for `wordsFrom`. The last are left out where there are more than fit. */
  words: string;
}

/** Of a column or parameter with the `words` above: a tsvector. */
export const wordsFrom = (words: string): string => `array_to_tsvector(string_to_array(${words}, ' '))`;

/** What full text reads. `textFields`: JSON, as the collection's. */
export function readColumnsOf(row: Pick<StoredItem, 'text' | 'metadata' | 'sources'>, textFields: string): ReadColumns {
  const content = contentOf({ text: row.text, metadata: row.metadata, sources: row.sources, text_fields: textFields });
  const words: string[] = [];
  let bytes = 0;
  for (const word of new Set(content.split(' '))) {
    if (word === '' || isSign(word)) continue;
    bytes += Buffer.byteLength(word);
    if (bytes > mostWordBytes) break;
    words.push(word);
  }
  return { content: content === '' ? '' : ` ${content} `, words: words.join(' ') };
}

/** What filters see: for a column of jsonb. */
export const fieldsColumnOf = (row: StoredItem): string => toStoredJson(fieldsOf(row));
