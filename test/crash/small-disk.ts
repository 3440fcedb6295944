import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface SmallDisk {
  directory: string;
  remove(): Promise<void>;
}

/** A file system of its own, in memory; the sentence says why there is none. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mixspace-disk-'));
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'mixspace', directory], { encoding: 'utf8' });
  if (status !== 0) {
    await rm(directory, { recursive: true });
    return `A small file system cannot be mounted (it takes root): ${(error?.message ?? stderr).trim()}`;
  }
  return {
    directory,
    remove: async () => {
      spawnSync('umount', [directory]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
