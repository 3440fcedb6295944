import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from '../server.js';
import { opset, textGraph, visionGraph, type TextShape, type VisionShape } from './clip-graph.js';
import { onnxFile, type OnnxGraph } from './onnx-file.js';

/** A CLIP with the sizes of ViT-B/32 (arXiv 2103.00020, table 20), random weights and a small vocabulary: as fast as the real one, and meaning nothing. */
export const randomVit = 'random-vit-b32';

const small = path.join(repository, 'test/fixtures/reference/clip-tiny');
const vision: VisionShape = { width: 768, layers: 12, heads: 12, mlpWidth: 3_072, imageSize: 224, patchSize: 32, projection: 512 };
const text = { width: 512, layers: 12, heads: 8, mlpWidth: 2_048, contextLength: 77, projection: 512 };

/**
 * A models directory with this one package, in the hub's layout. Written once, under the system's directory for
 * temporary files (510 MB), and made again when the files that make it change.
 */
export async function randomVitDirectory(): Promise<string> {
  const cache = path.join(tmpdir(), 'mixspace-bench-models');
  const directory = path.join(cache, await hashOf(['random-vit.ts', 'clip-graph.ts', 'onnx-file.ts']));
  if (isComplete(directory)) return directory;
  console.log(`Writing ${randomVit}, random weights of ViT-B/32's size, to ${directory}.`);
  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(path.join(cache, 'draft-'));
  try {
    await writePackage(path.join(draft, randomVit));
    // Not complete where something swept the temporary files.
    if (!isComplete(directory)) await rm(directory, { recursive: true, force: true });
    await rename(draft, directory).catch((error: unknown) => {
      if (!isComplete(directory)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return directory;
}

const copied = ['preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'];
const [visionFile, textFile] = ['onnx/vision_model.onnx', 'onnx/text_model.onnx'];

function isComplete(directory: string): boolean {
  return [...copied, 'config.json', visionFile, textFile].every((name) => existsSync(path.join(directory, randomVit, name)));
}

async function writePackage(folder: string): Promise<void> {
  const config = JSON.parse(await readFile(path.join(small, 'config.json'), 'utf8')) as { text_config: { vocab_size: number; [key: string]: unknown }; vision_config: object; [key: string]: unknown };
  const textShape: TextShape = { ...text, vocabulary: config.text_config.vocab_size };
  await mkdir(path.join(folder, 'onnx'), { recursive: true });
  for (const name of copied) await copyFile(path.join(small, name), path.join(folder, name));
  const sized = {
    ...config,
    projection_dim: vision.projection,
    text_config: { ...config.text_config, ...hubSizes(textShape) },
    vision_config: { ...config.vision_config, ...hubSizes(vision) },
  };
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(sized, undefined, 2));
  await writeGraph(path.join(folder, visionFile), visionGraph(vision));
  await writeGraph(path.join(folder, textFile), textGraph(textShape));
}

function hubSizes({ width, layers, heads, mlpWidth, projection }: VisionShape | TextShape): object {
  return { hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads, intermediate_size: mlpWidth, projection_dim: projection };
}

async function writeGraph(file: string, graph: OnnxGraph): Promise<void> {
  await writeFile(file, onnxFile(graph, opset));
}

async function hashOf(names: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) hash.update(await readFile(path.join(import.meta.dirname, name)));
  return hash.digest('hex').slice(0, 12);
}
