/** What embeddings may be compared in: those of two spaces never meet. */
export interface Space {
  /** The model's id; whether two embeddings compare, the fingerprint alone says. */
  model: string;
  /** Of weights, preprocessing, tokenizer and dimension. */
  fingerprint: string;
  /** Numbers of an embedding. */
  dimension: number;
}
