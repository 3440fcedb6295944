import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-file.js';

/** As OpenAI's CLIP is built (arXiv 2103.00020): pre-norm transformers, QuickGELU, one linear projection each. */
export const opset = 17;

export interface TransformerShape {
  width: number;
  layers: number;
  heads: number;
  mlpWidth: number;
}

export interface VisionShape extends TransformerShape {
  imageSize: number;
  patchSize: number;
  projection: number;
}

export interface TextShape extends TransformerShape {
  vocabulary: number;
  contextLength: number;
  projection: number;
}

/** `pixel_values` [batch, 3, size, size] -> `image_embeds` [batch, projection], not normalised. */
export function visionGraph(shape: VisionShape): OnnxGraph {
  const graph = new GraphBuilder(1);
  const { width, imageSize, patchSize, projection } = shape;
  const patches = (imageSize / patchSize) ** 2;

  const kernel = graph.random([width, 3, patchSize, patchSize], 3 * patchSize ** 2);
  const grid = graph.node('Conv', ['pixel_values', kernel], { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] });
  const rows = graph.node('Transpose', [graph.node('Reshape', [grid, graph.integers([0, width, patches])])], { perm: [0, 2, 1] });
  const classShape = graph.node('Concat', [graph.lengthOf('pixel_values', 0), graph.integers([1]), graph.integers([width])], { axis: 0 });
  const classToken = graph.node('Expand', [graph.random([1, 1, width], 1), classShape]);
  const tokens = graph.node('Add', [graph.node('Concat', [classToken, rows], { axis: 1 }), graph.random([1, patches + 1, width], 1)]);

  const hidden = transformer(graph, graph.norm(tokens, width), shape);
  const pooled = graph.norm(graph.node('Gather', [hidden, graph.integer(0)], { axis: 1 }), width);
  graph.node('MatMul', [pooled, graph.random([width, projection], width)], {}, 'image_embeds');
  return graph.finish(
    { name: 'pixel_values', type: 'float32', shape: ['batch_size', 3, imageSize, imageSize] },
    { name: 'image_embeds', type: 'float32', shape: ['batch_size', projection] },
  );
}

/** `input_ids` [batch, length] -> `text_embeds` [batch, projection], not normalised. A text's end is its highest id, as in CLIP's vocabulary. */
export function textGraph(shape: TextShape): OnnxGraph {
  const graph = new GraphBuilder(2);
  const { width, vocabulary, contextLength, projection } = shape;
  const [zero, one] = [graph.integers([0]), graph.integers([1])];
  const length = graph.lengthOf('input_ids', 1);

  const pieces = graph.node('Gather', [graph.random([vocabulary, width], 1), 'input_ids'], { axis: 0 });
  const positions = graph.node('Slice', [graph.random([1, contextLength, width], 1), zero, length, one]);
  const later = Float32Array.from({ length: contextLength ** 2 }, (_, i) => (i % contextLength > Math.floor(i / contextLength) ? -3e38 : 0));
  const square = graph.node('Concat', [length, length], { axis: 0 });
  const mask = graph.node('Slice', [graph.weight([contextLength, contextLength], later), graph.integers([0, 0]), square, graph.integers([0, 1])]);

  const hidden = graph.norm(transformer(graph, graph.node('Add', [pieces, positions]), shape, mask), width);
  const end = graph.node('ArgMax', ['input_ids'], { axis: 1, keepdims: 1 });
  const pooled = graph.node('GatherND', [hidden, end], { batch_dims: 1 });
  graph.node('MatMul', [pooled, graph.random([width, projection], width)], {}, 'text_embeds');
  return graph.finish(
    { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
    { name: 'text_embeds', type: 'float32', shape: ['batch_size', projection] },
  );
}

/** `mask` [length, length] is added to the attention's scores. */
function transformer(graph: GraphBuilder, tokens: string, { width, layers, heads, mlpWidth }: TransformerShape, mask?: string): string {
  const split = graph.integers([0, 0, heads, width / heads]);
  const joined = graph.integers([0, 0, width]);
  const scale = graph.weight([], Float32Array.of((width / heads) ** -0.5));
  const slope = graph.weight([], Float32Array.of(1.702));
  const headsOf = (values: string, perm: number[]): string => graph.node('Transpose', [graph.node('Reshape', [values, split])], { perm });

  let hidden = tokens;
  for (let layer = 0; layer < layers; layer++) {
    const normed = graph.norm(hidden, width);
    const queries = headsOf(graph.node('Mul', [graph.linear(normed, width, width), scale]), [0, 2, 1, 3]);
    const keys = headsOf(graph.linear(normed, width, width), [0, 2, 3, 1]);
    const values = headsOf(graph.linear(normed, width, width), [0, 2, 1, 3]);
    const products = graph.node('MatMul', [queries, keys]);
    const weights = graph.node('Softmax', [mask === undefined ? products : graph.node('Add', [products, mask])], { axis: -1 });
    const mixed = graph.node('Transpose', [graph.node('MatMul', [weights, values])], { perm: [0, 2, 1, 3] });
    const attended = graph.node('Add', [hidden, graph.linear(graph.node('Reshape', [mixed, joined]), width, width)]);

    const inner = graph.linear(graph.norm(attended, width), width, mlpWidth);
    const gated = graph.node('Mul', [inner, graph.node('Sigmoid', [graph.node('Mul', [inner, slope])])]);
    hidden = graph.node('Add', [attended, graph.linear(gated, mlpWidth, width)]);
  }
  return hidden;
}

/** Names values and weights by their number; the same random weights for the same seed. */
class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #weights: OnnxTensor[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  node(operator: string, inputs: string[], attributes: OnnxNode['attributes'] = {}, output = `${operator}_${this.#nodes.length}`): string {
    this.#nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }

  weight(shape: number[], values: Float32Array | BigInt64Array): string {
    const name = `weight_${this.#weights.length}`;
    this.#weights.push({ name, shape, values });
    return name;
  }

  /** Uniform, of variance 1 / `fanIn`, which keeps what flows through at its size. */
  random(shape: number[], fanIn: number): string {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const scale = Math.sqrt(3 / fanIn) / 2 ** 31;
    let state = this.#state;
    for (let i = 0; i < values.length; i++) {
      // Numerical Recipes' linear congruential generator.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      values[i] = state * scale;
    }
    this.#state = state;
    return this.weight(shape, values);
  }

  integers(values: number[]): string {
    return this.weight([values.length], BigInt64Array.from(values, BigInt));
  }

  integer(value: number): string {
    return this.weight([], BigInt64Array.of(BigInt(value)));
  }

  /** One number in a list of its own. */
  lengthOf(value: string, axis: number): string {
    return this.node('Gather', [this.node('Shape', [value]), this.integers([axis])], { axis: 0 });
  }

  linear(input: string, from: number, to: number): string {
    return this.node('Add', [this.node('MatMul', [input, this.random([from, to], from)]), this.random([to], 2_500)]);
  }

  norm(input: string, width: number): string {
    const [scale, shift] = [this.weight([width], new Float32Array(width).fill(1)), this.random([width], 2_500)];
    return this.node('LayerNormalization', [input, scale, shift], { axis: -1, epsilon: { float: 1e-5 } });
  }

  finish(input: OnnxGraph['inputs'][number], output: OnnxGraph['outputs'][number]): OnnxGraph {
    return { inputs: [input], outputs: [output], nodes: this.#nodes, weights: this.#weights };
  }
}
