export interface ApiErrorFacts {
  status: number;
  code: string;
  param?: string | null | undefined;
  retryAfter?: number | undefined;
}

/** The service answered, and the answer is an error. `message` is its sentence. */
export class MixspaceApiError extends Error {
  override readonly name = 'MixspaceApiError';

  readonly status: number;
  readonly code: string;
  /** The field at fault, such as `input[3].image`. */
  readonly param: string | null;
  /** Seconds, where the service says when to try again. */
  readonly retryAfter: number | undefined;

  constructor(message: string, { status, code, param, retryAfter }: ApiErrorFacts) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param ?? null;
    this.retryAfter = retryAfter;
  }
}

/** Nobody answered, or a proxy said so: its 502. */
export class MixspaceUnreachableError extends Error {
  override readonly name = 'MixspaceUnreachableError';

  constructor(url: string, cause: unknown) {
    super(`No mixspace answers at ${url.replace(/\/\/[^/?#]*@/, '//')}${reasonOf(cause)}. Is it running (mixspace serve), and is this its address?`, { cause });
  }
}

/** fetch itself only says "fetch failed"; what happened is in its cause, if anywhere. */
function reasonOf(error: unknown): string {
  if (error instanceof MixspaceApiError) return ` (its proxy answers ${error.status})`;
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  return typeof cause?.code === 'string' ? ` (${cause.code})` : '';
}
