/** `npm run crash -- --rounds 50`: SIGKILL at random moments, and nothing that was answered may be lost. In parts: `--rounds 200 --ledger FILE`, again and again. */
import { parseArgs } from 'node:util';
import { appendRecord, readRecords, sumLine } from './record.js';
import { crash } from './rounds.js';
import { usual } from './sizes.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string' },
    /** The number of the first round, to repeat one. */
    first: { type: 'string' },
    /** Where each round is appended; goes on behind the last one there. */
    ledger: { type: 'string' },
    /** Earlier rounds to go on from, and to be summed up with these; without `ledger`, these are appended there. */
    from: { type: 'string' },
  },
});
const to = values.ledger ?? values.from;
const files = new Set([values.from, values.ledger].filter((file) => file !== undefined));
const earlier = (await Promise.all([...files].map(readRecords))).flat();
const last = earlier.at(-1);
const seed = Number(values.seed ?? last?.seed ?? Math.floor(Math.random() * 1e6));
const first = Number(values.first ?? (last?.round ?? 0) + 1);
console.log(`seed ${seed}, from round ${first} on (--seed ${seed} --first ${first} repeats the choices, though not the clock)`);
const records = await crash({ rounds: Number(values.rounds), first, seed, size: usual, say: (line) => console.log(line), ...(to === undefined ? {} : { keep: (record) => appendRecord(to, record) }) });
const all = [...earlier, ...records];
if (earlier.length > 0) console.log(`these: ${sumLine(records)}`);
console.log(`in all: ${sumLine(all)}`);
process.exitCode = all.some(({ faults }) => faults.length > 0) ? 1 : 0;
