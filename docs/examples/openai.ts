import OpenAI from 'openai';

const client = new OpenAI({ baseURL: 'http://127.0.0.1:8080/v1', apiKey: process.env['MIXSPACE_API_KEY'] ?? 'none' });

const texts = ['a red bicycle', 'ein rotes Fahrrad', 'a bowl of soup'];
const { data } = await client.embeddings.create({ model: 'mixspace-graft-0.3', input: texts });

// Embeddings have length 1, so the dot product is the cosine.
const [first, ...others] = data.map(({ embedding }) => embedding) as [number[], ...number[][]];
others.forEach((other, i) => {
  const cosine = first.reduce((sum, value, at) => sum + value * other[at]!, 0);
  console.log(`${texts[0]} / ${texts[i + 1]}: ${cosine.toFixed(3)}`);
});
