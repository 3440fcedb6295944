/** Assistants' way in: the official clients of both generations, over HTTP and stdio, against a running service. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderGallery } from '../demo/gallery.js';
import { base64, call, items, searchIn } from './api.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { bundled, repository, startServer, type RunningServer } from './server.js';

const key = 'a-key-of-the-tests';
const authorized = { Authorization: `Bearer ${key}` };
const names = ['balloon', 'red apple', 'dog face', 'bicycle', 'sailboat', 'snowman'];
const idOf = (name: string): string => name.replaceAll(' ', '-');

let folder: string;
/** With a key and writes, and the bundled model. */
let server: RunningServer;
/** As it comes: no key, no writes. */
let plain: RunningServer;
const open: { close(): Promise<void> }[] = [];
const pictures = new Map<string, Buffer>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-mcp-'));
  [server, plain] = await Promise.all([startServer({ env: { ...bundled, MIXSPACE_API_KEYS: key, MIXSPACE_MCP_WRITES: 'yes' } }), startServer()]);
  for (const { name, file } of await renderGallery(folder, { styles: ['fluent-emoji-flat'], names: new Set(names) })) pictures.set(name, await readFile(file));
  const noise = await sharp(Buffer.from(Array.from({ length: 320 * 320 * 3 }, (_, i) => (i * 7919 + ((i * i) % 251) * 31) % 256)), { raw: { width: 320, height: 320, channels: 3 } }).png().toBuffer();
  const entries = [
    ...names.map((name, i) => ({ id: idOf(name), image: base64(pictures.get(name)!), source: `${name}.png`, metadata: { year: 2020 + i, place: { city: i % 2 === 0 ? 'Oslo' : 'Lima' } } })),
    { id: 'a note/1', text: 'A sailboat is a boat that moves with the wind.', metadata: { year: 2030 } },
    { id: 'noise', image: base64(noise), metadata: { year: 1999 } },
  ];
  expect((await call(server.url, 'POST', items(), { items: entries }, authorized)).body.items.map(({ status }: any) => status)).toEqual(entries.map(() => 'created'));
}, 240_000);
afterAll(async () => {
  for (const each of open) await each.close();
  await Promise.all([server, plain].map((each) => each.remove()));
  await rm(folder, { recursive: true, force: true });
});

async function modern(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }));
  open.push(client);
  return client;
}

async function older(url: string, headers: Record<string, string> = {}): Promise<OlderClient> {
  const client = new OlderClient({ name: 'test', version: '1' });
  await client.connect(new OlderTransport(new URL(`${url}/mcp`), { requestInit: { headers } }));
  open.push(client);
  return client;
}

async function overStdio(args: string[], env: Record<string, string>): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [path.join(repository, 'dist/main.js'), 'mcp', ...args], env: { PATH: process.env['PATH']!, ...env }, stderr: 'inherit' }));
  open.push(client);
  return client;
}

const textOf = ({ content }: any): string => content[0].text;

/** A message of the 2026-07-28 protocol, as it stands on the wire. */
async function post(url: string, method: string, params: object = {}, { capabilities = {}, headers = {} }: { capabilities?: object; headers?: Record<string, string> } = {}): Promise<{ status: number; body: any; headers: Headers }> {
  const named = params as { name?: string; uri?: string; taskId?: string };
  const name = named.name ?? named.uri ?? named.taskId;
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': capabilities };
  return call(url, 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }, { Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, ...(name === undefined ? {} : { 'Mcp-Name': name }), ...headers });
}

describe('A client', () => {
  it.each([
    ['of 2026-07-28, over HTTP', () => modern(server.url, authorized), '2026-07-28'],
    ['of 2025-11-25, over HTTP', () => older(server.url, authorized), undefined],
    ['over stdio', () => overStdio(['--writes'], { MIXSPACE_URL: server.url, MIXSPACE_API_KEY: key }), '2025-11-25'],
  ])('%s finds what it is asked for and sees it', async (_, connect, version) => {
    const client = (await connect()) as Client;
    if (version !== undefined) expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect(client.getServerVersion()).toMatchObject({ name: 'mixspace' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['search_items', 'get_item', 'classify', 'list_collections', 'describe_collection', 'embed', 'find_duplicates', 'add_items']);
    const found: any = await client.callTool({ name: 'search_items', arguments: { text: 'a balloon', modality: 'image', filter: null } });
    expect(found.structuredContent.matches[0]).toMatchObject({ id: 'balloon', metadata: { year: 2020 } });
    const images = found.content.filter(({ type }: any) => type === 'image');
    expect(images[0]).toMatchObject({ mimeType: 'image/webp', _meta: { 'mixspace/id': 'balloon' } });
    expect((await sharp(Buffer.from(images[0].data, 'base64')).metadata()).format).toBe('webp');
    expect(found.content.filter(({ type }: any) => type === 'resource_link').map(({ uri }: any) => uri)).toContain('mixspace://collection/default/item/balloon');
  });

  it('is told all of its tools with bounds, and what they change', async () => {
    const { tools } = await (await modern(server.url, authorized)).listTools();
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name)).toEqual(['find_duplicates', 'add_items']);
    expect(tools.find(({ name }) => name === 'search_items')!._meta).toMatchObject({ ui: { resourceUri: 'ui://mixspace/gallery' } });
    for (const { name, description, inputSchema, outputSchema } of tools) {
      expect(description!.length, name).toBeLessThan(500);
      expect(outputSchema, name).toMatchObject({ type: 'object' });
      const unbounded = Object.entries(inputSchema.properties ?? {}).filter(([, each]: any) => (each.type === 'string' && each.maxLength === undefined && each.enum === undefined) || (each.type === 'array' && each.maxItems === undefined) || (each.type === 'integer' && each.maximum === undefined));
      expect(unbounded, name).toEqual([]);
    }
    expect(JSON.stringify(tools).length).toBeLessThan(20_000);
  });

  it('gets what the API answers, as structured content', async () => {
    const client = await modern(server.url, authorized);
    const request = { query: { text: 'a sailboat' }, limit: 3, cutoff: 'none', lexical: 'auto', negation: 'auto', filter: { year: { $gte: 2020 } } };
    // A cursor belongs to its request to the letter.
    const { took_ms: _took, next_cursor: _cursor, ...answer } = (await call(server.url, 'POST', searchIn(), request, authorized)).body;
    const { took_ms: _another, next_cursor, ...told }: any = (await client.callTool({ name: 'search_items', arguments: { text: 'a sailboat', limit: 3, cutoff: 'none', filter: { year: { $gte: 2020 } } } })).structuredContent;
    expect(told).toEqual(answer);
    const next: any = (await client.callTool({ name: 'search_items', arguments: { text: 'a sailboat', limit: 3, cutoff: 'none', filter: { year: { $gte: 2020 } }, cursor: next_cursor } })).structuredContent;
    expect(next.matches.map(({ id }: any) => id)).not.toEqual(expect.arrayContaining(told.matches.slice(0, 1).map(({ id }: any) => id)));
    expect(next.matches).toHaveLength(3);
    const labels = ['a dog', 'a bicycle', 'an apple'];
    const classified: any = (await client.callTool({ name: 'classify', arguments: { labels, image: base64(pictures.get('dog face')!) } })).structuredContent;
    expect(classified).toEqual((await call(server.url, 'POST', '/v1/classify', { input: [{ image: base64(pictures.get('dog face')!) }], labels }, authorized)).body);
    expect(classified.data[0].prediction).toBe('a dog');
    const item: any = (await client.callTool({ name: 'get_item', arguments: { id: 'a note/1' } })).structuredContent;
    expect(item).toEqual((await call(server.url, 'GET', `${items()}/${encodeURIComponent('a note/1')}`, undefined, authorized)).body);
    const [collection]: any[] = (await call(server.url, 'GET', '/v1/collections', undefined, authorized)).body.collections;
    const listed: any = (await client.callTool({ name: 'list_collections', arguments: {} })).structuredContent;
    expect(collection).toMatchObject(listed.collections[0]);
    expect(listed.collections[0].counts).toEqual({ image: 7, text: 1, total: 8 });
  });

  it('is told that there is no match, and searches by a picture, by an item and by both', async () => {
    const client = await modern(server.url, authorized);
    const search = async (args: object): Promise<any> => client.callTool({ name: 'search_items', arguments: { thumbnails: 0, ...args } });
    const none = await search({ text: 'the annual report of a bank, page of figures' });
    expect([none.structuredContent.matches, textOf(none)]).toEqual([[], expect.stringMatching(/^No match: .*cutoff "none"/)]);
    expect((await search({ image: base64(pictures.get('bicycle')!), limit: 1 })).structuredContent.matches[0].id).toBe('bicycle');
    const like = await search({ id: 'sailboat', cutoff: 'none' });
    expect(like.structuredContent.matches.map(({ id }: any) => id)).not.toContain('sailboat');
    expect(like.structuredContent.matches).toHaveLength(7);
    expect((await search({ image: base64(pictures.get('bicycle')!), text: 'a bicycle', limit: 1, cutoff: 'none' })).structuredContent.matches[0].id).toBe('bicycle');
    expect(like.content.filter(({ type }: any) => type === 'image')).toEqual([]);
  });

  it('classifies items by their ids, compares, and learns what filters can go by', async () => {
    const client = await older(server.url, authorized);
    const judged: any = await client.callTool({ name: 'classify', arguments: { ids: ['bicycle', 'dog-face'], labels: ['a bicycle', 'a dog', 'an apple'] } });
    expect(judged.structuredContent.data.map(({ prediction }: any) => prediction)).toEqual(['a bicycle', 'a dog']);
    const unsure: any = await client.callTool({ name: 'classify', arguments: { ids: ['snowman'], labels: ['a bus', 'a horse'], may_be_none: true } });
    expect([unsure.structuredContent.data[0].prediction, textOf(unsure)]).toEqual([null, expect.stringMatching(/^snowman: none of the labels/)]);
    const compared: any = await client.callTool({ name: 'embed', arguments: { inputs: [{ text: 'a snowman' }, { image: base64(pictures.get('snowman')!) }, { image: base64(pictures.get('red apple')!) }], vectors: 'float' } });
    const { similarities, data, dimensions } = compared.structuredContent;
    expect(similarities[0][1]).toBeGreaterThan(similarities[0][2]);
    expect(similarities[1][1]).toBeCloseTo(1, 5);
    const { body } = await call(server.url, 'POST', '/v1/embeddings', { input: 'a snowman' }, authorized);
    expect(dimensions).toBe(body.data[0].embedding.length);
    for (const [i, value] of body.data[0].embedding.entries()) expect(data[0].embedding[i]).toBeCloseTo(value, 6);
    const described: any = await client.callTool({ name: 'describe_collection', arguments: {} });
    expect(Object.keys(described.structuredContent.facets)).toEqual(['year', 'place.city']);
    expect(described.structuredContent.facets['place.city']).toMatchObject({ values: [{ value: 'Lima', count: 3 }, { value: 'Oslo', count: 3 }], missing: 2 });
  });

  it('adds where that is allowed, and finds what it added', async () => {
    const client = await modern(server.url, authorized);
    expect((await call(server.url, 'POST', '/v1/collections', { name: 'added' }, authorized)).status).toBe(201);
    const given = [{ id: 'dog', image: base64(pictures.get('dog face')!), metadata: { by: 'an assistant' } }, { text: 'no picture, no path', image: 'neither' }, { id: 'apple', image: base64(pictures.get('red apple')!) }, { path: '/etc/passwd' }];
    const added: any = await client.callTool({ name: 'add_items', arguments: { collection: 'added', items: given } });
    expect(added.structuredContent.items.map(({ id, status }: any) => [id, status])).toEqual([['dog', 'created'], [null, 'failed'], ['apple', 'created'], [null, 'failed']]);
    expect(added.isError).not.toBe(true);
    const found: any = await client.callTool({ name: 'search_items', arguments: { collection: 'added', text: 'a dog', cutoff: 'none' } });
    expect(found.structuredContent.matches[0]).toMatchObject({ id: 'dog', metadata: { by: 'an assistant' } });
    const failed: any = await client.callTool({ name: 'add_items', arguments: { collection: 'added', items: [{ path: '/etc/passwd' }] } });
    expect(failed).toMatchObject({ isError: true });
  });

  it.each([
    ['over HTTP', () => modern(plain.url)],
    ['over stdio, even without a key,', () => overStdio([], { MIXSPACE_URL: server.url })],
  ])('%s is not offered to add where nobody allowed it, and is refused by a sentence', async (_, connect) => {
    const client = await connect();
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('add_items');
    const refused: any = await client.callTool({ name: 'add_items', arguments: { items: [{ text: 'x' }] } });
    expect([refused.isError, textOf(refused)]).toEqual([true, expect.stringContaining('MIXSPACE_MCP_WRITES=yes')]);
    const listed: any = await client.callTool({ name: 'list_collections', arguments: {} });
    if (listed.isError) expect(textOf(listed)).toMatch(/key.*MIXSPACE_API_KEY/s);
    else expect(listed.structuredContent.collections[0].counts.total).toBe(0);
  });

  it('meets mistakes as errors that say what to do', async () => {
    const client = await modern(server.url, authorized);
    const refusal = async (name: string, args: object): Promise<string> => {
      const answer: any = await client.callTool({ name, arguments: args as Record<string, unknown> });
      expect(answer.isError, JSON.stringify(answer)).toBe(true);
      return textOf(answer);
    };
    expect(await refusal('search_items', { text: 'x', collection: 'nowhere' })).toMatch(/nowhere.*list_collections/);
    expect(await refusal('search_items', {})).toMatch(/text, image or id/);
    expect(await refusal('search_items', { text: 'x', limit: 1000, colour: 'red' })).toMatch(/limit.*50.*colour/s);
    expect(await refusal('search_items', { text: 'x', filter: { year: { $about: 2020 } } })).toMatch(/\$about/);
    expect(await refusal('search_items', { image: 'no picture' })).toMatch(/image/);
    expect(await refusal('classify', { labels: ['a'] })).toMatch(/image or text, or else ids/);
    expect(await refusal('get_item', { id: 'gone' })).toMatch(/gone/);
    expect(await refusal('find_duplicates', { job: 'duplicates-000000000000' })).toMatch(/job/);
    await expect(client.callTool({ name: 'delete_everything', arguments: {} })).rejects.toThrow(/no tool delete_everything/);
    const alone = await overStdio(['--url', 'http://127.0.0.1:9'], { MIXSPACE_API_KEY: key });
    const unreached: any = await alone.callTool({ name: 'list_collections', arguments: {} });
    expect([unreached.isError, textOf(unreached)]).toEqual([true, expect.stringMatching(/No mixspace answers.*mixspace serve/)]);
    expect(JSON.stringify(unreached)).not.toContain(key);
  });
});

describe('Pictures in answers', () => {
  it('are small, and few together', async () => {
    const client = await modern(server.url, authorized);
    const original = (await call(server.url, 'GET', `${items()}/noise/image`, undefined, authorized)).headers.get('content-length');
    const shown: any = await client.callTool({ name: 'search_items', arguments: { text: 'noise', cutoff: 'none', thumbnails: 12, modality: 'image' } });
    const sizes = shown.content.filter(({ type }: any) => type === 'image').map(({ data, _meta }: any) => [_meta['mixspace/id'], Buffer.from(data, 'base64').length]);
    expect(sizes).toHaveLength(7);
    // The picture of noise has a thumbnail that is too heavy, and is shown all the same.
    if (original !== null) expect(Number(original)).toBeGreaterThan(30_000);
    expect(sizes.map(([id]: any) => id)).toContain('noise');
    expect(Math.max(...sizes.map(([, bytes]: any) => bytes))).toBeLessThanOrEqual(30_000);
    const whole: any = await client.callTool({ name: 'get_item', arguments: { id: 'bicycle', picture: 'original' } });
    expect(Buffer.from(whole.content[1].data, 'base64').equals(pictures.get('bicycle')!)).toBe(true);
  });

  it('stand at their addresses, with all that is known of the item', async () => {
    const client = await modern(server.url, authorized);
    expect((await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['mixspace://collection/{name}/item/{id}']);
    const picture: any = (await client.readResource({ uri: 'mixspace://collection/default/item/bicycle' })).contents;
    expect(picture.map(({ mimeType }: any) => mimeType)).toEqual(['image/webp', 'application/json']);
    expect(JSON.parse(picture[1].text)).toMatchObject({ id: 'bicycle', metadata: { year: 2023 } });
    const note: any = (await client.readResource({ uri: `mixspace://collection/default/item/${encodeURIComponent('a note/1')}` })).contents;
    expect(note[0]).toMatchObject({ mimeType: 'text/plain', text: 'A sailboat is a boat that moves with the wind.' });
    for (const uri of ['mixspace://collection/default/item/gone', 'mixspace://collection/default', 'file:///etc/passwd', 'mixspace://collection/../item/%E0']) await expect(client.readResource({ uri }), uri).rejects.toThrow(/not found/i);
    expect((await client.complete({ ref: { type: 'ref/resource', uri: 'mixspace://collection/{name}/item/{id}' }, argument: { name: 'name', value: 'def' } })).completion.values).toEqual(['default']);
  });
});

describe('The gallery', () => {
  const visit = inBrowser(() => []);

  /** A host as the specification of MCP Apps has it: it answers the page's first request, tells it of a call, and calls tools for it. */
  async function shown(result: unknown, answers: Record<string, unknown> = {}): Promise<void> {
    const client = await modern(server.url, authorized);
    const listed = (await client.listResources()).resources.find(({ uri }) => uri === 'ui://mixspace/gallery');
    expect(listed).toMatchObject({ mimeType: 'text/html;profile=mcp-app' });
    const [page]: any[] = (await client.readResource({ uri: 'ui://mixspace/gallery' })).contents;
    expect(page.mimeType).toBe('text/html;profile=mcp-app');
    await visit.page.setContent('<iframe sandbox="allow-scripts" style="width: 700px; height: 700px"></iframe>');
    await visit.page.evaluate(
      ({ html, told, replies }) => {
        const heard: any[] = ((globalThis as any).heard = []);
        const frame = (globalThis as any).document.querySelector('iframe');
        const send = (message: object): void => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
        (globalThis as any).addEventListener('message', ({ data }: any) => {
          heard.push(data);
          if (data.method === 'ui/initialize') send({ id: data.id, result: { protocolVersion: '2026-01-26', hostInfo: { name: 'host', version: '1' }, hostCapabilities: { serverTools: {} }, hostContext: { theme: 'dark', styles: { variables: { '--color-text-primary': 'rgb(1, 2, 3)' } } } } });
          if (data.method === 'ui/notifications/initialized') {
            send({ method: 'ui/notifications/tool-input', params: { arguments: { collection: 'default', text: 'a balloon' } } });
            send({ method: 'ui/notifications/tool-result', params: told });
          }
          if (data.method === 'tools/call') send({ id: data.id, result: (replies as any)[data.params.name] });
        });
        frame.srcdoc = html;
      },
      { html: page.text as string, told: result, replies: answers },
    );
  }
  const heard = (method: string): Promise<any[]> => visit.page.evaluate((name) => (globalThis as any).heard.filter((each: any) => each.method === name), method);

  it.runIf(withBrowser)('shows the matches of a search, one of them closely, and what is like it', async () => {
    const client = await modern(server.url, authorized);
    const found = await client.callTool({ name: 'search_items', arguments: { text: 'a balloon', modality: 'image', cutoff: 'none', limit: 3 } });
    const whole = await client.callTool({ name: 'get_item', arguments: { id: 'balloon', picture: 'original' } });
    const like = await client.callTool({ name: 'search_items', arguments: { id: 'balloon', modality: 'image', cutoff: 'none', limit: 2, thumbnails: 2 } });
    await shown(found, { get_item: whole, search_items: like });
    const frame = visit.page.frameLocator('iframe');
    await frame.getByText('3 matches in default').waitFor();
    expect(await frame.locator('li img').count()).toBe(3);
    expect(await frame.locator('li img').first().evaluate((image: any) => image.decode().then(() => image.naturalWidth))).toBeGreaterThan(100);
    expect(await frame.locator('body').evaluate((body: any) => (globalThis as any).getComputedStyle(body).color)).toBe('rgb(1, 2, 3)');
    await frame.locator('li button').first().click();
    await frame.locator('dd', { hasText: '2020' }).waitFor();
    await frame.locator('#details img[src^="data:image/png"]').waitFor();
    await visit.shot('mcp-gallery');
    await frame.getByRole('button', { name: 'More like this' }).click();
    await frame.getByText('2 matches in default').waitFor();
    expect((await heard('tools/call')).map(({ params }) => [params.name, params.arguments.id])).toEqual([['get_item', 'balloon'], ['search_items', 'balloon']]);
    expect((await heard('ui/notifications/size-changed')).at(-1).params.height).toBeGreaterThan(100);
  });

  it.runIf(withBrowser)('shows hostile names as text, and loads nothing', async () => {
    const hostile = '<img src=x onerror="parent.postMessage({method: \'owned\'}, \'*\')"><script>parent.postMessage({method: "owned"}, "*")</script>';
    const match = { id: hostile, modality: 'image', metadata: { [hostile]: hostile, url: 'https://evil.example/a.png' }, sources: [hostile], score: 1 };
    const picture = { type: 'image', mimeType: 'image/svg+xml', data: Buffer.from('<svg onload="alert(1)"/>').toString('base64'), _meta: { 'mixspace/id': hostile } };
    const outside = { type: 'image', mimeType: 'image/png', data: 'x" src="https://evil.example/', _meta: { 'mixspace/id': 'two' } };
    await shown({ content: [{ type: 'text', text: hostile }, picture, outside], structuredContent: { matches: [match, { ...match, id: 'two' }, null, 7, { id: 3 }] } });
    const frame = visit.page.frameLocator('iframe');
    await frame.getByText('2 matches in default').waitFor();
    expect(await frame.locator('li img').count()).toBe(0);
    await frame.locator('li button').first().click();
    expect(await frame.locator('dt').allTextContents()).toContain(hostile);
    expect(await heard('owned')).toEqual([]);
  });
});

describe('Duplicates', () => {
  const groupsOf = (answer: any): string[][] => answer.structuredContent.duplicates.groups.map(({ items: of }: any) => of.map(({ id }: any) => id).sort());
  beforeAll(async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'twice' }, authorized);
    const smaller = await sharp(pictures.get('bicycle')).resize(120).jpeg().toBuffer();
    await call(server.url, 'POST', items('twice'), { items: [{ id: 'large', image: base64(pictures.get('bicycle')!) }, { id: 'small', image: base64(smaller) }, { id: 'other', image: base64(pictures.get('snowman')!) }] }, authorized);
  });

  it('are found while one waits, or asked for again by the job', async () => {
    const client = await older(server.url, authorized);
    const found: any = await client.callTool({ name: 'find_duplicates', arguments: { collection: 'twice' } });
    expect(groupsOf(found)).toEqual([['large', 'small']]);
    expect(textOf(found)).toMatch(/large \(keep\)/);
    let later: any = await client.callTool({ name: 'find_duplicates', arguments: { collection: 'twice', wait_seconds: 0 } });
    const { id } = later.structuredContent.job;
    if (later.structuredContent.state !== 'done') expect(textOf(later)).toContain(`again with job "${id}"`);
    later = await client.callTool({ name: 'find_duplicates', arguments: { collection: 'twice', job: id } });
    expect([later.structuredContent.job.id, groupsOf(later)]).toEqual([id, [['large', 'small']]]);
  });

  it('are a task for a client that understands tasks, and for no other', async () => {
    const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
    const discovered = await post(server.url, 'server/discover', {}, { headers: authorized });
    expect(discovered.body.result.capabilities.extensions).toEqual({ 'io.modelcontextprotocol/tasks': {} });
    const { body } = await post(server.url, 'tools/call', { name: 'find_duplicates', arguments: { collection: 'twice' } }, { capabilities, headers: authorized });
    expect(body.result).toMatchObject({ resultType: 'task', status: 'working', ttlMs: null });
    const { taskId } = body.result;
    let task: any;
    do task = (await post(server.url, 'tasks/get', { taskId }, { capabilities, headers: authorized })).body.result;
    while (task.status === 'working');
    expect(task).toMatchObject({ resultType: 'complete', taskId, status: 'completed' });
    expect(groupsOf(task.result)).toEqual([['large', 'small']]);
    expect((await post(server.url, 'tasks/cancel', { taskId }, { capabilities, headers: authorized })).body.result).toMatchObject({ resultType: 'complete' });
    expect((await post(server.url, 'tasks/get', { taskId: 'gone' }, { capabilities, headers: authorized })).body.error.code).toBe(-32602);
    expect((await post(server.url, 'tasks/get', { taskId }, { headers: authorized })).body.error.code).toBe(-32021);
    expect((await post(server.url, 'tools/call', { name: 'find_duplicates', arguments: { collection: 'twice' } }, { headers: authorized })).body.result.resultType).toBe('complete');
  });
});

describe('The endpoint', () => {
  it('answers nobody without a key, and needs no more than that', async () => {
    for (const headers of [{}, { Authorization: 'Bearer another' }] as Record<string, string>[]) {
      const { status, body, headers: told } = await post(server.url, 'tools/list', {}, { headers });
      expect([status, body.jsonrpc, body.id, told.get('www-authenticate')]).toEqual([401, '2.0', null, 'Bearer']);
      expect(body.error.message).toMatch(/key/);
    }
    await expect(modern(server.url)).rejects.toThrow();
    await expect(older(server.url)).rejects.toThrow(/401|key/);
  });

  it('keeps out other sites and other hosts, and takes POST alone', async () => {
    expect((await post(plain.url, 'tools/list', {}, { headers: { Origin: 'https://evil.example' } })).status).toBe(403);
    const get = await call(plain.url, 'GET', '/mcp', undefined, { Accept: 'text/event-stream' });
    expect([get.status, get.headers.get('allow'), get.body.error.message]).toEqual([405, 'POST', expect.stringContaining('POST')]);
  });

  it('refuses what it cannot read with errors of JSON-RPC, within the bounds of any body', async () => {
    const send = (body: string, headers: Record<string, string> = {}): Promise<any> => call(plain.url, 'POST', '/mcp', body, { Accept: 'application/json, text/event-stream', ...headers });
    const broken = await send('{"jsonrpc": "2.0", ');
    expect([broken.status, broken.body.error.code]).toEqual([400, -32700]);
    const deep = await send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}`);
    expect([deep.status, deep.body.error.message]).toEqual([400, expect.stringMatching(/64/)]);
    for (const body of ['null', '[]', '7', '"x"', '{}', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":"2.0","id":{},"method":"tools/list"}']) expect((await send(body)).status, body).toBe(400);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const batch = await send(JSON.stringify(Array.from({ length: 21 }, () => ping)));
    expect([batch.status, batch.body.error.message]).toEqual([400, expect.stringContaining('20 messages')]);
    expect((await send(JSON.stringify([ping]), { 'MCP-Protocol-Version': '2025-03-26' })).status).toBe(200);
    expect((await send('x', { 'Content-Type': 'text/plain' })).status).toBe(400);
    expect((await call(plain.url, 'GET', '/healthz')).status).toBe(200);
  });
});

describe('A stream of changes', () => {
  it('is over at once, as nothing changes', async () => {
    const { status, body } = await post(plain.url, 'subscriptions/listen', { notifications: { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['mixspace://collection/default/item/x'] } });
    expect(status).toBe(200);
    expect(body).toMatch(/acknowledged.*"notifications":\{\}.*"resultType":"complete"/s);
  });
});

describe('mixspace mcp', () => {
  it('writes nothing to stdout but the protocol, and ends with its stdin', async () => {
    const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'mcp', '--url', plain.url], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH']! } });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const lines = (count: number): Promise<void> => new Promise((resolve) => child.stdout.on('data', () => stdout.split('\n').length > count && resolve()));
    const answered = lines(3);
    const send = (message: object): boolean => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } });
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/call', params: { name: 'search_items', arguments: { text: 'x' } } });
    send({ id: 3, method: 'tools/call', params: { name: 'get_item', arguments: { id: '' } } });
    await answered;
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    const messages = stdout.trim().split('\n').map((line) => JSON.parse(line));
    expect(messages.map(({ jsonrpc, id }) => [jsonrpc, id]).sort()).toEqual([['2.0', 1], ['2.0', 2], ['2.0', 3]]);
    expect(messages.find(({ id }) => id === 1).result.protocolVersion).toBe('2025-06-18');
  });
});
