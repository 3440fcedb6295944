import { attribute, entry, external, functionFields, graph, model, node, sparseTensor, tensor } from './schema.js';
import { FileBytes, fieldsIn, fieldsOf, numberIn, textIn, type Bytes, type Field } from './protobuf.js';

export interface OnnxFacts {
  /** Operators of all nodes, those of graphs inside of nodes and of functions included. */
  operators: Set<string>;
  /** Files that hold values of tensors, as the file names them. */
  externalData: Set<string>;
}

/** Reads what a file's graph is made of, and none of its weights. Throws an Error whose sentence names the file. */
export function readOnnxFacts(path: string): OnnxFacts {
  const bytes = new FileBytes(path);
  try {
    return factsOf(bytes);
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${(error as Error).message}`, { cause: error });
  } finally {
    bytes.close();
  }
}

/** Throws an Error for what is no model. */
export function factsOf(bytes: Bytes): OnnxFacts {
  const reading = new Reading(bytes);
  let graphs = 0;
  for (const field of fieldsOf(bytes)) {
    if (field.number === model.graph) graphs++;
    reading.fieldOfModel(field);
  }
  if (graphs === 0) throw new Error('it holds no graph.');
  return reading.facts;
}

/** Graphs in attributes of nodes of graphs: far more than any model has. */
const deepest = 64;

class Reading {
  readonly facts: OnnxFacts = { operators: new Set(), externalData: new Set() };
  readonly #bytes: Bytes;
  #depth = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  fieldOfModel(field: Field): void {
    if (field.number === model.graph) this.#graph(field);
    else if (field.number === model.functions) this.#each(field, { [functionFields.node]: this.#node, [functionFields.attribute]: this.#attribute });
  }

  readonly #graph = (field: Field): void => {
    if (++this.#depth > deepest) throw new Error('its graphs are nested too deeply.');
    this.#each(field, { [graph.node]: this.#node, [graph.initializer]: this.#tensor, [graph.sparseInitializer]: this.#sparseTensor });
    this.#depth--;
  };

  readonly #node = (field: Field): void => {
    this.#each(field, { [node.operator]: (operator) => void this.facts.operators.add(textIn(this.#bytes, operator)), [node.attribute]: this.#attribute });
  };

  readonly #attribute = (field: Field): void => {
    this.#each(field, {
      [attribute.tensor]: this.#tensor,
      [attribute.tensors]: this.#tensor,
      [attribute.graph]: this.#graph,
      [attribute.graphs]: this.#graph,
      [attribute.sparseTensor]: this.#sparseTensor,
      [attribute.sparseTensors]: this.#sparseTensor,
    });
  };

  readonly #sparseTensor = (field: Field): void => this.#each(field, { [sparseTensor.values]: this.#tensor, [sparseTensor.indices]: this.#tensor });

  readonly #tensor = (field: Field): void => {
    let location: string | undefined;
    let isExternal = false;
    this.#each(field, {
      [tensor.externalData]: (each) => {
        const { key, value } = this.#entry(each);
        if (key === 'location') location = value;
      },
      [tensor.dataLocation]: (each) => void (isExternal = numberIn(this.#bytes, each) === external),
    });
    if (isExternal && location !== undefined) this.facts.externalData.add(location);
  };

  #entry(field: Field): { key: string; value: string } {
    const found = { key: '', value: '' };
    this.#each(field, {
      [entry.key]: (each) => void (found.key = textIn(this.#bytes, each)),
      [entry.value]: (each) => void (found.value = textIn(this.#bytes, each)),
    });
    return found;
  }

  #each(field: Field, visits: Record<number, (field: Field) => void>): void {
    for (const inner of fieldsIn(this.#bytes, field)) visits[inner.number]?.(inner);
  }
}
