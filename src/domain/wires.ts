/** The protocols of other services that this one speaks too. */
export const wireNames = ['tei', 'ollama', 'cohere', 'voyage', 'rerank', 'immich', 'weaviate', 'clip-retrieval'] as const;
export type WireName = (typeof wireNames)[number];

/** Those whose clients can send no key. */
export const keylessWires: readonly WireName[] = ['immich', 'weaviate'];
