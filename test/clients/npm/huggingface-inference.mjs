// packages: @huggingface/inference@4.13.30
import { InferenceClient } from '@huggingface/inference';
import { key, ran, refused, same, texts, textVectors, url } from './expected.mjs';

const client = new InferenceClient(key, { endpointUrl: url });
same(await client.featureExtraction({ inputs: texts }), textVectors);
ran('featureExtraction');
await refused(client.featureExtraction({ inputs: [] }), /inputs/);
ran('an empty list');
