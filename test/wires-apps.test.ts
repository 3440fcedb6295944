/**
 * Ollama by its own client; Immich, Weaviate and clip-front by what they send, replayed (their servers and pages are not to
 * be had here): each is answered with the vectors that /v1 gives, and reads what goes wrong.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, type Answer } from './api.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

/** What comes while a batch is under way waits for the next. */
const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'paced-encoder.mjs')).href}`, PACE_MS: '100' };

let service: SmallService;
let red: string;
let blue: string;
let sea: number[];
let land: number[];
let picture: number[];
beforeAll(async () => {
  service = await startSmall({ small: readsTexts, 'clip-vit-base-patch32': readsTexts }, { ...paced, MIXSPACE_ALIASES: 'XLM-Roberta-Large-Vit-B-32=small, ViT-B-16__openai=small' });
  [red, blue] = await Promise.all([flat(220, 20, 30, 12, 10), flat(10, 40, 230)]);
  [sea, land, picture] = await Promise.all([service.embed('sea'), service.embed('land'), service.embed({ image: red })]);
});
afterAll(() => service.remove());

describe('The npm client of Ollama', () => {
  let ollama: Ollama;
  beforeAll(() => {
    ollama = new Ollama({ host: service.server.url });
  });

  it('embeds, by the newer route and the older, with a tag or without', async () => {
    const answer = await ollama.embed({ model: 'small:latest', input: ['sea', 'land'], truncate: true, keep_alive: '5m', options: { num_ctx: 77 } });
    expect(answer).toMatchObject({ model: 'small:latest', embeddings: [sea, land], prompt_eval_count: expect.any(Number) });
    expect(answer.total_duration).toBeGreaterThan(0);
    expect((await ollama.embed({ model: 'small', input: 'sea' })).embeddings).toEqual([sea]);
    expect((await ollama.embed({ model: 'small', input: '' })).embeddings).toEqual([]);
    expect((await ollama.embeddings({ model: 'small', prompt: 'sea' })).embedding).toEqual(sea);
  });

  it('sees which models there are, and what each is', async () => {
    expect((await ollama.list()).models.map(({ name }) => name)).toContain('small:latest');
    expect(await ollama.show({ model: 'small' })).toMatchObject({ capabilities: ['embedding'], model_info: { 'clip.embedding_length': 4, 'clip.context_length': 77 } });
    expect((await ollama.ps()).models.map(({ model }) => model)).toContain('small:latest');
    expect((await ollama.version()).version).toMatch(/^\d+\.\d+/);
  });

  it('understands what is refused', async () => {
    await expect(ollama.embed({ model: 'nomic-embed-text', input: 'sea' })).rejects.toMatchObject({ status_code: 404, error: "model 'nomic-embed-text' not found" });
    await expect(ollama.show({ model: 'nomic-embed-text' })).rejects.toMatchObject({ status_code: 404 });
    await expect(ollama.embed({ model: 'small', input: Array<string>(200).fill('sea').join(' '), truncate: false })).rejects.toMatchObject({ status_code: 400, error: 'the input length exceeds the context length' });
    await expect(ollama.embed({ model: 'small', input: 'sea', dimensions: 3 })).rejects.toMatchObject({ status_code: 422, error: expect.stringContaining('4 dimensions') });
    expect((await service.post('/api/embed', { model: 'small', input: [1] })).body).toEqual({ error: expect.stringContaining('input') });
    expect((await service.post('/api/show', {})).body).toEqual({ error: 'model is required' });
  });
});

/** As Immich's server makes it. */
function prediction(entries: unknown, parts: { image?: string; text?: string }): FormData {
  const form = new FormData();
  form.append('entries', JSON.stringify(entries));
  if (parts.image !== undefined) form.append('image', new Blob([Buffer.from(parts.image, 'base64')]));
  if (parts.text !== undefined) form.append('text', parts.text);
  return form;
}
const visual = (modelName: string): object => ({ clip: { visual: { modelName } } });
const textual = (modelName: string): object => ({ clip: { textual: { modelName, options: { language: 'de' } } } });
const predict = (entries: unknown, parts: { image?: string; text?: string }): Promise<Answer> => call(service.server.url, 'POST', '/predict', prediction(entries, parts));

describe('A server of Immich', () => {
  const name = 'XLM-Roberta-Large-Vit-B-32';

  it('has pictures and texts embedded', async () => {
    expect(await call(service.server.url, 'GET', '/ping')).toMatchObject({ status: 200, body: 'pong' });
    const seen = await predict(visual(name), { image: red });
    expect(seen).toMatchObject({ status: 200, body: { clip: expect.any(String), imageHeight: 10, imageWidth: 12 } });
    expect(JSON.parse(seen.body.clip)).toEqual(picture);
    const read = await predict(textual(name), { text: 'sea' });
    expect(read.body).toEqual({ clip: JSON.stringify(sea) });
    // What looks like a picture's data URI is text as well.
    expect((await predict(textual(name), { text: 'data:image/png;base64,AAAA' })).status).toBe(200);
  });

  it('has pictures that come one by one at the same time embedded in batches', async () => {
    const inferences = async (): Promise<number> => Number(/^mixspace_stage_seconds_count\{stage="infer"\} (\d+)$/m.exec((await service.get('/metrics')).body)![1]);
    const before = await inferences();
    const colors = await Promise.all(Array.from({ length: 48 }, (_, i) => flat(i, 5 * i, 250 - i)));
    const answers = await Promise.all(colors.map((image) => predict(visual(name), { image })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((await inferences()) - before).toBeLessThan(40);
    expect(JSON.parse(answers[7]!.body.clip)).toEqual(await service.embed({ image: colors[7] }));
  });

  it('goes on to its next machine where something else is asked', async () => {
    const faces = { 'facial-recognition': { detection: { modelName: 'buffalo_l', options: { minScore: 0.7 } }, recognition: { modelName: 'buffalo_l' } } };
    expect(await predict(faces, { image: red })).toMatchObject({ status: 422, body: { detail: expect.stringContaining('facial-recognition') } });
    expect((await predict({ ocr: { detection: { modelName: 'PP-OCRv5_mobile' } } }, { image: red })).status).toBe(422);
    expect(await predict(visual('nllb-clip-base-siglip__v1'), { image: red })).toMatchObject({ status: 404, body: { detail: expect.stringContaining('MIXSPACE_ALIASES=nllb-clip-base-siglip__v1=') } });
  });

  it('gets no embeddings that its column does not fit', async () => {
    // By the table, and by an alias of the name.
    expect((await predict(visual('ViT-B-32__openai'), { image: red })).body.detail).toMatch(/512 dimensions.*"clip-vit-base-patch32" gives 4/);
    expect((await predict(textual('ViT-B-16__openai'), { text: 'sea' })).body.detail).toMatch(/512 dimensions.*"small" gives 4/);
  });

  it.each([
    ['no entries', undefined, { text: 'sea' }, 400],
    ['entries that are no object', [1], { text: 'sea' }, 400],
    ['both towers', { clip: { visual: { modelName: name }, textual: { modelName: name } } }, { text: 'sea' }, 400],
    ['no picture', visual(name), { text: 'sea' }, 400],
    ['no text', textual(name), { image: 'aaaa' }, 400],
    ['a text that is too long', textual(name), { text: 'a'.repeat(1_000_001) }, 413],
    ['a picture that is none', visual(name), { image: 'bm90IGEgcGljdHVyZQ==' }, 415],
  ])('is told what is wrong with %s', async (_, entries, parts, status) => {
    expect(await predict(entries, parts)).toMatchObject({ status, body: { detail: expect.any(String) } });
  });

  it('sends one picture and each text once', async () => {
    const twice = prediction(visual(name), { image: red });
    twice.append('image', new Blob([Buffer.from(blue, 'base64')]));
    expect((await call(service.server.url, 'POST', '/predict', twice)).status).toBe(413);
    const again = prediction(textual(name), { text: 'sea' });
    again.append('text', 'land');
    expect((await call(service.server.url, 'POST', '/predict', again)).body.detail).toMatch(/more than one part named text/);
    expect((await service.post('/predict', { entries: visual(name) })).status).toBe(400);
  });
});

describe('A server of Weaviate', () => {
  it('waits until the service is ready, and reads what it is', async () => {
    expect((await service.get('/.well-known/ready')).status).toBe(200);
    expect((await service.get('/.well-known/live')).status).toBe(200);
    expect((await service.get('/meta')).body).toMatchObject({ id: 'small', dimensions: 4 });
  });

  it('has texts and pictures embedded', async () => {
    expect((await service.post('/vectorize', { texts: ['sea', 'land'], images: [red] })).body).toEqual({ textVectors: [sea, land], imageVectors: [picture] });
    expect((await service.post('/vectorize', { texts: ['sea'] })).body).toEqual({ textVectors: [sea], imageVectors: [] });
    expect((await service.post('/vectorize', {})).body).toEqual({ textVectors: [], imageVectors: [] });
  });

  it('is told which picture cannot be read', async () => {
    expect(await service.post('/vectorize', { texts: ['sea'], images: [red, 'bm90IGEgcGljdHVyZQ=='] })).toMatchObject({ status: 415, body: { error: expect.stringMatching(/^images\[1\]: /) } });
    expect(await service.post('/vectorize', { texts: [1] })).toMatchObject({ status: 400, body: { error: expect.stringContaining('texts[0]') } });
    expect((await service.post('/vectorize', { texts: Array<string>(2049).fill('a') })).status).toBe(413);
  });
});

/** As ClipClient and clip-front send it: JSON that says it is text. */
const asText = (at: string, body: object, headers: Record<string, string> = {}): Promise<Answer> => call(service.server.url, 'POST', at, JSON.stringify(body), { 'content-type': 'text/plain;charset=UTF-8', ...headers });
const flags = { deduplicate: true, use_safety_model: true, use_violence_detector: true, use_mclip: false, aesthetic_score: '', aesthetic_weight: '0.5' };

describe('clip-front and ClipClient', () => {
  beforeAll(async () => {
    await service.collection('gallery');
    await service.add('gallery', [
      { id: 'red', image: red, metadata: { caption: 'a red wall' }, source: 'https://example.com/red.png' },
      { id: 'blue', image: blue },
      { id: 'sea', text: 'sea' },
    ]);
  });
  const knn = async (body: object): Promise<any[]> => {
    const answer = await asText('/knn-service', { indice_name: 'gallery', modality: 'image', num_images: 40, num_result_ids: 3000, ...flags, ...body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  };

  it('see the collections', async () => {
    expect((await service.get('/indices-list')).body).toEqual(['default', 'gallery']);
  });

  it('find what a search finds, by a text, a picture or an embedding', async () => {
    const byText = await service.search('gallery', { query: 'sea', modality: 'image' });
    expect((await knn({ text: 'sea', image: null, image_url: null, embedding_input: null })).map(({ item, similarity }) => [item, similarity])).toEqual(byText);
    const [first, second] = await knn({ text: '', image: red });
    expect(first).toMatchObject({ item: 'red', similarity: expect.closeTo(1, 5), url: 'https://example.com/red.png', caption: 'a red wall', id: expect.any(Number) });
    expect(second).not.toHaveProperty('url');
    expect(Buffer.from(first.image, 'base64').subarray(8, 12).toString()).toBe('WEBP');
    expect((await knn({ embedding_input: picture })).map(({ item }) => item)).toEqual(['red', 'blue']);
    expect(await knn({ text: 'sea', modality: 'text' })).toEqual([{ id: expect.any(Number), item: 'sea', caption: 'sea', similarity: expect.closeTo(1, 5) }]);
  });

  it('get all numbers at once, and what belongs to them as they show it', async () => {
    const found = await knn({ text: 'sea', num_images: 1 });
    expect(found.map((match) => Object.keys(match).includes('item'))).toEqual([true, false]);
    const ids = found.map(({ id }) => id);
    const told = await asText('/metadata', { ids: [...ids, 0, -1, 1.5, 4_000_000_000, 1e300], indice_name: 'gallery' });
    expect(told.body.map(({ id }: any) => id)).toEqual(ids);
    expect(told.body.map(({ metadata }: any) => metadata.item).sort()).toEqual(['blue', 'red']);
    // A number is of one collection.
    expect((await asText('/metadata', { ids, indice_name: 'default' })).body).toEqual([]);
    expect((await asText('/metadata', { ids: [] })).body).toEqual([]);
  });

  it('are told what is wrong', async () => {
    expect(await asText('/knn-service', { indice_name: 'nothing', text: 'sea' })).toMatchObject({ status: 404, body: { message: expect.stringContaining('nothing') } });
    expect((await asText('/knn-service', { indice_name: 'gallery', text: '' })).body.message).toMatch(/text, image/);
    expect((await asText('/knn-service', { indice_name: 'gallery', text: 'a', num_images: -1 })).body.message).toMatch(/num_images/);
    expect((await asText('/knn-service', { indice_name: 'gallery', embedding_input: [1, 2] })).status).toBe(422);
    expect((await asText('/metadata', { indice_name: 'gallery', ids: Array<number>(1001).fill(1) })).body.message).toMatch(/ids: At most 1000/);
    expect((await asText('/knn-service', { text: 'sea' }, { origin: 'https://evil.example' })).status).toBe(403);
  });
});

describe('Where keys are set', () => {
  const key = { reader: 'a-reader-of-all', ofOne: 'a-reader-of-one' };
  let folder: string;
  let keyed: SmallService;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mixspace-wires-'));
    const file = path.join(folder, 'keys');
    await writeFile(file, `${key.reader} scope=read\n${key.ofOne} scope=read collection=ours\nthe-admin-of-all\n`);
    keyed = await startSmall({ small: readsTexts }, { MIXSPACE_API_KEYS_FILE: file, MIXSPACE_OPEN_WIRES: 'immich', MIXSPACE_ALIASES: 'XLM-Roberta-Large-Vit-B-32=small' });
    for (const name of ['ours', 'secret']) {
      await as('the-admin-of-all', 'POST', '/v1/collections', { name });
      await as('the-admin-of-all', 'POST', items(name), { items: [{ id: name, text: 'sea' }] });
    }
  });
  afterAll(async () => {
    await keyed.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const as = (given: string | undefined, method: string, at: string, body?: unknown): Promise<Answer> => call(keyed.server.url, method, at, body, given === undefined ? {} : { authorization: `Bearer ${given}` });

  const routes: [string, string, unknown?][] = [
    ['POST', '/api/embed', { model: 'small', input: 'sea' }],
    ['POST', '/api/embeddings', { model: 'small', prompt: 'sea' }],
    ['GET', '/api/tags'],
    ['GET', '/api/ps'],
    ['GET', '/api/version'],
    ['POST', '/api/show', { model: 'small' }],
    ['GET', '/indices-list'],
    ['POST', '/knn-service', { text: 'sea', indice_name: 'ours' }],
    ['POST', '/metadata', { ids: [], indice_name: 'ours' }],
  ];
  it.for(routes)('%s %s answers nobody without one', async ([method, at, body]) => {
    expect((await as(undefined, method, at, body)).status).toBe(401);
    expect((await as(key.reader, method, at, body)).status).toBe(200);
  });

  it('the client of Ollama sends one, and is told where it has none', async () => {
    const ollama = new Ollama({ host: keyed.server.url, headers: { Authorization: `Bearer ${key.reader}` } });
    expect((await ollama.embed({ model: 'small', input: 'sea' })).embeddings).toEqual([sea]);
    await expect(new Ollama({ host: keyed.server.url }).embed({ model: 'small', input: 'sea' })).rejects.toMatchObject({ status_code: 401, error: expect.stringContaining('API key') });
  });

  it('a key for one collection sees and searches that alone', async () => {
    expect((await as(key.reader, 'GET', '/indices-list')).body).toEqual(['default', 'ours', 'secret']);
    expect((await as(key.ofOne, 'GET', '/indices-list')).body).toEqual(['ours']);
    const found = await as(key.ofOne, 'POST', '/knn-service', { text: 'sea' });
    expect(found.body).toMatchObject([{ item: 'ours' }]);
    const [{ id }] = (await as(key.reader, 'POST', '/knn-service', { text: 'sea', indice_name: 'secret' })).body;
    for (const name of ['secret', 'nothing']) {
      expect((await as(key.ofOne, 'POST', '/knn-service', { text: 'sea', indice_name: name })).status).toBe(403);
      expect((await as(key.ofOne, 'POST', '/metadata', { ids: [id], indice_name: name })).status).toBe(403);
    }
    expect((await as(key.ofOne, 'POST', '/metadata', { ids: [id] })).body).toEqual([]);
  });

  it('what can send none is off, unless it was opened by name, and then reads alone', async () => {
    for (const at of ['/.well-known/ready', '/.well-known/live', '/meta']) expect((await as(undefined, 'GET', at)).status).toBe(404);
    expect((await as(undefined, 'POST', '/vectorize', { texts: ['sea'] })).status).toBe(404);
    expect((await as(undefined, 'GET', '/ping')).status).toBe(200);
    const read = await call(keyed.server.url, 'POST', '/predict', prediction(textual('XLM-Roberta-Large-Vit-B-32'), { text: 'sea' }));
    expect(JSON.parse(read.body.clip)).toEqual(sea);
    expect((await call(keyed.server.url, 'POST', '/predict', prediction(textual('XLM-Roberta-Large-Vit-B-32'), { text: 'sea' }), { origin: 'https://evil.example' })).status).toBe(403);
    expect((await as(undefined, 'POST', '/v1/embeddings', { input: 'sea' })).status).toBe(401);
  });
});
