import type { MixspaceClient } from '../../src/client/index.js';
import { normalizedSum } from '../../src/operations/weighted-sum.js';

type Input = { text: string } | { image: string };

const perRequest = 256;

/** Embeddings as any client gets them: over HTTP, in batches. */
export class Embedder {
  constructor(readonly client: MixspaceClient) {}

  texts(texts: string[]): Promise<Float32Array[]> {
    return this.#embed(texts.map((text) => ({ text })));
  }

  pictures(pictures: Uint8Array[]): Promise<Float32Array[]> {
    return this.#embed(pictures.map((bytes) => ({ image: Buffer.from(bytes).toString('base64') })));
  }

  /** Each name in all templates: the re-normalised mean, as `/v1/classify` makes it. */
  async ensembles(names: string[], templates: readonly string[]): Promise<Float32Array[]> {
    const prompts = await this.texts(names.flatMap((name) => templates.map((template) => template.replaceAll('{}', () => name))));
    return names.map((_, index) => normalizedSum(prompts.slice(index * templates.length, (index + 1) * templates.length).map((embedding) => ({ embedding, weight: 1 })))!);
  }

  async #embed(inputs: Input[]): Promise<Float32Array[]> {
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < inputs.length; from += perRequest) {
      embeddings.push(...(await this.client.embeddings({ input: inputs.slice(from, from + perRequest) })));
    }
    return embeddings;
  }
}

export function fromBase64(text: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
}
