/**
 * Makes single lines of the core wrong, one after another, in a copy of the working tree, and tells by which test each
 * is noticed. `npm run build` first: what is compiled is taken from dist/.
 *
 *     npm run mutate -- [--list] [--only NAME]... [--from NAME] [--trusting]
 *
 * `--trusting` does without a first run of the tests, unmutated.
 */
import { parseArgs } from 'node:util';
import { faultsOf, mutations } from './mutations.js';
import type { Mutation } from './mutation.js';
import { Scratch } from './scratch.js';

const { values } = parseArgs({
  options: { list: { type: 'boolean' }, only: { type: 'string', multiple: true }, from: { type: 'string' }, trusting: { type: 'boolean' } },
});

const wanted = chosen();
const faults = await faultsOf(mutations);
if (faults.length > 0) throw new Error(faults.join('\n'));
if (values.list) for (const { name, file, why, tests } of wanted) console.log(`${name}\n  ${file}: ${why}\n  ${tests.join(' ')}`);
else process.exitCode = await run(wanted);

function chosen(): Mutation[] {
  const { only, from } = values;
  const begin = from === undefined ? 0 : mutations.findIndex(({ name }) => name.includes(from));
  const found = mutations.slice(Math.max(begin, 0)).filter(({ name, file }) => only === undefined || only.some((part) => name.includes(part) || file.includes(part)));
  if (begin < 0 || found.length === 0) throw new Error('No mutation has such a name; --list tells them.');
  return found;
}

async function run(list: Mutation[]): Promise<number> {
  const scratch = await Scratch.make();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void scratch.remove().then(() => process.exit(130)));
  try {
    if (!values.trusting) {
      const files = [...new Set(list.flatMap(({ tests }) => tests))];
      const { failed, seconds } = await scratch.test(files);
      if (failed !== undefined) throw new Error(`Without any mutation this fails already: ${failed}`);
      console.log(`${files.length} test files pass unmutated (${Math.round(seconds)} s).`);
    }
    const survivors: Mutation[] = [];
    for (const mutation of list) {
      const { failed, seconds } = await scratch.with(mutation, () => scratch.test(mutation.tests));
      if (failed === undefined) survivors.push(mutation);
      const fate = failed === undefined ? (mutation.lives === undefined ? 'SURVIVED' : `lives: ${mutation.lives}`) : `killed by ${failed}`;
      console.log(`${mutation.name} (${Math.round(seconds)} s): ${fate}`);
    }
    const unexcused = survivors.filter(({ lives }) => lives === undefined);
    console.log(`\n${list.length - survivors.length} of ${list.length} killed, ${survivors.length} alive${survivors.length === 0 ? '.' : `: ${survivors.map(({ name }) => name).join(', ')}.`}`);
    return unexcused.length === 0 ? 0 : 1;
  } finally {
    await scratch.remove();
  }
}
