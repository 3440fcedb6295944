// packages: ollama@0.6.4
import { Ollama } from 'ollama';
import { key, model, ran, refused, same, texts, textVectors, url } from './expected.mjs';

const client = new Ollama({ host: url, headers: { Authorization: `Bearer ${key}` } });
same((await client.embed({ model, input: texts })).embeddings, textVectors);
same([(await client.embeddings({ model, prompt: texts[0] })).embedding], textVectors.slice(0, 1));
ran('embed, embeddings');
if (!(await client.list()).models.some(({ name }) => name === `${model}:latest`)) throw new Error('the model is not listed');
await client.show({ model });
ran('list, show');
await refused(client.embed({ model: 'nothing', input: 'a' }), /model 'nothing' not found/);
ran('an unknown model');
