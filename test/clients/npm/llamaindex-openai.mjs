// packages: @llamaindex/openai@0.4.23 @llamaindex/core@0.6.23 @llamaindex/env@0.1.31
import { OpenAIEmbedding } from '@llamaindex/openai';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

const embedding = new OpenAIEmbedding({ model, apiKey: key, baseURL: `${url}/v1` });
same(await embedding.getTextEmbeddings(texts), textVectors);
ran('getTextEmbeddings');
