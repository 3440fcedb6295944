/**
 * @huggingface/transformers as its documentation uses it: CLIPVisionModelWithProjection and AutoProcessor on a local
 * model folder, float32, one process, its own number of threads. A process of its own, asked through messages.
 */
import { cpuUsage } from 'node:process';

export type PeerRequest =
  | { kind: 'load'; directory: string; model: string }
  | { kind: 'encode'; files: string[]; batchSize: number }
  | { kind: 'pixels'; files: string[] };

export interface PeerEncoding {
  /** Normalised, in the files' order. */
  embeddings: Float32Array[];
  /** Seconds of each stage, one after the other, and of CPU. */
  stages: Map<string, number>;
}

/** The model's input tensor, or why there is none. */
export type PeerPixels = { ok: true; pixels: Float32Array } | { ok: false; message: string };

interface Tensor {
  data: Float32Array;
  dims: number[];
  normalize(): Tensor;
}

interface Library {
  env: { allowRemoteModels: boolean; localModelPath: string };
  RawImage: { read(file: string): Promise<object> };
  AutoProcessor: { from_pretrained(model: string): Promise<Processor> };
  CLIPVisionModelWithProjection: { from_pretrained(model: string, options: { dtype: 'fp32' }): Promise<Model> };
}

type Processor = (images: object[]) => Promise<{ pixel_values: Tensor }>;
type Model = (inputs: { pixel_values: Tensor }) => Promise<{ image_embeds: Tensor }>;

/** Not in the compiler's sight: it is installed only where this benchmark ran. */
const name: string = '@huggingface/transformers';
const { env, RawImage, AutoProcessor, CLIPVisionModelWithProjection } = (await import(name)) as Library;
env.allowRemoteModels = false;
let processor: Processor;
let model: Model;

async function load(directory: string, id: string): Promise<void> {
  env.localModelPath = directory;
  processor = await AutoProcessor.from_pretrained(id);
  model = await CLIPVisionModelWithProjection.from_pretrained(id, { dtype: 'fp32' });
}

async function encode(files: string[], batchSize: number): Promise<PeerEncoding> {
  const embeddings: Float32Array[] = [];
  const stages = new Map<string, number>();
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await work();
    stages.set(stage, (stages.get(stage) ?? 0) + (performance.now() - began) / 1_000);
    return result;
  };
  const before = cpuUsage();
  for (let from = 0; from < files.length; from += batchSize) {
    const images = await timed('read and decode', () => Promise.all(files.slice(from, from + batchSize).map((file) => RawImage.read(file))));
    const inputs = await timed('resize to tensor', () => processor(images));
    const { image_embeds: output } = await timed('infer', () => model(inputs));
    const { data, dims } = output.normalize();
    const dimension = dims.at(-1)!;
    for (let row = 0; row < images.length; row++) embeddings.push(data.slice(row * dimension, (row + 1) * dimension));
  }
  const { user, system } = cpuUsage(before);
  stages.set('cpu', (user + system) / 1e6);
  return { embeddings, stages };
}

async function pixels(file: string): Promise<PeerPixels> {
  try {
    const inputs = await processor([await RawImage.read(file)]);
    return { ok: true, pixels: Float32Array.from(inputs.pixel_values.data) };
  } catch (error) {
    return { ok: false, message: String((error as Error).message) };
  }
}

async function answer(request: PeerRequest): Promise<unknown> {
  if (request.kind === 'load') return load(request.directory, request.model);
  if (request.kind === 'encode') return encode(request.files, request.batchSize);
  const answers: PeerPixels[] = [];
  for (const file of request.files) answers.push(await pixels(file));
  return answers;
}

process.on('message', (request: PeerRequest) => {
  answer(request).then(
    (value) => process.send!({ value }),
    (error: unknown) => process.send!({ error: String((error as Error).stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send!({ value: 'ready' });
