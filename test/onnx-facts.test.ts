/** What is read out of an ONNX file's fields, and nothing that merely looks like it. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readOnnxFacts } from '../src/encoder/onnx/facts.js';
import { readPackage } from '../src/encoder/package/model-package.js';
import { smallPackage } from './small-towers.js';

/** Written by hand, by onnx.proto's field numbers, apart from what reads it. */
const varint = (value: number): Buffer => (value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value % 128) + 128]), varint(Math.floor(value / 128))]));
const bytes = (field: number, value: Buffer | string): Buffer => Buffer.concat([varint(field * 8 + 2), varint(Buffer.byteLength(value)), Buffer.from(value)]);
const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const message = (field: number, ...parts: Buffer[]): Buffer => bytes(field, Buffer.concat(parts));
const model = (...parts: Buffer[]): Buffer => Buffer.concat([number(1, 8), ...parts]);
const graph = (...parts: Buffer[]): Buffer => message(7, ...parts);
const nodeOf = (operator: string, ...more: Buffer[]): Buffer => message(1, bytes(1, 'x'), bytes(2, 'y'), bytes(4, operator), ...more);
const entry = (key: string, value: string): Buffer => message(13, bytes(1, key), bytes(2, value));
const inFile = (location: string): Buffer[] => [entry('offset', '0'), entry('location', location), number(14, 1)];
const quantized = 'DynamicQuantizeLinear';

let models: string;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-onnx-'));
});
afterAll(() => rm(models, { recursive: true }));

async function factsOf(tower: Buffer, besides: Record<string, Buffer> = {}): Promise<{ dynamicallyQuantized: boolean; externalData: string[] }> {
  await smallPackage(models, 'read', { 'onnx/text_model.onnx': tower, ...besides });
  const { towers, externalData } = await readPackage(models, 'read');
  return { dynamicallyQuantized: towers.text!.dynamicallyQuantized, externalData: externalData.map((file) => path.basename(file)) };
}

describe('a file is dynamically quantised', () => {
  test.each([
    ['by a node', graph(nodeOf('Cast'), nodeOf(quantized))],
    ['by a node of a graph inside a node', graph(nodeOf('If', message(5, bytes(1, 'then_branch'), message(6, nodeOf(quantized)))))],
    ['by a node of one of several graphs inside a node', graph(nodeOf('Loop', message(5, message(11, nodeOf('Cast')), message(11, nodeOf('If', message(5, message(6, nodeOf('MatMulInteger'))))))))],
    ['by a node of a function', Buffer.concat([graph(nodeOf('Mine')), message(25, bytes(1, 'Mine'), message(7, bytes(4, quantized)))])],
    ['by a node behind weights', graph(message(5, bytes(8, 'w'), bytes(9, Buffer.alloc(300_000, 7))), nodeOf(quantized))],
  ])('%s', async (_, parts) => {
    expect((await factsOf(model(parts))).dynamicallyQuantized).toBe(true);
  });

  test.each([
    ['in the name of a node', graph(message(1, bytes(3, quantized), bytes(4, 'Cast')))],
    ['in the text about a node, field by field', graph(message(1, bytes(4, 'Cast'), bytes(6, Buffer.concat([bytes(4, quantized), bytes(4, 'MatMulInteger')]))))],
    ['in the text about the model', Buffer.concat([message(6, bytes(4, quantized)), graph(nodeOf('Cast'))])],
    ['among the bytes of weights', graph(nodeOf('Cast'), message(5, bytes(8, 'w'), bytes(9, Buffer.concat([bytes(4, quantized), message(1, bytes(4, quantized))]))))],
    ['in what an attribute says', graph(nodeOf('Cast', message(5, bytes(1, quantized), bytes(4, quantized))))],
  ])('not by the word %s', async (_, parts) => {
    expect((await factsOf(model(parts))).dynamicallyQuantized).toBe(false);
  });
});

describe('files of weights are those named', () => {
  test('by tensors of the graph, sparse ones, and those in attributes of nodes, of whatever depth', async () => {
    const names = ['plain.bin', 'values.bin', 'indices.bin', 'attribute.bin', 'list.bin', 'sparse.bin', 'inner.bin'];
    const tower = graph(
      message(5, bytes(8, 'a'), ...inFile('plain.bin')),
      message(15, message(1, ...inFile('values.bin')), message(2, ...inFile('indices.bin'))),
      nodeOf('Constant', message(5, message(5, ...inFile('attribute.bin'))), message(5, message(10, ...inFile('list.bin'))), message(5, message(22, message(1, ...inFile('sparse.bin'))))),
      nodeOf('If', message(5, message(6, message(5, bytes(8, 'b'), ...inFile('inner.bin'))))),
    );
    const found = await factsOf(model(tower), Object.fromEntries(names.map((name) => [`onnx/${name}`, Buffer.from(name)])));
    expect(found.externalData).toEqual(names.toSorted());
  });

  test('not by text that looks like it, nor by a tensor whose values are in the file', async () => {
    const look = Buffer.concat([entry('location', 'nowhere.bin'), number(14, 1)]);
    const tower = graph(message(5, bytes(8, 'a'), bytes(9, look), bytes(12, look)), message(5, bytes(8, 'b'), entry('location', 'nowhere.bin'), number(14, 0)), bytes(10, look));
    expect((await factsOf(model(tower))).externalData).toEqual([]);
  });
});

test.each([
  ['is no protocol buffer', Buffer.from('{}'), /text_model\.onnx cannot be loaded: it is no ONNX file/],
  ['is empty', Buffer.alloc(0), /text_model\.onnx cannot be loaded: it holds no graph/],
  ['ends in its weights', model(graph(message(5, bytes(9, Buffer.alloc(1000))))).subarray(0, 500), /text_model\.onnx cannot be loaded: it ends too early/],
  ['has a field that is longer than what holds it', model(graph(Buffer.concat([varint(1 * 8 + 2), varint(100), Buffer.alloc(3)]))), /text_model\.onnx cannot be loaded: it ends too early/],
  ['has a length that never ends', model(Buffer.concat([varint(7 * 8 + 2), Buffer.alloc(12, 0xff)])), /text_model\.onnx cannot be loaded: it is no ONNX file/],
  ['has a graph in a graph in a graph', model(Array.from({ length: 200 }).reduce<Buffer>((inner) => graph(message(1, message(5, inner.subarray(0, 0), Buffer.concat([varint(6 * 8 + 2), inner.subarray(1)])))), graph(nodeOf('Cast')))), /text_model\.onnx cannot be loaded: its graphs are nested too deeply/],
])('a file that %s is refused in one sentence', async (_, content, sentence) => {
  await expect(factsOf(content)).rejects.toThrow(sentence);
});

test('of a very large file little is held in memory', async () => {
  const directory = await smallPackage(models, 'large', {});
  const weights = 3 * 2 ** 30;
  const rest = nodeOf(quantized);
  const tensor = Buffer.concat([bytes(8, 'w'), varint(9 * 8 + 2), varint(weights)]);
  const tensorLength = tensor.length + weights;
  const head = Buffer.concat([varint(5 * 8 + 2), varint(tensorLength), tensor]);
  const file = await open(path.join(directory, 'onnx/text_model.onnx'), 'w');
  const start = model(Buffer.concat([varint(7 * 8 + 2), varint(head.length + weights + rest.length)]), head);
  await file.write(start, 0, start.length, 0);
  // A hole: the disk has no 3 GiB of it.
  await file.write(rest, 0, rest.length, start.length + weights);
  await file.close();
  const before = process.memoryUsage().rss;
  expect(readOnnxFacts(path.join(directory, 'onnx/text_model.onnx')).operators).toEqual(new Set([quantized]));
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});
