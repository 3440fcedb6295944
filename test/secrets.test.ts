import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { call, items } from './api.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, tinyModels, type RunningServer } from './server.js';

/** As it is sent, and as it is kept. What must not be found anywhere holds the word `hidden`. */
const told: [given: string, kept: string][] = [
  ['https://ann:hidden1@photos.example/a.png', 'https://photos.example/a.png'],
  ['https://hidden2@photos.example/a.png', 'https://photos.example/a.png'],
  ['https://photos.example/a.png?id=5&token=hidden3', 'https://photos.example/a.png?id=5'],
  ['https://photos.example/a.png?access_token=hidden4', 'https://photos.example/a.png'],
  ['https://photos.example/a.png?API-Key=hidden5&w=100', 'https://photos.example/a.png?w=100'],
  ['https://b.s3.example/a.png?X-Amz-Algorithm=AWS4&X-Amz-Credential=hidden6&X-Amz-Date=1&X-Amz-Expires=60&X-Amz-Signature=hidden7&versionId=3', 'https://b.s3.example/a.png?versionId=3'],
  ['https://a.blob.example/a.png?sv=2024&se=2026&sr=b&sp=r&sig=hidden8', 'https://a.blob.example/a.png'],
  ['https://d.cdn.example/a.png?Expires=1&Signature=hidden9&Key-Pair-Id=hidden10', 'https://d.cdn.example/a.png'],
  ['https://g.example/a.png?GoogleAccessId=x&Expires=1&Signature=hidden11', 'https://g.example/a.png'],
  ['https://photos.example/a.png?%74oken=hidden12', 'https://photos.example/a.png'],
  ['https://photos.example/a.png#access_token=hidden13&x=1', 'https://photos.example/a.png#x=1'],
  ['https://proxy.example/?w=9&url=https%3A%2F%2Fann%3Ahidden14%40photos.example%2F', 'https://proxy.example/?w=9'],
  ['HTTP://ann:hidden15@photos.example:8080/a.png', 'http://photos.example:8080/a.png'],
  ['ftp://ann:hidden16@files.example/a.png', 'ftp://files.example/a.png'],
  ['s3://hidden17:hidden18@bucket/a.png', 's3://bucket/a.png'],
  ['https://ann:hidden19@photos.example:port/a.png', 'https://photos.example:port/a.png'],
];
/** Kept to the letter. */
const plain = ['https://photos.example/a.png?id=5&author=Ann&page=2#top', 'HTTPS://Photos.example/%41.png', 'https://photos.example/?expires=never', '/photos/me@home.png', 'C:\\photos\\a.png?token=1', 'ann@example.org', 'a "quoted" place\twith a tab', 'gallery.example/a?b', '?token=1'];

let server: RunningServer;
let stand: https.Server;
let folder: string;
let port: number;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-secrets-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.2'], { cwd: folder, stdio: 'ignore' });
  const picture = await drawn(601);
  stand = https.createServer({ key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) }, (request, response) => {
    if (request.url!.startsWith('/picture')) response.end(picture);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => stand.listen(0, '127.0.0.2', resolve));
  port = (stand.address() as { port: number }).port;
  server = await startServer({ env: { NODE_EXTRA_CA_CERTS: path.join(folder, 'cert.pem'), MIXSPACE_FETCH_ALLOW: '127.0.0.2', LOG_LEVEL: 'debug' } });
});
afterAll(async () => {
  await server.remove();
  stand.closeAllConnections();
  stand.close();
  await rm(folder, { recursive: true, force: true });
});

describe('sources', () => {
  it('are kept without user names, passwords, tokens and signatures, and otherwise to the letter', async () => {
    const given = [...told.map(([each]) => each), ...plain];
    const { body } = await call(server.url, 'POST', items(), { items: given.map((source, index) => ({ id: `s${String(index).padStart(2, '0')}`, text: `Text ${index}`, source })) });
    expect(body.items.map((each: any) => each.status)).toEqual(given.map(() => 'created'));
    const listed = (await call(server.url, 'GET', items())).body.items;
    expect(listed.map((each: any) => each.sources)).toEqual([...told.map(([, kept]) => [kept]), ...plain.map((each) => [each])]);
  });

  it('are one where a URL comes again with another signature', async () => {
    const send = (signature: string): Promise<any> => call(server.url, 'POST', items(), { items: [{ id: 'signed', text: 'Signed', source: `https://b.example/a.png?v=1&X-Amz-Date=${signature}&X-Amz-Signature=${signature}` }] });
    expect((await send('hidden20')).body.items[0].status).toBe('created');
    expect((await send('hidden21')).body.items[0].status).toBe('unchanged');
    expect((await call(server.url, 'GET', `${items()}/signed`)).body.sources).toEqual(['https://b.example/a.png?v=1']);
  });

  it('that are a picture\'s own URL are kept likewise, and so are those of uploads', async () => {
    const url = `https://ann:hidden22@127.0.0.2:${port}/picture?id=7&sig=hidden23`;
    const { body } = await call(server.url, 'POST', items(), { items: [{ id: 'fetched', image: url }] });
    expect(body.items[0]).toMatchObject({ id: 'fetched', status: 'created' });
    expect((await call(server.url, 'GET', `${items()}/fetched`)).body.sources).toEqual([`https://127.0.0.2:${port}/picture?id=7`]);
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(await drawn(602))]), 'x.png');
    form.append('metadata', JSON.stringify([{ id: 'uploaded', source: 'https://ann:hidden24@photos.example/x.png' }]));
    expect((await call(server.url, 'POST', items(), form)).body.items[0].status).toBe('created');
    expect((await call(server.url, 'GET', `${items()}/uploaded`)).body.sources).toEqual(['https://photos.example/x.png']);
  });

  it('that no source may be are refused, whether they are told or a file\'s name', async () => {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(await drawn(603))]), `${'x'.repeat(4_200)}.png`);
    expect((await call(server.url, 'POST', items(), form)).body.items[0]).toMatchObject({ status: 'failed', error: { code: 'invalid_request', param: 'file', message: expect.stringMatching(/4096 bytes.*Name another `source`\.$/) } });
  });

  it('leave no secret in answers that refuse a URL', async () => {
    for (const image of [`https://ann:hidden25@127.0.0.2:${port}/nothing?token=hidden26`, 'https://ann:hidden27@10.0.0.1/', 'https://ann:hidden28@no-such-host.invalid/', 'http://ann:hidden29@127.0.0.2/', 'https://ann:hidden30@127.0.0.2:port/', 'https://%zz:hidden31@127.0.0.2/']) {
      const answer = await call(server.url, 'POST', '/v1/embeddings', { input: [{ image }] });
      expect([400, 422]).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toContain('hidden');
    }
  });

  it('leave no secret in the log, nor in any file of the index directory', async () => {
    const copy = await startServer();
    try {
      await call(copy.url, 'POST', items(), { items: told.map(([source], index) => ({ text: `Text ${index}`, source })) });
      expect(await copy.stop()).toBe(0);
      for (const name of await readdir(copy.indexDir, { recursive: true, withFileTypes: true })) {
        if (name.isFile()) expect([name.name, (await readFile(path.join(name.parentPath, name.name))).includes('hidden')]).toEqual([name.name, false]);
      }
    } finally {
      await copy.remove();
    }
    await expect.poll(() => server.logs()).toContain('Request.');
    expect(server.logs()).not.toContain('hidden');
  });
});

describe('messages', () => {
  it.for<{ args: string[]; env: Record<string, string>; named: string }>([
    { args: ['collections'], env: { MIXSPACE_URL: 'http://ann:hidden@127.0.0.1:9/' }, named: 'MIXSPACE_URL' },
    { args: ['collections'], env: { MIXSPACE_URL: 'ftp://ann:hidden@127.0.0.1:9/' }, named: 'MIXSPACE_URL' },
    { args: ['collections'], env: { MIXSPACE_URL: 'ann:hidden@127.0.0.1:9' }, named: '…@127.0.0.1:9' },
    { args: ['collections', '--url', 'http://127.0.0.1:9'], env: { MIXSPACE_API_KEY: 'hidden\nhidden' }, named: 'MIXSPACE_API_KEY' },
    { args: ['models', 'remove', 'x', '--url', 'http://ann:hidden@127.0.0.1:9'], env: {}, named: 'no model x' },
    { args: ['models', 'pull', 'a/b'], env: { HF_ENDPOINT: 'https://ann:hidden@hub.example' }, named: 'HF_ENDPOINT' },
    { args: ['models', 'pull', 'a/b'], env: { HF_ENDPOINT: 'https://hub.example?token=hidden' }, named: 'HF_ENDPOINT' },
    { args: ['models', 'pull', 'a/b'], env: { HF_ENDPOINT: 'ann:hidden@hub.example' }, named: 'HF_ENDPOINT' },
    { args: ['models', 'pull', 'a/b'], env: { HTTPS_PROXY: 'socks5://ann:hidden@proxy.example' }, named: 'HTTPS_PROXY' },
    { args: ['serve'], env: { MIXSPACE_STORE: 'mysql://ann:hidden@db.example/x' }, named: 'MIXSPACE_STORE' },
    { args: ['serve'], env: { MIXSPACE_STORE: 'postgres://ann:hidden@127.0.0.1:9/x', MIXSPACE_MODELS_DIR: tinyModels }, named: 'database cannot be reached' },
    { args: ['serve'], env: { MIXSPACE_STORE: 'postgres://ann:hidden@127.0.0.1:9/x?schema=Hidden-Name', MIXSPACE_MODELS_DIR: tinyModels }, named: 'schema' },
    { args: ['check', '--store', 'postgres://ann:hidden@127.0.0.1:9/x'], env: {}, named: 'database cannot be reached' },
    { args: ['copy', '--from', 'http://ann:hidden@127.0.0.1:9/x', '--to', 'embedded:x'], env: {}, named: '--from' },
    { args: ['serve'], env: { MIXSPACE_API_KEYS: 'hidden one,two' }, named: 'MIXSPACE_API_KEYS' },
  ])('repeat no secret: $args $env', async ({ args, env, named }) => {
    const modelsDir = path.join(folder, 'models');
    const { code, stdout, stderr } = await runMixspace(args, { MIXSPACE_MODELS_DIR: args[1] === 'remove' ? process.env['MIXSPACE_MODELS_DIR'] ?? path.resolve('models') : modelsDir, ...env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/^mixspace: [^\n]+\n$/);
    expect(stderr).not.toContain('hidden');
  });

  it('of the client name the service without user name and password', async () => {
    await expect(new MixspaceClient({ url: 'http://ann:hidden@127.0.0.1:9', retries: 0 }).collections()).rejects.toThrow(/^No mixspace answers at http:\/\/127\.0\.0\.1:9\b/);
  });
});
