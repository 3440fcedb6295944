// packages: @ai-sdk/openai@4.0.118 ai@7.0.173 node@24.21.0
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany } from 'ai';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

const provider = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
same((await embedMany({ model: provider.embedding(model), values: texts })).embeddings, textVectors);
ran('embedMany');
