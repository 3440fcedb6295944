import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mayBeFetched } from '../src/operations/input/addresses.js';
import { fetchPicture, type FetchPolicy, type Resolve } from '../src/operations/input/fetch-picture.js';
import { call, items } from './api.js';
import { request } from './behind-nginx.js';
import { startServer, type RunningServer } from './server.js';

/** By kind: one address inside at each end of what is closed, or one that is known for what it does. */
const closed: Record<string, string[]> = {
  'this network': ['0.0.0.0', '0.255.255.255'],
  private: ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  'behind a NAT of a provider': ['100.64.0.0', '100.127.255.255'],
  loopback: ['127.0.0.0', '127.255.255.255', '::1'],
  'link-local': ['169.254.0.0', '169.254.255.255', 'fe80::1', 'febf:ffff::1', 'fe80::1%1'],
  'protocol assignments': ['192.0.0.0', '192.0.0.255', '2001::', '2001:1ff:ffff:ffff::1', '2001:2::1', '2001:3::1', '2001:10::1', '2001:20::1', '2001:30::1'],
  documentation: ['192.0.2.0', '192.0.2.255', '198.51.100.0', '198.51.100.255', '203.0.113.0', '203.0.113.255', '2001:db8::1', '2001:db8:ffff::1', '3fff::1', '3fff:fff:ffff::1'],
  AS112: ['192.31.196.0', '192.31.196.255', '192.175.48.0', '192.175.48.255', '2001:4:112::1', '2620:4f:8000::1'],
  'multicast tunnels': ['192.52.193.0', '192.52.193.255'],
  '6to4 and Teredo': ['192.88.99.0', '192.88.99.255', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2001:0:7f00:1::1'],
  benchmarking: ['198.18.0.0', '198.19.255.255'],
  multicast: ['224.0.0.0', '239.255.255.255', 'ff02::1', 'ff0e::1'],
  'reserved and broadcast': ['240.0.0.0', '255.255.255.255'],
  'metadata and inner services of clouds': ['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254', 'fe80::a9fe:a9fe'],
  'unspecified, unique and site local': ['::', 'fc00::1', 'fdff:ffff::1', 'fec0::1', 'feff::1'],
  'IPv4 inside IPv6': ['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::ffff:0:127.0.0.1', '::127.0.0.1', '::8.8.8.8', '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::a00:1'],
  'never assigned': ['100::1', '200::1', '1000::1', '1fff:ffff::1', '2d00::1', '2e00::1', '2fff::1', '3000::1', '3ffe::1', '4000::1', '5f00::1', '8000::1', 'a000::1', 'e000::1', 'f000::1', 'fe00::1'],
};
/** The nearest on either side, and some that everybody knows. */
const open = [
  ['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '168.63.129.15', '168.63.129.17', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
  ['191.255.255.255', '192.0.1.0', '192.0.3.0', '192.31.195.255', '192.52.194.0', '192.88.98.255', '192.88.100.0', '192.167.255.255', '192.169.0.0', '192.175.49.0', '198.17.255.255', '198.20.0.0', '198.51.99.255', '203.0.114.0', '223.255.255.255'],
  ['1.1.1.1', '8.8.8.8', '::ffff:8.8.8.8', '2001:200::1', '2001:4860:4860::8888', '2001:db7::1', '2001:db9::1', '2003::1', '2400:cb00::1', '2606:4700::1111', '2620:4f:7fff::1', '2620:4f:8001::1', '2a00:1450::1', '2c0f:fb50::1'],
].flat();
const allClosed = Object.values(closed).flat();

describe('addresses', () => {
  it.for(Object.entries(closed))('are closed where they are %s', ([, addresses]) => {
    expect(addresses.filter((address) => mayBeFetched(address, []))).toEqual([]);
  });

  it('are open everywhere else, up to the very neighbors', () => {
    expect(open.filter((address) => !mayBeFetched(address, []))).toEqual([]);
  });

  it('can be allowed by range, and then no more than that range', () => {
    expect(mayBeFetched('10.1.2.3', ['10.1.0.0/16'])).toBe(true);
    expect(mayBeFetched('::ffff:10.1.2.3', ['10.1.0.0/16'])).toBe(true);
    expect(mayBeFetched('10.2.2.3', ['fd00::/8', '10.1.0.0/16'])).toBe(false);
    expect(mayBeFetched('fd00::1', ['10.1.0.0/16', 'fd00::/8'])).toBe(true);
    expect(mayBeFetched('fe80::1', ['fd00::/8'])).toBe(false);
  });

  it('are closed at the door too: each is refused by name, and nothing is sent to it', async () => {
    const server = await startServer({ env: { MIXSPACE_FETCH_TIMEOUT: '1500' } });
    try {
      const asked = allClosed.filter((address) => !address.includes('%'));
      const urls = [
        ...asked.map((address) => `https://${address.includes(':') ? `[${address}]` : address}/x.png`),
        ...['https://127.1/', 'https://0177.0.0.1/', 'https://0x7f000001/', 'https://2130706433/', 'https://127.0.0.1./', 'https://１２７.0.0.1/', 'https://169.254.169.254:80/', 'https://[::FFFF:7f00:1]/'],
      ];
      const { status, body } = await call(server.url, 'POST', items(), { items: urls.map((image) => ({ image })) });
      expect(status).toBe(200);
      const refused = urls.filter((_, index) => / is not a public address/.test(body.items[index].error?.message ?? ''));
      expect(refused).toEqual(urls);
    } finally {
      await server.remove();
    }
  });
});

describe('names', () => {
  let stand: https.Server;
  /** The same on another port. */
  let neighbor: https.Server;
  let folder: string;
  let port: number;
  /** Every request that came, on whichever address. */
  let came: { at: string; host: string; url: string; authorization: string | undefined }[];
  const trusting = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mixspace-names-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=names.test'], { cwd: folder, stdio: 'ignore' });
    // The certificate is the test's own; whom it vouches for is not what is tested.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const certificate = { key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) };
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      came.push({ at: request.socket.localAddress!.replace('::ffff:', ''), host: request.headers.host!, url: request.url!, authorization: request.headers.authorization });
      const next = new URL(request.url!, 'https://here').searchParams.get('to');
      if (next === null) response.end('picture');
      else response.writeHead(302, { location: next }).end();
    };
    [stand, neighbor] = [https.createServer(certificate, answer), https.createServer(certificate, answer)];
    for (const each of [stand, neighbor]) await new Promise<void>((resolve) => each.listen(0, '::', resolve));
    port = (stand.address() as { port: number }).port;
  });
  beforeEach(() => {
    came = [];
  });
  afterAll(async () => {
    if (trusting === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = trusting;
    for (const each of [stand, neighbor]) {
      each.closeAllConnections();
      each.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  const of = (...addresses: string[]): Awaited<ReturnType<Resolve>> => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  /** 127.0.0.2 stands for the public Internet. */
  const get = (url: string, resolve: Resolve, policy: Partial<FetchPolicy> = {}): Promise<string> =>
    fetchPicture(url.replace('PORT', String(port)), { allow: ['127.0.0.2/32'], timeoutMs: 2_000, maxBytes: 1_000, resolve, ...policy }, new AbortController().signal).then((bytes) => Buffer.from(bytes).toString());

  it('are fetched from the address they have', async () => {
    expect(await get('https://names.test:PORT/a', async () => of('127.0.0.2'))).toBe('picture');
    expect(came.map(({ at, host }) => [at, host])).toEqual([['127.0.0.2', `names.test:${port}`]]);
  });

  it.for([
    { answers: ['127.0.0.2', '127.0.0.1'], named: '127.0.0.1' },
    { answers: ['127.0.0.1', '127.0.0.2'], named: '127.0.0.1' },
    { answers: ['127.0.0.2', '127.0.0.2', '169.254.169.254'], named: '169.254.169.254' },
    { answers: ['127.0.0.2', '::1'], named: '::1' },
    { answers: ['127.0.0.2', 'fd00:ec2::254'], named: 'fd00:ec2::254' },
    { answers: ['127.0.0.2', '::ffff:10.0.0.1'], named: '::ffff:10.0.0.1' },
    { answers: ['::1', '127.0.0.2'], named: '::1' },
    { answers: ['127.0.0.2', '168.63.129.16'], named: '168.63.129.16' },
  ])('of $answers are refused for the one that is not public, and nothing is sent', async ({ answers, named }) => {
    await expect(get('https://names.test:PORT/a', async () => of(...answers))).rejects.toMatchObject({ code: 'unprocessable', message: expect.stringContaining(`leads to ${named},`) });
    expect(came).toEqual([]);
  });

  it('are asked for once a connection: what was checked is what is connected to', async () => {
    let asked = 0;
    const rebound: Resolve = async () => of(asked++ === 0 ? '127.0.0.2' : '127.0.0.1');
    expect(await get('https://names.test:PORT/a', rebound)).toBe('picture');
    expect(asked).toBe(1);
    expect(came.map(({ at }) => at)).toEqual(['127.0.0.2']);
  });

  it('are looked at anew on every redirect', async () => {
    let asked = 0;
    const rebound: Resolve = async () => of(asked++ === 0 ? '127.0.0.2' : '127.0.0.1');
    await expect(get('https://names.test:PORT/?to=/inner', rebound)).rejects.toMatchObject({ code: 'unprocessable', message: expect.stringContaining('127.0.0.1') });
    expect(came.map(({ url }) => url)).toEqual(['/?to=/inner']);

    const inner: Resolve = async (name) => of(name === 'inner.test' ? '127.0.0.1' : '127.0.0.2');
    await expect(get('https://names.test:PORT/?to=//inner.test:PORT/'.replaceAll('PORT', String(port)), inner)).rejects.toThrow('127.0.0.1');
    expect(came).toHaveLength(2);
  });

  it.for<[string, Resolve]>([
    ['has no address', async () => []],
    ['is not known', async () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND names.test'), { code: 'ENOTFOUND' }))],
    ['makes the resolver throw', () => { throw new Error('broken'); }],
    ['has an address that is none', async () => of('example')],
    ['has an answer of another shape', async () => [{}] as never],
  ])('are refused with a sentence where the name %s', async ([, resolve]) => {
    await expect(get('https://names.test:PORT/a', resolve)).rejects.toMatchObject({ code: 'unprocessable', message: expect.stringMatching(/^The URL cannot be fetched \(.+\)\.$/) });
    expect(came).toEqual([]);
  });

  it('are given up in time where the resolver never answers, and what it answers later changes nothing', async () => {
    let answer: ((addresses: Awaited<ReturnType<Resolve>>) => void) | undefined;
    const hanging: Resolve = () => new Promise((resolve) => (answer = resolve));
    await expect(get('https://names.test:PORT/a', hanging, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'unprocessable', message: 'The URL did not answer within 0.3 s.' });
    answer!(of('127.0.0.2'));
    await get('https://names.test:PORT/after', async () => of('127.0.0.2'));
    expect(came.map(({ url }) => url)).toEqual(['/after']);
  });

  it('keep the user name and password of a URL to its own host and port, redirects included', async () => {
    const everywhere: Resolve = async () => of('127.0.0.2');
    const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    const at = (target: string): string => `https://ann:secret@names.test:${port}/?to=${encodeURIComponent(target.replace('PORT', String(port)))}`;
    await get(at('/same'), everywhere);
    await get(at('https://names.test:PORT/absolute'), everywhere);
    await get(at('//other.test:PORT/other'), everywhere);
    await get(at(`https://names.test:${(neighbor.address() as { port: number }).port}/neighbor`), everywhere);
    await get(at('https://eve:other@names.test:PORT/told'), everywhere);
    await get(at('https://eve:other@other.test:PORT/theirs'), everywhere);
    const sent = came.filter(({ url }) => !url.includes('?to=')).map(({ url, authorization }) => [url, authorization]);
    expect(sent).toEqual([['/same', basic], ['/absolute', basic], ['/other', undefined], ['/neighbor', undefined], ['/told', basic], ['/theirs', undefined]]);
  });
});

describe('pages of a sibling site', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.remove());

  /** `fetch` of Node sets these headers itself. */
  const raw = (method: string, at: string, headers: Record<string, string>, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(server.url + at, { method, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      sent.on('error', reject);
      sent.end(body);
    });

  it.for(['same-site', 'cross-site'])('may neither read nor change anything (%s), but may link to the page', async (site) => {
    const headers = { 'sec-fetch-site': site };
    expect(await raw('GET', '/v1/collections', headers)).toBe(403);
    expect(await raw('GET', '/v1/collections', { ...headers, 'sec-fetch-mode': 'navigate' })).toBe(403);
    expect(await raw('POST', '/v1/collections', headers, '{"name":"from-a-sibling"}')).toBe(403);
    expect(await raw('POST', '/v1/collections', { ...headers, 'sec-fetch-mode': 'navigate' }, '{"name":"from-a-sibling"}')).toBe(403);
    expect(await raw('DELETE', `${items()}?all=true`, headers)).toBe(403);
    expect(await raw('GET', '/', { ...headers, 'sec-fetch-mode': 'navigate' })).toBe(200);
    expect(await raw('GET', '/v1/collections', { 'sec-fetch-site': 'none' })).toBe(200);
    expect(await raw('GET', '/v1/collections/from-a-sibling', {})).toBe(404);
  });
});
