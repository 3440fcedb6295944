/** Pictures under a folder: read where they lie, never copied. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../content-hash.js';
import { listPictures } from '../../picture-files.js';
import type { Context } from '../context.js';
import { openPlain } from './place.js';
import { importBounds } from './settings.js';
import { isSideFile, noteFor, type Sides } from './side-files.js';
import type { ImportSource, Step } from './step.js';

/** @throws MixspaceError `not_found`. */
export async function openFolder({ roots }: Context, root: string, signal: AbortSignal): Promise<ImportSource> {
  const { pictures, leftOut } = await listPictures([root], signal);
  const all: Step[] = [
    ...pictures.map(({ file, bytes }) => ({ name: file, bytes, entry: { source: file, content: { path: file } } })),
    ...leftOut.unreadable.map((name, i) => ({ name, reason: `It cannot be read: ${leftOut.reasons[i]}.` })),
  ];
  const sides = new Beside(roots);
  return {
    stamp: await sha256(Buffer.from(all.map((step) => ('name' in step ? step.name : '')).join('\0')), 'hex'),
    total: all.length,
    leftOut: Object.fromEntries(Object.entries({ other: leftOut.other, hidden: leftOut.hidden, side_folders: leftOut.sideFolders, excluded: leftOut.excluded, links: leftOut.links }).filter(([, count]) => count > 0)),
    steps: async function* (from) {
      for (const step of all.slice(from)) {
        if (!('entry' in step)) yield step;
        else {
          await sides.lookInto(path.dirname(step.name));
          const { problems, ...note } = await noteFor(step.name, sides, '');
          yield { ...step, entry: { ...step.entry, ...note }, ...(problems.length === 0 ? {} : { problems }) };
        }
      }
    },
    close: () => Promise.resolve(),
  };
}

/** What else lies in the folder that is gone through now. */
class Beside implements Sides {
  readonly #roots: string[];
  #folder: string | undefined;
  #names = new Set<string>();

  constructor(roots: string[]) {
    this.#roots = roots;
  }

  async lookInto(folder: string): Promise<void> {
    if (this.#folder === folder) return;
    this.#folder = folder;
    const names = await readdir(folder).catch((): string[] => []);
    this.#names = new Set(names.filter(isSideFile).map((name) => path.join(folder, name)));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  async read(name: string): Promise<Buffer> {
    const { handle, size } = await openPlain(name, this.#roots);
    try {
      if (size > importBounds.side) throw new Error(`it has ${size} bytes, at most ${importBounds.side} are read`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }
}
