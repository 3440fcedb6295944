/** What lies at paths that a walk has not come to, and which folders are mount points. */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { openable } from '../../file-names.js';
import { isMissing } from '../../files.js';
import { mapLimited } from '../../map-limited.js';
import { isWithin } from '../../open-file.js';

/** `there`: a file that the walk left out, or that came since. */
export type Place = 'there' | 'gone' | { unreachable: string };

const statsAtOnce = 16;

/** Of a file's stamp: bytes, and when it was changed, in milliseconds since 1970. */
export function readStamp(stamp: string): { size: number; changedAt: number } {
  const [, size, nanoseconds] = stamp.split(' ');
  return { size: Number(size), changedAt: Number(nanoseconds) / 1e6 };
}

/**
 * Looks at what is missing under a root. What cannot be reached is never `gone`: an error that does not say that there is
 * nothing, a folder that is a link to somewhere that is not there, and one of `unmounted`.
 */
export class Places {
  readonly #root: string;
  readonly #unmounted: string[];
  readonly #folders = new Map<string, Promise<Place>>();

  constructor(root: string, unmounted: string[]) {
    this.#root = root;
    this.#unmounted = unmounted;
  }

  of(files: string[]): Promise<Place[]> {
    return mapLimited(files, statsAtOnce, (file) => this.#of(file));
  }

  async #of(file: string): Promise<Place> {
    try {
      if ((await lstat(openable(file))).isFile()) return 'there';
    } catch (error) {
      if (!isMissing(error)) return unreachable(error);
      const folder = await this.#folder(path.dirname(file));
      if (folder !== 'there') return folder;
    }
    const mount = this.#unmounted.find((each) => isWithin(each, file));
    return mount === undefined ? 'gone' : { unreachable: `What was mounted on ${mount} is not.` };
  }

  #folder(folder: string): Promise<Place> {
    let looking = this.#folders.get(folder);
    if (!looking) this.#folders.set(folder, (looking = this.#lookAt(folder)));
    return looking;
  }

  /** `there` where it says itself what is in it; `gone` where it lies in one that says that it is not there. */
  async #lookAt(folder: string): Promise<Place> {
    try {
      const found = await lstat(openable(folder));
      if (found.isSymbolicLink() && folder !== this.#root) return { unreachable: `${folder} is a link that leads nowhere.` };
      return 'there';
    } catch (error) {
      if (!isMissing(error)) return unreachable(error);
      if (!isWithin(this.#root, path.dirname(folder))) return { unreachable: `${this.#root} is not there.` };
      return this.#folder(path.dirname(folder));
    }
  }
}

const unreachable = (error: unknown): Place => ({ unreachable: `It cannot be reached (${(error as NodeJS.ErrnoException).code ?? String(error)}).` });

/** Of the folders that these files lie in, up to the root, those on which another file system is mounted. */
export async function mountsAmong(root: string, files: Iterable<string>): Promise<string[]> {
  const folders = new Set([root]);
  for (const file of files) {
    for (let folder = path.dirname(file); isWithin(root, folder) && !folders.has(folder); folder = path.dirname(folder)) folders.add(folder);
  }
  const all = [...folders];
  const devices = new Map(await mapLimited([path.dirname(root), ...all], statsAtOnce, async (folder) => [folder, (await lstat(openable(folder)).catch(() => undefined))?.dev] as const));
  return all.filter((folder) => {
    const [own, outer] = [devices.get(folder), devices.get(path.dirname(folder))];
    return own !== undefined && outer !== undefined && own !== outer;
  });
}
