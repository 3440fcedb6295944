import type { Filter } from '../../../domain/filter.js';
import type { Context } from '../../context.js';
import { close, inLowerCase, lowered, open } from './boundary.js';
import { languages } from './languages/index.js';
import { taken, type Span } from './spans.js';

/** Folders of one name that are told apart. */
const mostFolders = 20;
/** Names that are looked up for one query. */
const mostLookups = 24;
const mostWords = 6;
const longestRun = 12;

const marks = languages.flatMap(({ script, spaced, folder: { before = [], behind = [] } }) => {
  const of = (source: string, side: 'before' | 'behind') => ({ side, script, pattern: new RegExp(lowered(spaced ? `${open}(?:${source.replaceAll(' ', '\\s+')})${close}` : `(?:${source})`), 'gu') });
  return [...before.map((each) => of(each, 'before')), ...behind.map((each) => of(each, 'behind'))];
});

/** Without what usually stands before them: a name of a folder must follow all the same. */
const nouns = 'folder|directory|album|Ordner|Verzeichnis|Album|map|dossier|répertoire|carpeta|álbum|directorio|cartella|pasta|diretório|folder|folderze|katalog|папка|альбом|klasör|albüm|مجلد|ألبوم';
marks.push({ side: 'before', script: undefined, pattern: new RegExp(lowered(`${open}(?:${nouns})${close}\\s*:?`), 'gu') });

const quoted = /^\s*(?:"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|「([^」]+)」|『([^』]+)』|《([^》]+)》|'([^']+)')/u;
const endQuoted = /(?:"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|「([^」]+)」|『([^』]+)』|《([^》]+)》|'([^']+)')\s*(?:という)?$/u;
const names = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}/u;
const prepositions = /(?<![\p{L}\p{N}])(?:in|from|aus|im|von|vom|de|du|dans|en|del|da|do|na|no|di|nel|nella|w|z|ze|из|в|с|uit|van)\s+$/iu;

/** What the items come from, not what is in them. */
const sources = /^(?:from|aus|vom|de|del|da|uit|van|z|ze|из)\s/iu;

/** Looks up folders, a bounded number of times. */
export class Folders {
  readonly #context: Context;
  readonly #collection: string;
  #lookups = 0;

  constructor(context: Context, collection: string) {
    this.#context = context;
    this.#collection = collection;
  }

  /** Said to be folders: "in folder Rome". `text`: with marks in place of what is understood already. */
  async named(text: string): Promise<Span[]> {
    const found: Span[] = [];
    const lower = inLowerCase(text);
    for (const { side, pattern, script } of marks) {
      if (script && !script.test(text)) continue;
      // matchAll would make a copy of the expression, which is compiled anew; what is awaited may use it meanwhile.
      const places: [number, string][] = [];
      pattern.lastIndex = 0;
      for (let match = pattern.exec(lower); match; match = pattern.exec(lower)) places.push([match.index, match[0]]);
      for (const [index, mark] of places) {
        const span = side === 'before' ? await this.#behind(text, index, index + mark.length) : await this.#before(text, index, index + mark.length);
        if (span) found.push(span);
      }
    }
    return found;
  }

  /**
   * Called as a folder is called, letter by letter, with a capital or a number, behind a preposition or apart from the rest;
   * one word only where it is all that is left, but for a "from" before it.
   */
  async called(text: string): Promise<Span[]> {
    const words = [...text.matchAll(/[\p{L}\p{N}][\p{L}\p{M}\p{N}._'’-]*/gu)].map(({ index, 0: word }) => ({ start: index, end: index + word.length }));
    for (let count = Math.min(4, words.length); count > 0; count--) {
      for (let first = 0; first + count <= words.length; first++) {
        const start = words[first]!.start;
        const end = words[first + count - 1]!.end;
        const name = text.slice(start, end);
        if (name.includes(taken) || !/^(?:\p{Lu}|\p{N})/u.test(name) || /^\p{N}+$/u.test(name)) continue;
        const before = text.slice(0, start);
        const preposition = prepositions.exec(before)?.[0];
        const isApart = /[,;:،、，]\s*$/u.test(before) && /^\s*(?:$|[,;\u0001])/u.test(text.slice(end));
        const isAll = (before + text.slice(end)).replaceAll(taken, '').trim() === '';
        if (preposition === undefined && !isApart && !isAll) continue;
        // A name of one word may as well be a place or a thing in the picture: "a postcard from Rome", "Kinder im Garten".
        const isSource = preposition !== undefined && sources.test(preposition) && before.slice(0, -preposition.length).replaceAll(taken, '').trim() === '';
        if (/^[\p{L}\p{M}]+$/u.test(name) && !isAll && !isSource) continue;
        const folders = (await this.#find(name)).filter((path) => segmentOf(path) === name);
        if (folders.length > 0) return [{ start: start - (preposition?.length ?? 0), end, text: name, filter: filterOf(folders) }];
      }
    }
    return [];
  }

  async #behind(text: string, start: number, from: number): Promise<Span | undefined> {
    const rest = text.slice(from);
    const inQuotes = quoted.exec(rest);
    const candidates = inQuotes
      ? [{ name: inQuotes.slice(1).find((group) => group !== undefined)!, length: inQuotes[0].length }]
      : prefixesOf(rest).map((piece) => ({ name: piece.trim(), length: piece.length }));
    for (const { name, length } of candidates) {
      const folders = await this.#find(name);
      if (folders.length > 0) return { start, end: from + length, text: text.slice(start, from + length).trim(), filter: filterOf(folders) };
    }
    return undefined;
  }

  async #before(text: string, to: number, end: number): Promise<Span | undefined> {
    const rest = text.slice(0, to);
    const inQuotes = endQuoted.exec(rest);
    const candidates = inQuotes
      ? [{ name: inQuotes.slice(1).find((group) => group !== undefined)!, length: inQuotes[0].length }]
      : suffixesOf(rest).map((piece) => ({ name: piece.trim(), length: piece.length }));
    for (const { name, length } of candidates) {
      const folders = await this.#find(name);
      if (folders.length === 0) continue;
      const lead = /(?<![\p{L}\p{N}])(?:in|from|of|aus|im|in dem|aus dem)(?:\s+(?:the|my|dem|meinem|den|het|de))?\s*$|[在从從]\s*$/iu.exec(text.slice(0, to - length))?.[0].length ?? 0;
      return { start: to - length - lead, end, text: text.slice(to - length, end).trim(), filter: filterOf(folders) };
    }
    return undefined;
  }

  async #find(name: string): Promise<string[]> {
    if (name.length === 0 || ++this.#lookups > mostLookups) return [];
    return this.#context.words.foldersNamed(this.#collection, name, mostFolders);
  }
}

function filterOf(paths: string[]): Filter {
  const each = paths.map((path): Filter => ({ '$item.source': { $prefix: path } }));
  return each.length === 1 ? each[0]! : { $or: each };
}

const segmentOf = (path: string): string => /[^/\\]+(?=[/\\]$)/.exec(path)?.[0] ?? '';

/** Beginnings, the longest first: words, or characters where none stand apart. */
function prefixesOf(text: string): string[] {
  const head = text.split(taken)[0]!.replace(/[,;.!?，。].*$/su, '');
  const ends = [...head.matchAll(names.test(head) ? /[^\s]/gu : /\S+(?=\s|$)/gu)].map(({ index, 0: word }) => index + word.length);
  return ends.slice(0, names.test(head) ? longestRun : mostWords).reverse().map((end) => head.slice(0, end));
}

function suffixesOf(text: string): string[] {
  const tail = text.split(taken).at(-1)!.replace(/^.*[,;.!?，。]/su, '');
  const starts = [...tail.matchAll(names.test(tail) ? /[^\s]/gu : /(?<=\s|^)\S+/gu)].map(({ index }) => index);
  return starts.slice(names.test(tail) ? -longestRun : -mostWords).map((start) => tail.slice(start));
}
