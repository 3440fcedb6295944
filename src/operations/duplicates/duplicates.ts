import type { DuplicateGroup, DuplicateGroupPage, DuplicateItem, Duplicates, DuplicatesRequest, StartedJob } from '../../contract/duplicates.js';
import { limits } from '../../contract/limits.js';
import { MixspaceError } from '../../errors.js';
import type { Context, JobContext } from '../context.js';
import { imageUrlOf } from '../items.js';
import { toldJob } from '../jobs.js';
import { placeIn } from '../place-in.js';
import { duplicatesJob, groupList, groupsList, type DuplicatesParameters, type DuplicatesSummary, type KeptGroup, type KeptItem } from './job.js';

const pageSize = 100;

interface Page {
  limit?: number;
  cursor?: string;
}

/** `POST .../duplicates`. @throws MixspaceError `not_found`, `overloaded`. */
export async function findDuplicates({ catalog, jobs }: JobContext, collection: string, { threshold, filter, modality, keep = 'largest' }: DuplicatesRequest): Promise<StartedJob> {
  await catalog.getCollection(collection);
  const parameters: DuplicatesParameters = { keep, ...(threshold === undefined ? {} : { threshold }), ...(filter && { filter }), ...(modality && { modality }) };
  const { job } = await jobs.start(duplicatesJob, { collection, parameters });
  return { job: toldJob(job) };
}

/** `GET .../duplicates`. @throws MixspaceError `not_found`: nobody has looked yet. */
export async function getDuplicates(context: Context, collection: string, { limit = pageSize, cursor }: Page): Promise<Duplicates> {
  const { job, summary } = await latest(context, collection);
  const scope = ['duplicates', collection, job];
  const after = await placeIn(context.cursors, cursor, scope);
  const { entries, more } = await context.catalog.listResultEntries(collection, job, groupsList, { limit, ...(after === undefined ? {} : { after }) });
  // What an interrupted run wrote beyond is not of this one.
  const groups = entries.filter(({ number }) => number < summary.total + summary.mirrored).map(({ body }) => body as KeptGroup);
  const there = await presentOf(context, collection, groups.flatMap(({ items }) => items));
  const last = entries.at(-1);
  const { changes: _, ...told } = summary;
  return {
    job,
    ...told,
    groups: groups.flatMap((group) => toldGroup(collection, group, there)),
    ...(more && last ? { next_cursor: await context.cursors.seal([last.number], scope) } : {}),
  };
}

/** `GET .../duplicates/{id}`. @throws MixspaceError `not_found`. */
export async function getDuplicateGroup(context: Context, collection: string, id: string, { limit = pageSize, cursor }: Page): Promise<DuplicateGroupPage> {
  const { job } = await latest(context, collection);
  const scope = ['duplicates', collection, job, id];
  const after = await placeIn(context.cursors, cursor, scope);
  const group = await groupOf(context, collection, job, id);
  const list =
    group.size > limits.groupItems
      ? await context.catalog.listResultEntries(collection, job, groupList(id), { limit, ...(after === undefined ? {} : { after }) })
      : { entries: group.items.map((body, number) => ({ number, body })).slice((after ?? -1) + 1, (after ?? -1) + 1 + limit), more: group.items.length > (after ?? -1) + 1 + limit };
  const items = list.entries.filter(({ number }) => number < group.size).map(({ body }) => body as KeptItem);
  const there = await presentOf(context, collection, items);
  const last = list.entries.at(-1);
  return {
    id,
    size: group.size,
    mirrored: group.mirrored,
    reason: group.reason,
    items: items.filter((item) => there.has(item.id)).map((item) => toldItem(collection, item)),
    ...(list.more && last ? { next_cursor: await context.cursors.seal([last.number], scope) } : {}),
  };
}

async function latest({ catalog }: Context, collection: string): Promise<{ job: string; summary: DuplicatesSummary }> {
  const result = await catalog.getResult(collection, duplicatesJob);
  if (!result) throw new MixspaceError('not_found', `Nobody has looked for duplicates in collection "${collection}" yet, or not to the end: POST to this path starts a job that does.`);
  return { job: result.job, summary: result.summary as DuplicatesSummary };
}

/** Plain groups stand first, in order, and mirror images behind them. */
async function groupOf(context: Context, collection: string, job: string, id: string): Promise<KeptGroup> {
  const [, kind, place] = /^([gm])([1-9]\d{0,8})$/.exec(id) ?? [];
  if (kind !== undefined) {
    const { summary } = await latest(context, collection);
    const number = Number(place) - 1 + (kind === 'm' ? summary.total : 0);
    const { entries } = await context.catalog.listResultEntries(collection, job, groupsList, { limit: 1, after: number - 1 });
    const group = entries[0]?.body as KeptGroup | undefined;
    if (group?.id === id) return group;
  }
  throw new MixspaceError('not_found', `There is no group "${id.slice(0, 100)}" among the duplicates of collection "${collection}".`);
}

async function presentOf({ catalog }: Context, collection: string, items: KeptItem[]): Promise<Set<string>> {
  return new Set((await catalog.present(collection, items.map(({ id }) => id))).map(({ id }) => id));
}

/** None where fewer than two of those that it lists are still there. */
function toldGroup(collection: string, { items, ...group }: KeptGroup, there: Set<string>): DuplicateGroup[] {
  const left = items.filter(({ id }) => there.has(id));
  return left.length < 2 ? [] : [{ ...group, items: left.map((item) => toldItem(collection, item)) }];
}

function toldItem(collection: string, { hasImage, ...item }: KeptItem): DuplicateItem {
  return { ...item, ...(hasImage ? { image_url: imageUrlOf(collection, item.id) } : {}) };
}
