/** A hub of the tests' own: the protocol of the Hugging Face hub, a storage host on another port, and what can go wrong on the way. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export type Files = Map<string, Buffer>;

export interface Repository {
  /** By name of a branch or tag. */
  branches: Record<string, string>;
  /** By commit, 40 hex digits. */
  commits: Record<string, Files>;
  card?: Record<string, unknown>;
  /** It was renamed: requests are sent on to this name. */
  movedTo?: string;
  /** Only this token may read files. */
  gate?: string;
}

export interface Asked {
  host: 'hub' | 'storage';
  method: string;
  path: string;
  /** The file of a resolve or storage request. */
  file?: string;
  from: number;
  authorization: string | undefined;
  /** Bytes of the body that were handed to the socket. */
  sent: number;
}

export interface Mischief {
  /** Answers so many requests with this status first. */
  refuse?: { status: number; times: number; headers?: Record<string, string> };
  /** Ends the connection within a file, so many times. */
  cut?: { file: string; after: number; times: number };
  /** Sends so much of a file and then nothing, until `release` is called. */
  hold?: { file: string; after: number };
  /** Lists names alone, as some mirrors do. */
  bareListing?: boolean;
  /** Answers so many requests for a range with the whole file. */
  ignoreRange?: number;
  /** Sends other bytes of the same number, so many times. */
  lie?: { file: string; times: number };
  /** Called after the listing was given. */
  afterListing?: () => void;
}

export interface TestHub {
  url: string;
  storageUrl: string;
  repositories: Record<string, Repository>;
  mischief: Mischief;
  asked: Asked[];
  /** Sends the rest of what is held. */
  release(): void;
  /** Requests for a file's bytes, at whichever host gave them. */
  bytesAsked(file: string): Asked[];
  close(): Promise<void>;
}

export const gitHash = (bytes: Buffer): string => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const isLarge = (file: string): boolean => /\.(onnx|onnx_data|bin)$/.test(file);

/** The files of a folder by their paths inside it. */
export async function filesOf(folder: string, wanted: (file: string) => boolean = () => true): Promise<Files> {
  const files: Files = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.relative(folder, path.join(entry.parentPath, entry.name));
    if (entry.isFile() && wanted(file)) files.set(file, await readFile(path.join(folder, file)));
  }
  return files;
}

export async function startHub(repositories: Record<string, Repository>): Promise<TestHub> {
  const objects = new Map<string, { file: string; bytes: Buffer }>();
  const hub: TestHub = {
    url: '',
    storageUrl: '',
    repositories,
    mischief: {},
    asked: [],
    release: () => undefined,
    bytesAsked: (file) => hub.asked.filter((each) => each.file === file && each.method === 'GET' && each.sent > 0),
    close: async () => {
      for (const server of [home, storage]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };

  const note = (host: Asked['host'], request: IncomingMessage, file?: string): Asked => {
    const asked: Asked = { host, method: request.method!, path: request.url!, ...(file === undefined ? {} : { file }), from: Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0), authorization: request.headers.authorization, sent: 0 };
    hub.asked.push(asked);
    return asked;
  };

  const refuses = (response: ServerResponse): boolean => {
    const { refuse } = hub.mischief;
    if (!refuse || refuse.times-- <= 0) return false;
    response.writeHead(refuse.status, refuse.headers).end('not now');
    return true;
  };

  const give = (response: ServerResponse, asked: Asked, file: string, whole: Buffer, headers: Record<string, string>): void => {
    const { cut, hold, lie } = hub.mischief;
    let bytes = whole;
    if (lie?.file === file && lie.times-- > 0) {
      bytes = Buffer.from(whole);
      bytes[bytes.length - 1]! ^= 1;
    }
    const ignored = asked.from > 0 && (hub.mischief.ignoreRange ?? 0) > 0;
    if (ignored) hub.mischief.ignoreRange!--;
    const from = ignored ? 0 : asked.from;
    if (from > 0 && from >= bytes.length) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    const body = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { ...headers, 'content-length': String(body.length), ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}) });
    if (asked.method === 'HEAD') return void response.end();
    if (cut?.file === file && cut.times > 0) {
      cut.times--;
      asked.sent = Math.min(cut.after, body.length);
      return void response.write(body.subarray(0, cut.after), () => response.socket?.destroySoon());
    }
    if (hold?.file === file) {
      asked.sent = Math.min(hold.after, body.length);
      hub.release = () => void response.end(body.subarray(hold.after));
      return void response.write(body.subarray(0, hold.after));
    }
    asked.sent = body.length;
    response.end(body);
  };

  const home = createServer((request, response) => {
    const url = new URL(request.url!, 'http://hub');
    const listing = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(url.pathname);
    const resolved = /^\/(.+)\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(url.pathname);
    const file = resolved ? decodeURIComponent(resolved[3]!) : undefined;
    const asked = note('hub', request, file);
    if (refuses(response)) return;
    const id = (listing ?? resolved)?.[1] ?? '';
    const repository = hub.repositories[id];
    const fail = (status: number, code: string, message: string): void => void response.writeHead(status, { 'x-error-code': code, 'x-error-message': message }).end();
    // As the hub does: what is not there looks like what is private.
    if (!repository) return fail(401, 'RepoNotFound', 'Repository not found');
    if (repository.movedTo !== undefined) return void response.writeHead(307, { location: request.url!.replace(id, repository.movedTo) }).end();
    if (listing) {
      const commit = repository.branches[decodeURIComponent(listing[2]!)] ?? listing[2]!;
      const files = repository.commits[commit];
      if (!files) return fail(404, 'RevisionNotFound', 'Invalid rev id');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
        id,
        sha: commit,
        gated: repository.gate === undefined ? false : 'manual',
        tags: ['onnx'],
        cardData: repository.card,
        siblings: [...files].map(([rfilename, bytes]) => hub.mischief.bareListing ? { rfilename } : ({
          rfilename,
          size: bytes.length,
          blobId: gitHash(isLarge(rfilename) ? Buffer.from('a pointer') : bytes),
          ...(isLarge(rfilename) ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 132 } } : {}),
        })),
      }), () => hub.mischief.afterListing?.());
      return;
    }
    const bytes = repository.commits[resolved?.[2] ?? '']?.get(file ?? '');
    if (!bytes || file === undefined) return fail(404, 'EntryNotFound', 'Entry not found');
    if (repository.gate !== undefined && request.headers.authorization !== `Bearer ${repository.gate}`) {
      const known = request.headers.authorization !== undefined;
      return fail(known ? 403 : 401, 'GatedRepo', `Access to model ${id} is restricted`);
    }
    const commit = { 'x-repo-commit': resolved![2]! };
    if (!isLarge(file)) return give(response, asked, file, bytes, { ...commit, etag: `"${gitHash(bytes)}"` });
    objects.set(sha256(bytes), { file, bytes });
    response.writeHead(302, { ...commit, 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': String(bytes.length), location: `${hub.storageUrl}/objects/${sha256(bytes)}?signature=1` }).end();
  });

  const storage = createServer((request, response) => {
    const object = objects.get(/^\/objects\/([0-9a-f]{64})/.exec(request.url!)?.[1] ?? '');
    const asked = note('storage', request, object?.file);
    if (refuses(response)) return;
    if (!object) return void response.writeHead(404).end();
    give(response, asked, object.file, object.bytes, { etag: '"storage-etag"' });
  });

  hub.url = await listenOn(home);
  hub.storageUrl = await listenOn(storage);
  return hub;
}

/** A plain http proxy that keeps what it passed on. */
export async function startProxy(): Promise<{ url: string; passed: string[]; close(): Promise<void> }> {
  const passed: string[] = [];
  const server = createServer((request, response) => {
    passed.push(request.url!);
    const target = new URL(request.url!);
    const onward = forward(target, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const url = await listenOn(server);
  return {
    url,
    passed,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
