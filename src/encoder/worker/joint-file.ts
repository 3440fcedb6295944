import { readFile } from 'node:fs/promises';

/**
 * One tower of an ONNX file that holds both: the nodes and weights that lead to one output. ONNX Runtime would want the
 * other modality's input, too, and compute with it. `outputs`: of these the first that the file has is kept.
 * Throws an Error whose sentence names the file.
 */
export async function readTower(file: string, outputs: readonly string[]): Promise<Uint8Array> {
  const bytes = await readFile(file);
  try {
    return reduced(bytes, outputs);
  } catch (error) {
    throw new Error(`${file} cannot be taken apart: ${(error as Error).message}`, { cause: error });
  }
}

/** A field of protocol buffers' wire format: places in the bytes. */
interface Field {
  number: number;
  start: number;
  /** Of its value. */
  from: number;
  to: number;
}

/** Field numbers of onnx.proto (github.com/onnx/onnx). */
const model = { graph: 7 };
const graph = { node: 1, initializer: 5, input: 11, output: 12, valueInfo: 13 };
const node = { input: 1, output: 2, attribute: 5 };
const attribute = { graph: 6, graphs: 11 };
const tensorName = 8;
const valueName = 1;

function reduced(bytes: Buffer, outputs: readonly string[]): Uint8Array {
  const top = fieldsOf(bytes, 0, bytes.length);
  const whole = top.find(({ number }) => number === model.graph);
  if (!whole) throw new Error('it holds no graph.');
  const fields = fieldsOf(bytes, whole.from, whole.to);
  const offered = fields.filter(({ number }) => number === graph.output).map((field) => nameIn(bytes, field, valueName));
  const wanted = outputs.find((name) => offered.includes(name));
  if (wanted === undefined) throw new Error(`it has the outputs ${offered.join(', ')}; ${outputs.join(' or ')} is needed.`);

  const { nodes, names } = pathTo(wanted, bytes, fields);
  const keeps = (field: Field): boolean => {
    if (field.number === graph.node) return nodes.has(field.start);
    if (field.number === graph.output) return nameIn(bytes, field, valueName) === wanted;
    if (field.number === graph.input || field.number === graph.valueInfo) return names.has(nameIn(bytes, field, valueName));
    return field.number !== graph.initializer || names.has(nameIn(bytes, field, tensorName));
  };
  const body = fields.filter(keeps).map(({ start, to }) => bytes.subarray(start, to));
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const before = top.filter((field) => field !== whole).map(({ start, to }) => bytes.subarray(start, to));
  return Buffer.concat([...before, varint(model.graph * 8 + 2), varint(length), ...body]);
}

/** The nodes, by where they start, without which the output cannot be computed, and all names that they read or write. */
function pathTo(output: string, bytes: Buffer, fields: Field[]): { nodes: Set<number>; names: Set<string> } {
  const makers = new Map<string, { start: number; reads: string[]; writes: string[] }>();
  for (const field of fields) {
    if (field.number !== graph.node) continue;
    const maker = { start: field.start, reads: namesRead(bytes, field), writes: stringsIn(bytes, field, node.output) };
    for (const name of maker.writes) makers.set(name, maker);
  }
  const nodes = new Set<number>();
  const names = new Set([output]);
  // A set is walked to its end, with what is added on the way.
  for (const name of names) {
    const maker = makers.get(name);
    if (!maker || nodes.has(maker.start)) continue;
    nodes.add(maker.start);
    // '' stands for an optional input or output that is left out.
    for (const each of [...maker.reads, ...maker.writes]) if (each !== '') names.add(each);
  }
  return { nodes, names };
}

/** A node's inputs, and what the graphs in its attributes (of If, Loop, Scan) may read from outside. */
function namesRead(bytes: Buffer, { from, to }: Field): string[] {
  const fields = fieldsOf(bytes, from, to);
  const inner = fields
    .filter(({ number }) => number === node.attribute)
    .flatMap((each) => fieldsOf(bytes, each.from, each.to))
    .filter(({ number }) => number === attribute.graph || number === attribute.graphs)
    .flatMap((each) => fieldsOf(bytes, each.from, each.to))
    .filter(({ number }) => number === graph.node || number === graph.output);
  return [
    ...fields.filter(({ number }) => number === node.input).map((each) => textOf(bytes, each)),
    ...inner.flatMap((each) => (each.number === graph.node ? namesRead(bytes, each) : [nameIn(bytes, each, valueName)])),
  ];
}

function stringsIn(bytes: Buffer, { from, to }: Field, number: number): string[] {
  return fieldsOf(bytes, from, to).filter((each) => each.number === number).map((each) => textOf(bytes, each));
}

function nameIn(bytes: Buffer, field: Field, number: number): string {
  return stringsIn(bytes, field, number)[0] ?? '';
}

function textOf(bytes: Buffer, { from, to }: Field): string {
  return bytes.toString('utf8', from, to);
}

/** Of one message, in order. Throws where the bytes are no such thing. */
function fieldsOf(bytes: Buffer, from: number, to: number): Field[] {
  const fields: Field[] = [];
  for (let at = from; at < to; ) {
    const start = at;
    const tag = readVarint(bytes, at);
    const kind = tag.value % 8;
    at = tag.end;
    if (kind === 0) at = readVarint(bytes, at).end;
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = readVarint(bytes, at);
      at = length.end + length.value;
      fields.push({ number: Math.floor(tag.value / 8), start, from: length.end, to: at });
      if (at > to) break;
      continue;
    } else throw new Error('it is no ONNX file.');
    fields.push({ number: Math.floor(tag.value / 8), start, from: tag.end, to: at });
  }
  if (fields.length > 0 && fields.at(-1)!.to > to) throw new Error('it ends too early.');
  return fields;
}

/** Seven bits a byte, the lowest first. Exact up to 2^53, which no length reaches. */
function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let end = at, weight = 1; end < bytes.length && end < at + 10; weight *= 128) {
    const byte = bytes[end++]!;
    value += (byte % 128) * weight;
    if (byte < 128) return { value, end };
  }
  throw new Error('it is no ONNX file.');
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}
