/** ONNX models as bytes: what of onnx.proto (github.com/onnx/onnx) a graph of floats needs, in protobuf's wire format. */
export interface OnnxGraph {
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  nodes: OnnxNode[];
  weights: OnnxTensor[];
}

export interface OnnxValue {
  name: string;
  type: 'float32' | 'int64';
  /** A name where any length is taken. */
  shape: (number | string)[];
}

export interface OnnxNode {
  operator: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | number[] | { float: number }>;
}

export interface OnnxTensor {
  name: string;
  shape: number[];
  values: Float32Array | BigInt64Array;
}

const irVersion = 8;
const dataTypes = { float32: 1, int64: 7 };
const attributeTypes = { float: 1, int: 2, ints: 7 };

/** The model's bytes in pieces, so that weights are not copied. */
export function onnxFile(graph: OnnxGraph, opset: number): Uint8Array[] {
  return [
    ...integer(1, irVersion),
    ...text(2, 'mixspace-bench'),
    ...message(7, [
      ...graph.nodes.flatMap((node) => message(1, nodeOf(node))),
      ...text(2, 'graph'),
      ...graph.weights.flatMap((tensor) => message(5, tensorOf(tensor))),
      ...graph.inputs.flatMap((value) => message(11, valueOf(value))),
      ...graph.outputs.flatMap((value) => message(12, valueOf(value))),
    ]),
    ...message(8, integer(2, opset)),
  ];
}

function nodeOf({ operator, inputs, outputs, attributes }: OnnxNode): Uint8Array[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(3, outputs[0]!),
    ...text(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) => message(5, attributeOf(name, value))),
  ];
}

function attributeOf(name: string, value: number | number[] | { float: number }): Uint8Array[] {
  const type = (kind: keyof typeof attributeTypes) => integer(20, attributeTypes[kind]);
  if (Array.isArray(value)) return [...text(1, name), ...value.flatMap((each) => integer(8, each)), ...type('ints')];
  if (typeof value === 'object') return [...text(1, name), ...float(2, value.float), ...type('float')];
  return [...text(1, name), ...integer(3, value), ...type('int')];
}

function tensorOf({ name, shape, values }: OnnxTensor): Uint8Array[] {
  const type = values instanceof Float32Array ? dataTypes.float32 : dataTypes.int64;
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [...shape.flatMap((length) => integer(1, length)), ...integer(2, type), ...text(8, name), ...message(9, [raw])];
}

function valueOf({ name, type, shape }: OnnxValue): Uint8Array[] {
  const lengths = shape.flatMap((length) => message(1, typeof length === 'number' ? integer(1, length) : text(2, length)));
  return [...text(1, name), ...message(2, message(1, [...integer(1, dataTypes[type]), ...message(2, lengths)]))];
}

const wireTypes = { varint: 0, delimited: 2, fixed32: 5 };

function message(field: number, pieces: Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [tag(field, 'delimited'), varint(length), ...pieces];
}

function text(field: number, value: string): Uint8Array[] {
  return message(field, [Buffer.from(value)]);
}

function integer(field: number, value: number): Uint8Array[] {
  return [tag(field, 'varint'), varint(value)];
}

function float(field: number, value: number): Uint8Array[] {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [tag(field, 'fixed32'), bytes];
}

function tag(field: number, type: keyof typeof wireTypes): Uint8Array {
  return varint(field * 8 + wireTypes[type]);
}

/** Seven bits a byte, the lowest first; negative numbers as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
