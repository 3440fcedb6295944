/** The protocols of other services, as their clients speak them: what a client that exists is answered, and what it is to know of errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type Answer } from './api.js';
import { dot, flat, readsTexts, startSmall, unit, type SmallService } from './small-service.js';

let service: SmallService;
let red: string;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts });
  red = await flat(220, 20, 30);
});
afterAll(() => service.remove());

const post = (at: string, body: unknown): Promise<Answer> => service.post(at, body);

describe('Text Embeddings Inference', () => {
  it('embeds one text and many, pictures too, as /v1/embeddings does', async () => {
    const [sea, land, picture] = await Promise.all([service.embed('sea'), service.embed('land'), service.embed({ image: red })]);
    expect((await post('/embed', { inputs: 'sea', truncate: true, normalize: true })).body).toEqual([sea]);
    expect((await post('/embed', { inputs: ['sea', { image: red }, 'land'] })).body).toEqual([sea, picture, land]);
    expect((await post('/', { inputs: ['land'] })).body).toEqual([land]);
  });

  it('tells what it serves, and errors in its own form', async () => {
    expect((await service.get('/info')).body).toMatchObject({ model_id: 'small', model_type: { embedding: { pooling: expect.any(String) } }, max_input_length: 77, max_client_batch_size: 2048 });
    expect((await service.get('/health')).status).toBe(200);
    expect(await post('/embed', { inputs: ['sea', { image: 'bm90IGEgcGljdHVyZQ==' }] })).toMatchObject({ status: 415, body: { error: expect.any(String), error_type: 'Validation' } });
    expect(await post('/embed', { inputs: [] })).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^inputs: /), error_type: 'Validation' } });
  });
});

describe('Cohere', () => {
  it('embeds texts, pictures and several parts as one, in each of its types', async () => {
    const [sea, picture] = [await service.embed('sea'), await service.embed({ image: red })];
    const texts = await post('/v2/embed', { model: 'small', input_type: 'search_query', texts: ['sea'], embedding_types: ['float', 'int8', 'uint8', 'ubinary', 'base64'], truncate: 'END' });
    const int8 = sea.map((value) => Math.round(value * 127));
    expect(texts.body).toMatchObject({ texts: ['sea'], embeddings: { float: [sea], int8: [int8.map((value) => value + 0)], uint8: [int8.map((value) => value + 128)], base64: [Buffer.from(Float32Array.from(sea).buffer).toString('base64')] } });
    expect(texts.body.embeddings.ubinary).toEqual([[sea.reduce((bits, value, i) => bits | (value > 0 ? 0x80 >> i : 0), 0)]]);
    expect((await post('/v2/embed', { model: 'small', input_type: 'image', images: [`data:image/png;base64,${red}`] })).body.embeddings).toEqual({ float: [picture] });
    const both = await post('/v2/embed', { model: 'small', inputs: [{ content: [{ type: 'text', text: 'sea' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${red}` } }] }] });
    const sum = unit(sea.map((value, i) => value + picture[i]!));
    expect(both.body.meta.warnings).toHaveLength(1);
    both.body.embeddings.float[0].forEach((value: number, i: number) => expect(value).toBeCloseTo(sum[i]!, 6));
  });

  it('says what is wrong as its client reads it', async () => {
    for (const [body, status, says] of [
      [{ model: 'small' }, 400, /^One of texts, images and inputs/],
      [{ model: 'small', texts: ['a'], images: ['b'] }, 400, /^One of texts, images and inputs/],
      [{ model: 'other', texts: ['a'] }, 404, /other/],
      [{ model: 'small', texts: ['a'], truncate: 'START' }, 422, /END or NONE/],
      [{ model: 'small', texts: ['many words '.repeat(100)], truncate: 'NONE' }, 422, /longer than the model reads/],
    ] as const) expect(await post('/v2/embed', body)).toMatchObject({ status, body: { message: expect.stringMatching(says) } });
  });
});

describe('Voyage', () => {
  it('embeds what its inputs hold as one each', async () => {
    const [sea, picture] = [await service.embed('sea'), await service.embed({ image: red })];
    const uri = `data:image/png;base64,${red}`;
    const { body } = await post('/v1/multimodalembeddings', { model: 'small', input_type: null, truncation: true, output_dtype: null, output_dimension: null, inputs: [{ content: [{ type: 'text', text: 'sea' }] }, { content: [{ type: 'image_base64', image_base64: uri }] }, { content: [{ type: 'text', text: 'sea' }, { type: 'image_url', image_url: uri }] }] });
    expect(body.data.map(({ index, mixed, embedding }: any) => [index, mixed, embedding.length])).toEqual([[0, undefined, 4], [1, undefined, 4], [2, true, 4]]);
    expect(body.data.slice(0, 2).map(({ embedding }: any) => embedding)).toEqual([sea, picture]);
    expect(dot(body.data[2].embedding, unit(sea.map((value, i) => value + picture[i]!)))).toBeCloseTo(1, 6);
    expect(body.usage).toMatchObject({ text_tokens: expect.any(Number), image_pixels: 0, total_tokens: expect.any(Number) });
  });

  it('says what is wrong, and in which input', async () => {
    expect(await post('/v1/multimodalembeddings', { model: 'small', inputs: [{ content: [{ type: 'text', text: 'sea' }, { type: 'image_base64', image_base64: 'bm9uZQ==' }] }] })).toMatchObject({ status: 415, body: { detail: expect.any(String), error: { param: 'inputs[0].content[1].image' } } });
    expect(await post('/v1/multimodalembeddings', { model: 'small', inputs: [{ content: [{ type: 'video_url', video_url: 'x' }] }] })).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/^inputs\[0\]\.content\[0\]\.type: A part is/) } });
  });
});

describe('Reranking', () => {
  it('ranks texts and pictures by what they have to do with a query, for each of the clients', async () => {
    const documents = ['land', { image: red }, 'sea', { text: 'zebra and zoo' }];
    const asked = await service.embed('sea');
    const cosines = await Promise.all(documents.map(async (each) => dot(asked, await service.embed(each))));
    const ranked = cosines.map((cosine, index) => ({ index, relevance_score: (1 + cosine) / 2 })).sort((a, b) => b.relevance_score - a.relevance_score);
    const { body } = await post('/v1/rerank', { model: 'small', query: 'sea', documents, top_n: null, return_documents: true });
    body.results.forEach((each: any, i: number) => {
      expect(each.index).toBe(ranked[i]!.index);
      expect(each.relevance_score).toBeCloseTo(ranked[i]!.relevance_score, 6);
    });
    expect(body.results[0]).toMatchObject({ index: 2, document: { text: 'sea' } });
    expect(body.data[0]).toMatchObject({ index: 2, document: 'sea' });
    const few = await Promise.all([post('/v1/rerank', { query: 'sea', documents, top_n: 2 }), post('/v1/rerank', { query: 'sea', documents, top_k: 2 }), post('/v2/rerank', { model: 'small', query: 'sea', documents, top_n: 2 })]);
    for (const { body: short } of few) expect(short.results.map(({ index }: any) => index)).toEqual(ranked.slice(0, 2).map(({ index }) => index));
    expect(await post('/v2/rerank', { query: 'sea', documents: ['a', { image: 'bm9uZQ==' }] })).toMatchObject({ status: 415, body: { message: expect.any(String), detail: expect.any(String), error: { param: 'documents[1].image' } } });
  });
});

describe('Messages on /v1/embeddings', () => {
  it('are one input, as vLLM takes them', async () => {
    const uri = `data:image/png;base64,${red}`;
    const messages = (content: unknown): object => ({ model: 'small', messages: [{ role: 'user', content }], encoding_format: 'float' });
    const embed = async (content: unknown): Promise<number[]> => (await post('/v1/embeddings', messages(content))).body.data[0].embedding;
    expect(await embed('sea')).toEqual(await service.embed('sea'));
    expect(await embed([{ type: 'image_url', image_url: { url: uri } }])).toEqual(await service.embed({ image: red }));
    expect(await embed([{ type: 'image_url', image_url: { url: uri } }, { type: 'text', text: 'sea' }])).toEqual(await service.embed({ content: [{ image: red }, 'sea'] }));
    expect((await post('/v1/embeddings', { model: 'small' })).body.error).toMatchObject({ param: 'input', message: 'input: It is missing.' });
    expect((await post('/v1/embeddings', { ...messages('sea'), input: 'sea' })).body.error).toMatchObject({ param: 'messages' });
    expect((await post('/v1/embeddings', { model: 'small', input: [{ content: Array.from({ length: 65 }, () => 'a') }] })).body.error).toMatchObject({ param: 'input[0].content' });
    expect((await post('/v1/embeddings', { model: 'small', input: Array.from({ length: 33 }, () => ({ content: Array.from({ length: 64 }, () => 'a') })) })).status).toBe(413);
  });
});

describe('Where keys are set', () => {
  let keyed: SmallService;
  beforeAll(async () => {
    keyed = await startSmall({ small: readsTexts }, { MIXSPACE_API_KEYS: 'a-key' });
  });
  afterAll(() => keyed.remove());

  // Of every wire: a route, and something that it would take.
  const routes: [string, string, unknown?][] = [
    ['POST', '/embed', { inputs: 'sea' }],
    ['POST', '/', { inputs: 'sea' }],
    ['GET', '/info'],
    ['POST', '/v2/embed', { texts: ['sea'] }],
    ['POST', '/v1/multimodalembeddings', { inputs: [{ content: [{ type: 'text', text: 'sea' }] }] }],
    ['POST', '/v1/rerank', { query: 'sea', documents: ['land'] }],
    ['POST', '/v2/rerank', { query: 'sea', documents: ['land'] }],
  ];
  it.for(routes)('%s %s answers nobody without one', async ([method, at, body]) => {
    expect((await call(keyed.server.url, method, at, body)).status).toBe(401);
    expect((await call(keyed.server.url, method, at, body, { authorization: 'Bearer a-key' })).status).toBe(200);
    expect((await call(keyed.server.url, method, at, body, { authorization: 'Bearer a-key', origin: 'https://evil.example' })).status).toBe(403);
  });
});
