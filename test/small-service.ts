/** A service over packages of a few numbers: it starts in a moment, and embeddings of four dimensions can be reckoned by hand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { startServer, type RunningServer } from './server.js';
import { imageTower, smallPackage, textTower } from './small-towers.js';

export type Package = Parameters<typeof smallPackage>[2];

/** Tells texts apart by the mean of their tokens' ids. */
export const readsTexts: Package = { 'model.json': { pad_token_id: 0, padding: 'max_length' }, 'onnx/text_model.onnx': textTower({ pool: 'mean' }) };

/** Sees and reads otherwise, on another scale. */
export const readsOtherwise: Package = { ...readsTexts, 'onnx/vision_model.onnx': imageTower({ bias: -0.6 }), 'config.json': { model_type: 'clip', logit_scale_init_value: 2, text_config: { max_position_embeddings: 77 } } };

export interface SmallService {
  server: RunningServer;
  /** The models directory. */
  models: string;
  get(at: string): Promise<Answer>;
  post(at: string, body: unknown): Promise<Answer>;
  collection(name: string, more?: object): Promise<string>;
  add(collection: string, entries: object[]): Promise<{ id: string; status: string; error?: { code: string } }[]>;
  /** Ids with their scores, best first. */
  search(collection: string, request: object): Promise<[string, number][]>;
  /** Of one input at a time. */
  embed(input: unknown, model?: string): Promise<number[]>;
  remove(): Promise<void>;
}

/** `packages`: by id, the first one the default. Nothing is remembered, so that each answer is made afresh. */
export async function startSmall(packages: Record<string, Package>, env: Record<string, string> = {}): Promise<SmallService> {
  const models = await mkdtemp(path.join(tmpdir(), 'mixspace-small-'));
  for (const [id, files] of Object.entries(packages)) await smallPackage(models, id, files);
  const server = await startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: Object.keys(packages)[0]!, MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: '1', ...env } });
  const get = (at: string): Promise<Answer> => call(server.url, 'GET', at);
  const post = (at: string, body: unknown): Promise<Answer> => call(server.url, 'POST', at, body);
  const answered = async (at: string, body: unknown): Promise<any> => {
    const answer = await post(at, body);
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`${at} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    server,
    models,
    get,
    post,
    collection: async (name, more = {}) => (await answered('/v1/collections', { name, ...more })).name,
    add: async (collection, entries) => (await answered(items(collection), { items: entries })).items,
    search: async (collection, request) => (await answered(searchIn(collection), request)).matches.map(({ id, score }: any): [string, number] => [id, score]),
    embed: async (input, model) => (await answered('/v1/embeddings', { input: [input], ...(model === undefined ? {} : { model }) })).data[0].embedding,
    remove: async () => {
      await server.remove();
      await rm(models, { recursive: true, force: true });
    },
  };
}

/** A picture of one color, base64. */
export async function flat(red: number, green: number, blue: number, width = 12, height = 10): Promise<string> {
  return base64(await sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } }).png().toBuffer());
}

export const dot = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
export const unit = (values: number[]): number[] => values.map((value) => value / Math.hypot(...values));
