// packages: openapi-fetch@0.17.0 openapi-typescript@7.13.0 typescript@5.9.3
import { writeFile } from 'node:fs/promises';
import openapiTypes, { astToString } from 'openapi-typescript';
import createClient from 'openapi-fetch';
import { collection, model, ran, same, texts, textVectors, url } from './expected.mjs';

await writeFile('schema.d.ts', astToString(await openapiTypes(new URL('/openapi.json', url))));
ran('types of the whole document');
const client = createClient({ baseUrl: url });
const { data } = await client.POST('/v1/embeddings', { body: { model, input: texts } });
same(data.data.map(({ embedding }) => embedding), textVectors);
const { data: found } = await client.POST('/v1/collections/{name}/search', { params: { path: { name: collection } }, body: { query: texts[0] } });
if (found.matches.length !== 2) throw new Error(`${found.matches.length} matches`);
ran('embeddings, search');
