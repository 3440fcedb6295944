/**
 * How near the service comes to the bare libraries under it, and how far beyond others it goes. Prints ratios; no time ever fails.
 *
 *     npm run bench
 *     npm run bench -- embeddings lag --quick
 *     npm run bench -- add --model random-vit-b32
 *     npm run bench -- search --count 200000
 *     npm run bench -- million --count 100000 --port 8081
 *
 * `million` takes an hour or so: it runs where it is named.
 */
import { parseArgs } from 'node:util';
import { MissingPack } from '../eval/pack.js';
import { add } from './add.js';
import { benchModel } from './bench-model.js';
import { classify } from './classify.js';
import { embeddings } from './embeddings.js';
import { lag } from './lag.js';
import { map } from './map.js';
import { memory } from './memory.js';
import { million } from './million/million.js';
import { resize } from './resize.js';
import { search } from './search.js';
import { transformers } from './transformers.js';

const benchmarks = new Map(Object.entries({ embeddings, classify, transformers, add, search, resize, lag, memory, map, million }));
const onlyWhenNamed = 'million';

try {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false }, model: { type: 'string' }, count: { type: 'string' }, port: { type: 'string' } } });
  const unknown = positionals.find((name) => !benchmarks.has(name));
  if (unknown !== undefined) throw new RangeError(`There is no benchmark "${unknown}"; there are ${[...benchmarks.keys()].join(', ')}.`);
  const model = values.model === undefined ? undefined : await benchModel(values.model);
  const count = values.count === undefined ? undefined : Number(values.count);
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) throw new RangeError('--count takes a whole number above 0: how many embeddings are searched.');
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) throw new RangeError('--port takes the number of a port: where the service of `million` listens.');
  for (const [name, run] of benchmarks) {
    if (positionals.length === 0 ? name !== onlyWhenNamed : positionals.includes(name)) await run(values.quick, model, count, port);
  }
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof MissingPack || error instanceof RangeError || code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(message);
  process.exitCode = 1;
}
