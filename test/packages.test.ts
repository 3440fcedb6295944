/** Model packages as they are published: layouts, variants, families, what a file takes and gives, and what model.json adds. */
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDescription, OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/open.js';
import { fingerprintOf } from '../src/encoder/package/fingerprint.js';
import { readPackage } from '../src/encoder/package/model-package.js';
import { fitSquare } from '../src/encoder/picture/preprocess.js';
import { readTextEncoding } from '../src/encoder/text/text-encoding.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { call } from './api.js';
import { rawValues } from './onnx.js';
import { cosine, farthest, golden, limits, type GoldenText } from './parity/compare.js';
import { repository, startServer } from './server.js';
import { fixtures, imageTower, imageWeights, jointFile, smallPackage, textTower } from './small-towers.js';

const bulk = { priority: 'bulk' } as const;
const texts = ['a dog', 'a much longer text about two dogs that play in the snow near the old red house', '', 'zebra'];

let models: string;
let pictures: Uint8Array[];
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-packages-'));
  pictures = await Promise.all(['landscape.jpg', 'grey.png', 'tall-29x700.png'].map(async (name) => new Uint8Array(await readFile(path.join(fixtures, 'images', name)))));
});
afterAll(() => rm(models, { recursive: true, force: true }));

const open = (folder: string, say: (line: string) => void, options: Partial<EncoderOptions> = {}): Promise<OpenEncoder> =>
  openEncoder({
    modelsDirectory: path.join(models, folder),
    workers: 1,
    limits,
    log: (_, message, fields) => say(`${message} ${JSON.stringify(fields ?? {})}`),
    startWorker: startWorkerFrom(pathToFileURL(path.join(repository, 'dist/encoder/worker/worker.js'))),
    ...options,
  });

/** Opens the encoder over copies in a folder of their own; what it says goes to `said`. */
async function opened<T>(folder: string, use: (encoder: OpenEncoder, said: string) => Promise<T>, options: Partial<EncoderOptions> = {}): Promise<T> {
  let said = '';
  const encoder = await open(folder, (line) => (said += `${line}\n`), options);
  try {
    await usable(encoder);
    return await use(encoder, said);
  } finally {
    await encoder.close();
  }
}

/** After the check of each. */
async function usable(encoder: OpenEncoder): Promise<ModelDescription[]> {
  const checked = await Promise.all(encoder.models.list().map(({ id }) => encoder.models.model(id).catch(() => undefined)));
  return checked.filter((model) => model !== undefined);
}

async function embeddings(encoder: OpenEncoder, model: string): Promise<Float32Array[]> {
  const images = await encoder.encodeImages(model, pictures, bulk);
  return [...(await encoder.encodeTexts(model, texts, bulk)).map(({ embedding }) => embedding), ...images.map((outcome) => (outcome.ok ? outcome.value.embedding : new Float32Array(0)))];
}

async function apart(encoder: OpenEncoder, a: string, b: string): Promise<number> {
  const [first, second] = [await embeddings(encoder, a), await embeddings(encoder, b)];
  expect(first.every((embedding) => embedding.length > 0)).toBe(true);
  return Math.max(...first.map((embedding, i) => farthest(embedding, second[i]!)));
}

async function aloneOrTogether(encoder: OpenEncoder, model: string): Promise<number> {
  const together = await embeddings(encoder, model);
  let most = 0;
  for (const [i, text] of texts.entries()) most = Math.max(most, farthest((await encoder.encodeTexts(model, [text], bulk))[0]!.embedding, together[i]!));
  return most;
}

const copy = (model: string, folder: string, id = model) => cp(path.join(fixtures, model), path.join(models, folder, id), { recursive: true });

describe('layouts', () => {
  test("open_clip's parts give the same side by side as in a folder a tower, under either name of the configuration", async () => {
    await copy('openclip-tiny', 'layouts', 'nested');
    const nested = path.join(models, 'layouts/nested');
    const side = path.join(models, 'layouts/flat');
    await mkdir(side);
    await cp(path.join(nested, 'visual/model.onnx'), path.join(side, 'visual.onnx'));
    await cp(path.join(nested, 'textual/model.onnx'), path.join(side, 'textual.onnx'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) await cp(path.join(nested, 'textual', name), path.join(side, name));
    const [model, preprocess] = await Promise.all(['config.json', 'visual/preprocess_cfg.json'].map(async (name) => JSON.parse(await readFile(path.join(nested, name), 'utf8')) as unknown));
    await writeFile(path.join(side, 'open_clip_config.json'), JSON.stringify({ model_cfg: model, preprocess_cfg: preprocess }));
    await opened('layouts', async (encoder) => {
      expect((await usable(encoder)).map(({ id, batching, variants, contextLength, imageSize }) => [id, batching, variants, contextLength, imageSize])).toEqual([
        ['flat', 'one_at_a_time', ['fp32'], 77, 256],
        ['nested', 'one_at_a_time', ['fp32'], 77, 256],
      ]);
      expect(await apart(encoder, 'flat', 'nested')).toBe(0);
      expect((await encoder.models.model('flat')).fingerprint).toBe((await encoder.models.model('nested')).fingerprint);
    });
  });

  test.each(['clip-tiny', 'siglip2-tiny'])('what %s leaves out of preprocessor_config.json and tokenizer_config.json comes from its family', async (model) => {
    await copy(model, `bare-${model}`);
    await copy(model, `bare-${model}`, 'bare');
    for (const name of ['preprocessor_config.json', 'tokenizer_config.json']) await rm(path.join(models, `bare-${model}/bare`, name));
    await opened(`bare-${model}`, async (encoder) => expect(await apart(encoder, model, 'bare')).toBe(0));
  });

  test('files of external data are found by their names in the ONNX file and belong to the fingerprint', async () => {
    const weights = rawValues('float32', imageWeights);
    const directory = await smallPackage(path.join(models, 'external'), 'apart', { 'onnx/vision_model.onnx': imageTower({ externalFile: 'vision_model.onnx_data' }), 'onnx/vision_model.onnx_data': weights });
    await smallPackage(path.join(models, 'external'), 'inside');
    const before = fingerprintOf(await readPackage(path.join(models, 'external'), 'apart'), 4);
    await opened('external', async (encoder) => expect(await apart(encoder, 'apart', 'inside')).toBe(0));
    await writeFile(path.join(directory, 'onnx/vision_model.onnx_data'), Buffer.concat([weights.subarray(4), weights.subarray(0, 4)]));
    expect(fingerprintOf(await readPackage(path.join(models, 'external'), 'apart'), 4)).not.toBe(before);
    await rm(path.join(directory, 'onnx/vision_model.onnx_data'));
    await expect(readPackage(path.join(models, 'external'), 'apart')).rejects.toThrow(/vision_model\.onnx keeps weights in vision_model\.onnx_data, which is not beside it/);
  });

  test('fingerprints stay what collections have recorded', async () => {
    const recorded = { 'clip-tiny': 'f6fb34752331800e8ed14bcc', 'siglip-tiny': '17c33b5d817bd48d9fc20487', 'siglip2-tiny': '8053ec66f0f90377e25d0f81', 'chinese-clip-tiny': '1019043a820ecc67859df0d8', 'openclip-tiny': '0149e546ef48fc789a5d9c21' };
    for (const [model, fingerprint] of Object.entries(recorded)) expect(fingerprintOf(await readPackage(fixtures, model), 64), model).toBe(fingerprint);
    expect(fingerprintOf(await readPackage(path.join(repository, 'models'), 'mixspace-graft-0.3'), 256)).toBe('36c3bff8235c73b910b3f378');
  });
});

describe('families', () => {
  const families: [string, Record<string, object | undefined>, object, object][] = [
    [
      'CLIP, with the scale from which its training started',
      { 'config.json': { model_type: 'clip', logit_scale_init_value: 2.6592 }, 'preprocessor_config.json': { crop_size: 224, do_center_crop: true, size: 224, resample: 3 } },
      { geometry: 'crop', size: 224, shortestEdge: 224, interpolation: 'bicubic', mean: [0.48145466, 0.4578275, 0.40821073] },
      { contextLength: 77, padding: 'longest' },
    ],
    [
      "MobileCLIP under CLIP's model type, not normalised",
      { 'preprocessor_config.json': { crop_size: { height: 256, width: 256 }, do_center_crop: true, do_normalize: false, resample: 2, size: { shortest_edge: 256 } } },
      { geometry: 'crop', size: 256, interpolation: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1] },
      { contextLength: 77, padding: 'max_length' },
    ],
    [
      'SigLIP without lengths',
      { 'config.json': { model_type: 'siglip', vision_config: { image_size: 384 } }, 'preprocessor_config.json': undefined, 'tokenizer_config.json': { tokenizer_class: 'SiglipTokenizer', pad_token: '</s>' } },
      { geometry: 'squash', size: 384, interpolation: 'bicubic', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      { contextLength: 64, padding: 'max_length', lowercase: false },
    ],
    [
      "SigLIP 2 under SigLIP's model type, its tokenizer without a limit",
      { 'config.json': { model_type: 'siglip' }, 'preprocessor_config.json': { size: { height: 224, width: 224 }, resample: 2 }, 'tokenizer_config.json': { tokenizer_class: 'GemmaTokenizer', model_max_length: 1e30, pad_token: '<pad>' } },
      { geometry: 'squash', size: 224, interpolation: 'bilinear' },
      { contextLength: 64, padding: 'max_length', lowercase: true },
    ],
    [
      'Chinese-CLIP with a crop size that means nothing',
      { 'config.json': { model_type: 'chinese_clip', text_config: { max_position_embeddings: 512 } }, 'preprocessor_config.json': { do_center_crop: false, crop_size: { height: 224, width: 224 }, size: { height: 336, width: 336 }, resample: 3 }, 'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', model_max_length: 512 } },
      { geometry: 'squash', size: 336 },
      { contextLength: 52 },
    ],
    [
      "jina-clip with open_clip's fields in the hub's file",
      { 'config.json': { model_type: 'jina_clip', logit_scale_init_value: 2.6592, matryoshka_dimensions: [64, 32] }, 'preprocessor_config.json': { size: 512, mean: [0.48, 0.46, 0.41], std: [0.27, 0.26, 0.28], interpolation: 'bicubic', resize_mode: 'shortest', fill_color: 0 } },
      { geometry: 'crop', size: 512, shortestEdge: 512, cropRounding: 'half_even', mean: [0.48, 0.46, 0.41] },
      { padding: 'longest' },
    ],
  ];
  test.each(families)('%s', async (name, files, image, text) => {
    const id = `family ${name.slice(0, 12)}`;
    await smallPackage(models, id, { 'model.json': undefined, ...files });
    const read = await readPackage(models, id);
    expect(read.towers.image).toMatchObject(image);
    expect(read.towers.text).toMatchObject(text);
    if (!name.startsWith('Sig')) expect(read.logitScale).toBeCloseTo(100, 1);
    if (name.startsWith('jina')) expect(read.matryoshkaDimensions).toEqual([32, 64]);
  });

  test("an open_clip SigLIP says how its texts are cleaned, and the bias from which its training started is not taken for a trained one", async () => {
    await copy('openclip-tiny', 'cleaned', 'siglip');
    const file = path.join(models, 'cleaned/siglip/config.json');
    await writeFile(file, JSON.stringify({ embed_dim: 64, init_logit_bias: -10, vision_cfg: { image_size: 256 }, text_cfg: { context_length: 77, hf_tokenizer_name: 'some/SigLIP', tokenizer_kwargs: { clean: 'canonicalize' } } }));
    const read = await readPackage(path.join(models, 'cleaned'), 'siglip');
    expect(read).not.toHaveProperty('logitBias');
    const encoding = await readTextEncoding(read.directory, read.towers.text!);
    expect(encoding.encode('  A snake_case,\tDOG!\u0085 ').ids).toEqual(encoding.encode('a snake case dog').ids);
    expect(encoding.encode('a dog').ids).not.toEqual(encoding.encode('a dog house').ids);
  });

  test('a picture with its longest edge at the input size stands in the middle of its frame', async () => {
    await smallPackage(models, 'longest', { 'preprocessor_config.json': { size: 8, mean: [0, 0, 0], std: [1, 1, 1], resize_mode: 'longest', fill_color: 7 } });
    const { image } = (await readPackage(models, 'longest')).towers;
    const square = fitSquare({ pixels: new Uint8Array(16 * 6).fill(200), width: 16, height: 6, channels: 1, orientation: 1 }, image!);
    expect(Array.from({ length: 8 }, (_, row) => [...new Set(square.pixels.subarray(row * 8, row * 8 + 8))])).toEqual([[7], [7], [200], [200], [200], [7], [7], [7]]);
  });
});

describe('model.json', () => {
  test.each([
    [{ logit_scle: 10 }, /model\.json: logit_scle is no field of it; known are .*logit_scale/],
    [{ mean: [0, 0] }, /model\.json: mean/],
    [{ no_match: { min_score: 2, kept: 1, rejected: 1 } }, /model\.json: no_match\.min_score/],
    [{ padding: 'left' }, /model\.json: padding/],
    [{ templates: ['a photo'] }, /model\.json: templates\.0: a template holds \{\}/],
    [{ activation: 'sigmoid' }, /activation is sigmoid, which needs a trained logit_bias/],
    [{ family: 'clop' }, /model\.json: family/],
    [{ std: [1, 0, 1] }, /standard deviation of a channel is 0/],
    [{ size: 300 }, /model\.json|standard|crops|^/],
  ])('%j', async (card, sentence) => {
    await smallPackage(models, 'carded', { 'model.json': card });
    if ('size' in card) expect((await readPackage(models, 'carded')).towers.image).toMatchObject({ size: 300, shortestEdge: 300 });
    else await expect(readPackage(models, 'carded')).rejects.toThrow(sentence);
  });

  test('wins over the other files', async () => {
    await smallPackage(models, 'overridden', {
      'model.json': { context_length: 20, padding: 'max_length', pad_token_id: 5, lowercase: true, canonicalize: true, geometry: 'crop', interpolation: 'bilinear', crop_rounding: 'half_even', size: 6, shortest_edge: 7, mean: [1, 2, 3], std: [4, 5, 6], logit_scale: 20, logit_bias: -3, activation: 'sigmoid', matryoshka_dimensions: [4, 2], license: 'MIT' },
    });
    const { towers: { image, text }, ...rest } = await readPackage(models, 'overridden');
    expect(image).toMatchObject({ geometry: 'crop', interpolation: 'bilinear', cropRounding: 'half_even', size: 6, shortestEdge: 7, mean: [1, 2, 3], std: [4, 5, 6] });
    expect(text).toMatchObject({ contextLength: 20, padding: 'max_length', padTokenId: 5, lowercase: true, clean: 'canonicalize' });
    expect(rest).toMatchObject({ logitScale: 20, logitBias: -3, activation: 'sigmoid', matryoshkaDimensions: [2, 4], license: 'MIT' });
  });
});

describe('variants', () => {
  const fp16 = { 'onnx/vision_model_fp16.onnx': imageTower({ type: 'float16', outputType: 'float16' }), 'onnx/text_model_fp16.onnx': textTower({ outputType: 'float16' }) };
  const int8 = { 'onnx/vision_model_int8.onnx': imageTower(), 'onnx/text_model_int8.onnx': textTower({ quantized: true }) };

  test('are taken by preference, and the fingerprint covers the chosen files', async () => {
    await smallPackage(models, 'varied', { ...fp16, ...int8, 'onnx/vision_model_q4.onnx': imageTower() });
    const plain = await readPackage(models, 'varied');
    const quantized = await readPackage(models, 'varied', { variants: ['q4', 'q8', 'fp32'] });
    expect([plain.variant, quantized.variant, plain.variants]).toEqual(['fp32', 'q8', ['fp32', 'fp16', 'q8']]);
    expect(quantized.towers.text!.file).toMatch(/text_model_int8\.onnx$/);
    expect(fingerprintOf(plain, 4)).not.toBe(fingerprintOf(quantized, 4));
    await writeFile(path.join(models, 'varied/model.json'), JSON.stringify({ variant: 'fp16' }));
    expect((await readPackage(models, 'varied', { variants: ['q8'] })).variant).toBe('fp16');
  });

  test('that are not there are refused with a list of what is', async () => {
    await smallPackage(models, 'lacking', { 'model.json': { variant: 'q4' }, 'onnx/vision_model_q4.onnx': imageTower() });
    await expect(readPackage(models, 'lacking')).rejects.toThrow(/q4 \(vision_model_q4\.onnx and text_model_q4\.onnx or model_q4\.onnx\)\. There is onnx\/text_model\.onnx, onnx\/vision_model\.onnx, onnx\/vision_model_q4\.onnx, which makes fp32\./);
  });

  test('with both towers in one file give what the towers apart give, and need no input of the other kind', async () => {
    const folder = path.join(models, 'joined');
    const noTowers = { 'onnx/vision_model.onnx': undefined, 'onnx/text_model.onnx': undefined };
    await smallPackage(folder, 'apart', { 'onnx/model.onnx': jointFile({ image: { output: 'unknown' } }) });
    await smallPackage(folder, 'joint', { ...noTowers, 'onnx/model.onnx': jointFile() });
    await smallPackage(folder, 'named', { ...noTowers, 'onnx/model.onnx': jointFile({ text: { output: 'words' }, image: { output: 'looks' } }), 'model.json': { pad_token_id: 0, text_output: 'words', image_output: 'looks' } });
    await smallPackage(folder, 'quantized', { ...noTowers, 'onnx/model_quantized.onnx': jointFile({ text: { quantized: true } }) });
    await smallPackage(folder, 'unknown', { ...noTowers, 'onnx/model.onnx': jointFile({ text: { output: 'words' } }) });
    await smallPackage(folder, 'external', { ...noTowers, 'onnx/model.onnx': jointFile({ externalFile: 'model.onnx_data' }), 'onnx/model.onnx_data': Buffer.from(Float32Array.from(imageWeights).buffer) });
    await smallPackage(folder, 'cut', { ...noTowers, 'onnx/model.onnx': jointFile().subarray(0, 700) });
    await opened('joined', async (encoder, said) => {
      const apart = await embeddings(encoder, 'apart');
      expect(await embeddings(encoder, 'joint')).toEqual(apart);
      expect(await embeddings(encoder, 'named')).toEqual(apart);
      expect(await embeddings(encoder, 'external')).toEqual(apart);
      expect(await encoder.models.model('quantized')).toMatchObject({ variant: 'q8', batching: 'one_at_a_time' });
      const problems = Object.fromEntries(encoder.models.list().map(({ id, problem }) => [id, problem]));
      expect(problems['unknown']).toMatch(/model\.onnx cannot be taken apart: it has the outputs logits_per_image, words, image_embeds; text_embeds or text_embeddings is needed\./);
      expect(problems['cut']).toMatch(/model\.onnx cannot be loaded: it ends too early\./);
      expect(said).toContain('The model package unknown cannot be used');
    });
  });

  test('of half precision, pixels and outputs alike, come near those of single precision', async () => {
    await smallPackage(path.join(models, 'half'), 'single');
    await smallPackage(path.join(models, 'half'), 'half', { ...fp16, 'model.json': { pad_token_id: 0, variant: 'fp16' } });
    await opened('half', async (encoder) => {
      const off = await apart(encoder, 'single', 'half');
      expect(off).toBeGreaterThan(0);
      expect(off).toBeLessThan(2e-3);
    });
  });

  test('that are dynamically quantised are fed one at a time, so that what an input gives does not depend on others', async () => {
    await smallPackage(path.join(models, 'dynamic'), 'dynamic', { ...int8, 'model.json': { pad_token_id: 0, variant: 'q8' } });
    await smallPackage(path.join(models, 'dynamic'), 'plain');
    await opened('dynamic', async (encoder) => {
      expect((await usable(encoder)).map(({ id, variant, batching }) => [id, variant, batching])).toEqual([['dynamic', 'q8', 'one_at_a_time'], ['plain', 'fp32', 'any']]);
      expect(await aloneOrTogether(encoder, 'dynamic')).toBeLessThanOrEqual(1e-5);
    });
  });

  test('stand in the list of models, and a setting chooses among them', async () => {
    await smallPackage(path.join(models, 'served'), 'varied', { ...fp16, ...int8 });
    const server = await startServer({ env: { MIXSPACE_MODELS_DIR: path.join(models, 'served'), MIXSPACE_VARIANT: 'q4,q8' } });
    try {
      const [model] = (await call(server.url, 'GET', '/v1/models')).body.data;
      expect(model).toMatchObject({ id: 'varied', variant: 'q8', variants: ['fp32', 'fp16', 'q8'], batching: 'one_at_a_time' });
    } finally {
      await server.remove();
    }
  });
});

describe('what a file takes and gives', () => {
  /** Packages of one folder, opened once: each test looks at its own. The first by their names cannot be used. */
  const folder = 'taken';
  const idOf = (name: string): string => name.replaceAll(/\W+/g, '-');
  let encoder: OpenEncoder;
  let told: string[];
  beforeAll(async () => {
    await smallPackage(path.join(models, folder), 'plain');
    for (const [name, image, text] of other) await smallPackage(path.join(models, folder), idOf(name), { 'onnx/vision_model.onnx': imageTower(image), 'onnx/text_model.onnx': textTower(text) });
    for (const [name, files] of refused) await smallPackage(path.join(models, folder), idOf(name), files);
    told = [];
    encoder = await open(folder, (line) => told.push(line));
    await usable(encoder);
  });
  afterAll(() => encoder.close());

  const other: [string, Parameters<typeof imageTower>[0], Parameters<typeof textTower>[0]][] = [
    ['ids of 32 bits, one input at a time', { shape: [1, 3, 8, 8], outputShape: [1, 4] }, { type: 'int32', shape: [1, 77], outputShape: [1, 4] }],
    ['exactly two inputs at a time, filled up', { shape: [2, 3, 8, 8], outputShape: [2, 4] }, { shape: [2, 77], outputShape: [2, 4] }],
    ["open_clip's names, embeddings in a row of their own", { input: 'image', output: 'embedding', outputShape: ['batch', 1, 4] }, { input: 'text', output: 'embedding', outputShape: ['batch', 1, 4] }],
    ['names nobody knows, sizes left open', { input: 'input', output: 'y', outputShape: ['batch', 'Addy_dim_1'] }, { input: 'input', output: 'y', outputShape: ['batch', 'Addy_dim_1'] }],
  ];
  test.each(other)('%s: the same embeddings', async (name) => {
    expect(await apart(encoder, 'plain', idOf(name))).toBeLessThanOrEqual(1e-6);
    expect(await aloneOrTogether(encoder, idOf(name))).toBeLessThanOrEqual(1e-5);
    expect((await encoder.models.model(idOf(name))).dimension).toBe(4);
  });

  const refused: [string, Record<string, Buffer | object>, RegExp][] = [
    ['an input of another name', { 'onnx/vision_model.onnx': imageTower({ input: 'x' }) }, /vision_model\.onnx has the inputs x; known are pixel_values, image/],
    ['pixels of another type', { 'onnx/vision_model.onnx': imageTower({ type: 'uint8' }) }, /pixel_values is uint8 \[batch, 3, 8, 8\]; float32 or float16 \[any, 3, 8, 8\] is needed/],
    ['pixels of another size', { 'onnx/vision_model.onnx': imageTower({ shape: ['batch', 3, 16, 16] }) }, /\[batch, 3, 16, 16\]; float32 or float16 \[any, 3, 8, 8\] is needed/],
    ['an output that model.json names and is not there', { 'model.json': { image_output: 'embeds' } }, /vision_model\.onnx has the outputs image_embeds; embeds is needed, as model\.json says/],
    ['fewer tokens than the context', { 'onnx/text_model.onnx': textTower({ shape: ['batch', 16] }) }, /takes exactly 16 tokens, the package's context is 77: model\.json must say \\"context_length\\": 16/],
    ['padding that the tower sees', { 'onnx/text_model.onnx': textTower({ pool: 'mean' }) }, /sees padding and has no attention_mask.*model\.json must say .*\\"padding\\": \\"max_length\\"/],
    ['dynamic quantisation over a batch of two', { 'onnx/text_model.onnx': textTower({ quantized: true, shape: [2, 77], outputShape: [2, 4] }) }, /dynamically quantised and takes exactly 2 inputs/],
    ['a tower that is made for another vocabulary', { 'model.json': { pad_token_id: 99_999_999 }, 'onnx/text_model.onnx': textTower({ rows: 50_000 }) }, /text_model\.onnx cannot be run: .*99999999/],
    ['a scale that is no number', { 'config.json': { model_type: 'clip', logit_scale_init_value: 'a' } }, /config\.json: logit_scale_init_value: .*expected number, received string/],
    ['a scale that is not the logarithm', { 'config.json': { model_type: 'clip', logit_scale_init_value: 1000 } }, /The logit scale is infinite/],
    ['dimensions to cut to that are none', { 'config.json': { model_type: 'clip', matryoshka_dimensions: [2, -5] } }, /config\.json: matryoshka_dimensions\.1: /],
    ['means that are no numbers', { 'preprocessor_config.json': { crop_size: 8, image_mean: ['a', 'b', 'c'] } }, /preprocessor_config\.json: image_mean\.0: /],
    ['an input that is no square', { 'preprocessor_config.json': { crop_size: { height: 8, width: 16 } } }, /preprocessor_config\.json: crop_size is 8 x 16 pixels; squares are known/],
    ['a spread of next to nothing', { 'model.json': { std: [1e-300, 1, 1] } }, /The standard deviation of a channel is 1e-300/],
    ['a tokenizer without a vocabulary', { 'tokenizer.json': {} }, /tokenizer\.json holds no tokenizer that can be used/],
    ['golden vectors that are none', { 'golden/images.json': { 'a.png': { embedding: 'x' } }, 'golden/texts.json': [] }, /golden vectors in .*golden cannot be read: a\.png: embedding: /],
    ['a tower that overflows', { 'onnx/vision_model.onnx': imageTower({ bias: Infinity }) }, /vision_model\.onnx gives numbers that are not finite/],
    ['a file that is none', { 'onnx/text_model.onnx': Buffer.from('junk') }, /text_model\.onnx cannot be loaded/],
  ];
  test.each(refused)('%s is refused with what was found and what is needed', async (name, _, sentence) => {
    await expect(encoder.models.model(idOf(name))).rejects.toMatchObject({ code: 'not_ready' });
    expect(told.filter((line) => line.startsWith(`The model package ${idOf(name)} cannot be used`))).toEqual([expect.stringMatching(sentence)]);
  });

  test('a tower that sees padding gives the same in any batch once model.json says how it was trained', async () => {
    await smallPackage(path.join(models, 'seen'), 'padded', { 'onnx/text_model.onnx': textTower({ pool: 'mean' }), 'model.json': { pad_token_id: 0, padding: 'max_length' } });
    await opened('seen', async (encoder) => expect(await aloneOrTogether(encoder, 'padded')).toBeLessThanOrEqual(1e-5));
  });
});

describe('scores and golden vectors', () => {
  test('a sigmoid takes the scale and the trained bias that model.json carries', async () => {
    const about = await golden<{ scale: number; bias: number }>(fixtures, 'siglip-tiny', 'about.json');
    await copy('siglip-tiny', 'scored');
    await writeFile(path.join(models, 'scored/siglip-tiny/model.json'), JSON.stringify({ logit_scale: about.scale, logit_bias: about.bias }));
    const expected = await golden<GoldenText[]>(fixtures, 'siglip-tiny', 'texts.json');
    const server = await startServer({ env: { MIXSPACE_MODELS_DIR: path.join(models, 'scored') } });
    try {
      const wanted = expected.slice(0, 3);
      const { body } = await call(server.url, 'POST', '/v1/classify', { input: [wanted[2]!.text], labels: wanted.map(({ text }, i) => ({ name: `${i}`, prompts: [text] })) });
      for (const { label, score } of body.data[0].predictions) {
        const logit = about.scale * cosine(wanted[2]!.embedding, wanted[Number(label)]!.embedding) + about.bias;
        expect(score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 3);
      }
    } finally {
      await server.remove();
    }
  });

  test('the self-test reads any layout, and compares ids one by one', async () => {
    await copy('openclip-tiny', 'proven');
    const folder = path.join(models, 'proven/openclip-tiny/golden');
    const images = await golden<Record<string, object>>(fixtures, 'openclip-tiny', 'images.json');
    const names = ['landscape.jpg', 'grey.png', 'cutout.webp'];
    await mkdir(path.join(folder, 'images'));
    for (const name of names) await cp(path.join(fixtures, 'images', name), path.join(folder, 'images', name));
    await writeFile(path.join(folder, 'images.json'), JSON.stringify(Object.fromEntries(names.map((name) => [name, images[name]]))));
    await opened('proven', async (encoder) => {
      const { selfTest } = await encoder.models.model();
      expect(selfTest).toMatchObject({ status: 'passed', image: { count: 3 }, text: { count: 38, other_tokens: 0 } });
      expect(Math.min(selfTest.image!.lowest_cosine, selfTest.text!.lowest_cosine)).toBeGreaterThan(0.9999);
    });
    const goldenTexts = await golden<GoldenText[]>(path.join(models, 'proven'), 'openclip-tiny', 'texts.json');
    [goldenTexts[0]!.input_ids[1], goldenTexts[0]!.input_ids[2]] = [goldenTexts[0]!.input_ids[2]!, goldenTexts[0]!.input_ids[1]!];
    await writeFile(path.join(folder, 'texts.json'), JSON.stringify(goldenTexts));
    await rename(path.join(models, 'proven/openclip-tiny'), path.join(models, 'proven/wrong'));
    await copy('openclip-tiny', 'proven', 'other');
    await opened('proven', async (encoder, said) => {
      expect((await usable(encoder)).map(({ id }) => id)).toEqual(['other']);
      expect(said).toMatch(/other_tokens\\":1/);
    });
  });
});
