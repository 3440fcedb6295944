/** Shows by the kernel's own record that what was answered had been flushed: `npx tsx test/crash/flush-trace.ts`. */
import { startServer } from '../server.js';
import { traceFlush, whyNoTrace } from './flush.js';
import { writesToTrace } from './writes-to-trace.js';

const problem = whyNoTrace();
if (problem !== undefined) {
  console.error(problem);
  process.exit(2);
}
const server = await startServer({ env: { MIXSPACE_WORKERS: '1' } });
try {
  for (const { title, request } of await writesToTrace(server.url)) {
    const { lines, flushed, unflushed, answered } = await traceFlush(server, request);
    const passes = answered && unflushed.length === 0 && flushed.some((file) => file.endsWith('-wal'));
    console.log(`${passes ? 'PASS' : 'FAIL'}  ${title}: flushed before the answer${unflushed.length > 0 ? `, but for ${unflushed.join(', ')}` : ''}`);
    for (const line of lines) console.log(`      ${line.replaceAll(server.indexDir, '')}`);
    if (!passes) process.exitCode = 1;
  }
} finally {
  await server.remove();
}
