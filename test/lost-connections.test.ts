/** Connections to the database that break, whatever is under way over them. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../src/store/postgres/database.js';
import { isLost, problemOf } from '../src/store/postgres/problems.js';
import { testServer } from './port-contracts/postgres.js';

const sockets = new Set<Socket>();
const proxy = createServer((inner) => {
  const outer = connect({ host: behind.hostname, port: Number(behind.port) });
  for (const socket of [inner, outer]) {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => {
      sockets.delete(socket);
      inner.destroy();
      outer.destroy();
    });
  }
  inner.pipe(outer).pipe(inner);
});
let behind: URL;
let database: Database;
let unused: string;
beforeAll(async () => {
  const server = await testServer();
  unused = await server.newUrl();
  behind = new URL(unused);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const through = new URL(unused);
  through.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  database = new Database({ url: through.href, most: 1, connectWithinMs: 5_000, onProblem: () => undefined });
});
afterAll(async () => {
  await database.close();
  await new Promise((resolve) => proxy.close(resolve));
});

/** All of them, as when the server goes down; resolves when both sides have noticed. */
async function breakAll(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await sleep(50);
}

const unreachable = { code: 'not_ready', retryAfter: 2 };

describe('A connection to the database', () => {
  it('that breaks between two statements of a write refuses the write, and the next one has another', async () => {
    let times = 0;
    const written = database.write(async (session) => {
      times++;
      await session.row('SELECT 1');
      await breakAll();
      return session.row('SELECT 2');
    });
    await expect(written).rejects.toMatchObject(unreachable);
    expect(times).toBe(1);
    expect(await database.write((session) => session.row('SELECT 3 AS three'))).toEqual({ three: 3 });
  });

  it('that breaks between two statements of a read has it read again', async () => {
    let times = 0;
    const read = await database.read(async (session) => {
      if (++times === 1) await breakAll();
      return session.row('SELECT 4 AS four');
    });
    expect([times, read]).toEqual([2, { four: 4 }]);
  });

  it('that breaks while nobody uses it is replaced before a write begins', async () => {
    await database.session((session) => session.row('SELECT 5'));
    await breakAll();
    expect(await database.write((session) => session.row('SELECT 6 AS six'))).toEqual({ six: 6 });
  });

  it('that breaks between two statements of their own refuses the second alone', async () => {
    const asked = database.session(async (session) => {
      await session.row('SELECT 7');
      await breakAll();
      return session.row('SELECT 8');
    });
    await expect(asked).rejects.toMatchObject(unreachable);
    expect(await database.session((session) => session.row('SELECT 9 AS nine'))).toEqual({ nine: 9 });
  });

  it('lets no transaction stand still for ever, with what others wait for', async () => {
    const { most } = (await database.write((session) => session.row<{ most: string }>("SELECT current_setting('idle_in_transaction_session_timeout') AS most")))!;
    expect(most).toBe('1min');
    const ended = Object.assign(new Error('terminating connection due to idle-in-transaction timeout'), { code: '25P03' });
    expect([isLost(ended), problemOf(ended)]).toMatchObject([true, unreachable]);
  });
});
