import { randomBytes } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { Config } from '../../config.js';
import { MixspaceError, traceOf } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import { failed, within } from '../callbacks.js';
import type { Access } from './access.js';
import { hashOf, KeyLineError, readKeyLines, type Grant } from './key-lines.js';
import { MinuteCount } from './rate.js';

/** A key as the list of keys shows it. */
export interface KeyUse extends Grant {
  /** Calls since the service started. */
  calls: number;
  lastUsedAt?: Date;
}

interface Held {
  grant: Grant;
  access: Access;
  minute: MinuteCount;
  calls: number;
  lastUsed?: number;
}

const lookEveryMs = 2_000;
const longestFile = 1e6;

/** The keys that are known: those of the setting, and those of a file, which is read again when it changes. */
export class KeyRing {
  #fixed: Grant[];
  readonly #file: string | undefined;
  #ofFile: Grant[] = [];
  #held = new Map<string, Held>();
  #seen: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(fixed: Grant[], file: string | undefined) {
    this.#fixed = fixed;
    this.#file = file;
  }

  /** @throws MixspaceError `invalid_request`: the file cannot be read, or a line of it; no message repeats a key. */
  static async open({ apiKeys, apiKeysFile }: Pick<Config, 'apiKeys' | 'apiKeysFile'>): Promise<KeyRing> {
    const ring = new KeyRing(apiKeys.map((key, i) => ({ hash: hashOf(key), name: `key ${i + 1}`, scope: 'admin' })), apiKeysFile);
    ring.#hold(apiKeysFile === undefined ? [] : await ring.#read(apiKeysFile));
    return ring;
  }

  /** A fresh key that may do anything, for who runs the service. */
  admit(name: string): string {
    const key = randomBytes(32).toString('base64url');
    this.#fixed = [...this.#fixed, { hash: hashOf(key), name, scope: 'admin' }];
    this.#hold(this.#ofFile);
    return key;
  }

  /** Without any key, anyone may call. */
  get isOpen(): boolean {
    return this.#held.size === 0;
  }

  /** Reads the file again when it changes, until `close`. While it cannot be read, the keys stay that it held last. */
  follow(log: Log): void {
    const file = this.#file;
    // A pipe was read, and is empty now.
    if (file === undefined || this.#seen === undefined) return;
    const look = async (): Promise<void> => {
      const seen = await markOf(file).catch(() => 'unreachable');
      if (seen === this.#seen) return;
      this.#seen = seen;
      const grants = await this.#read(file).catch((error: unknown) => {
        log('error', `${error instanceof MixspaceError ? error.message : traceOf(error)} The keys stay as they were.`);
      });
      if (!grants) return;
      this.#hold(grants);
      log('info', 'The keys file was read again.', { keys: grants.length });
    };
    const again = (): void => {
      this.#timer = setTimeout(within(failed(log), () => void look().then(again, again)), lookEveryMs).unref();
    };
    again();
  }

  /** Undefined: not known. */
  find(key: string): Held | undefined {
    return this.#held.get(hashOf(key));
  }

  list(): KeyUse[] {
    return [...this.#held.values()].map(({ grant, calls, lastUsed }) => ({ ...grant, calls, ...(lastUsed === undefined ? {} : { lastUsedAt: new Date(lastUsed) }) }));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #read(file: string): Promise<Grant[]> {
    const refuse = (problem: string): MixspaceError => new MixspaceError('invalid_request', `The keys file ${file} ${problem}.`, { param: '--api-keys-file' });
    // Before it is read: a change while it is read is seen the next time.
    const mark = await markOf(file).catch(() => undefined);
    const text = await startOf(file).catch((error: NodeJS.ErrnoException) => {
      throw refuse(`cannot be read (${error.code})`);
    });
    if (text.length > longestFile) throw refuse('is over 1 MB');
    try {
      const grants = readKeyLines(text);
      this.#seen = mark;
      return grants;
    } catch (error) {
      throw error instanceof KeyLineError ? refuse(error.message) : error;
    }
  }

  /** A key that stays keeps its count. */
  #hold(grants: Grant[]): void {
    this.#ofFile = grants;
    const now = Math.floor(performance.now() / 1000);
    this.#held = new Map(
      [...this.#fixed, ...grants].map((grant) => {
        const { minute = new MinuteCount(now), calls = 0, lastUsed } = this.#held.get(grant.hash) ?? {};
        const { hash: _hash, ...access } = grant;
        return [grant.hash, { grant, access, minute, calls, ...(lastUsed === undefined ? {} : { lastUsed }) }];
      }),
    );
  }
}

/** Changes when the file does; undefined for what is no file, such as a shell's `<(...)`. */
async function markOf(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true });
  return found.isFile() ? [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : undefined;
}

/** Of what never ends, as much as tells so. */
async function startOf(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of handle.createReadStream({ end: longestFile, autoClose: false })) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await handle.close();
  }
}
