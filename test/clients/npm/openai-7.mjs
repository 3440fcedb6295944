// packages: openai@7.59.0 node@24.21.0
import OpenAI from 'openai';
import { key, model, ran, same, texts, textVectors, url } from './expected.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
same((await client.embeddings.create({ model, input: texts })).data.map(({ embedding }) => embedding), textVectors);
ran('embeddings.create');
const { answers } = await client.post('/decisions', { body: { model, input: texts[0], questions: [{ type: 'choice', instructions: 'What is it of?', choices: [{ value: 'a cat' }, { value: 'a car' }] }] } });
if (answers[0].choice !== 'a cat') throw new Error(`Error: it decides ${JSON.stringify(answers)}`);
ran('decisions, by its transport');
