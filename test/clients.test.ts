/** What clients of sister APIs send, as it was recorded from them: forms of inputs, names of fields, headers, and what they expect of errors and models. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { items, searchIn } from './api.js';
import { request } from './behind-nginx.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

const site = 'https://photos.example';
let service: SmallService;
let red: string;
let blue: string;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts, other: { ...readsTexts } }, { MIXSPACE_CORS_ORIGINS: site, MIXSPACE_ALIASES: 'text-embedding-3-small=small, ada=other, lost=nowhere, small=other' });
  [red, blue] = await Promise.all([flat(220, 20, 30), flat(10, 40, 230)]);
});
afterAll(() => service.remove());

const embeddings = async (body: object): Promise<number[][]> => {
  const answer = await service.post('/v1/embeddings', body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.data.map(({ embedding }: { embedding: number[] }) => embedding);
};
const refusal = async (body: object, at = '/v1/embeddings'): Promise<{ status: number; param: string | null; message: string }> => {
  const { status, body: told } = await service.post(at, body);
  return { status, param: told.error?.param, message: told.error?.message };
};

describe('An input', () => {
  it('is the same picture in every form in which clients send one', async () => {
    const uri = `data:image/png;base64,${red}`;
    const [image, other] = await embeddings({ input: [{ image: red }, { image: blue }] });
    expect(other).not.toEqual(image);
    const forms = [{ image: uri }, { bytes: red }, { url: uri }, { type: 'image_url', image_url: { url: uri, detail: 'low' } }, { type: 'image_url', image_url: uri }];
    expect(await embeddings({ input: forms })).toEqual(forms.map(() => image));
    expect(await embeddings({ input: [red, uri], modality: 'image' })).toEqual([image, image]);
    const classified = await service.post('/v1/classify', { input: forms, labels: ['a', 'b'] });
    const [first, ...others] = classified.body.data.map(({ predictions }: any) => predictions);
    expect(others).toEqual(others.map(() => first));
  });

  it('is the same picture in a query, alone and weighted', async () => {
    await service.collection('sought');
    await service.add('sought', [{ id: 'red', image: red }, { id: 'blue', image: blue }]);
    const uri = `data:image/png;base64,${red}`;
    const expected = await service.search('sought', { query: { image: red } });
    expect(expected[0]).toEqual(['red', expect.closeTo(1, 5)]);
    for (const form of [{ bytes: red }, { url: uri }, { type: 'image_url', image_url: { url: uri } }, { type: 'image_url', image_url: uri }, uri]) {
      expect(await service.search('sought', { query: form })).toEqual(expected);
      expect(await service.search('sought', { query: [{ input: form }] })).toEqual(expected);
    }
    const text = await service.search('sought', { query: 'a cat' });
    expect(await service.search('sought', { query: { type: 'text', text: 'a cat' } })).toEqual(text);
    expect((await service.post(searchIn('sought'), { query: { url: 'not base64!' } })).body.error.param).toBe('query.url');
  });

  it('is the same text, by itself and as a part', async () => {
    const [text, part] = await embeddings({ input: ['a cat', { type: 'text', text: 'a cat' }], modality: 'text' });
    expect(part).toEqual(text);
    expect(await embeddings({ input: 'a cat' })).toEqual([text]);
  });

  it.each([
    ['url', { url: 'not base64!' }, 'input[1].url'],
    ['bytes', { bytes: Buffer.from('no picture').toString('base64') }, 'input[1].bytes'],
    ['image_url', { type: 'image_url', image_url: { url: 'ftp://example.com/a.png' } }, 'input[1].image_url.url'],
  ])('that cannot be read is named as it was sent: %s', async (_, input, param) => {
    expect((await refusal({ input: ['x', input] })).param).toBe(param);
  });

  it('of no known form is refused by a sentence that tells the forms there are', async () => {
    for (const input of [[{ picture: red }], [{ text: 'a', image: red }], [{}], [true]]) {
      const { status, message } = await refusal({ input });
      expect(status, JSON.stringify(input).slice(0, 60)).toBe(400);
      expect(message).toMatch(/"text".*"image"|Unknown field/);
    }
    expect((await refusal({ input: [{ type: 'video_url', video_url: { url: 'x' } }] })).status).toBe(400);
  });

  it('as tokens is refused with the switch of the client that sends them', async () => {
    for (const input of [[[1, 2, 3]], [1, 2, 3]]) {
      const { status, message } = await refusal({ input });
      expect([status, message]).toEqual([422, expect.stringContaining('check_embedding_ctx_length=False')]);
    }
  });
});

describe('A field', () => {
  it('has the names that sister APIs give it, and null is none', async () => {
    const [plain] = await embeddings({ input: 'a cat' });
    const packed = Buffer.from(Float32Array.from(plain!).buffer).toString('base64');
    for (const name of ['encoding_format', 'embedding_type', 'encoding_type', 'output_dtype']) {
      expect((await service.post('/v1/embeddings', { input: 'a cat', [name]: 'base64' })).body.data[0].embedding, name).toBe(packed);
    }
    const nulls = { model: null, encoding_format: null, encoding_type: null, output_dtype: null, dimensions: null, output_dimension: null, modality: null, truncation: null, return_multivector: null, input_type: null, user: null };
    expect(await embeddings({ input: 'a cat', ...nulls })).toEqual([plain]);
    expect(await embeddings({ input: 'a cat', dimensions: 0, output_dimension: 0 })).toEqual([plain]);
    expect(await embeddings({ input: 'a cat', output_dimension: 4, input_type: 'document', prompt_name: 'query', task: 'retrieval.query', truncation: true, return_multivector: false })).toEqual([plain]);
    const [cut] = await embeddings({ input: 'a cat', output_dimension: 2, force_dimensions: true });
    expect(cut).toHaveLength(2);
    expect(Math.hypot(...cut!)).toBeCloseTo(1, 6);
  });

  it.each([
    [{ truncation: false }, 422, 'truncation'],
    [{ return_multivector: true }, 422, 'return_multivector'],
    [{ encoding_format: 'float', output_dtype: 'binary' }, 400, 'output_dtype'],
    [{ dimensions: 4, output_dimension: 2 }, 400, 'output_dimension'],
    [{ output_dtype: 'uint8' }, 400, 'output_dtype'],
    [{ output_dimension: -1 }, 400, 'output_dimension'],
    [{ output_dimension: 3 }, 422, 'dimensions'],
    [{ modality: 'sound' }, 400, 'modality'],
  ])('that says what is not done here is refused: %o', async (more, status, param) => {
    expect(await refusal({ input: 'a cat', ...more })).toMatchObject({ status, param });
  });
});

describe('A model', () => {
  it('answers to its aliases, and is told with them', async () => {
    const { body } = await service.get('/v1/models');
    expect(body.data.map(({ id, object, owned_by, aliases }: any) => ({ id, object, owned_by, aliases }))).toEqual([
      { id: 'small', object: 'model', owned_by: 'mixspace', aliases: ['text-embedding-3-small'] },
      { id: 'other', object: 'model', owned_by: 'mixspace', aliases: ['ada'] },
    ]);
    for (const { created } of body.data) expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(3600);
    const client = new OpenAI({ baseURL: `${service.server.url}/v1`, apiKey: 'any' });
    const made = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a cat'] });
    expect([made.model, made.data[0]!.embedding.length]).toEqual(['small', 4]);
    expect(await client.models.retrieve('text-embedding-3-small')).toMatchObject({ id: 'small', owned_by: 'mixspace' });
    expect(await client.models.retrieve('other')).toMatchObject({ id: 'other' });
    const collection = await service.post('/v1/collections', { name: 'by-alias', model: 'ada' });
    expect(collection.body.model).toBe('other');
  });

  it('that is not there is named, with what an alias stands for', async () => {
    expect(await refusal({ input: 'a', model: 'lost' })).toMatchObject({ status: 404, param: 'model', message: expect.stringMatching(/no model "nowhere", which "lost" stands for; there are other, small/) });
    const { status, body } = await service.get('/v1/models/nothing');
    expect([status, body.error.param]).toEqual([404, 'id']);
  });
});

describe('An error', () => {
  it('is told where clients of OpenAI and where those of Jina look', async () => {
    const { status, body } = await service.post('/v1/embeddings', {});
    expect(status).toBe(400);
    expect(body.detail).toBe(body.error.message);
    const failed = await service.post('/v1/classify', { input: 'x' });
    expect(failed.body.detail).toBe(failed.body.error.message);
  });

  it('names the whole path that is not there', async () => {
    expect((await service.get('/v1/nothing/here?x=1')).body.error.message).toMatch(/nothing at \/v1\/nothing\/here;/);
    expect((await service.get('/nowhere')).body.error.message).toMatch(/nothing at \/nowhere;/);
  });
});

describe('A request', () => {
  const sent = (method: string, at: string, headers: Record<string, string>, body?: string): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: any }> =>
    new Promise((resolve, reject) => {
      const asked = request(service.server.url + at, { method, headers }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('end', () => {
          const text = Buffer.concat(pieces).toString();
          resolve({ status: response.statusCode!, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) });
        });
      });
      asked.once('error', reject);
      asked.end(body);
    });

  it('of JSON that says no content type is read as JSON', async () => {
    const body = JSON.stringify({ input: 'a cat' });
    const { status, body: answer } = await sent('POST', '/v1/embeddings', { 'content-length': String(body.length) }, body);
    expect(status).toBe(200);
    expect([answer.data[0].embedding]).toEqual(await embeddings({ input: 'a cat' }));
    expect((await sent('POST', '/v1/embeddings', { 'content-length': '3' }, 'xyz')).status).toBe(400);
    expect((await sent('POST', '/v1/embeddings', { 'content-type': 'text/plain', 'content-length': String(body.length) }, body)).status).toBe(400);
  });

  it("of an allowed page may carry the SDK's own headers; of any other none", async () => {
    const asks = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,x-stainless-os,x-stainless-retry-count' };
    const allowed = await sent('OPTIONS', '/v1/embeddings', { origin: site, ...asks });
    expect([allowed.status, allowed.headers['access-control-allow-headers']]).toEqual([204, asks['access-control-request-headers']]);
    const crooked = await sent('OPTIONS', '/v1/embeddings', { origin: site, ...asks, 'access-control-request-headers': 'x-a: b; c' });
    expect(crooked.headers['access-control-allow-headers']).toBe('Authorization, Content-Type, Last-Event-ID');
    const foreign = await sent('OPTIONS', items(), { origin: 'https://elsewhere.example', ...asks });
    expect([foreign.status, foreign.headers['access-control-allow-headers']]).toEqual([403, undefined]);
  });
});
