/** What is answered is on disk: seen by the system calls that came before the answer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { traceFlush, whyNoTrace } from './crash/flush.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

const problem = whyNoTrace();
if (problem !== undefined) console.warn(`\n!!! WHETHER WRITES ARE FLUSHED IS NOT TESTED. ${problem}\n`);

let service: SmallService;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts });
});
afterAll(() => service.remove());

it.skipIf(problem !== undefined)('An item that is answered is flushed, and so is a picture that is kept', async () => {
  const image = await flat(9, 90, 200);
  for (const entry of [{ id: 'a', text: 'a river' }, { id: 'b', image }, { id: 'a', text: 'a river', metadata: { n: 1 } }]) {
    const { answered, unflushed, flushed } = await traceFlush(service.server, () => service.add('default', [entry]));
    expect([entry.id, answered, unflushed]).toEqual([entry.id, true, []]);
    expect(flushed).toContainEqual(expect.stringMatching(/mixspace\.db-wal$/));
    if ('image' in entry) expect(flushed).toContainEqual(expect.stringMatching(/originals\/[0-9a-f]{2}\/[0-9a-f]{64}(\.tmp)?$/));
  }
});
