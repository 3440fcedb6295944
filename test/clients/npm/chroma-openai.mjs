// packages: @chroma-core/openai@0.1.10 chromadb@3.5.0 openai@6.49.0
import { OpenAIEmbeddingFunction } from '@chroma-core/openai';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

const embed = new OpenAIEmbeddingFunction({ apiKey: key, modelName: model, apiBase: `${url}/v1` });
same(await embed.generate(texts), textVectors);
ran('generate');
