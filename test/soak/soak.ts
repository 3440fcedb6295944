/**
 * What only shows after a while. Prints figures, and fails where a bound is passed.
 *
 *     npm run soak                                 20 minutes at four times what the machine can do: searches are never refused, /readyz stays 200
 *     npm run soak -- load --minutes 60
 *     npm run soak -- models --cycles 50           one of two models, loaded and unloaded again and again
 *     npm run soak -- models --package DIRECTORY   the same with another package
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../server.js';
import { load } from './load.js';
import { models } from './models.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '20' },
    cycles: { type: 'string', default: '50' },
    package: { type: 'string', default: path.join(repository, 'models/mixspace-graft-0.3') },
  },
});
const say = (line: string): void => console.log(line);
const [what = 'load'] = positionals;
if (!['load', 'models'].includes(what)) throw new RangeError(`There is no soak "${what}"; there are load and models.`);
const problems = what === 'models' ? await models(Number(values.cycles), values.package, say) : await load(Number(values.minutes), say);
const shown = [...new Set(problems)].slice(0, 20);
console.log(problems.length === 0 ? '\nwithin all bounds' : `\n${problems.length} problems:\n${shown.join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
