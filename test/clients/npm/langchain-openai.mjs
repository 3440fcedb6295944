// packages: @langchain/openai@1.6.0 @langchain/core@1.4.0 node@24.21.0
import { OpenAIEmbeddings } from '@langchain/openai';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

const embeddings = new OpenAIEmbeddings({ model, apiKey: key, configuration: { baseURL: `${url}/v1` } });
same(await embeddings.embedDocuments(texts), textVectors);
same([await embeddings.embedQuery(texts[0])], textVectors.slice(0, 1));
ran('embedDocuments, embedQuery');
