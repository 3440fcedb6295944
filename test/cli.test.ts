import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceApiError, MixspaceClient, MixspaceUnreachableError } from '../src/client/index.js';
import { drawn } from './pictures.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

let folder: string;
/** A folder that the server may read; the rest of `folder` it may not. */
let root: string;
let server: RunningServer;
let client: MixspaceClient;
const mixspace = (...args: string[]) => runMixspace(args, { MIXSPACE_URL: server.url });

async function pictures(directory: string, seeds: number[]): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  return Promise.all(
    seeds.map(async (seed) => {
      const file = path.join(directory, `drawn-${seed}.png`);
      await writeFile(file, await drawn(seed));
      return file;
    }),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-cli-'));
  root = path.join(folder, 'root');
  await mkdir(root);
  server = await startServer({ args: ['--roots', root] });
  client = new MixspaceClient({ url: server.url });
}, 60_000);

afterAll(async () => {
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('mixspace add', () => {
  it('adds the pictures of a folder, deep ones too, and the second time sends nothing', async () => {
    const at = path.join(root, 'once');
    await pictures(at, [1, 2, 3]);
    await pictures(path.join(at, 'deep/deeper'), [4]);
    const first = await mixspace('add', at, '--collection', 'once');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^4 pictures added .* 0 already there\.\n$/) });
    const second = await mixspace('add', at, '--collection', 'once');
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 pictures added .* 4 already there\.\n$/) });
    expect((await client.collection('once')).counts.image).toBe(4);
  });

  it('names by path what the service may read, and uploads the rest', async () => {
    const [readable] = await pictures(path.join(root, 'mixed'), [11]);
    const [foreign] = await pictures(path.join(folder, 'foreign'), [12]);
    const { stdout, code } = await mixspace('add', path.dirname(readable!), path.dirname(foreign!), '--collection', 'mixed', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ found: 2, created: 2, known: 0, failures: [], stopped: false });

    await rm(readable!);
    await rm(foreign!);
    const originals = new Map<string, boolean>();
    for await (const { id, sources } of client.listItems('mixed')) {
      originals.set(sources[0]!, await client.image('mixed', id, 'original').then(() => true, () => false));
    }
    expect(originals).toEqual(new Map([[readable, false], [foreign, true]]));
  });

  it('goes on when a picture is broken, names it at the end, and exits with 1', async () => {
    const at = path.join(folder, 'broken');
    await pictures(at, [21, 22]);
    await writeFile(path.join(at, 'text.jpg'), 'no picture');
    await writeFile(path.join(at, 'empty.png'), '');
    const { code, stdout } = await mixspace('add', at, '--collection', 'broken');
    expect(code).toBe(1);
    expect(stdout).toMatch(/2 pictures added .* 2 failed\./);
    expect(stdout).toContain(`${path.join(at, 'text.jpg')}: `);
    expect(stdout).toContain(`${path.join(at, 'empty.png')}: `);
  });

  it.for(['root', 'elsewhere'])('keeps every place that a picture was found in, in one run or in two (%s)', async (where) => {
    const at = path.join(where === 'root' ? root : folder, 'places');
    const collection = `places-${where}`;
    const [first] = await pictures(at, [31]);
    const second = path.join(at, 'copy.png');
    const third = path.join(at, 'later.png');
    await cp(first!, second);
    expect((await mixspace('add', at, '--collection', collection)).code).toBe(0);
    await cp(first!, third);
    const { stdout } = await mixspace('add', at, '--collection', collection);
    expect(stdout).toMatch(/^0 pictures added .* 2 already there, 1 found in one more place\.\n$/);
    const { items } = await client.itemPage(collection);
    expect(items.map(({ sources }) => sources.toSorted())).toEqual([[second, first, third]]);
  });

  it('leaves hidden files and links alone, and counts what it leaves out', async () => {
    const at = path.join(folder, 'odd');
    await pictures(at, [41]);
    await pictures(path.join(at, '.hidden'), [42]);
    await symlink('..', path.join(at, 'loop'));
    await copyFile(path.join(repository, 'test/fixtures/heic/house.heic'), path.join(at, 'phone.HEIC'));
    await writeFile(path.join(at, 'notes.txt'), '');
    const { code, stdout } = await mixspace('add', at, '--collection', 'odd');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 pictures added/);
    expect(stdout).toContain('1 other file left out.');
    expect(stdout).toContain('1 link not followed.');
  });

  it('stops on Ctrl-C with a summary, and the next run goes on from there', async () => {
    const at = path.join(folder, 'many');
    await pictures(at, Array.from({ length: 200 }, (_, i) => 1000 + i));
    const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'add', at, '--collection', 'many', '--json', '--url', server.url]);
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await expect.poll(() => client.collection('many').then(({ counts }) => counts.image, () => 0), { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ found: 200, stopped: true, failures: [] });

    const again = await mixspace('add', at, '--collection', 'many', '--json');
    expect(again.code).toBe(0);
    const { created, known } = JSON.parse(again.stdout);
    expect(created + known).toBe(200);
    expect(known).toBeGreaterThanOrEqual(summary.created);
    expect((await client.collection('many')).counts.image).toBe(200);
  }, 60_000);

  it('says so when there is nothing at a path', async () => {
    const { code, stderr } = await mixspace('add', path.join(folder, 'nowhere'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^mixspace: There is nothing at .*nowhere\.\n$/);
  });
});

describe('the other commands', () => {
  beforeAll(async () => {
    const at = path.join(root, 'gallery');
    const files = await pictures(at, [51, 52, 53, 54]);
    await client.createCollection({ name: 'gallery' });
    await client.addItems('gallery', [
      ...files.map((file, index) => ({ path: file, metadata: { number: index } })),
      { text: 'A note on circles', metadata: { kind: 'note' } },
    ]);
  });
  const gallery = (name: string): string => path.join(root, 'gallery', name);

  it('search prints scores, sources and metadata, the best first', async () => {
    const { code, stdout } = await mixspace('search', 'a', 'circle', '--all', '--collection', 'gallery', '--modality', 'image');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(/^-?\d\.\d{3}\s+\/.*drawn-5\d\.png\s+number: \d$/);
    const scores = lines.map((line) => Number.parseFloat(line));
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it('search takes a picture, a limit, a least score and a filter', async () => {
    const own = await mixspace('search', '--image', gallery('drawn-52.png'), '--collection', 'gallery', '--min-score', '0.99', '--limit', '1', '--json');
    expect(JSON.parse(own.stdout).matches).toMatchObject([{ sources: [gallery('drawn-52.png')], score: expect.closeTo(1, 3) }]);
    const filtered = await mixspace('search', 'circle', '--all', '--collection', 'gallery', '--filter', '{"number": {"$gte": 2}}', '--json');
    expect(JSON.parse(filtered.stdout).matches.map(({ metadata }: { metadata: { number: number } }) => metadata.number).toSorted()).toEqual([2, 3]);
    const both = await mixspace('search', 'circle', '--image', gallery('drawn-52.png'), '--collection', 'gallery', '--json');
    expect(both.code).toBe(0);
  });

  it('classify prints the labels, the likeliest first', async () => {
    const { code, stdout } = await mixspace('classify', gallery('drawn-51.png'), '--labels', 'a circle, a horse,a train', '--json');
    expect(code).toBe(0);
    const [{ predictions }] = JSON.parse(stdout).data;
    expect(predictions.map(({ label }: { label: string }) => label).toSorted()).toEqual(['a circle', 'a horse', 'a train']);
    const told = await mixspace('classify', gallery('drawn-51.png'), '--labels', 'a circle,a horse,a train', '--top', '1');
    expect(told.stdout).toMatch(/^\d+\.\d%\s+a \w+\s+cosine -?\d\.\d{3}\n$/);
  });

  it('collections lists them, as a table and as JSON', async () => {
    expect((await mixspace('collections')).stdout).toMatch(/^gallery\s+4 pictures, 1 text\s/m);
    const { collections } = JSON.parse((await mixspace('collections', '--json')).stdout);
    expect(collections.map(({ name }: { name: string }) => name)).toContain('default');
  });

  it.for([
    { line: 'search cat --url http://127.0.0.1:9', code: 2, says: /^mixspace: No mixspace answers at http:\/\/127\.0\.0\.1:9\b.*\n$/ },
    { line: 'search cat --url nonsense', code: 2, says: /^mixspace: --url .*"nonsense"\.\n$/ },
    { line: 'search', code: 2, says: /^mixspace: What to look for\?.*\n$/ },
    { line: 'search cat --limit many', code: 2, says: /limit.*whole number/ },
    { line: 'search cat --unknown', code: 2, says: /unknown option '--unknown'/ },
    { line: 'search cat --collection nowhere', code: 1, says: /^mixspace: .*nowhere.*\n$/ },
    { line: 'classify /nowhere.png --labels a,b', code: 2, says: /^mixspace: The picture \/nowhere\.png cannot be read.*\n$/ },
    { line: 'dance', code: 2, says: /unknown command 'dance'/ },
  ])('$line ends with $code and a sentence', async ({ line, code, says }) => {
    const run = await mixspace(...line.split(' '));
    expect(run.code).toBe(code);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(says);
    expect(run.stderr).not.toMatch(/^\s+at /m);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(await mixspace('--version')).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
  });

  it('help names every command, and every command has one', async () => {
    const { stdout, code } = await mixspace('--help');
    expect(code).toBe(0);
    for (const command of ['serve', 'add', 'search', 'classify', 'collections']) {
      expect(stdout).toContain(command);
      expect(await mixspace(command, '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining(`Usage: mixspace ${command}`) });
    }
  });
});

describe('the client', () => {
  /** A service that gives these answers, one a request. */
  async function answering(answers: { status: number; headers?: Record<string, string>; body: string }[]): Promise<{ url: string; asked: () => number; close: () => void }> {
    let asked = 0;
    const stand = createServer((_request, response) => {
      const { status, headers, body } = answers[Math.min(asked++, answers.length - 1)]!;
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    });
    await new Promise<void>((resolve) => stand.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(stand.address() as AddressInfo).port}`, asked: () => asked, close: () => stand.close() };
  }
  const busy = { status: 429, headers: { 'retry-after': '0' }, body: '{"error": {"message": "Full.", "type": "rate_limit_error", "param": null, "code": "overloaded"}}' };

  it('asks again when the service is busy, but not forever', async () => {
    const stand = await answering([busy, { ...busy, status: 503 }, { status: 200, body: '{"collections": []}' }]);
    expect(await new MixspaceClient({ url: stand.url }).collections()).toEqual([]);
    expect(stand.asked()).toBe(3);
    stand.close();

    const full = await answering([busy]);
    const refused = await new MixspaceClient({ url: full.url, retries: 2 }).collections().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(MixspaceApiError);
    expect(refused).toMatchObject({ status: 429, code: 'overloaded', message: 'Full.', retryAfter: 0 });
    expect(full.asked()).toBe(3);
    full.close();
  });

  it('tells a program that is no mixspace from one that is, and both from nobody', async () => {
    const other = await answering([{ status: 500, body: '<html>' }]);
    await expect(new MixspaceClient({ url: other.url }).collections()).rejects.toThrow(/answers 500 .*not how mixspace answers/);
    other.close();
    const proxy = await answering([{ status: 502, body: '<html>' }]);
    const unreached = await new MixspaceClient({ url: proxy.url }).collections().catch((error: unknown) => error);
    expect(unreached).toBeInstanceOf(MixspaceUnreachableError);
    expect((unreached as Error).message).toMatch(/^No mixspace answers at .* \(its proxy answers 502\)\./);
    proxy.close();
    await expect(new MixspaceClient({ url: 'http://127.0.0.1:9' }).collections()).rejects.toThrow(MixspaceUnreachableError);
    await expect(client.getItem('default', 'not there')).rejects.toMatchObject({ status: 404, code: 'not_found' });
  });

  it('stops when its caller does', async () => {
    const stopping = new AbortController();
    const stand = await answering([{ ...busy, headers: { 'retry-after': '30' } }]);
    const asking = new MixspaceClient({ url: stand.url }).collections({ signal: stopping.signal });
    await expect.poll(stand.asked).toBe(1);
    stopping.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    stand.close();
  });

  it('goes through the pages of a list', async () => {
    await client.createCollection({ name: 'paged' });
    await client.addItems('paged', ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, text: `Letter ${id}` })));
    const ids: string[] = [];
    for await (const { id } of client.listItems('paged', { pageSize: 2 })) ids.push(id);
    expect(ids).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('keeps ids that need escaping', async () => {
    const id = 'a/b ?#%ü';
    await client.addItems('paged', [{ id, text: 'Odd' }]);
    expect(await client.getItem('paged', id)).toMatchObject({ id, text: 'Odd' });
    await client.deleteItem('paged', id);
    await expect(client.getItem('paged', id)).rejects.toMatchObject({ status: 404 });
  });
});
