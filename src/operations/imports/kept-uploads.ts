/** Files that were sent to be imported, on the disk until their job has ended. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, removedOnFailure, syncDirectory } from '../../files.js';

export class KeptUploads {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The name of the folder among those of all services: it is kept beside it, so that whoever has the same folder has the same name. */
  async place(): Promise<string> {
    const file = `${this.#folder}.place`;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, randomBytes(12).toString('hex'), { flag: 'wx', flush: true }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
    return `uploads ${await readFile(file, 'utf8')}`;
  }

  fileOf(id: string): string {
    return path.join(this.#folder, id);
  }

  /** On disk when it resolves: the id of the file. */
  async keep(bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const id = randomBytes(12).toString('hex');
    await mkdir(this.#folder, { recursive: true });
    await removedOnFailure(this.fileOf(id), async () => {
      const handle = await open(this.fileOf(id), 'wx', 0o600);
      try {
        for await (const piece of bytes) await handle.writeFile(piece);
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
    await syncDirectory(this.#folder);
    return id;
  }

  async remove(id: string): Promise<void> {
    await rm(this.fileOf(id), { force: true });
  }

  /** All that are there. */
  async ids(): Promise<string[]> {
    return readdir(this.#folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
  }
}
