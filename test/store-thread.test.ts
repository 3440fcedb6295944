import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Connection } from '../src/store/embedded/connection.js';
import { openStore } from './damage/contents.js';

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** A thread that answers `check` as the script says, and gives signs of life unless it hangs. */
function connect(script: string, silentForMs = 60_000): { connection: Connection; logged: string[] } {
  const logged: string[] = [];
  const source = `
    const { parentPort: port } = require('node:worker_threads');
    const open = new Set();
    const answer = (call, result) => { open.delete(call); port.postMessage({ kind: 'answer', call, result }); };
    port.on('message', (message) => {
      if ('ping' in message) return port.postMessage({ kind: 'alive', ping: message.ping, open: [...open] });
      open.add(message.call);
      ${script}
    });
    port.postMessage({ kind: 'opened' });`;
  const worker = new Worker(source, { eval: true });
  workers.push(worker);
  return { connection: new Connection(worker, (level, message) => logged.push(`${level} ${message}`), { silentForMs }), logged };
}

describe('A call of the store', () => {
  it('whose answer is lost on the way ends in an error, and the others are answered', async () => {
    const { connection } = connect(`if (message.call === 2) open.delete(message.call); else answer(message.call, message.call);`);
    await connection.opened;
    const [first, lost, third] = await Promise.allSettled([connection.call('check', []), connection.call('check', []), connection.call('check', [])]);
    expect(first).toMatchObject({ status: 'fulfilled', value: 1 });
    expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'internal', message: expect.stringContaining('lost') } });
    expect(third).toMatchObject({ status: 'fulfilled', value: 3 });
  });

  it('that takes longer than signs of life do is waited for', async () => {
    const { connection } = connect(`setTimeout(() => answer(message.call, 'late'), 1_500);`, 400);
    await connection.opened;
    expect(await connection.call('check', [])).toBe('late');
  });

  it('of a thread that hangs is not waited for: all calls end, those that follow are refused, and the log says so', async () => {
    const { connection, logged } = connect(`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`, 400);
    await connection.opened;
    const outOfOrder = { code: 'not_ready', message: expect.stringContaining('out of order') };
    await expect(Promise.allSettled([connection.call('check', []), connection.call('check', [])])).resolves.toMatchObject([{ reason: outOfOrder }, { reason: outOfOrder }]);
    await expect(connection.call('check', [])).rejects.toMatchObject(outOfOrder);
    expect(logged.join('\n')).toMatch(/error .*no sign of life for 0.4 s/);
    await connection.close(50);
  });

  it('of a thread that ended is refused', async () => {
    const { connection, logged } = connect(`process.exit(3);`);
    await connection.opened;
    await expect(connection.call('check', [])).rejects.toMatchObject({ code: 'not_ready' });
    expect(logged.join('\n')).toMatch(/thread has ended/);
  });

  it('that cannot be handed over, in either direction, ends in an error', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'mixspace-thread-'));
    const log: string[] = [];
    const store = await openStore(directory, log);
    try {
      await store.createCollection({ name: 'c', model: 'm', fingerprint: 'f', dimension: 2, originals: 'keep' });
      const write = (metadata: Record<string, unknown>): Promise<unknown> =>
        store.write('c', [{ id: 'a', content: { modality: 'text', contentHash: '0'.repeat(64), text: 'a', embeddings: [Float32Array.of(1, 0)] }, metadata }]);
      await expect(write({ f: () => 1 })).rejects.toMatchObject({ code: 'internal' });

      // However deep it is, each call comes to an end.
      for (const depth of [100, 1_000, 3_000, 10_000, 100_000]) {
        let nested: Record<string, unknown> = {};
        for (let i = 0; i < depth; i++) nested = { nested };
        const outcomes = await Promise.allSettled([write(nested), store.getItem('c', 'a'), store.listItems('c', { limit: 10 })]);
        for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: expect.stringMatching(/internal|not_found/) });
      }
      await write({ shallow: true });
      expect((await store.getItem('c', 'a')).metadata).toEqual({ shallow: true });
    } finally {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
