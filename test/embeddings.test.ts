import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, type Answer } from './api.js';
import { drawn } from './pictures.js';
import { bundled, startServer, type RunningServer } from './server.js';

let server: RunningServer;
beforeAll(async () => {
  // Each answer is made afresh.
  server = await startServer({ env: { ...bundled, MIXSPACE_CACHE: '0' } });
});
afterAll(() => server.remove());

const embed = (body: unknown): Promise<Answer> => call(server.url, 'POST', '/v1/embeddings', body);
const length = (vector: number[]): number => Math.hypot(...vector);

describe('POST /v1/embeddings', () => {
  it('embeds texts and pictures into one space, normalised, in the order sent', async () => {
    const { status, body } = await embed({ input: ['a red circle', { image: base64(await drawn(1)) }, { text: 'ein Hund' }, ''] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: 'list', model: expect.any(String), fingerprint: expect.any(String) });
    expect(body.data.map((each: any) => each.index)).toEqual([0, 1, 2, 3]);
    for (const { embedding } of body.data) expect(length(embedding)).toBeCloseTo(1, 5);
    expect(body.usage.prompt_tokens).toBeGreaterThan(4);
  });

  it('answers the unmodified openai package with the vectors that "float" gives', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused' });
    const input = ['a photo of a dog', '一只猫', 'x'.repeat(3000)];
    const viaPackage = await client.embeddings.create({ model: '', input }).catch(() => undefined);
    expect(viaPackage, 'an empty model name is no model').toBeUndefined();
    const [model] = (await client.models.list()).data;
    const asBase64 = await client.embeddings.create({ model: model!.id, input, user: 'someone' });
    const plain = await embed({ model: model!.id, input, encoding_format: 'float' });
    expect(asBase64.data.map((each) => Array.from(each.embedding))).toEqual(plain.body.data.map((each: any) => each.embedding));
    expect(plain.body.data[2].truncated).toBe(true);
    expect(plain.body.data[0].truncated).toBeUndefined();
  });

  it('gives an input the same embedding alone and beside any others', async () => {
    const picture = base64(await drawn(7));
    const alone = (await embed({ input: [{ image: picture }, 'a tree'] })).body.data;
    const others = await Promise.all([1, 2, 3, 4, 5].map(async (seed) => ({ image: base64(await drawn(seed, 'jpeg')) })));
    const beside = (await embed({ input: [...others, { image: picture }, 'word '.repeat(60), 'a tree'] })).body.data;
    const apart = (a: number[], b: number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(apart(alone[0].embedding, beside[5].embedding)).toBeLessThanOrEqual(1e-5);
    expect(apart(alone[1].embedding, beside[7].embedding)).toBeLessThanOrEqual(1e-5);
  });

  it('takes the fields that OpenAI and Jina clients send, and the native number of dimensions', async () => {
    const { body } = await call(server.url, 'GET', '/v1/models');
    const dimensions = body.data[0].dimensions;
    const sent = await embed({ input: ['a'], dimensions, task: 'retrieval.query', truncate: true, late_chunking: false, embedding_type: 'base64', user: 'u', normalized: true });
    expect(sent.status).toBe(200);
    expect(Buffer.from(sent.body.data[0].embedding, 'base64').length).toBe(dimensions * 4);
  });

  it.each([
    ['an unknown field', { input: 'a', colour: 1 }, 400, 'colour'],
    ['no input', {}, 400, 'input'],
    ['an empty list', { input: [] }, 400, 'input'],
    ['too many inputs', { input: Array(2049).fill('a') }, 413, 'input'],
    ['an unknown field of an input', { input: ['a', { text: 'a', colour: 1 }] }, 400, 'input[1].colour'],
    ['both text and image', { input: [{ text: 'a', image: 'b' }] }, 400, 'input[0]'],
    ['a number as an input', { input: ['a', 3] }, 400, 'input[1]'],
    ['token arrays', { input: [[1, 2, 3]] }, 422, 'input[0]'],
    ['a bare token array', { input: [1, 2, 3] }, 422, 'input'],
    ['an unknown model', { input: 'a', model: 'no-such' }, 404, undefined],
    ['other dimensions', { input: 'a', dimensions: 3 }, 422, 'dimensions'],
    ['a picture that is none', { input: ['a', { image: base64(Buffer.from('not a picture at all')) }] }, 415, 'input[1].image'],
    ['what is not base64', { input: ['a', { image: '%%%' }] }, 400, 'input[1].image'],
    ['a text over 1 MB', { input: ['a'.repeat(1_000_001)] }, 413, 'input[0]'],
  ])('refuses %s and names it', async (_what, body, status, param) => {
    const answer = await embed(body);
    expect([answer.status, answer.body]).toMatchObject([status, { error: { message: expect.stringMatching(/\.$/), type: expect.any(String), code: expect.any(String) } }]);
    if (param !== undefined) expect(answer.body.error.param).toBe(param);
  });
});

describe('POST /v1/classify', () => {
  const classify = (body: unknown): Promise<Answer> => call(server.url, 'POST', '/v1/classify', body);

  it('tells a text among labels with probabilities that add up to one', async () => {
    const { status, body } = await classify({ input: ['a photo of a dog', { text: 'a red sports car' }], labels: ['dog', 'car', { name: 'food', prompts: ['a pizza', 'a plate of noodles'] }] });
    expect(status).toBe(200);
    expect(body.data.map((each: any) => each.prediction)).toEqual(['dog', 'car']);
    for (const each of body.data) {
      expect(each.predictions).toHaveLength(3);
      expect(each.predictions.reduce((sum: number, { score }: any) => sum + score, 0)).toBeCloseTo(1, 6);
      expect(each.score).toBe(each.predictions[0].score);
    }
  });

  it('takes as many labels as it says, in all templates of the model: more prompts than may wait at once', async () => {
    const labels = Array.from({ length: 1_000 }, (_, index) => `thing ${index}`);
    const { status, body } = await classify({ input: 'a thing', labels, top_k: 1 });
    expect(status).toBe(200);
    expect(labels).toContain(body.data[0].prediction);
  });

  it('says none of these below the threshold, and cuts to top_k', async () => {
    const { body } = await classify({ input: 'a dog', labels: ['dog', 'cat'], threshold: 1, top_k: 1, templates: ['{label}', 'a {}'] });
    expect(body.data[0]).toMatchObject({ prediction: null });
    expect(body.data[0].predictions).toHaveLength(1);
  });

  it.each([
    ['sigmoid without a trained bias', { input: 'a', labels: ['b'], activation: 'sigmoid' }, 422, 'activation'],
    ['a template without a place', { input: 'a', labels: ['b'], templates: ['a photo'] }, 400, 'templates[0]'],
    ['too many labels', { input: 'a', labels: Array.from({ length: 1001 }, (_, i) => `l${i}`) }, 413, 'labels'],
    ['a label twice', { input: 'a', labels: ['b', 'b'] }, 400, 'labels[1]'],
    ['a bad picture', { input: [{ image: base64(Buffer.from('no')) }], labels: ['b'] }, 415, 'input[0].image'],
  ])('refuses %s', async (_what, body, status, param) => {
    const answer = await classify(body);
    expect([answer.status, answer.body.error?.param]).toEqual([status, param]);
  });
});
