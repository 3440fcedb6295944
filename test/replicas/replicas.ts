/**
 * `MIXSPACE_TEST_POSTGRES=postgres://... npx tsx test/replicas/replicas.ts --replicas 2 --kills 100`: services over one
 * database are killed at random moments, and the server is stopped by a command; nothing that was answered may be lost.
 */
import { parseArgs } from 'node:util';
import { runReplicas } from './run.js';

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '2' },
    kills: { type: 'string', default: '20' },
    pauses: { type: 'string', default: '0' },
    restarts: { type: 'string', default: '0' },
    /** Stops the server in the midst of its work, and starts it again. */
    'restart-command': { type: 'string' },
    minutes: { type: 'string', default: '600' },
    seed: { type: 'string' },
  },
});
const server = process.env['MIXSPACE_TEST_POSTGRES'];
if (server === undefined) throw new Error('MIXSPACE_TEST_POSTGRES is to be the URL of a server that may be written to.');
const restartCommand = values['restart-command'];
if (Number(values.restarts) > 0 && restartCommand === undefined) throw new Error('--restarts needs --restart-command.');
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
console.log(`seed ${seed}`);
const faults = await runReplicas({
  server,
  replicas: Number(values.replicas),
  kills: Number(values.kills),
  pauses: Number(values.pauses),
  restarts: Number(values.restarts),
  ...(restartCommand === undefined ? {} : { restartCommand }),
  minutes: Number(values.minutes),
  seed,
  say: (line) => console.log(line),
});
process.exitCode = faults === 0 ? 0 : 1;
