/** What can go wrong, by name. `http/` alone maps codes to statuses; the meaning of each is told to clients. */
export const errorCodes = {
  invalid_request: 'The request cannot be read or breaks the schema; `param` names the field.',
  unauthorized: 'An API key is needed, or the one given is unknown.',
  forbidden: 'A key that may not do this, a browser on another site, or a host name that is not this service.',
  not_found: 'No such path, collection, item, model or picture.',
  method_not_allowed: 'The path exists, the method does not.',
  conflict: 'The name is taken, or the embeddings belong to another space.',
  timeout: 'The body did not arrive in its time.',
  too_large: 'A body, picture, text or list over its limit.',
  headers_too_large: "The request's line and headers are over their limit.",
  expectation_failed: 'An `Expect` other than `100-continue`.',
  unsupported_media: 'No picture, or a sound one of a format or kind that is not read; the sentence names it.',
  damaged_media: 'A picture whose bytes are broken or cut.',
  unprocessable: 'Well-formed but impossible: wrong length, not finite, zero, token arrays, a refused URL or path.',
  overloaded: 'The queue is full, or the key has made its calls of the minute; try again after Retry-After seconds.',
  not_ready: 'Starting, stopping, or a part is out of order.',
  disk_full: 'Nothing more can be written; reading and searching go on.',
  internal: 'A defect of the service; the log has it.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** The field at fault, such as `input[3].image`. */
  param?: string;
  /** Seconds a client should wait before it tries again. */
  retryAfter?: number;
  cause?: unknown;
}

/** An error a client may see: its message is a sentence that says what is wrong and, where it helps, the way out. */
export class MixspaceError extends Error {
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MixspaceError';
    this.code = code;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
  }

  /** The same error, told of another field: `image` becomes `input[3].image`. */
  at(prefix: string): MixspaceError {
    const param = this.param === undefined ? prefix : this.param.startsWith('[') ? prefix + this.param : `${prefix}.${this.param}`;
    return new MixspaceError(this.code, this.message, {
      param,
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
      cause: this.cause,
    });
  }

  /** The same error under another name of its field. */
  renamed(param: string): MixspaceError {
    return new MixspaceError(this.code, this.message, { param, ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }), cause: this.cause });
  }

  /** Plain data that survives a worker's message channel; `reviveError` is its inverse. */
  toPlain(): PlainError {
    return { code: this.code, message: this.message, param: this.param, retryAfter: this.retryAfter };
  }
}

export interface PlainError {
  code: ErrorCode;
  message: string;
  param: string | undefined;
  retryAfter: number | undefined;
}

/** `cause`: what the other side knows of it, for the log. */
export function reviveError(plain: PlainError, cause?: string): MixspaceError {
  return new MixspaceError(plain.code, plain.message, {
    ...(plain.param === undefined ? {} : { param: plain.param }),
    ...(plain.retryAfter === undefined ? {} : { retryAfter: plain.retryAfter }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What the log keeps of anything thrown: where it came from, as far as it says. */
export function traceOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** Any thrown value as a MixspaceError: known ones as they are, the rest as `internal` with the cause kept for the log. */
export function toMixspaceError(error: unknown): MixspaceError {
  if (error instanceof MixspaceError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new MixspaceError('disk_full', 'The disk is full: nothing was written; reading and searching go on.', { cause: error });
  }
  return new MixspaceError('internal', 'Something went wrong inside the service; its log says what.', { cause: error });
}
