import { milliseconds, percentile } from '../timing.js';
import { below } from './recall.js';
import { collection, find, hitsOf, Timed, type Found, type Subject } from './subject.js';

const pages = [
  { limit: 10, count: 100 },
  { limit: 1_000, count: 10 },
];
const comparedTo = 1_000;

/** Pages by their cursors, deep into the ranks. */
export async function deepPages(subject: Subject, queries: number[][]): Promise<void> {
  for (const { limit, count } of pages) {
    const all = new Timed();
    const lasts: number[] = [];
    let [hits, wanted, twice, lost] = [0, 0, 0, 0];
    for (const query of queries) {
      const { matches: exact } = await find(subject, query, { limit: comparedTo, exact: true });
      const found: Found[] = [];
      await all.spending(subject, async () => {
        let cursor: string | undefined;
        for (let page = 0; page < count; page++) {
          const answer = await all.one(() => find(subject, query, { limit, ...(cursor !== undefined && { cursor }) }));
          found.push(...answer.matches);
          cursor = answer.next_cursor;
          if (cursor === undefined) break;
        }
      });
      lasts.push(all.times.at(-1)!);
      twice += found.length - new Set(found.map(({ id }) => id)).size;
      lost += limit * count - found.length;
      hits += hitsOf(found.slice(0, comparedTo), exact);
      wanted += exact.length;
    }
    console.log(`million, ${count} pages of ${limit}, a page: ${String(all)}; the last p50 ${milliseconds(percentile(lasts, 0.5))}; recall of the first ${comparedTo} ${(hits / wanted).toFixed(4)}; ${twice} found twice, ${lost} short of ${queries.length * limit * count}`);
  }
}

export async function facets(subject: Subject): Promise<void> {
  const fields = ['category', 'group'];
  for (const { name, body } of [{ name: 'all', body: undefined }, below(0.1)]) {
    const timed = new Timed();
    for (let turn = 0; turn < 2; turn++) await timed.one(() => subject.client.facets(collection, fields, body ? { filter: body } : {}));
    console.log(`million, facets by ${fields.join(' and ')}, ${name}: ${timed.times.map((each, turn) => `${turn === 0 ? 'first' : 'then'} ${milliseconds(each)}`).join(', ')}`);
  }
}

export async function listing(subject: Subject): Promise<void> {
  const pageSize = 100;
  const turns = 20;
  for (const { name, filter } of [{ name: 'all', filter: undefined }, { name: 'one category', filter: { category: 'category 3' } }]) {
    const timed = new Timed();
    let cursor: string | undefined;
    await timed.spending(subject, async () => {
      for (let page = 0; page < turns; page++) {
        const answer = await timed.one(() => subject.client.itemPage(collection, { sort: '-date', limit: pageSize, ...(filter && { filter }), ...(cursor !== undefined && { cursor }) }));
        cursor = answer.next_cursor;
        if (cursor === undefined) break;
      }
    });
    console.log(`million, items by date, newest first, ${name}, ${pageSize} a page: first ${milliseconds(timed.times[0]!)}, a page ${String(timed)}, of ${timed.times.length}`);
  }
}
