/** A service behind a proxy: under a path, with the names that the proxy was asked by. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type RunningServer } from './server.js';

let trusting: RunningServer;
let alone: RunningServer;
beforeAll(async () => {
  [trusting, alone] = await Promise.all([startServer({ env: { MIXSPACE_BASE_PATH: '/photos/', MIXSPACE_TRUSTED_PROXIES: 'loopback', MIXSPACE_HOSTS: 'photos.example' } }), startServer({ env: { MIXSPACE_BASE_PATH: '', MIXSPACE_TRUSTED_PROXIES: '', MIXSPACE_HOSTS: 'photos.example' } })]);
});
afterAll(() => Promise.all([trusting.remove(), alone.remove()]));

interface Told {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

const ask = ({ port }: RunningServer, method: string, at: string, headers: Record<string, string> = {}): Promise<Told> =>
  new Promise((resolve, reject) => {
    const asked = httpRequest({ port, host: '127.0.0.1', method, path: at, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end();
  });
const statusOf = async (...parts: Parameters<typeof ask>): Promise<number> => (await ask(...parts)).status;

describe('Under a base path', () => {
  it('everything is there with it and without, and nothing is beside it', async () => {
    for (const at of ['/', '/v1/models', '/openapi.json', '/docs/', '/docs/swagger-ui.css', '/healthz', '/v1/collections?x=/photos']) {
      const [bare, prefixed] = [await ask(trusting, 'GET', at), await ask(trusting, 'GET', `/photos${at}`)];
      expect([at, prefixed.status, prefixed.text.slice(0, 4_000)]).toEqual([at, bare.status, bare.text.slice(0, 4_000)]);
    }
    expect(await statusOf(trusting, 'GET', '/photosv1/models')).toBe(404);
    expect(await statusOf(alone, 'GET', '/photos/v1/models')).toBe(404);
  });

  it('its own name leads to the page, which names its files beside itself', async () => {
    expect(await ask(trusting, 'GET', '/photos?view=map')).toMatchObject({ status: 308, headers: { location: '/photos/?view=map' } });
    expect(await ask(trusting, 'GET', '/photos/docs')).toMatchObject({ status: 308, headers: { location: 'docs/' } });
    for (const at of ['/photos/', '/photos/docs/']) {
      const page = (await ask(trusting, 'GET', at)).text;
      const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!).filter((url) => !url.startsWith('data:'));
      expect(named.length).toBeGreaterThan(1);
      for (const url of named) {
        expect(url).toMatch(/^\.\//);
        expect(await statusOf(trusting, 'GET', new URL(url, `http://host${at}`).pathname)).toBe(200);
      }
    }
  });

  it('the OpenAPI document says where the service is', async () => {
    const servers = async (server: RunningServer, headers = {}): Promise<unknown> => JSON.parse((await ask(server, 'GET', '/openapi.json', headers)).text).servers;
    expect(await servers(trusting)).toEqual([{ url: '/photos' }]);
    expect(await servers(trusting, { 'x-forwarded-prefix': '/elsewhere/pictures/' })).toEqual([{ url: '/elsewhere/pictures' }]);
    expect(await servers(trusting, { 'x-forwarded-prefix': '//evil.example' })).toEqual([{ url: '/photos' }]);
    expect(await servers(alone)).toEqual([{ url: '/' }]);
    expect(await servers(alone, { 'x-forwarded-prefix': '/elsewhere' })).toEqual([{ url: '/' }]);
  });
});

describe('What a proxy tells of whom it was asked by', () => {
  const fromPage = { host: '127.0.0.1', origin: 'https://photos.example', 'sec-fetch-site': 'same-origin', 'x-forwarded-host': 'photos.example', 'x-forwarded-proto': 'https' };

  it('is believed of one that is trusted: its own page may change things, other sites and other names may not', async () => {
    expect(await statusOf(trusting, 'POST', '/photos/v1/collections', fromPage)).toBe(400);
    expect(await statusOf(trusting, 'POST', '/photos/v1/collections', { ...fromPage, origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf(trusting, 'GET', '/photos/v1/models', { ...fromPage, 'x-forwarded-host': 'evil.example', origin: 'https://evil.example' })).toBe(403);
  });

  it('is not believed of any other', async () => {
    expect(await statusOf(alone, 'POST', '/v1/collections', fromPage)).toBe(403);
    expect(await statusOf(alone, 'POST', '/v1/collections', { host: 'photos.example', origin: 'https://photos.example' })).toBe(400);
    expect(await statusOf(alone, 'POST', '/v1/collections', { host: 'evil.example', 'x-forwarded-host': 'photos.example' })).toBe(403);
  });
});
