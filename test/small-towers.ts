/** Towers of a few numbers, and packages made of them, in the layouts and with the habits that are met in the wild. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onnxFile, type Dimension, type ElementType, type Graph, type Node } from './onnx.js';
import { repository } from './server.js';

export const fixtures = path.join(repository, 'test/fixtures/reference');
const dimension = 4;

export interface ImageTower {
  input?: string;
  type?: ElementType;
  shape?: Dimension[];
  output?: string;
  outputType?: 'float32' | 'float16';
  outputShape?: Dimension[];
  /** Puts the weights into this file. */
  externalFile?: string;
  /** The first number of what is added. */
  bias?: number;
}

export const imageWeights = [0.9, -0.2, 0.4, 0.1, -0.5, 0.8, 0.3, -0.7, 0.2, 0.6, -0.9, 0.5];

/** The means of the three planes, times a matrix, plus a constant. */
export const imageTower = (tower?: ImageTower): Buffer => onnxFile(imageGraph(tower));

function imageGraph({ input = 'pixel_values', type = 'float32', shape = ['batch', 3, 8, 8], output = 'image_embeds', outputType = 'float32', outputShape = ['batch', dimension], externalFile, bias = 0.3 }: ImageTower = {}): Graph {
  return {
    inputs: [{ name: input, type, shape }],
    outputs: [{ name: output, type: outputType, shape: outputShape }],
    nodes: [
      { op: 'Cast', inputs: [input], outputs: ['pixels'], attributes: { to: 1 } },
      { op: 'GlobalAveragePool', inputs: ['pixels'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
      { op: 'MatMul', inputs: ['means', 'weights'], outputs: ['projected'] },
      ...finished('projected', output, outputType, outputShape.length),
    ],
    constants: [
      { name: 'weights', type: 'float32', shape: [3, dimension], values: imageWeights, ...(externalFile === undefined ? {} : { externalFile }) },
      { name: 'bias', type: 'float32', shape: [dimension], values: [bias, 0.1, -0.2, 0.4] },
      { name: 'one', type: 'int64', shape: [1], values: [1] },
    ],
  };
}

export interface TextTower {
  input?: string;
  type?: ElementType;
  shape?: Dimension[];
  output?: string;
  outputType?: 'float32' | 'float16';
  outputShape?: Dimension[];
  /** `max` does not see a padding of zeros, `mean` does. */
  pool?: 'max' | 'mean';
  quantized?: boolean;
  /** Ids are looked up in a table of so many. */
  rows?: number;
}

/** The largest or the mean id, in thousands, times a vector, plus a constant. */
export const textTower = (tower?: TextTower): Buffer => onnxFile(textGraph(tower));

function textGraph({ input = 'input_ids', type = 'int64', shape = ['batch', 'length'], output = 'text_embeds', outputType = 'float32', outputShape = ['batch', dimension], pool = 'max', quantized = false, rows }: TextTower = {}): Graph {
  const projection: Node[] = quantized
    ? [
        { op: 'DynamicQuantizeLinear', inputs: ['scaled'], outputs: ['quantized', 'scale', 'zero'] },
        { op: 'MatMulInteger', inputs: ['quantized', 'quantizedWeights', 'zero'], outputs: ['product'] },
        { op: 'Cast', inputs: ['product'], outputs: ['productFloat'], attributes: { to: 1 } },
        { op: 'Mul', inputs: ['productFloat', 'scale'], outputs: ['projected'] },
      ]
    : [{ op: 'MatMul', inputs: ['scaled', 'weights'], outputs: ['projected'] }];
  return {
    inputs: [{ name: input, type, shape }],
    outputs: [{ name: output, type: outputType, shape: outputShape }],
    nodes: [
      ...(rows === undefined ? [] : [{ op: 'Gather', inputs: ['table', input], outputs: ['found'] }]),
      { op: 'Cast', inputs: [rows === undefined ? input : 'found'], outputs: ['ids'], attributes: { to: 1 } },
      { op: pool === 'max' ? 'ReduceMax' : 'ReduceMean', inputs: ['ids'], outputs: ['pooled'], attributes: { axes: [1], keepdims: 1 } },
      { op: 'Div', inputs: ['pooled', 'thousand'], outputs: ['scaled'] },
      ...projection,
      ...finished('projected', output, outputType, outputShape.length),
    ],
    constants: [
      { name: 'thousand', type: 'float32', shape: [1], values: [1000] },
      quantized ? { name: 'quantizedWeights', type: 'int8', shape: [1, dimension], values: [9, -2, 4, 1] } : { name: 'weights', type: 'float32', shape: [1, dimension], values: [0.9, -0.2, 0.4, 0.1] },
      { name: 'bias', type: 'float32', shape: [dimension], values: [0.1, 0.5, -0.3, 0.2] },
      ...(rows === undefined ? [] : [{ name: 'table', type: 'int32' as const, shape: [rows], values: Array.from({ length: rows }, (_, i) => i) }]),
      { name: 'one', type: 'int64', shape: [1], values: [1] },
    ],
  };
}

/** Both towers in one graph, as exports without a split have them: the logits need both inputs. */
export function jointFile({ text = {}, image = {}, externalFile }: { text?: TextTower; image?: ImageTower; externalFile?: string } = {}): Buffer {
  const towers = [prefixed('text/', textGraph(text)), prefixed('image/', imageGraph(externalFile === undefined ? image : { ...image, externalFile }))];
  const [textOutput, imageOutput] = towers.map(({ outputs: [output] }) => output!.name) as [string, string];
  const logits = { name: 'logits_per_image', type: 'float32', shape: ['images', 'texts'] } as const;
  return onnxFile({
    inputs: towers.flatMap(({ inputs }) => inputs),
    outputs: [{ ...logits, shape: [...logits.shape] }, ...towers.flatMap(({ outputs }) => outputs)],
    nodes: [
      ...towers.flatMap(({ nodes }) => nodes),
      { op: 'Transpose', inputs: [textOutput], outputs: ['turned'], attributes: { perm: [1, 0] } },
      { op: 'MatMul', inputs: [imageOutput, 'turned'], outputs: [logits.name] },
    ],
    constants: towers.flatMap(({ constants }) => constants),
  });
}

/** All names but those of inputs and outputs. */
function prefixed(prefix: string, { inputs, outputs, nodes, constants }: Graph): Graph {
  const outside = new Set([...inputs, ...outputs].map(({ name }) => name));
  const rename = (name: string): string => (name === '' || outside.has(name) ? name : prefix + name);
  return {
    inputs,
    outputs,
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
    constants: constants.map((constant) => ({ ...constant, name: rename(constant.name) })),
  };
}

/** An optional input or output that is left out has the name ''. */
function finished(from: string, output: string, type: 'float32' | 'float16', rank: number): Node[] {
  return [
    { op: 'Add', inputs: [from, 'bias'], outputs: ['biased'] },
    rank === 3 ? { op: 'Unsqueeze', inputs: ['biased', 'one'], outputs: ['shaped'] } : { op: 'Dropout', inputs: ['biased', '', ''], outputs: ['shaped', ''] },
    { op: 'Cast', inputs: ['shaped'], outputs: [output], attributes: { to: type === 'float16' ? 10 : 1 } },
  ];
}

/** A package in the hub's layout, with CLIP's tokenizer of the fixtures and an input of 8 x 8 pixels. Undefined leaves a file out. */
export async function smallPackage(models: string, id: string, files: Record<string, Buffer | object | undefined> = {}): Promise<string> {
  const directory = path.join(models, id);
  await mkdir(directory, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) await cp(path.join(fixtures, 'clip-tiny', name), path.join(directory, name));
  const all: Record<string, Buffer | object | undefined> = {
    'config.json': { model_type: 'clip', logit_scale_init_value: 4.6052, text_config: { max_position_embeddings: 77 } },
    'preprocessor_config.json': { size: { shortest_edge: 8 }, crop_size: { height: 8, width: 8 }, resample: 3 },
    'model.json': { pad_token_id: 0 },
    'onnx/vision_model.onnx': imageTower(),
    'onnx/text_model.onnx': textTower(),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    if (content === undefined) continue;
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
  return directory;
}
