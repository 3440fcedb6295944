import { Tensor, type InferenceSession } from 'onnxruntime-node';
import type { ModelPackage } from '../package/model-package.js';
import { readTextEncoding, type EncodedText, type TextEncoding } from '../text-encoding.js';
import { openSession, plainSession, type OpenSession, type SessionSettings } from './session.js';

/** One array of `dimension` floats an input, normalised, and the length each had before. */
export interface Embeddings {
  embeddings: Float32Array;
  norms: number[];
}

/** Both towers of a package, loaded. */
export interface Towers {
  dimension: number;
  textEncoding: TextEncoding;
  encodeTexts(texts: EncodedText[]): Promise<Embeddings>;
  /** `pixels`: float32 [count, 3, size, size]. */
  encodePixels(pixels: Float32Array, count: number): Promise<Embeddings>;
  executionProvider: string;
  /** Sentences: which other ones were asked for and why they are not used. */
  refused: string[];
  /** Gives the weights' memory back; nothing may run on the towers any more. */
  release(): Promise<void>;
}

/** Throws an Error whose sentence says what was found where something else is needed. */
export async function loadTowers(model: ModelPackage, settings: SessionSettings = plainSession): Promise<Towers> {
  const textEncoding = await readTextEncoding(model.directory, model.text);
  const text = await openTower(model.text.file, model.text.outputs, ['input_ids', 'attention_mask', 'token_type_ids'], settings);
  const image = await openTower(model.image.file, model.image.outputs, ['pixel_values'], settings);
  const { size } = model.image;
  checkShape(image, 'pixel_values', ['float32'], [undefined, 3, size, size]);
  for (const name of text.session.inputNames) checkShape(text, name, ['int64', 'int32'], [undefined, undefined]);
  if (text.dimension !== image.dimension) throw new Error(`The towers disagree: texts get ${text.dimension} numbers, pictures ${image.dimension}.`);

  return {
    dimension: image.dimension,
    textEncoding,
    executionProvider: [...new Set([image.executionProvider, text.executionProvider])].join(', '),
    refused: [...new Set([...image.refused, ...text.refused])],
    release: async () => {
      await text.session.release();
      await image.session.release();
    },
    encodeTexts: (texts) =>
      inSlices(text, texts.length, (start, end) => {
        const length = textLength(text, model, texts.slice(start, end));
        return Object.fromEntries(text.session.inputNames.map((name) => [name, idTensor(text, name, texts.slice(start, end), length, textEncoding.padTokenId)]));
      }),
    encodePixels: (pixels, count) => {
      const stride = 3 * size * size;
      return inSlices(image, count, (start, end) => ({
        pixel_values: new Tensor('float32', pixels.subarray(start * stride, end * stride), [end - start, 3, size, size]),
      }));
    },
  };
}

interface Tower extends OpenSession {
  file: string;
  output: string;
  dimension: number;
  /** Set where the file takes exactly so many inputs at a time. */
  fixedBatch: number | undefined;
}

async function openTower(file: string, outputs: string[], inputs: string[], settings: SessionSettings): Promise<Tower> {
  const opened = await openSession(file, settings);
  const { session } = opened;
  const output = outputs.find((name) => session.outputNames.includes(name));
  if (output === undefined) throw new Error(`${file} has the outputs ${session.outputNames.join(', ')}; one of ${outputs.join(', ')} is needed.`);
  const first = inputs[0] ?? '';
  const strange = session.inputNames.filter((name) => !inputs.includes(name));
  if (strange.length > 0 || !session.inputNames.includes(first)) {
    throw new Error(`${file} has the inputs ${session.inputNames.join(', ')}; ${inputs.join(', ')} are known and ${first} is needed.`);
  }
  const shape = shapeOf(session.outputMetadata, output);
  const dimension = shape.at(-1);
  if (shape.length !== 2 || typeof dimension !== 'number') throw new Error(`${file}: ${output} has the shape [${shape.join(', ')}]; [batch, a fixed number] is needed.`);
  const batch = shapeOf(session.inputMetadata, first)[0];
  return { ...opened, file, output, dimension, fixedBatch: typeof batch === 'number' && batch > 0 ? batch : undefined };
}

function tensorOf(metadata: readonly InferenceSession.ValueMetadata[], name: string): InferenceSession.TensorValueMetadata | undefined {
  const value = metadata.find((entry) => entry.name === name);
  return value?.isTensor ? value : undefined;
}

function shapeOf(metadata: readonly InferenceSession.ValueMetadata[], name: string): readonly (number | string)[] {
  return tensorOf(metadata, name)?.shape ?? [];
}

function checkShape({ session, file }: Tower, name: string, types: string[], wanted: (number | undefined)[]): void {
  const found = tensorOf(session.inputMetadata, name);
  const fits = found?.shape.length === wanted.length && wanted.every((want, i) => want === undefined || typeof found.shape[i] === 'string' || found.shape[i] === want);
  if (!found || !types.includes(found.type) || !fits) {
    const shape = wanted.map((want) => want ?? 'any').join(', ');
    throw new Error(`${file}: ${name} is ${found?.type ?? 'no tensor'} [${found?.shape.join(', ') ?? ''}]; ${types.join(' or ')} [${shape}] is needed.`);
  }
}

function textLength(tower: Tower, model: ModelPackage, texts: EncodedText[]): number {
  const fixed = shapeOf(tower.session.inputMetadata, 'input_ids')[1];
  if (typeof fixed === 'number' && fixed > 0) return fixed;
  if (model.text.padding === 'max_length') return model.text.contextLength;
  return texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
}

function idTensor(tower: Tower, name: string, texts: EncodedText[], length: number, padTokenId: number): Tensor {
  const type = tensorOf(tower.session.inputMetadata, name)?.type === 'int32' ? 'int32' : 'int64';
  const values = new Int32Array(texts.length * length);
  if (name === 'input_ids') values.fill(padTokenId);
  if (name !== 'token_type_ids') {
    texts.forEach(({ ids }, row) => {
      for (let i = 0; i < ids.length; i++) values[row * length + i] = name === 'input_ids' ? ids[i]! : 1;
    });
  }
  return type === 'int32' ? new Tensor('int32', values, [texts.length, length]) : new Tensor('int64', BigInt64Array.from(values, BigInt), [texts.length, length]);
}

/** Runs all inputs, as many at a time as the file takes, and normalises what comes out. */
async function inSlices(tower: Tower, count: number, feeds: (start: number, end: number) => Record<string, Tensor>): Promise<Embeddings> {
  const step = tower.fixedBatch ?? Math.max(count, 1);
  const embeddings = new Float32Array(count * tower.dimension);
  for (let start = 0; start < count; start += step) {
    const results = await tower.session.run(feeds(start, Math.min(start + step, count)), [tower.output]);
    embeddings.set(results[tower.output]!.data as Float32Array, start * tower.dimension);
  }
  const norms = Array.from({ length: count }, (_, i) => normalize(embeddings.subarray(i * tower.dimension, (i + 1) * tower.dimension)));
  return { embeddings, norms };
}

/** In place; returns the length it had. */
function normalize(embedding: Float32Array): number {
  let squares = 0;
  for (const value of embedding) squares += value * value;
  const norm = Math.sqrt(squares);
  const factor = 1 / norm;
  for (let i = 0; i < embedding.length; i++) embedding[i] = embedding[i]! * factor;
  return norm;
}
