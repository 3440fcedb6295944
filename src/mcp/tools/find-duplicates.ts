import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { keepRules } from '../../contract/duplicates.js';
import { limits } from '../../contract/limits.js';
import { collection, cursor, filter, modality, page } from '../arguments.js';
import { handleOf, isOpen, resultOf, usualGroups } from '../duplicates-job.js';
import { ArgumentProblem, tool } from '../tool.js';

/** Hosts give up after a minute. */
const longestWait = 45;
/** Milliseconds between two looks: more and more. */
const firstPause = 100;
const longestPause = 2_000;

export const findDuplicates = tool({
  name: 'find_duplicates',
  title: 'Find duplicates',
  description:
    'Finds items of a collection that are the same or nearly so, in groups, and tells which of each group to keep. Removes nothing. On many items it takes minutes: then it answers the id of a job; call it again with that job to go on waiting.',
  input: z.strictObject({
    collection,
    job: z.string().min(1).max(limits.jobIdLength).optional().describe('Of an earlier call: waits for it, and starts nothing.'),
    threshold: z.number().min(0.5).max(1).optional().describe('How alike two must be; pictures 0.9 and texts 0.98 where it is left out.'),
    modality: modality.optional(),
    filter: filter.optional(),
    keep: z.enum(keepRules).default('largest').describe('Which of a group to keep.'),
    wait_seconds: z.number().int().min(0).max(longestWait).default(20).describe('How long to wait for the end.'),
    limit: page(50, usualGroups, 'Groups'),
    cursor: cursor.optional(),
  }),
  output: z.looseObject({
    state: z.enum(['waiting', 'running', 'paused', 'done', 'failed', 'cancelled']),
    job: z.looseObject({ id: z.string(), done: z.number().int(), total: z.number().int().optional() }),
    duplicates: z
      .looseObject({
        total: z.number().int().describe('Groups.'),
        superfluous: z.number().int().describe('Items of all groups but those to keep.'),
        groups: z.array(z.looseObject({ id: z.string(), size: z.number().int(), items: z.array(z.looseObject({ id: z.string(), keep: z.boolean(), similarity: z.number() })) })),
        next_cursor: z.string().optional(),
      })
      .optional()
      .describe('When it is done.'),
  }),
  effect: 'starts a job',
  run: async ({ collection: name, job: earlier, wait_seconds, limit, cursor: at, ...what }, { client, signal, takesTasks, progress }) => {
    let job = earlier === undefined ? await client.findDuplicates(name, what, { signal }) : await client.job(earlier, { signal });
    if (job.kind !== 'duplicates' || job.collection !== name) throw new ArgumentProblem(`The job ${job.id} does not look for duplicates in ${name}.`);
    if (takesTasks && earlier === undefined && at === undefined) return handleOf(job);
    const until = Date.now() + wait_seconds * 1000;
    for (let pause = firstPause; isOpen(job) && Date.now() < until; pause = Math.min(pause * 1.5, longestPause)) {
      await delay(Math.min(pause, until - Date.now()), undefined, { signal });
      job = await client.job(job.id, { signal });
      await progress(job.done, job.total);
    }
    return resultOf(client, job, { limit, ...(at === undefined ? {} : { cursor: at }), signal });
  },
});
