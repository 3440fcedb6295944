import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../errors.js';
import { Digest, digestOf } from './hashes.js';
import type { HubClient, HubFile, HubModel } from './hub-client.js';
import { reasonOf } from './transport.js';
import { PassingTrouble } from './trouble.js';

/** More came than the hub said there is: as wrong as another hash. */
class TooMany extends Error {}

/** Where a file's bytes wait until all are there. The name carries the hash, so that another version never goes on from them. */
export function partOf(target: string, file: HubFile): string {
  return `${target}.${file.hash.hex.slice(0, 16)}.part`;
}

/** Bytes that an earlier run has brought. */
export async function partBytes(target: string, file: HubFile): Promise<number> {
  const size = await stat(partOf(target, file)).then((found) => found.size, () => 0);
  return size > file.size ? 0 : size;
}

/**
 * Brings one file to `target`, going on from what an earlier run left; it appears there whole, checked and flushed, or not at all.
 * A file that comes wrong is brought once more from its beginning.
 * @param onBytes told how many bytes are there.
 * @returns its SHA-256, hex.
 * @throws MixspaceError `unprocessable` for wrong bytes, with both hashes; `disk_full`; `not_ready` where the hub stays out of reach.
 */
export async function downloadFile(hub: HubClient, model: HubModel, file: HubFile, target: string, onBytes: (bytes: number) => void): Promise<string> {
  const part = partOf(target, file);
  await mkdir(path.dirname(target), { recursive: true });
  for (let again = false; ; again = true) {
    const found = await fetchInto(hub, model, file, part, onBytes);
    if (typeof found === 'object' && found.hubs === file.hash.hex) {
      await rename(part, target);
      return found.sha256;
    }
    await rm(part);
    onBytes(0);
    const kind = file.hash.kind === 'sha256' ? 'SHA-256' : "Git's SHA-1";
    const sentence = `${file.path} is not what the hub says it is: expected ${kind} ${file.hash.hex} of ${file.size} bytes, found ${typeof found === 'object' ? found.hubs : found}.`;
    if (again) throw new MixspaceError('unprocessable', `${sentence} It was brought twice and deleted; nothing of it is used.`);
    hub.onWait(`${sentence} Bringing it once more from the beginning.`);
  }
}

async function fetchInto(hub: HubClient, model: HubModel, file: HubFile, part: string, onBytes: (bytes: number) => void): Promise<{ sha256: string; hubs: string } | 'more bytes'> {
  const handle = await open(part, 'a');
  try {
    let digest = await digestOf(part, file);
    const startOver = async (): Promise<void> => {
      await handle.truncate(0);
      digest = new Digest(file);
      onBytes(0);
    };
    if (digest.bytes > file.size) await startOver();
    onBytes(digest.bytes);
    const patience = hub.patience();
    while (digest.bytes < file.size) {
      const before = digest.bytes;
      try {
        await receive(hub, model, file, handle, () => digest, startOver, onBytes);
      } catch (error) {
        if (error instanceof TooMany) return 'more bytes';
        if (!(error instanceof PassingTrouble)) throw error;
        if (digest.bytes > before) patience.renew();
        await patience.wait(error);
      }
    }
    await handle.sync();
    return digest.finish();
  } catch (error) {
    throw full(error, file, part);
  } finally {
    await handle.close();
  }
}

/** One answer of the hub, written as it comes. */
async function receive(hub: HubClient, model: HubModel, file: HubFile, handle: FileHandle, digest: () => Digest, startOver: () => Promise<void>, onBytes: (bytes: number) => void): Promise<void> {
  const from = digest().bytes;
  const answer = await hub.open(model, file, from);
  const { status, headers, body } = answer;
  if (status !== 200 && status !== 206) {
    await body.dump();
    if (status === 416) await startOver();
    throw new PassingTrouble(`${file.path}: the hub answers ${status}.`);
  }
  if (status === 206 && !String(headers['content-range'] ?? '').startsWith(`bytes ${from}-`)) {
    await body.dump();
    await startOver();
    throw new PassingTrouble(`${file.path}: bytes from ${from} on were asked for, and the hub gives ${String(headers['content-range'])}.`);
  }
  if (status === 200 && from > 0) await startOver();
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await chunks.next().catch((error: unknown) => {
      hub.signal.throwIfAborted();
      throw new PassingTrouble(`${file.path}: the connection was cut after ${digest().bytes} of ${file.size} bytes (${reasonOf(error)}).`, undefined, error);
    });
    if (chunk.done) break;
    if (digest().bytes + chunk.value.length > file.size) {
      body.destroy();
      throw new TooMany();
    }
    await handle.writeFile(chunk.value);
    digest().update(chunk.value);
    onBytes(digest().bytes);
  }
  if (digest().bytes < file.size) throw new PassingTrouble(`${file.path}: the hub ended after ${digest().bytes} of ${file.size} bytes.`);
}

/** A full disk in words; anything else as it is. */
function full(error: unknown, file: HubFile, part: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new MixspaceError('disk_full', `The disk is full: ${file.path} (${file.size} bytes) does not fit in ${path.dirname(part)}. What came is kept; make room and run the same command again to go on.`, { cause: error });
}
