// packages: voyageai@0.4.0
import { VoyageAIClient } from 'voyageai';
import { dataUri, key, model, pictureVector, ran, same, texts, textVectors, url } from './expected.mjs';

const client = new VoyageAIClient({ apiKey: key, environment: `${url}/v1` });
same((await client.embed({ model, input: texts, inputType: 'document' })).data.map(({ embedding }) => embedding), textVectors);
ran('embed');
const inputs = [{ content: [{ type: 'text', text: texts[0] }] }, { content: [{ type: 'image_base64', imageBase64: dataUri }] }];
same((await client.multimodalEmbed({ model, inputs })).data.map(({ embedding }) => embedding), [textVectors[0], pictureVector]);
ran('multimodalEmbed');
