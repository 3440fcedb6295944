/** `npm run crash -- --rounds 50`: SIGKILL at random moments, and nothing that was answered may be lost. */
import { parseArgs } from 'node:util';
import { asServed, crash } from './rounds.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
console.log(`seed ${seed} (--seed ${seed} repeats the choices, though not the clock)`);
const report = await crash({ rounds: Number(values.rounds), seed, size: asServed, say: (line) => console.log(line) });
console.log(`
rounds                      ${report.kills}
killed during a snapshot    ${report.killsDuringSnapshot}
items compared              ${report.checked}
looked up by id and search  ${report.searched}
of these through the graph  ${report.throughGraph}
seconds                     ${report.seconds}
losses                      ${report.losses.length}`);
process.exitCode = report.losses.length === 0 ? 0 : 1;
