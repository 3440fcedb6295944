/** The tables of one collection, by their names: made from keys alone, so that no text from outside is part of a statement. */
import { modalities, type Modality } from '../../domain/modality.js';

export const itemsOf = (collection: number): string => `items_${collection}`;
export const picturesOf = (collection: number): string => `pictures_${collection}`;
export const embeddingsOf = (space: number, modality: Modality): string => `embeddings_${space}_${modality}`;
/** The index of nearest neighbors over a table of embeddings. */
export const graphOf = (space: number, modality: Modality): string => `graph_${space}_${modality}`;

/** A row lies in a page of 8 kB. */
const widestInRow = 1_900;

/**
 * `fields` is what filters see, `words` what full text reads, each made from the other columns by whoever writes them.
 * The pictures lie beside the items, which are read much more often.
 */
export function makeCollectionTables(collection: number): string {
  const items = itemsOf(collection);
  return `
    CREATE TABLE ${items} (
      key bigint PRIMARY KEY,
      id text COLLATE "C" NOT NULL,
      modality text NOT NULL,
      content_hash text NOT NULL,
      text text,
      metadata text NOT NULL,
      sources text NOT NULL,
      width integer,
      height integer,
      taken_at text,
      media_type text,
      path text,
      original_bytes bigint,
      thumbnail_bytes bigint,
      created_at text NOT NULL,
      updated_at text NOT NULL,
      exif text,
      fields jsonb NOT NULL,
      -- Its words as src/store/item-words.ts has them, with a space before and behind each, and each once as a lexeme.
      content text NOT NULL,
      words tsvector NOT NULL,
      -- The fields of the metadata that the words are of are other ones by now.
      unread boolean NOT NULL DEFAULT false
    );
    CREATE UNIQUE INDEX ${items}_id ON ${items} (id);
    CREATE INDEX ${items}_modality ON ${items} (modality, key);
    CREATE INDEX ${items}_taken ON ${items} (taken_at COLLATE "C", key);
    CREATE INDEX ${items}_created ON ${items} (created_at COLLATE "C", key);
    CREATE INDEX ${items}_fields ON ${items} USING gin (fields jsonb_path_ops);
    CREATE INDEX ${items}_words ON ${items} USING gin (words);
    CREATE INDEX ${items}_unread ON ${items} (key) WHERE unread;
    CREATE TABLE ${picturesOf(collection)} (
      item bigint PRIMARY KEY,
      -- WebP
      thumbnail bytea,
      -- The bytes as they came.
      original bytea
    )`;
}

/** One row for each part of an item: `key` is never used again and always means the same embedding. */
export function makeSpaceTables(space: number, dimension: number): string {
  return modalities
    .map((modality) => {
      const table = embeddingsOf(space, modality);
      return `
        CREATE TABLE ${table} (
          item bigint NOT NULL,
          part smallint NOT NULL CHECK (part >= 0),
          key bigint NOT NULL,
          -- Where in the picture it is of: [x, y, width, height] as JSON; NULL: of the whole.
          box text,
          -- Normalised. Searches reckon with it as it stands: it lies in the row wherever a page has room for it.
          vector vector(${dimension}) NOT NULL,
          -- With the key, so that all keys are read without the vectors.
          PRIMARY KEY (item, part) INCLUDE (key)
        );
        ${dimension <= widestInRow ? `ALTER TABLE ${table} ALTER COLUMN vector SET STORAGE PLAIN;` : ''}
        CREATE INDEX ${table}_key ON ${table} (key)`;
    })
    .join(';');
}

export const dropCollectionTables = (collection: number): string => `DROP TABLE IF EXISTS ${itemsOf(collection)}, ${picturesOf(collection)}`;
export const dropSpaceTables = (space: number): string => `DROP TABLE IF EXISTS ${modalities.map((modality) => embeddingsOf(space, modality)).join(', ')}`;
