import { readFile } from 'node:fs/promises';
import { fieldsIn, fieldsOf, textIn, varint, type Field } from '../onnx/protobuf.js';
import { attribute, graph, model, node, tensor, valueName } from '../onnx/schema.js';

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

function reduced(bytes: Buffer, outputs: readonly string[]): Uint8Array {
  const top = [...fieldsOf(bytes)];
  const whole = top.find(({ number }) => number === model.graph);
  if (!whole) throw new Error('it holds no graph.');
  const fields = [...fieldsIn(bytes, whole)];
  const offered = fields.filter(({ number }) => number === graph.output).map((field) => nameIn(bytes, field, valueName));
  const wanted = outputs.find((name) => offered.includes(name));
  if (wanted === undefined) throw new Error(`it has the outputs ${offered.join(', ')}; ${outputs.join(' or ')} is needed.`);

  const { nodes, names } = pathTo(wanted, bytes, fields);
  const keeps = (field: Field): boolean => {
    if (field.number === graph.node) return nodes.has(field.start);
    if (field.number === graph.output) return nameIn(bytes, field, valueName) === wanted;
    if (field.number === graph.input || field.number === graph.valueInfo) return names.has(nameIn(bytes, field, valueName));
    return field.number !== graph.initializer || names.has(nameIn(bytes, field, tensor.name));
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
function namesRead(bytes: Buffer, read: Field): string[] {
  const fields = [...fieldsIn(bytes, read)];
  const inner = fields
    .filter(({ number }) => number === node.attribute)
    .flatMap((each) => [...fieldsIn(bytes, each)])
    .filter(({ number }) => number === attribute.graph || number === attribute.graphs)
    .flatMap((each) => [...fieldsIn(bytes, each)])
    .filter(({ number }) => number === graph.node || number === graph.output);
  return [
    ...fields.filter(({ number }) => number === node.input).map((each) => textIn(bytes, each)),
    ...inner.flatMap((each) => (each.number === graph.node ? namesRead(bytes, each) : [nameIn(bytes, each, valueName)])),
  ];
}

function stringsIn(bytes: Buffer, field: Field, number: number): string[] {
  return [...fieldsIn(bytes, field)].filter((each) => each.number === number).map((each) => textIn(bytes, each));
}

function nameIn(bytes: Buffer, field: Field, number: number): string {
  return stringsIn(bytes, field, number)[0] ?? '';
}
