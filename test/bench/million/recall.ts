import { milliseconds, percentile } from '../timing.js';
import { withProgress } from './progress.js';
import { find, hitsOf, Timed, type Found, type Subject } from './subject.js';

const limit = 10;
const warmUps = 20;

export interface NamedFilter {
  name: string;
  body?: Record<string, unknown>;
}

export const below = (bound: number): NamedFilter => ({ name: `draw < ${bound}`, body: { draw: { $lt: bound } } });

/** How many of the ten nearest are found, beside exact searches, and what a search costs. */
export async function recall(subject: Subject, by: string, queries: number[][], filters: NamedFilter[]): Promise<void> {
  for (const { name, body } of filters) {
    const options = { limit, ...(body && { filter: body }) };
    const exact: Found[][] = [];
    const slow = new Timed();
    await withProgress(`by ${by}, ${name}`, () => `${exact.length} of ${queries.length} exact searches`, () =>
      slow.spending(subject, async () => {
        for (const query of queries) exact.push((await slow.one(() => find(subject, query, { ...options, exact: true }))).matches);
      }),
    );
    for (const query of queries.slice(0, warmUps)) await find(subject, query, options);
    let [hits, wanted, calledExact] = [0, 0, 0];
    const timed = new Timed();
    await timed.spending(subject, async () => {
      for (const [i, query] of queries.entries()) {
        const { matches, exact: isExact } = await timed.one(() => find(subject, query, options));
        hits += hitsOf(matches, exact[i]!);
        wanted += exact[i]!.length;
        if (isExact) calledExact++;
      }
    });
    console.log(`million, by ${by}, ${name}: recall@${limit} ${(hits / wanted).toFixed(4)}, ${String(timed)}, called exact ${calledExact} of ${queries.length}; with exact: true p50 ${milliseconds(percentile(slow.times, 0.5))}, CPU ${milliseconds((1_000 * slow.cpu) / queries.length)}`);
  }
}

/** Each filter's first search. */
export async function newFilters(subject: Subject, queries: number[][]): Promise<void> {
  const timed = new Timed();
  await timed.spending(subject, async () => {
    for (const [turn, query] of queries.entries()) await timed.one(() => find(subject, query, { limit, filter: below(0.1 + (turn + 1) * 1e-6).body! }));
  });
  console.log(`million, a filter of 10 % never seen before: ${String(timed)}, of ${queries.length}`);
}
