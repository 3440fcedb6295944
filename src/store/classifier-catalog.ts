/** The part of the catalog's port that keeps classifiers: label sets, and examples as embeddings of their space. */

export interface StoredClassifier {
  name: string;
  model: string;
  /** Of the space that its labels and examples are in. */
  fingerprint: string;
  /** JSON. */
  labels: unknown;
  templates?: string[];
  /** ISO 8601, UTC. */
  createdAt: string;
  updatedAt: string;
}

export interface ClassifierExample {
  label: string;
  /** It is not that. */
  negative: boolean;
  /** Of its content: a classifier has it once for a label. */
  hash: string;
  /** Normalised. */
  embedding: Float32Array;
}

/** Those that fit all that is given. */
export interface ExampleChoice {
  label?: string;
  negative?: boolean;
  hashes?: string[];
}

export interface ExampleCount {
  label: string;
  count: number;
  negative: number;
}

export interface ClassifierCatalog {
  /** Written anew, or in the place of the one of the name, whose examples are kept where the space is the same and their label is among `labels`. */
  putClassifier(classifier: StoredClassifier, labels: string[]): Promise<void>;
  /** `not_found`; `not_ready` when it is damaged. */
  getClassifier(name: string): Promise<StoredClassifier & { examples: ExampleCount[] }>;
  /** By name. */
  listClassifiers(): Promise<(StoredClassifier & { examples: ExampleCount[] })[]>;
  deleteClassifier(name: string): Promise<void>;
  /** In the order in which they came; those that are damaged left out. */
  listExamples(name: string): Promise<ClassifierExample[]>;
  /** One transaction; one that is there is replaced. `conflict` unless the space is the classifier's; `too_large` beyond `most` in all. */
  addExamples(name: string, added: { fingerprint: string; examples: ClassifierExample[]; most: number; updatedAt: string }): Promise<void>;
  /** How many. */
  removeExamples(name: string, choice: ExampleChoice, updatedAt: string): Promise<number>;
}
