/**
 * Runs command lines of mixspace one after another, each as `dist/main.js` runs its own, with what was loaded for the
 * first: `{ args, env, mark }` comes in, what is printed goes to stdout and stderr, and `mark` behind it on both.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../dist/cli/program.js';

/** Signals are listened to by each command line anew, and errors of a pipe. */
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
/** Of Node's own fetch. */
const dispatcher = Symbol.for('undici.globalDispatcher.1');
/** What would keep a process running: timers, sockets, files. */
const busy = () => process.getActiveResourcesInfo().filter((resource) => !['PipeWrap', 'TTYWrap', 'FSReqCallback', 'FSReqPromise'].includes(resource)).length;

process.on('message', async ({ args, env, mark }) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.exitCode = undefined;
  await run(args);
  // A process of its own would end only now.
  while (busy() > 0) await delay(10, undefined, { ref: false });
  // Nor would the next one know its connections.
  const agent = globalThis[dispatcher];
  if (agent) {
    globalThis[dispatcher] = new agent.constructor();
    await agent.destroy();
  }
  const code = process.exitCode ?? 0;
  process.exitCode = undefined;
  for (const stream of [process.stdout, process.stderr]) await new Promise((written) => stream.write(mark, written));
  process.send({ code });
});
