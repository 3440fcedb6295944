/** Writes small ONNX files for tests: just enough of onnx.proto to give towers any input, output and operator. */
export type ElementType = 'float32' | 'float16' | 'int32' | 'int64' | 'int8' | 'uint8';
export type Dimension = number | string;

const elementTypes: Record<ElementType, number> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 };

export interface Value {
  name: string;
  type: ElementType;
  shape: Dimension[];
}

export interface Node {
  op: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, number | number[]>;
}

export interface Constant {
  name: string;
  type: ElementType;
  shape: number[];
  values: number[];
  /** The file beside the model that holds the values, from its beginning on. */
  externalFile?: string;
}

export interface Graph {
  inputs: Value[];
  outputs: Value[];
  nodes: Node[];
  constants: Constant[];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const number = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Buffer | string) => Buffer.concat([varint(field * 8 + 2), varint(Buffer.byteLength(value)), Buffer.from(value)]);
const message = (field: number, ...parts: Buffer[]) => bytes(field, Buffer.concat(parts));

function value(field: number, { name, type, shape }: Value): Buffer {
  const dimensions = shape.map((size) => message(1, typeof size === 'number' ? number(1, size) : bytes(2, size)));
  return message(field, bytes(1, name), message(2, message(1, number(1, elementTypes[type]), message(2, ...dimensions))));
}

function attribute(name: string, value: number | number[]): Buffer {
  const body = Array.isArray(value) ? [...value.map((each) => number(8, each)), number(20, 7)] : [number(3, value), number(20, 2)];
  return message(5, bytes(1, name), ...body);
}

export function rawValues(type: ElementType, values: number[]): Buffer {
  if (type === 'float32') return Buffer.from(Float32Array.from(values).buffer);
  if (type === 'int64') return Buffer.from(BigInt64Array.from(values, BigInt).buffer);
  if (type === 'int32') return Buffer.from(Int32Array.from(values).buffer);
  return Buffer.from(Int8Array.from(values).buffer);
}

function constant({ name, type, shape, values, externalFile }: Constant): Buffer {
  const data = externalFile === undefined ? [bytes(9, rawValues(type, values))] : [message(13, bytes(1, 'location'), bytes(2, externalFile)), number(14, 1)];
  return message(5, ...shape.map((size) => number(1, size)), number(2, elementTypes[type]), bytes(8, name), ...data);
}

export function onnxFile({ inputs, outputs, nodes, constants }: Graph): Buffer {
  const graph = [
    ...nodes.map(({ op, inputs: from, outputs: to, attributes }) =>
      message(1, ...from.map((name) => bytes(1, name)), ...to.map((name) => bytes(2, name)), bytes(4, op), ...Object.entries(attributes ?? {}).map(([name, each]) => attribute(name, each))),
    ),
    bytes(2, 'tower'),
    ...constants.map(constant),
    ...inputs.map((each) => value(11, each)),
    ...outputs.map((each) => value(12, each)),
  ];
  return Buffer.concat([number(1, 8), message(8, number(2, 13)), message(7, ...graph)]);
}
