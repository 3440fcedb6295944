/** Uses the installed client as its users do, in any runtime: `RUNTIME search.mjs URL`. Prints what was found, as JSON. */
import { argv } from 'node:process';
import { MixspaceApiError, MixspaceClient, decodeEmbedding } from '@mixspace/client';

const client = new MixspaceClient({ url: argv[2] });
const name = `of-${argv[3]}`;
await client.createCollection({ name });
const outcomes = await client.addItems(name, [{ id: 'cat', text: 'a cat' }, { id: 'ship', text: 'a ship on the sea' }]);
const { matches } = await client.search(name, 'a cat', { limit: 1 });
const [embedding] = await client.embeddings({ input: ['a cat'] });
const listed = [];
for await (const { id } of client.listItems(name)) listed.push(id);
const job = await client.makeMap(name).catch((error) => error);
const events = [];
if (!(job instanceof Error)) for await (const { type } of client.followJob(job.id)) events.push(type);
const refused = await client.search('nowhere', 'x').catch((error) => error);
console.log(JSON.stringify({ outcomes: outcomes.map(({ status }) => status), best: matches[0].id, score: matches[0].score, length: Math.hypot(...embedding), listed, last: events.at(-1), refused: refused instanceof MixspaceApiError && refused.code, decodes: typeof decodeEmbedding }));
