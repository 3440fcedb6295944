// packages: ollama-ai-provider-v2@4.0.1 ai@7.0.173 node@24.21.0
import { embedMany } from 'ai';
import { createOllama } from 'ollama-ai-provider-v2';
import { model, ran, same, texts, textVectors, url } from './expected.mjs';

const provider = createOllama({ baseURL: `${url}/api` });
same((await embedMany({ model: (provider.embeddingModel ?? provider.textEmbeddingModel)(model), values: texts })).embeddings, textVectors);
ran('embedMany');
