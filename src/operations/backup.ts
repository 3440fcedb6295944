import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';
import { backupFormat, completeName, manifestName, originalName, type BackupManifest, type BackupSummary } from '../domain/backup.js';
import type { BackupFile, StoreBackup } from '../store/store.js';
import type { Context } from './context.js';

/**
 * All collections as one tar archive: what it is, the database, the originals that are kept, and, last, that it is
 * complete. Models are not in it, nor pictures that lie where they were taken in from.
 * @throws MixspaceError `conflict`: another backup is being taken; `disk_full`.
 */
export async function* backup(context: Context): AsyncGenerator<Uint8Array> {
  const copy = await context.backup();
  const archive = new Archive();
  const packed = packAll(archive, copy).catch((error: unknown) => archive.stop(error as Error));
  try {
    for await (const chunk of archive.bytes) yield chunk;
  } finally {
    archive.stop();
    await packed;
    await copy.release();
  }
}

async function packAll(archive: Archive, copy: StoreBackup): Promise<void> {
  await archive.put(manifestName, JSON.stringify(manifestOf(copy), null, 2));
  const summary: BackupSummary = { database_sha256: await archive.putFile(copy.database), originals: 0, missing: [] };
  for await (const { contentHash, bytes } of copy.originals) {
    if (bytes === undefined) summary.missing.push(contentHash);
    else {
      await archive.put(originalName(contentHash), bytes);
      summary.originals++;
    }
  }
  await archive.put(completeName, JSON.stringify(summary, null, 2));
  archive.bytes.finalize();
}

function manifestOf({ collections, database }: StoreBackup): BackupManifest {
  return { format: backupFormat, version: 1, created_at: new Date().toISOString(), database: { bytes: database.bytes }, collections };
}

/** Entries one behind the other, no faster than they are read. What waits for a reader who has gone rejects. */
class Archive {
  readonly bytes = pack();
  readonly #gone = new Promise<never>((_, reject) => this.bytes.once('close', () => reject(new Error('The reader has gone.'))));

  constructor() {
    this.#gone.catch(() => undefined);
  }

  stop(error?: Error): void {
    this.bytes.destroy(error);
  }

  async put(name: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const written = new Promise<void>((resolve, reject) => this.bytes.entry({ name, size: bytes.length }, bytes, (error) => (error ? reject(error) : resolve())));
    await Promise.race([written, this.#gone]);
  }

  /** Its SHA-256, lower-case hex. */
  async putFile({ name, bytes, read }: BackupFile): Promise<string> {
    const hash = createHash('sha256');
    const entry = this.bytes.entry({ name, size: bytes });
    const written = new Promise<void>((resolve, reject) => entry.on('error', reject).on('finish', resolve));
    written.catch(() => undefined);
    for await (const piece of read()) {
      hash.update(piece);
      const taken = entry.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      if (!taken) await Promise.race([new Promise((resolve) => entry.once('drain', resolve)), written, this.#gone]);
    }
    entry.end();
    await Promise.race([written, this.#gone]);
    return hash.digest('hex');
  }
}
