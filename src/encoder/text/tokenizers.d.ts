/** What is used of the package. Its own declarations name one another without extensions, which Node's resolution does not find. */
declare module '@huggingface/tokenizers' {
  export interface Normalizer {
    /** Of a sequence, whatever its kind is. */
    normalizers?: (Normalizer | null)[];
    normalize(text: string): string;
  }

  export class Tokenizer {
    normalizer: Normalizer | null;
    /** Of another shape for each kind of model. */
    model: object;
    constructor(file: object, config: object);
    encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
    token_to_id(token: string): number | undefined;
  }
}
