/** A folder as people keep it: pictures come, are edited, moved, deleted, copied, exchanged and touched. */
import { copyFileSync, readFileSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentsOf, idOf, type Chance } from '../folders.js';

interface Changing {
  root: string;
  folders: readonly string[];
  files: readonly string[];
  /** Of the files, those under this folder stay as they are. */
  spared?: string;
  /** Of each content, the metadata that it is to have. */
  owed: ReadonlyMap<string, object>;
  count: number;
  /** In the names of what comes. */
  round: number;
  draw: () => Promise<Buffer>;
}

/** The files there are afterwards, and the metadata that each content is to have then: an edited picture's is that of what it was. */
export async function changeAtRandom({ next, pick }: Chance, { root, folders, files: given, spared, owed, count, round, draw }: Changing): Promise<{ files: string[]; owed: Map<string, object> }> {
  const before = new Map([...contentsOf(root)].flatMap(([id, paths]) => paths.map((file): [string, string] => [file, id])));
  const kept = new Map(owed);
  const files = new Set(given);
  // A file is touched by one change a round: which picture one is that was edited and moved, nobody can know.
  const untouched = given.filter((file) => spared === undefined || !file.startsWith(`${spared}/`));
  const take = (): string => {
    const at = Math.floor(next() * untouched.length);
    const file = untouched[at]!;
    untouched[at] = untouched.at(-1)!;
    untouched.pop();
    return file;
  };
  for (let i = 0; i < count; i++) {
    const what = next();
    const fresh = (kind: string): string => path.join(pick(folders), `${kind}-${round}-${i}.png`);
    if (what < 0.2) {
      const file = fresh('new');
      writeFileSync(file, await draw());
      files.add(file);
    } else if (what < 0.4) {
      const file = take();
      writeFileSync(file, await draw());
      const metadata = owed.get(before.get(file)!);
      if (metadata) kept.set(idOf(readFileSync(file)), metadata);
    } else if (what < 0.6) {
      const [file, to] = [take(), fresh('moved')];
      renameSync(file, to);
      files.delete(file);
      files.add(to);
    } else if (what < 0.72) {
      const file = take();
      unlinkSync(file);
      files.delete(file);
    } else if (what < 0.8) {
      const to = fresh('copy');
      copyFileSync(take(), to);
      files.add(to);
    } else if (what < 0.9) {
      const [one, other] = [take(), take()];
      renameSync(one, `${one}.away`);
      renameSync(other, one);
      renameSync(`${one}.away`, other);
    } else utimesSync(take(), new Date(), new Date(1_600_000_000_000 + i));
  }
  return { files: [...files], owed: kept };
}

/** The folder gets another name, with all that is in it: the files there are afterwards. */
export function renameFolder(folders: string[], files: readonly string[], from: string, to: string): string[] {
  renameSync(from, to);
  folders[folders.indexOf(from)] = to;
  return files.map((file) => (file.startsWith(`${from}/`) ? to + file.slice(from.length) : file));
}
