// packages: openai@6.49.0
import OpenAI from 'openai';
import { key, model, ran, refused, same, texts, textVectors, url } from './expected.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
same((await client.embeddings.create({ model, input: texts })).data.map(({ embedding }) => embedding), textVectors);
same((await client.embeddings.create({ model: 'text-embedding-3-small', input: texts, encoding_format: 'float' })).data.map(({ embedding }) => embedding), textVectors);
ran('embeddings.create, base64 and float, an alias');
if ((await client.models.retrieve(model)).id !== model) throw new Error('another model');
ran('models.retrieve');
await refused(client.embeddings.create({ model: 'nothing', input: 'a' }), /nothing/);
ran('an unknown model');
