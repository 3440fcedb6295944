import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../errors.js';
import { Digest, digestOf } from './hashes.js';
import type { HubClient, HubFile, HubModel } from './hub-client.js';
import { reasonOf } from './transport.js';
import { PassingTrouble } from './retries.js';

/** More came than the hub said there is: as wrong as another hash. */
class TooMany extends Error {}

/** A file of a model, and who has it. */
export interface WantedFile<File extends HubFile = HubFile> {
  hub: HubClient;
  model: HubModel;
  file: File;
}

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
export async function downloadFile(wanted: WantedFile, target: string, onBytes: (bytes: number) => void): Promise<string> {
  const { hub, file } = wanted;
  const part = partOf(target, file);
  await mkdir(path.dirname(target), { recursive: true });
  for (let again = false; ; again = true) {
    const found = await fetchInto(wanted, part, onBytes);
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

/** What has come of a file: on the disk, in its hash, and told to whoever waits. */
class Arriving {
  readonly #file: HubFile;
  readonly #handle: FileHandle;
  #digest: Digest;
  readonly #onBytes: (bytes: number) => void;

  constructor(file: HubFile, handle: FileHandle, digest: Digest, onBytes: (bytes: number) => void) {
    this.#file = file;
    this.#handle = handle;
    this.#digest = digest;
    this.#onBytes = onBytes;
  }

  get bytes(): number {
    return this.#digest.bytes;
  }

  async startOver(): Promise<void> {
    await this.#handle.truncate(0);
    this.#digest = new Digest(this.#file);
    this.#onBytes(0);
  }

  async take(chunk: Buffer): Promise<void> {
    await this.#handle.writeFile(chunk);
    this.#digest.update(chunk);
    this.#onBytes(this.#digest.bytes);
  }

  async finish(): Promise<{ sha256: string; hubs: string }> {
    await this.#handle.sync();
    return this.#digest.finish();
  }
}

async function fetchInto(wanted: WantedFile, part: string, onBytes: (bytes: number) => void): Promise<{ sha256: string; hubs: string } | 'more bytes'> {
  const { hub, file } = wanted;
  const handle = await open(part, 'a');
  try {
    const arriving = new Arriving(file, handle, await digestOf(part, file), onBytes);
    if (arriving.bytes > file.size) await arriving.startOver();
    else onBytes(arriving.bytes);
    const patience = hub.patience();
    while (arriving.bytes < file.size) {
      const before = arriving.bytes;
      try {
        await receive(wanted, arriving);
      } catch (error) {
        if (error instanceof TooMany) return 'more bytes';
        if (!(error instanceof PassingTrouble)) throw error;
        if (arriving.bytes > before) patience.renew();
        await patience.wait(error);
      }
    }
    return await arriving.finish();
  } catch (error) {
    throw full(error, file, part);
  } finally {
    await handle.close();
  }
}

/** One answer of the hub, written as it comes. */
async function receive({ hub, model, file }: WantedFile, arriving: Arriving): Promise<void> {
  const from = arriving.bytes;
  const answer = await hub.open(model, file, from);
  const { status, headers, body } = answer;
  if (status !== 200 && status !== 206) {
    await body.dump();
    if (status === 416) await arriving.startOver();
    throw new PassingTrouble(`${file.path}: the hub answers ${status}.`);
  }
  if (status === 206 && !String(headers['content-range'] ?? '').startsWith(`bytes ${from}-`)) {
    await body.dump();
    await arriving.startOver();
    throw new PassingTrouble(`${file.path}: bytes from ${from} on were asked for, and the hub gives ${String(headers['content-range'])}.`);
  }
  if (status === 200 && from > 0) await arriving.startOver();
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await chunks.next().catch((error: unknown) => {
      hub.signal.throwIfAborted();
      throw new PassingTrouble(`${file.path}: the connection was cut after ${arriving.bytes} of ${file.size} bytes (${reasonOf(error)}).`, undefined, error);
    });
    if (chunk.done) break;
    if (arriving.bytes + chunk.value.length > file.size) {
      body.destroy();
      throw new TooMany();
    }
    await arriving.take(chunk.value);
  }
  if (arriving.bytes < file.size) throw new PassingTrouble(`${file.path}: the hub ended after ${arriving.bytes} of ${file.size} bytes.`);
}

/** A full disk in words; anything else as it is. */
function full(error: unknown, file: HubFile, part: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new MixspaceError('disk_full', `The disk is full: ${file.path} (${file.size} bytes) does not fit in ${path.dirname(part)}. What came is kept; make room and run the same command again to go on.`, { cause: error });
}
