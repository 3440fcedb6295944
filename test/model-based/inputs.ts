/** What goes into every seed: models, texts, pictures, and what each model makes of them, asked once beforehand. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { base64, call } from '../api.js';
import { drawn } from '../pictures.js';
import { repository, startServer } from '../server.js';

export interface Space {
  model: string;
  fingerprint: string;
  dimension: number;
}

export interface Picture {
  bytes: Buffer;
  hash: string;
  mediaType: string;
  width: number;
  height: number;
  takenAt?: string;
  exif?: object;
  /** Under the service's root. */
  file: string;
  thumbnail: Buffer;
}

export interface Inputs {
  env: Record<string, string>;
  /** By model. */
  spaces: Map<string, Space>;
  texts: string[];
  pictures: Picture[];
  damaged: Buffer;
  /** By fingerprint; of texts, pictures and thumbnails in their order. */
  embeddings: Map<string, Record<'text' | 'picture' | 'thumbnail', Float64Array[]>>;
  remove(): Promise<void>;
}

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const texts = ['', ' ', 'a cat', 'a dog on a roof', 'Ein Boot auf dem See', 'snow at night', '红色的房子', 'café', 'cafe\u0301', '😀 a smile', 'bread', 'a child, a horse and a river', 'a\nline', 'night', 'A CAT', 'bicycle'];

async function drawPictures(folder: string): Promise<Omit<Picture, 'thumbnail'>[]> {
  const plain = await Promise.all(
    [{ format: 'png', width: 64, height: 48 }, { format: 'jpeg', width: 100, height: 80 }, { format: 'webp', width: 40, height: 90 }, { format: 'png', width: 420, height: 300 }, { format: 'png', width: 33, height: 33 }, { format: 'jpeg', width: 50, height: 70 }].map(
      async ({ format, width, height }, i) => ({ bytes: await drawn(i * 7 + 1, format as 'png', width, height), mediaType: `image/${format}`, width, height }),
    ),
  );
  const dated = await sharp({ create: { width: 60, height: 30, channels: 3, background: { r: 10, g: 120, b: 200 } } }).withExif({ IFD2: { DateTimeOriginal: '2021:03:04 05:06:07' } }).jpeg().toBuffer();
  const all = [...plain, { bytes: dated, mediaType: 'image/jpeg', width: 60, height: 30, takenAt: '2021-03-04T05:06:07', exif: { orientation: 1 } }];
  return Promise.all(
    all.map(async (picture, i) => {
      const file = path.join(folder, `picture ${i} é.bin`);
      await writeFile(file, picture.bytes);
      return { ...picture, file, hash: sha256(picture.bytes) };
    }),
  );
}

/** A models directory of two small packages, of spaces of their own. */
export async function copyTwoModels(models: string): Promise<void> {
  for (const [from, to] of [['clip-tiny', 'first'], ['openclip-tiny', 'second']] as const) {
    await cp(path.join(repository, 'test/fixtures/reference', from), path.join(models, to), { recursive: true, filter: (file) => path.basename(file) !== 'golden' });
  }
}

export async function prepareInputs(): Promise<Inputs> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-model-'));
  const models = path.join(folder, 'models');
  await copyTwoModels(models);
  const env = { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'first', MIXSPACE_WORKERS: '1', MIXSPACE_ROOTS: folder, LOG_LEVEL: 'warn' };
  const pictures = await drawPictures(folder);
  const server = await startServer({ env });
  try {
    const ask = async (method: string, url: string, body?: unknown): Promise<any> => {
      const answer = await call(server.url, method, url, body);
      if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    await ask('POST', '/v1/collections/default/items', { items: pictures.map(({ bytes }, i) => ({ id: String(i), image: base64(bytes) })) });
    const complete = await Promise.all(
      pictures.map(async (picture, i): Promise<Picture> => {
        const response = await fetch(`${server.url}/v1/collections/default/items/${i}/image`);
        return { ...picture, thumbnail: Buffer.from(await response.arrayBuffer()) };
      }),
    );
    const spaces = new Map<string, Space>();
    const embeddings: Inputs['embeddings'] = new Map();
    for (const model of ['first', 'second']) {
      const embed = async (input: unknown[]): Promise<{ fingerprint: string; vectors: Float64Array[] }> => {
        const { fingerprint, data } = await ask('POST', '/v1/embeddings', { model, input });
        return { fingerprint, vectors: data.map(({ embedding }: { embedding: number[] }) => unit(embedding)) };
      };
      const { fingerprint, vectors } = await embed(texts.map((text) => ({ text })));
      const ofPictures = await embed(complete.map(({ bytes }) => ({ image: base64(bytes) })));
      const ofThumbnails = await embed(complete.map(({ thumbnail }) => ({ image: base64(thumbnail) })));
      spaces.set(model, { model, fingerprint, dimension: vectors[0]!.length });
      embeddings.set(fingerprint, { text: vectors, picture: ofPictures.vectors, thumbnail: ofThumbnails.vectors });
    }
    const whole = complete[3]!.bytes;
    return { env, spaces, texts, pictures: complete, damaged: whole.subarray(0, whole.length >> 1), embeddings, remove: () => rm(folder, { recursive: true, force: true }) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    await server.remove();
  }
}

/** At length 1, in double. */
export function unit(values: ArrayLike<number>): Float64Array {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2;
  return Float64Array.from(values, (value) => value / Math.sqrt(squares));
}

export function cosine(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
