/** What is computed, by its numbers: against what is reckoned here from single embeddings. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEncoder } from '../src/encoder/open.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { base64, call, items, searchIn } from './api.js';
import { onnxFile } from './onnx.js';
import { repository } from './server.js';
import { dot, flat, readsTexts, startSmall, unit, type Package, type SmallService } from './small-service.js';
import { imageWeights } from './small-towers.js';

/** Takes the roots of the three planes' means: a picture darker than the middle grey has none. */
const rootsOfLight: Package = {
  ...readsTexts,
  'preprocessor_config.json': { size: { shortest_edge: 8 }, crop_size: { height: 8, width: 8 }, resample: 3, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
  'onnx/vision_model.onnx': onnxFile({
    inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', 3, 8, 8] }],
    outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', 4] }],
    nodes: [
      { op: 'GlobalAveragePool', inputs: ['pixel_values'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
      { op: 'Sqrt', inputs: ['means'], outputs: ['roots'] },
      { op: 'MatMul', inputs: ['roots', 'weights'], outputs: ['image_embeds'] },
    ],
    constants: [{ name: 'weights', type: 'float32', shape: [3, 4], values: imageWeights }],
  }),
};

let service: SmallService;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts, roots: rootsOfLight, sigmoid: { ...readsTexts, 'model.json': { pad_token_id: 0, padding: 'max_length', logit_scale: 7.5, logit_bias: -4.25, activation: 'sigmoid' } } });
});
afterAll(() => service.remove());

describe('A batch of pictures of which some are refused', () => {
  const cannotBeRead = base64(Buffer.from('no picture at all'));
  const isCutOff = async (): Promise<string> => (await flat(250, 200, 140, 300, 200)).slice(0, 200);
  const hasNoEmbedding = (): Promise<string> => flat(10, 10, 10);

  /** Four to a batch of the encoder, each with good ones behind what fails. */
  async function mixed(model: 'small' | 'roots'): Promise<{ id: string; image: string; fails?: string }[]> {
    const good = async (i: number): Promise<{ id: string; image: string }> => ({ id: `good ${i}`, image: await flat(130 + 15 * i, 250 - 14 * i, i % 2 ? 240 : 150, 40 + i, 30) });
    const bad = (id: string, image: string, fails: string): { id: string; image: string; fails: string } => ({ id, image, fails });
    return [
      bad('unread', cannotBeRead, 'unsupported_media'), await good(0), await good(1), await good(2),
      await good(3), bad('cut off', await isCutOff(), 'media'), await good(4), await good(5),
      await good(6), model === 'roots' ? bad('dark', await hasNoEmbedding(), 'unprocessable') : bad('text', base64(Buffer.from('<svg></svg>')), 'unsupported_media'), await good(7), await good(8),
    ];
  }

  it.each(['small', 'roots'] as const)('gives each of the others what it has alone (%s)', async (model) => {
    const sent = await mixed(model);
    await service.collection(`beside-${model}`, { model });
    const outcomes = await service.add(`beside-${model}`, sent.map(({ id, image }) => ({ id, image })));
    expect(outcomes.map(({ id, status, error }) => [id, error?.code ?? status])).toEqual(sent.map(({ id, fails }) => [id, fails === undefined ? 'created' : expect.stringContaining(fails)]));

    const good = sent.filter(({ fails }) => fails === undefined);
    const alone = await Promise.all(good.map(({ image }) => service.embed({ image }, model)));
    for (const [i, one] of alone.entries()) for (const other of alone.slice(i + 1)) expect(dot(one, other)).toBeLessThan(0.99999);
    await service.collection(`alone-${model}`, { model });
    for (const [i, { id, image }] of good.entries()) {
      const scores = new Map(await service.search(`beside-${model}`, { query: { embedding: alone[i] }, exact: true, limit: 100 }));
      for (const [j, other] of good.entries()) expect(scores.get(other.id), `${other.id} by ${id}`).toBeCloseTo(dot(alone[i]!, alone[j]!), 5);

      await service.add(`alone-${model}`, [{ id, image }]);
      const [beside, byItself] = await Promise.all([`beside-${model}`, `alone-${model}`].map((collection) => whole(collection, id)));
      expect(beside, id).toEqual(byItself);
    }
  });

  /** What the answers tell of an item, and its thumbnail. */
  async function whole(collection: string, id: string): Promise<unknown> {
    const { width, height, content_hash } = (await service.get(`${items(collection)}/${encodeURIComponent(id)}`)).body;
    const thumbnail = await fetch(`${service.server.url}${items(collection)}/${encodeURIComponent(id)}/image`);
    return { width, height, content_hash, thumbnail: base64(new Uint8Array(await thumbnail.arrayBuffer())) };
  }

  it('gives each of the others what it has alone where no thumbnail can be made of one', async () => {
    const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url), ['--import', path.join(repository, 'test/bad-thumbnails.mjs')]);
    const encoder = await openEncoder({ modelsDirectory: service.models, defaultModel: 'small', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, startWorker, log: () => undefined });
    try {
      const encode = async (pictures: string[]): Promise<unknown[]> => {
        const outcomes = await encoder.encodeImages('small', pictures.map((picture) => Buffer.from(picture, 'base64')), { priority: 'bulk', thumbnail: true });
        return outcomes.map((outcome) => (outcome.ok ? { ...outcome.value, embedding: [...outcome.value.embedding].map((value) => expect.closeTo(value, 6) as number), norm: expect.closeTo(outcome.value.norm, 6) } : outcome.error.code));
      };
      const pictures = [await flat(200, 90, 30), await flat(255, 0, 255), await flat(20, 220, 90), await flat(90, 40, 250), await flat(255, 0, 255), await flat(240, 240, 10)];
      const alone = (await Promise.all(pictures.map((picture) => encode([picture])))).flat();
      expect(alone.map((each) => typeof each === 'string')).toEqual([false, true, false, false, true, false]);
      const together = await encoder.encodeImages('small', pictures.map((picture) => Buffer.from(picture, 'base64')), { priority: 'bulk', thumbnail: true });
      expect(together.map((outcome) => (outcome.ok ? { ...outcome.value, embedding: [...outcome.value.embedding] } : outcome.error.code))).toEqual(alone);
    } finally {
      await encoder.close();
    }
  });

  it('gives the texts beside them theirs', async () => {
    const texts = ['a red boat', 'snow at night', 'bread'];
    const pictures = await mixed('small');
    await service.collection('texts-too');
    await service.add('texts-too', texts.flatMap((text, i) => [{ id: pictures[i]!.id, image: pictures[i]!.image }, { id: text, text }]));
    for (const text of texts) {
      const scores = new Map(await service.search('texts-too', { query: { text }, modality: 'text' }));
      const own = await service.embed(text);
      for (const other of texts) expect(scores.get(other)).toBeCloseTo(dot(own, await service.embed(other)), 5);
    }
  });
});

describe('An embedding that a client sends', () => {
  const direction = [3, 4, 0, 0];
  const lengths = [1, 5, 0.001, 1e-30, 1e30];

  it('is stored at length 1, however long it came', async () => {
    await service.collection('lengths');
    await service.add('lengths', lengths.map((length) => ({ id: `x${length}`, embedding: direction.map((value) => value * length), modality: 'image' })));
    for (const [query, expected] of [[[1, 0, 0, 0], 0.6], [[0, 1, 0, 0], 0.8], [[-2, 0, 0, 0], -0.6], [[0, 0, 7, 0], 0], [[1, 1, 0, 0], 1.4 / Math.SQRT2]] as const) {
      const found = await service.search('lengths', { query: { embedding: query }, limit: 10 });
      expect(found).toHaveLength(lengths.length);
      for (const [id, score] of found) expect(score, `${id} by ${query.join()}`).toBeCloseTo(expected, 6);
    }
    for (const length of lengths) {
      const others = await service.search('lengths', { query: { id: `x${length}` } });
      expect(others).toEqual(lengths.filter((other) => other !== length).map((other) => [`x${other}`, expect.closeTo(1, 6)]).sort());
    }
  });

  it('counts by its direction alone in a weighted query', async () => {
    await service.collection('weighted');
    await service.add('weighted', [{ id: 'x', embedding: [9, 0, 0, 0], modality: 'text' }, { id: 'y', embedding: [0, 0.1, 0, 0], modality: 'text' }]);
    const scores = new Map(await service.search('weighted', { query: [{ input: { embedding: [100, 0, 0, 0] }, weight: 3 }, { input: { embedding: [0, 0.01, 0, 0] }, weight: -4 }, { input: { id: 'x' }, weight: 0 }], limit: 5 }));
    expect(scores).toEqual(new Map([['y', expect.closeTo(-0.8, 6)]]));
    const both = new Map(await service.search('weighted', { query: [{ input: { embedding: [100, 0, 0, 0] }, weight: 3 }, { input: { embedding: [0, 0.01, 0, 0] }, weight: -4 }] }));
    expect(both).toEqual(new Map([['x', expect.closeTo(0.6, 6)], ['y', expect.closeTo(-0.8, 6)]]));
  });
});

describe('Weighted queries that nearly cancel out', () => {
  const sumOf = (query: unknown): Promise<any> => call(service.server.url, 'POST', searchIn('axes'), { query, limit: 4 });
  beforeAll(async () => {
    await service.collection('axes');
    await service.add('axes', [0, 1, 2, 3].map((axis) => ({ id: `axis ${axis}`, embedding: [0, 1, 2, 3].map((i) => Number(i === axis)), modality: 'text' })));
  });

  it.each([1e-1, 1e-2, 1e-3, 1e-4, 1e-5])('search in the direction that is left: two opposites that are %d apart', async (angle) => {
    const opposite = [-Math.cos(angle), Math.sin(angle), 0, 0];
    const { status, body } = await sumOf([{ input: { embedding: [1, 0, 0, 0] } }, { input: { embedding: opposite } }]);
    expect(status).toBe(200);
    const left = unit([1 + Math.fround(opposite[0]!), opposite[1]!, 0, 0]);
    const scores = new Map(body.matches.map(({ id, score }: any) => [id, score]));
    for (const axis of [0, 1, 2, 3]) expect(scores.get(`axis ${axis}`), `axis ${axis}`).toBeCloseTo(left[axis]!, 3);
  });

  it.each([1, 1e6, 1e-6])('are refused where nothing but rounding is left, whatever their weight: %d', async (weight) => {
    for (const text of ['a red boat', 'snow at night', 'bread and butter', 'a child beside a river']) {
      const nearly = (await service.embed(text)).map((value) => Number(value.toPrecision(7)));
      const { status, body } = await sumOf([{ input: text, weight }, { input: { embedding: nearly }, weight: -weight }]);
      expect([text, status, body.error?.code]).toEqual([text, 422, 'unprocessable']);
    }
  });

  it('are told by their weights, however small those are', async () => {
    const { body } = await sumOf([{ input: { embedding: [1, 0, 0, 0] }, weight: 3e-6 }, { input: { embedding: [0, 1, 0, 0] }, weight: -4e-6 }]);
    expect(body.matches.map(({ id, score }: any) => [id, score])).toEqual([
      ['axis 0', expect.closeTo(0.6, 6)],
      ['axis 2', expect.closeTo(0, 6)],
      ['axis 3', expect.closeTo(0, 6)],
      ['axis 1', expect.closeTo(-0.8, 6)],
    ]);
  });
});

describe('A label', () => {
  const inputs = ['a dog on the beach', 'snow at night in the mountains', 'bread'];
  const templates = ['a photo of a {label}', 'many pictures of some {}, they say', '{label}'];
  const labels = ['dog', 'mountain', { name: 'food', prompts: ['bread', 'a plate of noodles and more', 'x'] }];

  /** By definition: the re-normalised mean of the prompts' embeddings, times the scale, plus the bias. */
  async function reckoned(model: string, input: string, asked: typeof templates): Promise<{ label: string; similarity: number; score: number }[]> {
    const { logit_scale: scale, logit_bias: bias } = (await service.get('/v1/models')).body.data.find(({ id }: any) => id === model);
    const own = await service.embed(input, model);
    const told = await Promise.all(
      labels.map(async (label) => {
        const prompts = typeof label === 'string' ? asked.map((template) => template.replace(/\{(label)?\}/, label)) : label.prompts;
        const embeddings = await Promise.all(prompts.map((prompt) => service.embed(prompt, model)));
        const mean = unit(embeddings[0]!.map((_, i) => embeddings.reduce((sum, embedding) => sum + embedding[i]!, 0)));
        return { label: typeof label === 'string' ? label : label.name, similarity: dot(mean, own) };
      }),
    );
    const powers = told.map(({ similarity }) => Math.exp(similarity * scale));
    const sum = powers.reduce((a, b) => a + b);
    return told
      .map((each, i) => ({ ...each, score: bias === undefined ? powers[i]! / sum : 1 / (1 + Math.exp(-(each.similarity * scale + bias))) }))
      .sort((a, b) => b.similarity - a.similarity);
  }

  it.each(['small', 'sigmoid'])('is the mean of all its prompts, and its score the probability by the model\'s scale and bias (%s)', async (model) => {
    for (const asked of [templates, templates.slice(1, 2), templates.toReversed()]) {
      const { body } = await service.post('/v1/classify', { model, input: inputs, labels, templates: asked });
      for (const [i, input] of inputs.entries()) {
        const expected = await reckoned(model, input, asked);
        expect(body.data[i].predictions).toEqual(expected.map(({ label, similarity, score }) => ({ label, similarity: expect.closeTo(similarity, 5), score: expect.closeTo(score, 4) })));
        expect(body.data[i]).toMatchObject({ index: i, prediction: expected[0]!.label, score: body.data[i].predictions[0].score });
      }
    }
  });

  it('meets a threshold that is its own score, costs its prompts\' tokens, and is told of as many as are asked for', async () => {
    const ask = async (more: object): Promise<any> => (await service.post('/v1/classify', { input: inputs[0], labels, templates, ...more })).body;
    const { data, usage } = await ask({});
    const best = data[0].predictions[0];
    expect((await ask({ threshold: best.score })).data[0]).toMatchObject({ prediction: best.label, score: best.score });
    expect((await ask({ threshold: best.score + 1e-9 })).data[0]).toMatchObject({ prediction: null, score: best.score });
    expect((await ask({ top_k: 2 })).data[0].predictions).toEqual(data[0].predictions.slice(0, 2));
    const prompts = labels.flatMap((label) => (typeof label === 'string' ? templates.map((template) => template.replace(/\{(label)?\}/, label)) : label.prompts));
    const { body } = await service.post('/v1/embeddings', { input: [inputs[0], ...prompts] });
    expect(usage).toEqual(body.usage);
    expect(usage.prompt_tokens).toBeGreaterThan(prompts.length * 3);
  });

  it('keeps its own prompts among more than a thousand others', async () => {
    const many = Array.from({ length: 700 }, (_, i) => `thing number ${i}`);
    const { body } = await service.post('/v1/classify', { input: inputs[0], labels: [...many, ...labels], templates: ['{label}', 'a picture of {label}'] });
    const told = new Map(body.data[0].predictions.map(({ label, similarity }: any) => [label, similarity]));
    for (const { label, similarity } of await reckoned('small', inputs[0]!, ['{label}', 'a picture of {label}'])) expect(told.get(label), label).toBeCloseTo(similarity, 5);
  });

  it('is "a photo of a {label}" where neither the request nor the model has templates', async () => {
    const { body } = await service.post('/v1/classify', { input: inputs[0], labels });
    const expected = await reckoned('small', inputs[0]!, ['a photo of a {label}']);
    expect(body.data[0].predictions).toEqual(expected.map(({ label, similarity }) => expect.objectContaining({ label, similarity: expect.closeTo(similarity, 5) })));
  });
});
