/** What of a folder is not walked: other programs' folders, what a `.mixspaceignore` names, and what the caller says. */
import ignore, { type Ignore } from 'ignore';
import { MixspaceError } from './errors.js';

/** Globs as `.gitignore` has them, of paths below each root; capitals and small letters are the same. */
export interface WalkRules {
  /** Left out; `!GLOB` takes back what any other rule leaves out. */
  exclude?: readonly string[];
  /** Taken all the same, whatever else leaves it out, and looked for in folders that `exclude` leaves out. */
  include?: readonly string[];
}

export type LeftOutBy = 'side folder' | 'hidden' | 'excluded';

export const ignoreFileName = '.mixspaceignore';
/** Bytes of such a file. */
export const longestIgnoreFile = 65_536;
/** A glob becomes a regular expression: with more, one name could take it minutes. */
const most = { patterns: 256, characters: 1024, starsInName: 3, deepStars: 2 } as const;

/** Folders that other programs fill with copies, previews and what was thrown away, in lower case; their trash cans have many names. */
const sideFolders = new Set(['@eadir', '#recycle', '@recycle', '#snapshot', '@__thumb', '.@__thumb', '$recycle.bin', 'system volume information', '.thumbnails', '__macosx', 'lost+found']);
const trash = /^\.trash/i;

/** @throws MixspaceError `invalid_request`: a glob that is too long, or has too many `*`. */
export class Patterns {
  readonly #globs: readonly string[];
  #compiled: Ignore;
  #tested = 0;

  /** `where`: what messages say of each glob, by its index. */
  constructor(globs: readonly string[], where: (index: number) => string) {
    if (globs.length > most.patterns) throw new MixspaceError('invalid_request', `${where(most.patterns)} is one too many: at most ${most.patterns} globs.`);
    globs.forEach((glob, index) => {
      const problem = problemOf(glob);
      if (problem !== undefined) throw new MixspaceError('invalid_request', `${where(index)} ${problem}.`);
    });
    this.#globs = globs;
    this.#compiled = compiled(globs);
  }

  get isEmpty(): boolean {
    return this.#globs.length === 0;
  }

  /** `relative`: below the folder that the globs are of; a folder ends with `/`. */
  verdict(relative: string): 'left out' | 'taken back' | undefined {
    if (this.isEmpty) return undefined;
    // It remembers each path that it was asked for.
    if (++this.#tested > rememberedPaths) {
      this.#compiled = compiled(this.#globs);
      this.#tested = 0;
    }
    const { ignored, unignored } = this.#compiled.test(relative);
    return ignored ? 'left out' : unignored ? 'taken back' : undefined;
  }
}

const rememberedPaths = 10_000;
const compiled = (globs: readonly string[]): Ignore => ignore({ ignorecase: true }).add(globs);

function problemOf(glob: string): string | undefined {
  if (glob.length > most.characters) return `has over ${most.characters} characters`;
  const names = glob.replace(/\\./g, '').split('/');
  if (names.filter((name) => name === '**').length > most.deepStars) return `has more than ${most.deepStars} \`**\``;
  if (names.some((name) => name !== '**' && (name.match(/\*+/g) ?? []).length > most.starsInName)) return `has more than ${most.starsInName} \`*\` in a name`;
  return undefined;
}

/** A `.mixspaceignore` in a folder, given below the root without a `/` behind. */
export interface IgnoreFile {
  folder: string;
  patterns: Patterns;
}

/** @throws MixspaceError `invalid_request`, a sentence about the line. */
export function readIgnoreFile(folder: string, text: string): IgnoreFile {
  // A pattern and what it stands in are told by the line; comments and blank lines are none.
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/).map((glob, index) => ({ glob, line: index + 1 })).filter(({ glob }) => glob.trim() !== '' && !glob.startsWith('#'));
  return { folder, patterns: new Patterns(lines.map(({ glob }) => glob), (index) => `Line ${lines[index]!.line} of its ${ignoreFileName}`) };
}

/** What becomes of something in a folder; a folder that is `searched` is walked for what `include` names alone. */
export type Decision = { take: true; searched?: true } | { take: false; by: LeftOutBy };

export class Rules {
  readonly #exclude: Patterns;
  readonly #include: Patterns;

  /** @throws MixspaceError `invalid_request`. */
  constructor({ exclude = [], include = [] }: WalkRules = {}) {
    this.#exclude = new Patterns(exclude, (index) => `The glob ${JSON.stringify(exclude[index])} to exclude`);
    this.#include = new Patterns(include, (index) => `The glob ${JSON.stringify(include[index])} to include`);
  }

  /**
   * `relative`: below the root; `ignoreFiles`: of the folder it lies in and of those above, the root's first;
   * `isSearched`: that folder is left out, but for what `include` names.
   */
  decide({ relative, isFolder }: { relative: string; isFolder: boolean }, { ignoreFiles, isSearched }: { ignoreFiles: readonly IgnoreFile[]; isSearched: boolean }): Decision {
    const name = relative.slice(relative.lastIndexOf('/') + 1);
    const asked = isFolder ? `${relative}/` : relative;
    if (this.#include.verdict(asked) === 'left out') return { take: true };
    const byDefault = defaultOf(name, isFolder);
    const search = (): Decision => (isFolder && byDefault === undefined && !this.#include.isEmpty ? { take: true, searched: true } : { take: false, by: 'excluded' });
    if (isSearched) return search();
    const said = this.#exclude.verdict(asked);
    if (said === 'left out') return search();
    if (said === 'taken back') return { take: true };
    for (let i = ignoreFiles.length - 1; i >= 0; i--) {
      const { folder, patterns } = ignoreFiles[i]!;
      const verdict = patterns.verdict(folder === '' ? asked : asked.slice(folder.length + 1));
      if (verdict === 'left out') return { take: false, by: 'excluded' };
      if (verdict === 'taken back') return { take: true };
    }
    return byDefault === undefined ? { take: true } : { take: false, by: byDefault };
  }
}

export const isSideFolder = (name: string): boolean => sideFolders.has(name.toLowerCase()) || trash.test(name);

function defaultOf(name: string, isFolder: boolean): LeftOutBy | undefined {
  if (isFolder && isSideFolder(name)) return 'side folder';
  return name.startsWith('.') ? 'hidden' : undefined;
}
