import { dirname } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Modality } from '../../domain/modality.js';
import type { TowerFile } from '../package/model-package.js';
import { fromHalves } from './half-floats.js';
import { readTower } from './joint-file.js';
import type { SessionSettings } from '../protocol/messages.js';
import { openSession, type OpenSession } from './session.js';

/** An input that a tower may have, under the names it is published with. */
export interface KnownInput {
  names: string[];
  required: boolean;
  types: string[];
  /** Undefined: any. */
  shape: (number | undefined)[];
}

/** Embedding outputs by preference, as files of both towers are published. */
const jointOutputs = { text: ['text_embeds', 'text_embeddings'], image: ['image_embeds', 'image_embeddings'] };

/** Embedding outputs by preference, as towers are published. */
const outputNames = ['text_embeds', 'image_embeds', 'text_embeddings', 'image_embeddings', 'embedding', 'embeddings', 'sentence_embedding', 'output', 'pooler_output'];

const outputTypes = ['float32', 'float16'];

export type Feeds = Record<string, Tensor>;

/** One array of `dimension` floats an input, normalised, and the length each had before. */
export interface Embeddings {
  embeddings: Float32Array;
  norms: number[];
}

/** One modality's encoder, ready for inputs. */
export interface LoadedTower {
  /** Of an embedding. */
  dimension: number;
  /** It takes one input at a time. */
  oneAtATime: boolean;
  executionProvider: string;
  /** Sentences: which other ones were asked for and why they are not used. */
  refused: string[];
  /** Gives the weights' memory back; nothing may run on it any more. */
  release(): Promise<void>;
}

/** What all towers tell alike, once it is known how long an embedding is. */
export function loaded(tower: Tower, dimension: number): LoadedTower {
  const { step, executionProvider, refused } = tower;
  return { dimension, oneAtATime: step === 1, executionProvider, refused, release: () => tower.release() };
}

/** One ONNX file, its input and output checked. */
export interface Tower extends Omit<OpenSession, 'session'> {
  file: string;
  /** The file's own names, by the first of the known ones. */
  inputs: Map<string, { name: string; type: string; shape: readonly (number | string)[] }>;
  /** How many inputs go in at once; undefined: as many as there are. */
  step: number | undefined;
  /** The file takes exactly `step`: what is missing must be filled up. */
  fixed: boolean;
  /** One array an input, as it comes out. */
  run(feeds: Feeds, count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Throws an Error whose sentence says what was found where something else is needed. */
export async function openTower(modality: Modality, tower: TowerFile, known: KnownInput[], settings: SessionSettings): Promise<Tower> {
  const { file, output: wanted, dynamicallyQuantized } = tower;
  const source = tower.joint ? { bytes: await readTower(file, wanted === undefined ? jointOutputs[modality] : [wanted]), folder: dirname(file) } : file;
  const { session, ...opened } = await openSession(source, settings).catch((error: unknown) => {
    throw new Error(`${file} cannot be loaded: ${(error as Error).message}`, { cause: error });
  });
  const inputs: Tower['inputs'] = new Map();
  for (const metadata of session.inputMetadata) {
    const input = known.find(({ names }) => names.includes(metadata.name));
    if (!input) throw new Error(`${file} has the inputs ${session.inputNames.join(', ')}; known are ${known.flatMap(({ names }) => names).join(', ')}.`);
    inputs.set(input.names[0]!, { name: metadata.name, ...checkedInput(file, metadata, input) });
  }
  const missing = known.find(({ names, required }) => required && !inputs.has(names[0]!));
  if (missing) throw new Error(`${file} has the inputs ${session.inputNames.join(', ')}; ${missing.names.join(' or ')} is needed.`);

  const output = outputOf(file, session, wanted);
  const batches = new Set([...inputs.values()].map(({ shape }) => shape[0]).filter((size): size is number => typeof size === 'number' && size > 0));
  if (batches.size > 1) throw new Error(`${file} wants batches of ${[...batches].join(' and of ')} at once.`);
  const [batch] = batches;
  if (dynamicallyQuantized && batch !== undefined && batch > 1) {
    throw new Error(`${file} is dynamically quantised and takes exactly ${batch} inputs at a time, so that what an input gives would depend on the others; a file that takes one is needed.`);
  }
  return {
    ...opened,
    file,
    inputs,
    step: dynamicallyQuantized ? 1 : batch,
    fixed: batch !== undefined,
    release: () => session.release(),
    async run(feeds, count) {
      const results = await session.run(feeds, [output.name]).catch((error: unknown) => {
        throw new Error(`${file} cannot be run: ${(error as Error).message}`, { cause: error });
      });
      const { data, dims } = results[output.name]!;
      checkOutputShape(file, output.name, dims);
      if (data.length % count !== 0) throw new Error(`${file}: ${output.name} came out as [${dims.join(', ')}] for ${count} inputs.`);
      return output.type === 'float16' ? fromHalves(data as unknown as Uint16Array) : (data as Float32Array);
    },
  };
}

/** Runs it once; answers how many numbers an embedding has. */
export async function trial(tower: Tower, feeds: (rows: number) => Feeds): Promise<number> {
  const rows = tower.fixed ? tower.step! : 1;
  const values = await tower.run(feeds(rows), rows);
  if (!values.every(Number.isFinite)) throw new Error(`${tower.file} gives numbers that are not finite.`);
  return values.length / rows;
}

function checkedInput(file: string, metadata: InferenceSession.ValueMetadata, { types, shape: wanted }: KnownInput): { type: string; shape: readonly (number | string)[] } {
  const { type, shape } = metadata.isTensor ? metadata : { type: 'no tensor', shape: [] };
  const fits = shape.length === wanted.length && wanted.every((want, i) => want === undefined || typeof shape[i] !== 'number' || shape[i] <= 0 || shape[i] === want);
  if (!types.includes(type) || !fits) {
    throw new Error(`${file}: ${metadata.name} is ${type} [${shape.join(', ')}]; ${types.join(' or ')} [${wanted.map((want) => want ?? 'any').join(', ')}] is needed.`);
  }
  return { type, shape };
}

function outputOf(file: string, session: InferenceSession, wanted: string | undefined): { name: string; type: string } {
  const candidates = wanted === undefined ? outputNames : [wanted];
  const name = candidates.find((each) => session.outputNames.includes(each)) ?? (wanted === undefined && session.outputNames.length === 1 ? session.outputNames[0] : undefined);
  if (name === undefined) throw new Error(`${file} has the outputs ${session.outputNames.join(', ')}; ${wanted ?? `one of ${outputNames.join(', ')}`} is needed${wanted === undefined ? ', or text_output or image_output in model.json' : ', as model.json says'}.`);
  const metadata = session.outputMetadata.find((each) => each.name === name);
  const { type, shape } = metadata?.isTensor ? metadata : { type: 'no tensor', shape: [] };
  if (!outputTypes.includes(type)) throw new Error(`${file}: ${name} is ${type}; ${outputTypes.join(' or ')} is needed.`);
  checkOutputShape(file, name, shape);
  return { name, type };
}

/** [batch, d], [batch, 1, d], or [d] from a file that takes one input; a size left open passes until it is known. */
function checkOutputShape(file: string, name: string, shape: readonly (number | string)[]): void {
  const middle = shape.slice(1, -1);
  if (shape.length >= 1 && shape.length <= 3 && middle.every((size) => typeof size !== 'number' || size === 1 || size <= 0)) return;
  throw new Error(`${file}: ${name} has the shape [${shape.join(', ')}]; [batch, dimension] is needed: one embedding an input.`);
}

/** Runs `count` inputs, as many at a time as the file takes, and normalises what comes out, `dimension` numbers each. */
export async function encodeAll(tower: Tower, count: number, dimension: number, feeds: (start: number, end: number, rows: number) => Feeds): Promise<Embeddings> {
  const step = tower.step ?? Math.max(count, 1);
  const embeddings = new Float32Array(count * dimension);
  for (let start = 0; start < count; start += step) {
    const end = Math.min(start + step, count);
    const rows = tower.fixed ? step : end - start;
    const values = await tower.run(feeds(start, end, rows), rows);
    if (values.length !== rows * dimension) throw new Error(`${tower.file} gave ${values.length / rows} numbers an input; it gave ${dimension} when it was loaded.`);
    embeddings.set(values.subarray(0, (end - start) * dimension), start * dimension);
  }
  const norms = Array.from({ length: count }, (_, i) => normalize(embeddings.subarray(i * dimension, (i + 1) * dimension)));
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
