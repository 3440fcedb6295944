/** The bytes of request bodies that are read or held, of all requests together. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { MixspaceError, toMixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import { failed, within } from './callbacks.js';
import { refuse } from './errors.js';

/** Bodies by their size, in bytes, each with a part of the limit that no other takes: words pass while pictures stand, and a picture while many do. */
const pools = {
  words: { most: 64e3, share: 1 / 16 },
  picture: { most: 1e6, share: 1 / 8 },
  many: { most: Infinity, share: 13 / 16 },
} as const;
/** Bytes that a body must bring in each stretch of its time. */
const leastProgress = 64_000;
const retryAfterSeconds = 5;

export interface UploadLimits {
  /** Bytes of one body, as it is sent. */
  body: number;
  /** Seconds in which a body must bring 64 kB or its end. */
  uploadTimeout: number;
}

type Pool = keyof typeof pools;
const poolNames = Object.keys(pools) as Pool[];

/** All bodies at once; one alone always fits. */
export class Uploads {
  readonly #held: Record<Pool, number> = { words: 0, picture: 0, many: 0 };
  readonly #count: Record<Pool, number> = { words: 0, picture: 0, many: 0 };
  readonly #limit: number;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return poolNames.reduce((sum, pool) => sum + this.#held[pool], 0);
  }

  /** @throws MixspaceError `overloaded`; nothing has changed then. */
  move(before: number | undefined, after: number | undefined): void {
    const from = before === undefined ? undefined : poolOf(before);
    const to = after === undefined ? undefined : poolOf(after);
    if (to !== undefined) {
      const alone = this.#count[to] === (from === to ? 1 : 0);
      const others = this.#held[to] - (from === to ? before! : 0);
      if (!alone && others + after! > this.#limit * pools[to].share) {
        throw new MixspaceError('overloaded', `The service holds ${this.bytes} bytes of uploads and has no room for this one now; MIXSPACE_MAX_UPLOADS sets how many it may hold.`, { retryAfter: retryAfterSeconds });
      }
    }
    if (from !== undefined) {
      this.#held[from] -= before!;
      this.#count[from]--;
    }
    if (to !== undefined) {
      this.#held[to] += after!;
      this.#count[to]++;
    }
  }
}

const poolOf = (bytes: number): Pool => poolNames.find((pool) => bytes <= pools[pool].most)!;

/** One body: counted from what it declares, and more as more comes, until nobody holds it any more. */
export class Upload {
  readonly #uploads: Uploads;
  readonly #declared: number;
  #received = 0;
  #inflated = 0;
  #counted: number;
  #holders = 1;

  /** @throws MixspaceError `overloaded`. */
  constructor(uploads: Uploads, declared: number) {
    this.#uploads = uploads;
    this.#declared = declared;
    this.#counted = declared;
    uploads.move(undefined, declared);
  }

  get received(): number {
    return this.#received;
  }

  /** @throws MixspaceError `overloaded`. */
  receive(bytes: number): void {
    this.#received += bytes;
    this.#count();
  }

  /** What a reader holds beyond the bytes that were sent. @throws MixspaceError `overloaded`. */
  inflate(bytes: number): void {
    this.#inflated += bytes;
    this.#count();
  }

  /** Until `release`, also when the caller has gone. */
  hold(): void {
    if (this.#holders > 0) this.#holders++;
  }

  release(): void {
    if (this.#holders > 0 && --this.#holders === 0) this.#uploads.move(this.#counted, undefined);
  }

  #count(): void {
    const bytes = Math.max(this.#declared, this.#received) + this.#inflated;
    if (bytes === this.#counted || this.#holders === 0) return;
    this.#uploads.move(this.#counted, bytes);
    this.#counted = bytes;
  }
}

const ofRequest = new WeakMap<IncomingMessage, Upload>();

/** Of a request that has a body, once `boundUploads` has seen it. */
export const uploadOf = (request: IncomingMessage): Upload | undefined => ofRequest.get(request);

const comeAsTheyMay = new WeakSet<Socket>();

/** Whether what comes on a connection now may take as long as it does, as long as it does not stand still. */
export const mayTakeItsTime = (socket: Socket): boolean => comeAsTheyMay.has(socket);

/**
 * Before a body is read, by whatever reads it: refuses one that is or becomes too large, that there is no room for, or
 * that stands still, and asks for it where the caller waits to be asked. Without `uploads`: it is not held, but goes to the
 * disk as it comes, and may come for hours.
 */
export function boundUploads(uploads: Uploads | undefined, limits: UploadLimits, log: Log): RequestHandler {
  const tooLarge = (): MixspaceError => new MixspaceError('too_large', `A request body is at most ${limits.body} bytes.`);
  return (request, response, next) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared === 0 && request.headers['transfer-encoding'] === undefined) return next();
    if (declared > limits.body) throw tooLarge();
    const upload = uploads && new Upload(uploads, declared);
    if (upload) {
      ofRequest.set(request, upload);
      response.on('close', within(failed(log), () => upload.release()));
    } else {
      const { socket } = request;
      comeAsTheyMay.add(socket);
      response.on('close', within(failed(log), () => comeAsTheyMay.delete(socket)));
    }
    let received = 0;
    watch(request, response, limits.uploadTimeout, (bytes) => {
      upload?.receive(bytes);
      if ((received += bytes) > limits.body) throw tooLarge();
    });
    if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue();
    next();
  };
}

/** Sees each chunk before any reader does, so that none can forget to count; after a refusal readers get no more. */
function watch(request: IncomingMessage, response: ServerResponse, timeoutSeconds: number, receive: (bytes: number) => void): void {
  let refused = false;
  let brought = 0;
  const stop = (error: unknown): void => {
    if (refused || response.headersSent || response.destroyed) return;
    refused = true;
    refuse(request, response, toMixspaceError(error));
  };
  const push = request.push.bind(request);
  request.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null) clearInterval(clock);
    else if (!refused) {
      brought += chunk.length;
      within(stop, receive)(chunk.length);
    }
    if (!refused) return push(chunk, encoding);
    // The reader waits for an end that must not look like the body's own.
    if (chunk === null) {
      response.end();
      if (response.writableFinished) request.destroy();
      else response.once('finish', within(stop, () => request.destroy()));
    }
    return true;
  };
  const clock = setInterval(
    within(stop, () => {
      // One turn more: where this process was busy, bytes wait to be read.
      setImmediate(
        within(stop, () => {
          const stands = brought < leastProgress && request.readableLength === 0 && !request.complete;
          brought = 0;
          if (stands) throw new MixspaceError('timeout', `The body stood still: at least ${leastProgress} bytes, or its end, are due every ${timeoutSeconds} s.`);
        }),
      );
    }),
    timeoutSeconds * 1000,
  );
  request.once('close', within(stop, () => clearInterval(clock)));
}
