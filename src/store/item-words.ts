/** What full text reads of an item. */
import { valueAt, type Metadata } from '../domain/metadata.js';
import { wordsOf } from '../domain/words.js';

/** Characters of one text, name or value that are read, and of how many sources. */
const longest = 100_000;
const mostSources = 64;
/** Segments of a source: the file's name, and those of the folders that it lies in. */
const segments = 4;
/** Between two texts: no phrase goes across. */
const between = ' \uE000 ';

/** An item's columns; `text_fields`, its collection's, `metadata` and `sources` are JSON. */
export interface Readable {
  text: string | null;
  metadata: string;
  sources: string;
  text_fields: string;
}

/** All words of an item, in the form that is kept. */
export function contentOf({ text, metadata, sources, text_fields }: Readable): string {
  const fields = (parsed(text_fields) ?? []) as string[];
  const values = fields.length > 0 ? valuesOf((parsed(metadata) ?? {}) as Metadata, fields) : [];
  const names = ((parsed(sources) ?? []) as string[]).slice(-mostSources).map(namesIn);
  return [...(text === null ? [] : [text]), ...names, ...values].map((each) => wordsOf(each.slice(0, longest)).join(' ')).join(between);
}

function namesIn(source: string): string {
  const path = source.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[?#].*$/, '');
  return path.split(/[/\\]+/).filter(Boolean).slice(-segments).map(decoded).join(' ');
}

/** As a URL's segment, where it is one. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Strings and numbers, alone or in lists. */
function valuesOf(metadata: Metadata, fields: string[]): string[] {
  return fields.flatMap((field) => [valueAt(metadata, field.split('.'))].flat().filter((value) => typeof value === 'string' || typeof value === 'number').map(String));
}

/** What is damaged says nothing. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
