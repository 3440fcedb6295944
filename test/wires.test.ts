/** The protocols of other services, as their clients speak them: what a client that exists is answered, and what it is to know of errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, type Answer } from './api.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

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
  ];
  it.for(routes)('%s %s answers nobody without one', async ([method, at, body]) => {
    expect((await call(keyed.server.url, method, at, body)).status).toBe(401);
    expect((await call(keyed.server.url, method, at, body, { authorization: 'Bearer a-key' })).status).toBe(200);
    expect((await call(keyed.server.url, method, at, body, { authorization: 'Bearer a-key', origin: 'https://evil.example' })).status).toBe(403);
  });
});
