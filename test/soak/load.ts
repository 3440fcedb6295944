import { setTimeout as delay } from 'node:timers/promises';
import { call } from '../api.js';
import { inFlight, median, milliseconds, percentile } from '../bench/timing.js';
import { startServer, workersOf, type RunningServer } from '../server.js';
import { residentBytes } from './process-tree.js';
import { fresh, Requests, type Request } from './requests.js';

const overload = 4;
const kills = 10;
const bounds = { lagMs: 20, growth: 1.02 };
/** Long enough for the bound to be met again and again, short enough that answers come within seconds. */
const queueLimit = 512;
/** More than the bound lets wait: beyond it, this process would be what is overloaded. */
const mostInFlight = 3_000;

interface Tally {
  ok: number;
  refused: number;
  /** Of those answered 200, milliseconds. */
  times: number[];
}

/** What a person waits for must not be refused however much else is asked. */
const neverRefused = ['search'];

/** Four times as many requests as the machine can answer, and a worker killed now and then. Sentences: which bounds were passed. */
export async function load(minutes: number, say: (line: string) => void): Promise<string[]> {
  const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_CACHE: '0', MIXSPACE_QUEUE_LIMIT: String(queueLimit) }, patience: 120_000 });
  try {
    const requests = await Requests.against(server.url);
    const perSecond = await capacity(requests);
    say(`capacity ${perSecond.toFixed(1)} requests/s; sent for ${minutes} minutes: ${(overload * perSecond).toFixed(1)}/s`);
    return await soak(server, requests, overload * perSecond, minutes * 60_000, say);
  } finally {
    if (server.process.exitCode !== null || server.process.signalCode !== null) say(`The service ended (${server.process.exitCode ?? server.process.signalCode}):\n${server.logs().slice(-4_000)}`);
    await server.remove();
  }
}

/** Requests a second, answered one after the other to eight clients. */
async function capacity(requests: Requests): Promise<number> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  let answered = 0;
  function* coming(): Generator<Request> {
    while (seconds() < 20) yield requests.next();
  }
  await inFlight(coming(), 8, async (request) => {
    const { status, body } = await request.send();
    if (status !== 200) throw new Error(`${request.kind} was answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
    answered++;
  });
  return answered / seconds();
}

/** Milliseconds, since it was last asked. */
async function lagP99(url: string): Promise<number> {
  const { body } = await call<string>(url, 'GET', '/metrics', undefined, fresh);
  return 1000 * Number(/^mixspace_event_loop_lag_p99_seconds (\S+)/m.exec(body)?.[1]);
}

/** Asks `/readyz` again and again, until `isOver`. Milliseconds of each answer, and sentences for those that were not 200. */
async function watchReadiness(url: string, isOver: () => boolean): Promise<{ times: number[]; problems: string[] }> {
  const times: number[] = [];
  const problems: string[] = [];
  while (!isOver()) {
    const began = performance.now();
    const said = await call(url, 'GET', '/readyz', undefined, fresh).then(
      ({ status, body }) => (status === 200 ? undefined : `was answered ${status}: ${JSON.stringify(body)}`),
      (error: unknown) => `was not answered: ${String((error as Error).cause ?? error)}`,
    );
    times.push(performance.now() - began);
    if (said !== undefined) problems.push(`/readyz ${said}`);
    await delay(200);
  }
  return { times, problems };
}

async function soak(server: RunningServer, requests: Requests, rate: number, duration: number, say: (line: string) => void): Promise<string[]> {
  const tallies = new Map<string, Tally>();
  const problems: string[] = [];
  const resident: number[] = [];
  const lags: number[] = [];
  let [sent, open, killed, unsent] = [0, 0, 0, 0];

  const ask = async ({ kind, send, problem }: Request): Promise<void> => {
    const tally = tallies.get(kind) ?? { ok: 0, refused: 0, times: [] };
    tallies.set(kind, tally);
    const began = performance.now();
    open++;
    try {
      const answer = await send();
      const wrong = answer.status === 200 ? problem?.(answer) : undefined;
      if (wrong !== undefined) problems.push(`${kind}: ${wrong}`);
      else if (answer.status === 200) {
        tally.ok++;
        tally.times.push(performance.now() - began);
      } else if (answer.status === 429 && Number(answer.headers.get('retry-after')) >= 1) tally.refused++;
      else problems.push(`${kind} was answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 300)}`);
    } catch (error) {
      problems.push(`${kind} was not answered: ${String((error as Error).cause ?? error)}`);
    } finally {
      open--;
    }
  };

  await lagP99(server.url);
  const began = performance.now();
  const elapsed = (): number => performance.now() - began;
  const readiness = watchReadiness(server.url, () => elapsed() >= duration && open === 0);
  let nextSample = 0;
  while (elapsed() < duration) {
    for (const due = (elapsed() / 1000) * rate; sent < due; sent++) {
      if (open < mostInFlight) void ask(requests.next());
      else unsent++;
    }
    if (elapsed() >= nextSample) {
      nextSample += 1_000;
      void residentBytes(server.process.pid!).then((bytes) => resident.push(bytes));
    }
    if (elapsed() > ((killed + 0.5) / kills) * duration) {
      const workers = workersOf(server);
      process.kill(workers[killed++ % workers.length]!, 'SIGKILL');
    }
    if (elapsed() > ((lags.length + 1) / 4) * duration) {
      lags.push(await lagP99(server.url));
      say(`quarter ${lags.length}: ${sent} sent, ${open} open, lag p99 ${milliseconds(lags.at(-1)!)}, ${(resident.at(-1)! / 1e6).toFixed(0)} MB`);
    }
    await delay(10);
  }
  if (lags.length < 4) lags.push(await lagP99(server.url));
  while (open > 0) await delay(50);
  const ready = await readiness;
  problems.push(...ready.problems);

  const quarters = [0, 1, 2, 3].map((quarter) => median(resident.slice((quarter * resident.length) / 4, ((quarter + 1) * resident.length) / 4)));
  const growth = quarters[3]! / quarters[1]!;
  const worstLag = Math.max(...lags);
  say(`\n${'request'.padEnd(16)}${['200', '429', 'p50', 'p99'].map((head) => head.padStart(12)).join('')}`);
  for (const [kind, { ok, refused, times }] of tallies) {
    say(kind.padEnd(16) + [String(ok), String(refused), milliseconds(median(times)), milliseconds(percentile(times, 0.99))].map((cell) => cell.padStart(12)).join(''));
  }
  for (const kind of neverRefused) {
    const { refused } = tallies.get(kind)!;
    if (refused > 0) problems.push(`${refused} requests of the kind ${kind} were refused.`);
  }
  say(`/readyz asked ${ready.times.length} times, not 200: ${ready.problems.length}, p50 ${milliseconds(median(ready.times))}, p99 ${milliseconds(percentile(ready.times, 0.99))}`);
  say(`not sent, over ${mostInFlight} in flight: ${unsent}`);
  say(`workers killed: ${killed}`);
  say(`event loop p99 by quarter: ${lags.map(milliseconds).join(', ')} (at most ${bounds.lagMs} ms)`);
  say(`resident memory, median by quarter: ${quarters.map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`).join(', ')}; last / second ${growth.toFixed(3)} (at most ${bounds.growth})`);
  if (worstLag > bounds.lagMs) problems.push(`The event loop's p99 was ${milliseconds(worstLag)}.`);
  if (growth > bounds.growth) problems.push(`Memory grew by ${growth.toFixed(3)} from the second quarter to the last.`);
  if (![...tallies.values()].some(({ refused }) => refused > 0)) problems.push('Nothing was refused: the service was not overloaded.');
  return problems;
}
