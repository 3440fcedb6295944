// packages: cohere-ai@8.1.0
import { CohereClientV2 } from 'cohere-ai';
import { dataUri, key, model, pictureVector, ran, same, texts, textVectors, url } from './expected.mjs';

const client = new CohereClientV2({ token: key, environment: url });
same((await client.embed({ model, inputType: 'search_document', embeddingTypes: ['float'], texts })).embeddings.float, textVectors);
same((await client.embed({ model, inputType: 'image', embeddingTypes: ['float'], images: [dataUri] })).embeddings.float, [pictureVector]);
ran('embed of texts and of a picture');
if ((await client.rerank({ model, query: texts[1], documents: texts, topN: 1 })).results[0].index !== 1) throw new Error('another order');
ran('rerank');
