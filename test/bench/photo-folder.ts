import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { photos } from '../eval/pack.js';

/** Photos of the pack as files in a temporary folder while `use` runs. */
export async function withPhotoFolder<T>(count: number, use: (folder: string, files: string[]) => Promise<T>): Promise<T> {
  const bytes = photos(count);
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-bench-'));
  try {
    const files = bytes.map((_, index) => path.join(folder, `${String(index).padStart(5, '0')}.webp`));
    await Promise.all(files.map((file, index) => writeFile(file, bytes[index]!)));
    return await use(folder, files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
