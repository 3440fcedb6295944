import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceClient } from '../../../src/client/index.js';
import type { RunningServer } from '../../server.js';
import { seconds } from '../timing.js';
import { untilReady } from './filling.js';
import { withProgress } from './progress.js';
import { find, hitsOf, residentMegabytes, type Found, type Subject } from './subject.js';

const limit = 10;
/** Of the ten, how many a right answer has. */
const enough = 9;

/** A query and what it must find. */
export interface Probe {
  query: number[];
  /** The item that it is the embedding of. */
  id: string;
  exact: Found[];
}

export async function probeOf(subject: Subject, query: number[], id: string): Promise<Probe> {
  return { query, id, exact: (await find(subject, query, { limit, exact: true })).matches };
}

/** Starts it again, and says when it first answered as it must. */
export async function startAgain(after: string, start: () => Promise<RunningServer>, probe: Probe, queries: number[][]): Promise<Subject> {
  const began = performance.now();
  const since = (): string => ((performance.now() - began) / 1_000).toFixed(1);
  const beganAt = Date.now();
  const server = await withProgress(`starting after ${after}`, () => 'not ready yet', start);
  const subject: Subject = { server, client: new MixspaceClient({ url: server.url }) };
  const ready = since();
  let wrong = 0;
  while (!(await isRight(subject, probe))) {
    wrong++;
    await delay(50);
  }
  console.log(`million, start after ${after}: ready after ${ready} s, first right answer after ${since()} s, ${wrong} wrong ones before; ${residentMegabytes(subject)} MB resident`);
  for (const line of logged(server)) console.log(`million, start after ${after}: log at ${((Date.parse(line.time) - beganAt) / 1_000).toFixed(1)} s: ${line.msg}`);
  await untilReady(subject, queries);
  return subject;
}

export async function stop(server: RunningServer): Promise<void> {
  const took = await withProgress('stopping', () => 'not stopped yet', () => seconds(() => server.stop()));
  console.log(`million, a clean stop: ${took.toFixed(1)} s, exit code ${server.process.exitCode ?? 'none'}`);
}

async function isRight(subject: Subject, { query, id, exact }: Probe): Promise<boolean> {
  const answer = await find(subject, query, { limit }).catch(() => undefined);
  return answer !== undefined && answer.matches[0]?.id === id && hitsOf(answer.matches, exact) >= Math.min(enough, exact.length);
}

function logged(server: RunningServer): { time: string; msg: string }[] {
  return server.logs().split('\n').flatMap((line) => {
    try {
      const { time, msg } = JSON.parse(line) as { time?: string; msg?: string };
      return time !== undefined && msg !== undefined ? [{ time, msg: msg.slice(0, 200) }] : [];
    } catch {
      return [];
    }
  });
}
