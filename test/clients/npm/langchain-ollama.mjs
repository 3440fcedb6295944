// packages: @langchain/ollama@1.3.0 @langchain/core@1.4.0
import { OllamaEmbeddings } from '@langchain/ollama';
import { model, ran, same, texts, textVectors, url } from './expected.mjs';

const embeddings = new OllamaEmbeddings({ model, baseUrl: url });
same(await embeddings.embedDocuments(texts), textVectors);
same([await embeddings.embedQuery(texts[1])], textVectors.slice(1));
ran('embedDocuments, embedQuery');
