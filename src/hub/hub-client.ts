import { MixspaceError } from '../errors.js';
import { readLicense, type License } from './license.js';
import type { HubReference } from './names.js';
import { Transport, type HubAccess, type HubAnswer } from './transport.js';
import { PassingTrouble, Patience, patiently } from './retries.js';

/** One file of a repository at one commit. */
export interface HubFile {
  /** Inside the repository, with slashes. */
  path: string;
  /** Bytes. */
  size: number;
  /** What its bytes must come to, lower-case hex: files in large-file storage (LFS, Xet) by SHA-256, others by Git's SHA-1 of a blob. */
  hash: { kind: 'sha256' | 'git-sha1'; hex: string };
}

export interface HubModel {
  /** As the hub writes it, which may differ from what was asked where it was renamed. */
  id: string;
  /** 40 hex digits: whatever is asked for later is asked for at it. */
  commit: string;
  revision: string;
  license: License;
  /** Its owner lets in only who has agreed to something. */
  isGated: boolean;
  files: ListedFile[];
  /** Where a person reads about it. */
  page: string;
}

/** As the listing has it; what it leaves out is asked for when the file is chosen. */
export type ListedFile = Pick<HubFile, 'path'> & Partial<HubFile>;

interface ModelInfo {
  id?: string;
  sha?: string;
  gated?: boolean | string;
  disabled?: boolean;
  tags?: string[];
  cardData?: Record<string, unknown>;
  siblings?: { rfilename?: string; size?: number; blobId?: string; lfs?: { sha256?: string; oid?: string; size?: number } }[];
}

const longestListing = 32e6;
const sha256 = /^[0-9a-f]{64}$/;
const sha1 = /^[0-9a-f]{40}$/;

/** The hub's protocol: `/api/models/{id}/revision/{rev}` and `/{id}/resolve/{rev}/{file}`. */
export class HubClient {
  readonly #transport: Transport;

  constructor(
    access: HubAccess,
    readonly signal: AbortSignal,
    /** Told in a sentence whenever something is tried again. */
    readonly onWait: (sentence: string) => void,
  ) {
    this.#transport = new Transport(access);
  }

  patience(): Patience {
    return new Patience(this.signal, this.onWait);
  }

  /** @throws MixspaceError: `not_found`, `unauthorized`, `not_ready` where the hub stays out of reach, `unprocessable` for an answer that is none. */
  async model({ id, revision }: HubReference): Promise<HubModel> {
    const text = await patiently(this.patience(), async () => {
      const answer = await this.#transport.ask('GET', `/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`, { signal: this.signal });
      if (answer.status >= 300) throw await this.#refusal(answer, id, revision);
      return this.#listing(answer);
    });
    const info = parse(text);
    const page = `${this.#transport.endpoint}/${info?.id ?? id}`;
    if (!info || typeof info.sha !== 'string' || !sha1.test(info.sha) || !Array.isArray(info.siblings)) {
      throw new MixspaceError('unprocessable', `What ${this.#transport.endpoint} answers for ${id} is not how a hub describes a model.`);
    }
    return {
      id: info.id ?? id,
      commit: info.sha,
      revision,
      license: readLicense(info.cardData, Array.isArray(info.tags) ? info.tags.filter((tag) => typeof tag === 'string') : []),
      isGated: info.gated !== undefined && info.gated !== false,
      files: info.siblings.flatMap(listedFile),
      page,
    };
  }

  /** The size and hash of a file whose listing lacks them. @throws MixspaceError `unprocessable` where the hub names none. */
  async describe(model: HubModel, listed: ListedFile): Promise<HubFile> {
    if (isDescribed(listed)) return listed;
    const { hubHeaders } = await patiently(this.patience(), () => this.#ask('HEAD', model, listed.path, 0));
    const tag = String(hubHeaders['x-linked-etag'] ?? hubHeaders['etag'] ?? '').replace(/^W\/|"/g, '').toLowerCase();
    const size = Number(hubHeaders['x-linked-size'] ?? hubHeaders['content-length'] ?? NaN);
    const kind = sha256.test(tag) ? 'sha256' : sha1.test(tag) ? 'git-sha1' : undefined;
    if (kind === undefined || !Number.isSafeInteger(size)) throw new MixspaceError('unprocessable', `The hub names no hash and size for ${listed.path}, so what came could not be checked.`);
    return { path: listed.path, size, hash: { kind, hex: tag } };
  }

  /** The file's bytes from the given one on; 200 means from its beginning, 416 that there are none. One try. @throws PassingTrouble, MixspaceError. */
  open(model: HubModel, file: HubFile, from: number): Promise<HubAnswer> {
    return this.#ask('GET', model, file.path, from);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #ask(method: 'GET' | 'HEAD', { id, commit, revision }: HubModel, path: string, from: number): Promise<HubAnswer> {
    const answer = await this.#transport.ask(method, `/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`, { from, signal: this.signal });
    if (answer.status >= 400 && answer.status !== 416) throw await this.#refusal(answer, id, revision, path);
    const served = answer.hubHeaders['x-repo-commit'];
    if (served !== undefined && served !== commit) {
      await answer.body.dump();
      throw new MixspaceError('unprocessable', `${path}: commit ${commit} was asked for, and the hub gives ${String(served)}.`);
    }
    return answer;
  }

  async #listing({ body }: HubAnswer): Promise<string> {
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > longestListing) throw new MixspaceError('too_large', 'The list of the model\'s files is over 32 MB.');
        parts.push(chunk);
      }
    } catch (error) {
      if (error instanceof MixspaceError) throw error;
      this.signal.throwIfAborted();
      throw new PassingTrouble("The connection was cut within the list of the model's files.", undefined, error);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** The hub's refusal in words. It answers 401 for what does not exist too, lest private names be guessed; `X-Error-Code` tells more. */
  async #refusal({ status, hubHeaders, body }: HubAnswer, id: string, revision: string, path?: string): Promise<MixspaceError> {
    await body.dump();
    const code = String(hubHeaders['x-error-code'] ?? '');
    const said = String(hubHeaders['x-error-message'] ?? '');
    const { endpoint, hasToken } = this.#transport;
    if (/invalid credentials/i.test(said)) return new MixspaceError('unauthorized', `${endpoint} does not know the token in HF_TOKEN.`, { param: 'HF_TOKEN' });
    if (code === 'GatedRepo' || status === 403) {
      const way = hasToken ? `ask for access at ${endpoint}/${id} with the account whose token HF_TOKEN holds` : `accept its terms at ${endpoint}/${id}, and set HF_TOKEN to a token of that account`;
      return new MixspaceError('unauthorized', `${id} is not open to everyone${said === '' ? '' : ` (${said.replace(/\.$/, '')})`}: ${way}.`, { param: 'HF_TOKEN' });
    }
    if (code === 'RevisionNotFound') return new MixspaceError('not_found', `${id} has no revision ${revision}.`, { param: 'ID' });
    if (code === 'EntryNotFound') return new MixspaceError('not_found', `${id} has no file ${path ?? ''} at ${revision}.`, { param: 'ID' });
    if (status === 401 || status === 404) return new MixspaceError('not_found', `${endpoint} has no model ${id}, or it is private: look at the name${hasToken ? '' : ', or set HF_TOKEN for a private one'}.`, { param: 'ID' });
    return new MixspaceError('unprocessable', `${endpoint} answers ${status} for ${path ?? id}${said === '' ? '' : `: ${said}`}.`);
  }
}

function parse(text: string): ModelInfo | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The `blobId` of a file in large-file storage is that of its pointer, so it is no hash of the file. */
function listedFile({ rfilename, size, blobId, lfs }: NonNullable<ModelInfo['siblings']>[number]): ListedFile[] {
  if (typeof rfilename !== 'string') return [];
  const large = (lfs?.sha256 ?? lfs?.oid)?.replace(/^sha256:/, '').toLowerCase();
  const bytes = lfs?.size ?? size;
  const hash = large !== undefined ? (sha256.test(large) ? { kind: 'sha256' as const, hex: large } : undefined) : blobId !== undefined && sha1.test(blobId) ? { kind: 'git-sha1' as const, hex: blobId } : undefined;
  return [{ path: rfilename, ...(Number.isSafeInteger(bytes) ? { size: bytes as number } : {}), ...(hash === undefined ? {} : { hash }) }];
}

function isDescribed(file: ListedFile): file is HubFile {
  return file.size !== undefined && file.hash !== undefined;
}
