import { createServer, type Server } from 'node:http';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from './api.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer } from './server.js';

/** Clears the screen, sets the title, answers in the terminal's stead, begins a new line, turns the writing around. */
const nasty = 'a\u001b[2J\u001b]0;title\u0007\u009b31m\r\nb\u007f\u202egnp.exe\u2066\u2028c';
const shown = String.raw`a\x1b[2J\x1b]0;title\x07\x9b31m\r\nb\x7f\u202egnp.exe\u2066\u2028c`;
const acts = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

let folder: string;
/** Answers as a service would that somebody has filled with the above. */
let service: Server;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-terminal-'));
  await writeFile(path.join(folder, 'a.png'), await drawn(701));
  const error = { error: { message: nasty, type: 'invalid_request_error', param: null, code: 'invalid_request' } };
  const reembedding = { model: nasty, done: 1, total: 2, impossible: 1, state: 'stopped', problem: nasty, first_impossible: [{ id: nasty, reason: nasty }] };
  const collection = { name: nasty, counts: { image: 1, text: 1, total: 2 }, bytes: 3, model: nasty, model_available: false, not_embedded: 1, description: nasty, reembedding, findings: [{ kind: nasty, job: nasty, stale: true }] };
  const answers: Record<string, unknown> = {
    'GET /v1/collections': { collections: [collection] },
    'POST /v1/collections/default/search': { matches: [{ id: nasty, score: 1, sources: [nasty], metadata: { [nasty]: nasty, list: [nasty] } }, { id: nasty, score: 1, sources: [], text: nasty, metadata: {} }] },
    'POST /v1/classify': { data: [{ predictions: [{ label: nasty, score: 1, similarity: 1 }] }] },
    'POST /v1/embeddings': { model: nasty, fingerprint: nasty, data: [{ index: 0, embedding: [1] }] },
    'GET /v1/models': { data: [{ id: nasty, dimensions: 2, license: nasty, self_test: { status: 'failed', error: nasty }, replacement: { error: nasty } }] },
    'POST /v1/models/m/selftest': { status: nasty },
    'POST /v1/collections/default/reembed': { plan: { model: nasty, items: 1, kept: 0, from_thumbnails: 0, impossible: 1, first_impossible: [{ id: nasty, reason: nasty }] } },
  };
  service = createServer((request, response) => {
    const answer = answers[`${request.method} ${request.url}`];
    response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? error));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
afterAll(async () => {
  service.close();
  await rm(folder, { recursive: true, force: true });
});

const mixspace = (args: string[], env: Record<string, string> = {}) => runMixspace(args, { MIXSPACE_URL: url, ...env });

describe('what is printed', () => {
  it.for([
    { args: ['collections'], times: 5 },
    { args: ['search', 'x'], times: 4 },
    { args: ['classify', 'PICTURE', '--labels', 'a'], times: 1 },
    { args: ['models'], times: 4 },
    { args: ['models', 'verify', 'm'], times: 1 },
    { args: ['reembed', '--dry-run'], times: 3 },
    { args: ['models', 'verify', 'unknown'], times: 1 },
    { args: ['embed', nasty, '--model', 'x', '--url', 'http://127.0.0.1:9'], times: 0 },
    { args: ['search', '--image', path.join('/nowhere', nasty)], times: 1 },
    { args: ['models', 'pull', nasty], times: 1 },
    { args: ['models', 'check', nasty], times: 1 },
    { args: ['add', path.join('/nowhere', nasty)], times: 1 },
    { args: ['serve', '--model', 'x', '--log-level', nasty], times: 1 },
    { args: ['serve', path.join('/nowhere', nasty)], times: 1 },
    { args: [nasty], times: 1 },
    { args: ['search', `--${nasty}`], times: 1 },
  ])('shows what would act on the terminal, and does nothing to it: $args', async ({ args, times }) => {
    const { stdout, stderr } = await mixspace(args.map((each) => (each === 'PICTURE' ? path.join(folder, 'a.png') : each)));
    expect(stdout + stderr).not.toMatch(acts);
    expect((stdout + stderr).split(shown).length - 1).toBeGreaterThanOrEqual(times);
    expect(stdout + stderr).not.toBe('');
  });

  it('keeps a row a line, and its columns as wide as what is shown', async () => {
    const { stdout } = await mixspace(['search', 'x']);
    const [first, ...rest] = stdout.split('\n');
    expect(first!.startsWith(`1.000  ${shown}  ${shown}: `)).toBe(true);
    expect(rest).toEqual([`1.000  ${shown}`, '']);
  });

  it('is the same value in JSON, without a character that acts', async () => {
    const listed = await mixspace(['collections', '--json']);
    expect(listed.stdout).not.toMatch(acts);
    expect(JSON.parse(listed.stdout).collections[0]).toMatchObject({ name: nasty, description: nasty });
    const embedded = await mixspace(['embed', nasty]);
    expect(embedded.stdout).not.toMatch(acts);
    expect(JSON.parse(embedded.stdout)).toMatchObject({ input: nasty, model: nasty });
  });
});

describe('file names', () => {
  it('come through a real service to the letter, and to the terminal and the log in a form that only shows', async () => {
    // A file system takes all but a slash and NUL.
    const at = path.join(folder, `dir${nasty}`);
    await mkdir(at);
    await writeFile(path.join(at, `${nasty}.png`), await drawn(702));
    await writeFile(path.join(at, `broken${nasty}.png`), 'no picture');
    const server = await startServer({ args: [at] });
    try {
      await expect.poll(() => server.logs(), { timeout: 60_000 }).toContain('Not taken in');
      expect(server.logs()).not.toMatch(acts);
      const lines = server.logs().trim().split('\n').map((line) => JSON.parse(line) as { msg: string });
      expect(lines.map(({ msg }) => msg)).toContain(`Not taken in: ${path.join(at, `broken${nasty}.png`)}`);
      const { body } = await call(server.url, 'GET', '/v1/collections/default/items');
      expect(body.items.map((each: any) => each.sources)).toEqual([[path.join(at, `${nasty}.png`)]]);
      const added = await runMixspace(['add', at], { MIXSPACE_URL: server.url });
      expect(added.code).toBe(1);
      expect(added.stdout + added.stderr).not.toMatch(acts);
      expect(added.stdout).toContain(`broken${shown}.png: `);
      const found = await runMixspace(['search', 'circle', '--all'], { MIXSPACE_URL: server.url });
      expect(found.stdout).not.toMatch(acts);
      expect(found.stdout).toContain(`${shown}.png`);
    } finally {
      await server.remove();
    }
  });
});
