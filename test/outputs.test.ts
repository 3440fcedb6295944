import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeEmbedding, differingBits, fromInt8, MixspaceClient } from '../src/client/index.js';
import { encoded } from '../src/operations/embed/encoding-formats.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { drawn } from './pictures.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

const fixture = path.join(repository, 'test/fixtures/reference/clip-tiny');
let folder: string;
let server: RunningServer;
let client: MixspaceClient;

/** clip-tiny under another name, with something more said in one of its files. */
async function packageAs(name: string, file?: 'config.json' | 'model.json', more?: object): Promise<void> {
  const target = path.join(folder, 'models', name);
  await cp(fixture, target, { recursive: true, filter: (from) => !/(onnx|golden)$/.test(from) });
  await symlink(path.join(fixture, 'onnx'), path.join(target, 'onnx'));
  if (file === undefined) return;
  const there = file === 'config.json' ? (JSON.parse(await readFile(path.join(target, file), 'utf8')) as object) : {};
  await writeFile(path.join(target, file), JSON.stringify({ ...there, ...more }));
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-outputs-'));
  await packageAs('nested', 'model.json', { matryoshka_dimensions: [64, 16, 32] });
  await packageAs('jinas', 'config.json', { matryoshka_dimensions: [8, 16], truncate_dim: null });
  await packageAs('plain', 'config.json', { matryoshka_dimensions: null });
  await packageAs('wrong', 'model.json', { matryoshka_dimensions: '64' });
  server = await startServer({ env: { MIXSPACE_MODELS_DIR: path.join(folder, 'models'), MIXSPACE_MODEL: 'nested', MIXSPACE_WORKERS: '1' } });
  client = new MixspaceClient({ url: server.url });
});
afterAll(async () => {
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

const embed = (body: object): Promise<Answer> => call(server.url, 'POST', '/v1/embeddings', body);
const numbers = async (body: object): Promise<number[]> => (await embed(body)).body.data[0].embedding;

/** The first numbers at length 1, in double precision. */
function cut(embedding: number[], dimensions: number): number[] {
  const first = embedding.slice(0, dimensions);
  const length = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0));
  return first.map((value) => value / length);
}

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, most = 1e-6): void {
  expect(found.length).toBe(wanted.length);
  expect(Math.max(...Array.from(found, (value, i) => Math.abs(value - wanted[i]!)))).toBeLessThanOrEqual(most);
}

describe('dimensions', () => {
  it('gives the first numbers, normalised again, of texts and pictures', async () => {
    const input = ['a dog', { image: base64(await drawn(3)) }];
    const whole = (await embed({ input })).body.data;
    const { status, body } = await embed({ input, dimensions: 16 });
    expect(status).toBe(200);
    for (const [index, { embedding }] of body.data.entries()) expectNear(embedding, cut(whole[index].embedding, 16));
  });

  it('takes what the package says the model was trained for, its own number always, and tells them with the model', async () => {
    await vi.waitFor(async () => expect((await client.models()).map(({ self_test: test }) => test.status)).not.toContain('pending'), { timeout: 40_000 });
    const told = Object.fromEntries((await client.models()).map((model) => [model.id, model.matryoshka_dimensions]));
    expect(told).toEqual({ nested: [16, 32, 64], jinas: [8, 16], plain: undefined, wrong: undefined });
    const own = await numbers({ input: 'a', model: 'plain' });
    expect(await numbers({ input: 'a', model: 'plain', dimensions: 64 })).toEqual(own);
    expect(await numbers({ input: 'a', model: 'jinas', dimensions: 8 })).toHaveLength(8);
    await expect.poll(() => server.logs()).toMatch(/"wrong".*model\.json.*matryoshka_dimensions/);
  });

  it.each([
    ['what a model was not trained for', { model: 'nested', dimensions: 63 }, /gives 64 dimensions, not 63\. It was trained to be cut to 16, 32: .* force/],
    ['any cut of a model that was not trained for one', { model: 'plain', dimensions: 16 }, /not trained to be cut.*force/],
    ['more than there are', { model: 'jinas', dimensions: 65 }, /gives 64 dimensions, not 65\. It was trained to be cut to 8, 16: ask for one of these\.$/],
    ['more than there are, even forced', { model: 'plain', dimensions: 65, force_dimensions: true }, /leave `dimensions` out\.$/],
  ])('refuses %s with what is allowed', async (_what, body, message) => {
    const answer = await embed({ input: 'a', ...body });
    expect([answer.status, answer.body.error]).toMatchObject([422, { param: 'dimensions', message: expect.stringMatching(message) }]);
  });

  it('gives any number below its own when forced', async () => {
    const whole = await numbers({ input: 'a tree', model: 'plain' });
    expectNear(await numbers({ input: 'a tree', model: 'plain', dimensions: 27, force_dimensions: true }), cut(whole, 27));
  });

  it('makes another space of it, which no collection takes for its own', async () => {
    const whole = (await embed({ input: 'a dog' })).body;
    const short = (await embed({ input: 'a dog', dimensions: 16 })).body;
    expect(short.fingerprint).toBe(`${whole.fingerprint}-d16`);
    const embedding = short.data[0].embedding as number[];
    const padded = [...embedding, ...Array<number>(48).fill(0)];
    const sent = await call(server.url, 'POST', items(), { items: [{ embedding: padded, modality: 'text', fingerprint: short.fingerprint }, { embedding, modality: 'text' }, { embedding: whole.data[0].embedding, modality: 'text', fingerprint: whole.fingerprint }] });
    expect(sent.body.items.map((each: any) => [each.status, each.error?.code])).toEqual([['failed', 'conflict'], ['failed', 'unprocessable'], ['created', undefined]]);
    const sought = await call(server.url, 'POST', searchIn(), { query: { embedding, fingerprint: short.fingerprint } });
    expect([sought.status, sought.body.error.param]).toEqual([409, 'query.fingerprint']);
    expect((await call(server.url, 'POST', searchIn(), { query: { embedding } })).status).toBe(422);
  });

  it('works through the unmodified openai package', async () => {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused' });
    const { data } = await openai.embeddings.create({ model: 'nested', input: ['a dog', 'a cat'], dimensions: 32 });
    const plain = await embed({ model: 'nested', input: ['a dog', 'a cat'], dimensions: 32 });
    expect(data.map((each) => Array.from(each.embedding))).toEqual(plain.body.data.map((each: any) => each.embedding));
    await expect(openai.embeddings.create({ model: 'nested', input: 'a', dimensions: 65 })).rejects.toMatchObject({ status: 422, param: 'dimensions' });
  });
});

describe('encoding_format', () => {
  it('packs bits and rounds as computed by hand', () => {
    const embedding = Float32Array.of(0.5, -0.5, 0, 0.25, -0.004, 0.001, 1, -1, 0.1, -0.1);
    // Above zero: 1 0 0 1 0 1 1 0 | 1 0, filled up with zeros.
    expect(encoded(embedding, 'ubinary')).toEqual([0b10010110, 0b10000000]);
    expect(encoded(embedding, 'binary')).toEqual([150 - 128, 128 - 128]);
    expect(encoded(embedding, 'int8')).toEqual([64, -63, 0, 32, -1, 0, 127, -127, 13, -13]);
    expect(encoded(Float32Array.of(1, -2), 'base64')).toBe('AACAPwAAAMA=');
  });

  it('gives each encoding of the same numbers, cut ones as well', async () => {
    for (const dimensions of [64, 27]) {
      const ask = { input: ['a red bicycle'], dimensions, force_dimensions: true };
      const float = await numbers(ask);
      const bits = float.map((value) => (value > 0 ? '1' : '0')).join('').padEnd(Math.ceil(dimensions / 8) * 8, '0');
      const bytes = bits.match(/.{8}/g)!.map((each) => Number.parseInt(each, 2));
      expect(bytes.length).toBe(Math.ceil(dimensions / 8));
      expect(await numbers({ ...ask, encoding_format: 'ubinary' })).toEqual(bytes);
      expect(await numbers({ ...ask, embedding_type: 'binary' })).toEqual(bytes.map((byte) => byte - 128));
      const int8 = await numbers({ ...ask, encoding_format: 'int8' });
      expectNear(int8.map((value) => value / 127), float, 0.5 / 127 + 1e-7);
      const text = (await embed({ ...ask, encoding_format: 'base64' })).body.data[0].embedding as string;
      const buffer = Buffer.from(text, 'base64');
      expect(Array.from({ length: buffer.length / 4 }, (_, i) => buffer.readFloatLE(4 * i))).toEqual(float);
    }
  });

  it('gives several at once by name, as a list asks', async () => {
    const input = ['a', 'b'];
    const { body } = await embed({ input, embedding_type: ['float', 'base64', 'binary'] });
    for (const [index, { embedding }] of body.data.entries()) {
      expect(Object.keys(embedding)).toEqual(['float', 'base64', 'binary']);
      for (const name of Object.keys(embedding)) expect(embedding[name]).toEqual((await embed({ input, encoding_format: name })).body.data[index].embedding);
    }
  });

  it('is decoded by the typed client, whichever it is', async () => {
    const input = ['a dog in the snow', 'two dogs'];
    const [one, two] = await client.embeddings({ input, encoding_format: 'float' });
    expect(one).toBeInstanceOf(Float32Array);
    expect(await client.embeddings({ input })).toEqual([one, two]);
    const int8 = await client.embeddings({ input, encoding_format: 'int8' });
    expect(int8[0]).toBeInstanceOf(Int8Array);
    expectNear(fromInt8(int8[0]!), one!, 0.5 / 127 + 1e-7);
    const signs = one!.reduce((count, value, i) => count + Number(value > 0 !== two![i]! > 0), 0);
    expect(signs).toBeGreaterThan(0);
    const [binary, ubinary] = [await client.embeddings({ input, encoding_format: 'binary' }), await client.embeddings({ input, encoding_format: 'ubinary' })];
    expect([differingBits(binary[0]!, binary[1]!), differingBits(ubinary[0]!, ubinary[1]!)]).toEqual([signs, signs]);
    const several = await client.embed({ input: 'a dog in the snow', encoding_format: ['base64', 'ubinary'] });
    expect(decodeEmbedding(several.data[0]!.embedding, 'base64')).toEqual(one);
    expect(decodeEmbedding(several.data[0]!.embedding, 'ubinary')).toEqual(ubinary[0]);
    expect(() => decodeEmbedding(several.data[0]!.embedding, 'int8')).toThrow(TypeError);
  });

  it.each([
    ['an encoding there is not', { encoding_format: 'uint4' }, 400, 'encoding_format', /"float", "base64", "int8", "binary", "ubinary"/],
    ['one in a list', { embedding_type: ['float', 'uint4'] }, 400, 'embedding_type[1]', /"ubinary"/],
    ['an empty list', { embedding_type: [] }, 400, 'embedding_type', /./],
    ['two names that disagree', { encoding_format: 'base64', embedding_type: 'binary' }, 400, 'embedding_type', /"binary".*"base64"/],
    ['int8 of what is not normalised', { encoding_format: ['float', 'int8'], normalized: false }, 422, 'normalized', /int8/],
  ])('refuses %s', async (_what, body, status, param, message) => {
    const answer = await embed({ input: 'a', ...body });
    expect([answer.status, answer.body.error]).toMatchObject([status, { param, message: expect.stringMatching(message) }]);
  });
});

describe('normalized: false', () => {
  it('gives what the tower gave, at the length it had', async () => {
    const [golden] = JSON.parse(await readFile(path.join(fixture, 'golden/texts.json'), 'utf8')) as { text: string; input_ids: number[] }[];
    const session = await InferenceSession.create(path.join(fixture, 'onnx/text_model.onnx'));
    const ids = BigInt64Array.from(golden!.input_ids, BigInt);
    const feeds = { input_ids: new Tensor('int64', ids, [1, ids.length]), attention_mask: new Tensor('int64', ids.map(() => 1n), [1, ids.length]) };
    const wanted = (await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name as keyof typeof feeds]]))))['text_embeds']!.data as Float32Array;
    expect(Math.abs(Math.hypot(...wanted) - 1)).toBeGreaterThan(0.1);

    const input = [golden!.text, { image: base64(await drawn(8)) }];
    const { body } = await embed({ input, normalized: false });
    expectNear(body.data[0].embedding, wanted, 1e-5);
    expect(Math.abs(Math.hypot(...body.data[1].embedding) - 1)).toBeGreaterThan(0.1);
    const short = (await embed({ input, normalized: false, dimensions: 16 })).body;
    expect(short.data.map((each: any) => each.embedding)).toEqual(body.data.map((each: any) => each.embedding.slice(0, 16)));
    expect(short.fingerprint).toBe(`${body.fingerprint}-d16`);
  });

  it('has the direction, and so the space, of the normalised one', async () => {
    const [raw, plain] = [await embed({ input: 'a dog', normalized: false }), await embed({ input: 'a dog' })];
    expect(raw.body.fingerprint).toBe(plain.body.fingerprint);
    expectNear(cut(raw.body.data[0].embedding, 64), plain.body.data[0].embedding);
  });
});

describe('mixspace embed', () => {
  const run = (...args: string[]) => runMixspace(['embed', ...args], { MIXSPACE_URL: server.url });

  it('prints a line of JSON for each text and picture, encoded and cut as asked', async () => {
    const file = path.join(folder, 'drawn.png');
    await writeFile(file, await drawn(5));
    const { code, stdout } = await run('a dog', file, '--dimensions', '16', '--encoding', 'int8');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    const { body } = await embed({ input: ['a dog', { image: base64(await drawn(5)) }], dimensions: 16, encoding_format: 'int8' });
    expect(lines).toEqual(['a dog', file].map((input, index) => ({ input, model: body.model, fingerprint: body.fingerprint, embedding: body.data[index].embedding })));
  });

  it('names what cannot be embedded, embeds the rest, and exits with 1', async () => {
    const bad = path.join(folder, 'bad.png');
    await writeFile(bad, 'no picture');
    const { code, stdout, stderr } = await run('before', bad, path.join(folder, 'missing.jpg'), 'after');
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line).input)).toEqual(['before', 'after']);
    expect(stderr).toContain(`mixspace: ${bad}: `);
    expect(stderr).toMatch(/missing\.jpg.*cannot be read/);
    expect((await run('--text', bad)).code).toBe(0);
  });

  it('passes on what the service refuses as a whole', async () => {
    expect(await run('a', '--dimensions', '65')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('16, 32') });
    expect(await run('a', '--dimensions', '17', '--force-dimensions', '--raw')).toMatchObject({ code: 0 });
    expect(await run('a', '--encoding', 'uint4')).toMatchObject({ code: 2 });
  });
});
