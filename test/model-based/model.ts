/** `npm run model`: seeds of operations against a model in memory; a failing one is run again by `--seed`. */
import { parseArgs } from 'node:util';
import { prepareInputs } from './inputs.js';
import { profileNames, runSeed, type SeedResult } from './seed.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    steps: { type: 'string', default: '2000' },
    /** Seeds at once. */
    jobs: { type: 'string', default: '2' },
    profile: { type: 'string' },
    /** The first divergence ends the run. */
    bail: { type: 'boolean', default: false },
    /** Every operation is told. */
    trace: { type: 'boolean', default: false },
  },
});
if (values.profile !== undefined && !profileNames.includes(values.profile)) throw new Error(`--profile is one of ${profileNames.join(', ')}.`);

const first = Number(values.seed ?? values.from);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
const steps = Number(values.steps);
const began = performance.now();
const inputs = await prepareInputs();
const results: SeedResult[] = [];
let next = first;

async function job(): Promise<void> {
  while (next <= last && !(values.bail && results.some(({ divergence }) => divergence))) {
    const seed = next++;
    const result = await runSeed({ seed, steps, inputs, ...(values.profile === undefined ? {} : { profile: values.profile }), ...(values.trace ? { say: console.log } : {}) });
    results.push(result);
    const { profile, seconds, searches, recall, kills, restarts, reembeddings, divergence } = result;
    console.log(`seed ${seed} (${profile}): ${result.steps} operations in ${seconds} s, ${searches} searches, ${recall.length} approximate${shareOf(recall)}, ${kills} SIGKILLs, ${restarts} restarts, ${reembeddings} reembeds${divergence ? ': DIVERGES' : ''}`);
    if (divergence) console.log(divergence);
  }
}

function shareOf(recall: number[]): string {
  return recall.length === 0 ? '' : `, recall ${(recall.reduce((sum, each) => sum + each, 0) / recall.length).toFixed(4)}`;
}

try {
  await Promise.all(Array.from({ length: Number(values.jobs) }, job));
} finally {
  await inputs.remove();
}
const sum = (of: (result: SeedResult) => number): number => results.reduce((total, result) => total + of(result), 0);
const diverging = results.filter(({ divergence }) => divergence).map(({ seed }) => seed);
const recall = results.flatMap((result) => result.recall);
console.log(
  `${results.length} seeds x ${steps.toLocaleString('en')} operations in ${Math.round((performance.now() - began) / 1000)} s: ${diverging.length} divergences${diverging.length ? ` (seeds ${diverging.join(', ')})` : ''}, ` +
    `${sum(({ searches }) => searches)} searches, ${recall.length} of them approximate${shareOf(recall)}, ${sum(({ kills }) => kills)} SIGKILLs, ${sum(({ restarts }) => restarts)} restarts, ${sum(({ reembeddings }) => reembeddings)} reembeds`,
);
process.exitCode = diverging.length > 0 ? 1 : 0;
