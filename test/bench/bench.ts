/**
 * How near the service comes to the bare libraries under it, and how far beyond others it goes. Prints ratios; no time ever fails.
 *
 *     npm run bench
 *     npm run bench -- embeddings lag --quick
 *     npm run bench -- add --model random-vit-b32
 *     npm run bench -- search --count 200000
 */
import { parseArgs } from 'node:util';
import { MissingPack } from '../eval/pack.js';
import { add } from './add.js';
import { benchModel } from './bench-model.js';
import { embeddings } from './embeddings.js';
import { lag } from './lag.js';
import { memory } from './memory.js';
import { resize } from './resize.js';
import { search } from './search.js';
import { transformers } from './transformers.js';

const benchmarks = new Map(Object.entries({ embeddings, transformers, add, search, resize, lag, memory }));

try {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean', default: false }, model: { type: 'string' }, count: { type: 'string' } } });
  const unknown = positionals.find((name) => !benchmarks.has(name));
  if (unknown !== undefined) throw new RangeError(`There is no benchmark "${unknown}"; there are ${[...benchmarks.keys()].join(', ')}.`);
  const model = values.model === undefined ? undefined : await benchModel(values.model);
  const count = values.count === undefined ? undefined : Number(values.count);
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) throw new RangeError('--count takes a whole number above 0: how many embeddings are searched.');
  for (const [name, run] of benchmarks) {
    if (positionals.length === 0 || positionals.includes(name)) await run(values.quick, model, count);
  }
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof MissingPack || error instanceof RangeError || code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(message);
  process.exitCode = 1;
}
