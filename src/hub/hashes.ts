import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isMissing, piecesOf } from '../files.js';
import type { HubFile } from './hub-client.js';

/** The hashes of a file while its bytes come: SHA-256 for the lock file, and the hub's own kind. */
export class Digest {
  readonly #sha256 = createHash('sha256');
  /** Git's hash of a blob: SHA-1 over `blob `, the size in decimal, a zero byte and the content. */
  readonly #git: Hash | undefined;
  bytes = 0;

  constructor({ size, hash }: Pick<HubFile, 'size' | 'hash'>) {
    this.#git = hash.kind === 'git-sha1' ? createHash('sha1').update(`blob ${size}\0`) : undefined;
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#git?.update(chunk);
    this.bytes += chunk.length;
  }

  /** Both in hex; it takes no more bytes afterwards. */
  finish(): { sha256: string; hubs: string } {
    const sha256 = this.#sha256.digest('hex');
    return { sha256, hubs: this.#git?.digest('hex') ?? sha256 };
  }
}

/** The digest of what a file has so far; empty where there is no file. */
export async function digestOf(path: string, file: Pick<HubFile, 'size' | 'hash'>): Promise<Digest> {
  const digest = new Digest(file);
  try {
    for await (const piece of piecesOf(path)) digest.update(piece);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return digest;
}

/** The SHA-256 of a file that is exactly what the hub has; undefined for any other, and for none. */
export async function sha256IfSame(path: string, file: Pick<HubFile, 'size' | 'hash'>): Promise<string | undefined> {
  const size = await stat(path).then((found) => found.size, () => undefined);
  if (size !== file.size) return undefined;
  const { sha256, hubs } = (await digestOf(path, file)).finish();
  return hubs === file.hash.hex ? sha256 : undefined;
}
