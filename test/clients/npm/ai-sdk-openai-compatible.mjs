// packages: @ai-sdk/openai-compatible@3.0.92 ai@7.0.173 node@24.21.0
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, embedMany } from 'ai';
import { key, model, ran, refused, same, texts, textVectors, url } from './expected.mjs';

const provider = createOpenAICompatible({ name: 'mixspace', baseURL: `${url}/v1`, apiKey: key });
same((await embedMany({ model: provider.embeddingModel(model), values: texts })).embeddings, textVectors);
same([(await embed({ model: provider.embeddingModel(model), value: texts[0] })).embedding], textVectors.slice(0, 1));
ran('embed, embedMany');
await refused(embed({ model: provider.embeddingModel('nothing'), value: 'a', maxRetries: 0 }), /nothing/);
ran('an unknown model');
