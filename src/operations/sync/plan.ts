/** What has become of the files under a root since they were seen last: told apart before anything is changed. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../../errors.js';
import { beginningsOf, openable } from '../../file-names.js';
import { mapLimited } from '../../map-limited.js';
import { isWithin } from '../../open-file.js';
import { contentId, listPictures, nothingLeftOut, unreadable, type LeftOut, type PictureFile, type WalkRules } from '../../picture-files.js';
import type { RecordedFile, SeenFile } from '../../store/sync-catalog.js';
import type { Context } from '../context.js';
import { mountsAmong, Places, readStamp } from './places.js';

const recordsAtOnce = 5_000;
const idsAtOnce = 1_000;
const hashesAtOnce = 4;

export interface LookRequest {
  collection: string;
  /** Absolute. */
  root: string;
  /** What of it is taken in. */
  rules?: WalkRules;
  /** Absolute paths under it, of files or folders, to look at alone. Left out: all. */
  only?: string[];
  /** What is no longer there goes, however much it is. */
  prune: boolean;
  /** Whether a path was looked at just before: what the walk leaves out is then left out for good. */
  isSecond: (path: string) => boolean;
  /** Whether what is no longer at a path may be taken for deleted by now. Left out: yes. */
  mayGo?: (path: string) => boolean;
  signal: AbortSignal;
}

/** A file that is to be taken in, or to be noted at its new place. */
export interface Arrival {
  file: string;
  stamp: string;
  /** What it was before. */
  before?: RecordedFile;
}

export interface Unreached {
  file: string;
  reason: string;
}

export interface Plan {
  /** Pictures that are there. */
  found: number;
  unchanged: number;
  /** Of the unchanged, those whose item was deleted. */
  deletedByHand: number;
  /** Only to be noted: their content is what it was, or that of a deleted item. */
  noted: SeenFile[];
  /** Content that an item has already: at a new path, or in place of other content. */
  known: Arrival[];
  /** No longer there, and found at a new path: moved. */
  left: Missing[];
  /** Other content at the same path. */
  changed: Arrival[];
  fresh: Arrival[];
  /** Paths whose former item is still to lose them. */
  unsettled: string[];
  /** No longer there, nor anywhere else. */
  gone: Missing[];
  unreachable: Unreached[];
  failures: Unreached[];
  /** To be looked at again: still written to, or just come. */
  again: string[];
  leftOut: LeftOut;
  /** Recorded files under the whole root. */
  recorded: number;
}

export type Missing = RecordedFile & {
  /** The file is there, and no longer one that is taken in. */
  isLeftOut: boolean;
  /** Where it has not been found elsewhere, it is too soon to say that it has gone. */
  mayCome: boolean;
};

interface Found {
  picture: PictureFile;
  record: RecordedFile | undefined;
}

/** @throws MixspaceError `unprocessable`: the root cannot be reached; whatever `signal` was aborted with. */
export async function planOf(context: Context, request: LookRequest): Promise<Plan> {
  return new Planning(context, request).run();
}

class Planning {
  readonly #context: Context;
  readonly #request: LookRequest;
  readonly #plan: Plan = { found: 0, unchanged: 0, deletedByHand: 0, noted: [], known: [], left: [], changed: [], fresh: [], unsettled: [], gone: [], unreachable: [], failures: [], again: [], leftOut: nothingLeftOut(), recorded: 0 };

  constructor(context: Context, request: LookRequest) {
    this.#context = context;
    this.#request = request;
  }

  async run(): Promise<Plan> {
    const { signal } = this.#request;
    const plan = this.#plan;
    await requireRoot(this.#request.root);
    const records = await this.#records();
    const pictures = await this.#walk();
    const { doubtful, fresh, waiting } = this.#compared(pictures, records);
    signal.throwIfAborted();
    const found = new Set(pictures.map(({ file }) => file));
    const missing = [...records.values()].filter(({ path: at }) => !found.has(at));
    const gone = await this.#missing(missing, pictures, waiting);
    const edited = await this.#edited(doubtful);
    const newcomers = await this.#recognised(fresh, [...gone, ...edited.map(({ before }) => before)], [...records.values()]);
    const there = await this.#there([...edited, ...newcomers].map(({ id }) => id));
    plan.known.push(...[...edited, ...newcomers].filter(({ id }) => there.has(id)).map(arrival));
    plan.changed.push(...edited.filter(({ id }) => !there.has(id)).map(arrival));
    plan.fresh.push(...newcomers.filter(({ id }) => !there.has(id)).map(arrival));
    const arrived = new Map<string, number>();
    for (const { id } of newcomers) arrived.set(id, (arrived.get(id) ?? 0) + 1);
    for (const record of gone) {
      const left = arrived.get(record.item) ?? 0;
      if (left > 0) arrived.set(record.item, left - 1);
      if (left > 0) plan.left.push(record);
      else if (record.mayCome) plan.again.push(record.path);
      else plan.gone.push(record);
    }
    return plan;
  }

  async #records(): Promise<Map<string, RecordedFile>> {
    const { catalog, sync } = this.#context;
    const { collection, root, only } = this.#request;
    const records = new Map<string, RecordedFile>();
    const beginnings = (only ? outermost(only) : [root]).flatMap(beginningsOf);
    for (const under of beginnings) {
      for (let after: string | undefined; ; ) {
        const { files, more } = await catalog.listSeen(collection, sync.machine, under, { limit: recordsAtOnce, ...(after === undefined ? {} : { after }) });
        for (const file of files) records.set(file.path, file);
        after = files.at(-1)?.path;
        if (!more || after === undefined) break;
        this.#request.signal.throwIfAborted();
      }
    }
    this.#plan.recorded = only ? (await Promise.all(beginningsOf(root).map((under) => catalog.countSeen(collection, sync.machine, under)))).reduce((sum, count) => sum + count, 0) : records.size;
    return records;
  }

  async #walk(): Promise<PictureFile[]> {
    const { root, rules, only, signal } = this.#request;
    const { except } = this.#context.sync;
    const isAsked = only && isAmong(only);
    const { pictures, leftOut } = await listPictures([root], signal, { ...(rules && { rules }), isWanted: (at) => !except.includes(at) && (isAsked?.(at) ?? true) });
    if (leftOut.unreadable.includes(root)) throw new MixspaceError('unprocessable', `The folder ${root} cannot be read. Nothing was changed.`);
    this.#plan.leftOut = leftOut;
    this.#plan.found = pictures.length;
    return pictures;
  }

  /** `waiting`: bytes of files at new paths that are still being written: what has gone from elsewhere may come there. */
  #compared(pictures: PictureFile[], records: Map<string, RecordedFile>): { doubtful: Found[]; fresh: Found[]; waiting: Set<number> } {
    const { quietMs } = this.#context.sync;
    const plan = this.#plan;
    const [doubtful, fresh]: [Found[], Found[]] = [[], []];
    const waiting = new Set<number>();
    const now = Date.now();
    for (const picture of pictures) {
      const { file, stamp } = picture;
      const record = records.get(file);
      if (record?.former !== undefined) plan.unsettled.push(file);
      if (record?.stamp === stamp) {
        plan.unchanged++;
        if (!record.isThere) plan.deletedByHand++;
        continue;
      }
      const { size, changedAt } = readStamp(stamp);
      // It has gone since the walk came to it where it has no stamp, or the clock of another machine is ahead.
      if (stamp === '' || Math.abs(now - changedAt) < quietMs) {
        plan.again.push(file);
        if (!record) waiting.add(size);
      } else (record ? doubtful : fresh).push({ picture, record });
    }
    return { doubtful, fresh, waiting };
  }

  /** Those among the missing that are really gone from where they were. */
  async #missing(missing: RecordedFile[], pictures: PictureFile[], waiting: Set<number>): Promise<Missing[]> {
    const { collection, root, only, prune, isSecond, mayGo } = this.#request;
    const { catalog, sync } = this.#context;
    const plan = this.#plan;
    const mounts = only ? undefined : await mountsAmong(root, pictures.map(({ file }) => file));
    const known = await catalog.listMounts(collection, sync.machine, root);
    const isMount = async (folder: string): Promise<boolean> => mounts?.includes(folder) ?? (await mountsAmong(root, [path.join(folder, 'any')])).includes(folder);
    const unmounted: string[] = [];
    for (const folder of known) {
      if (prune || (await isMount(folder)) || pictures.some(({ file }) => isWithin(folder, file))) continue;
      unmounted.push(folder);
    }
    if (mounts) await catalog.putMounts(collection, sync.machine, root, [...mounts, ...unmounted]);
    const places = await new Places(root, unmounted).of(missing.map(({ path: at }) => at));
    const gone: Missing[] = [];
    missing.forEach((record, i) => {
      const place = places[i]!;
      if (typeof place !== 'string') plan.unreachable.push({ file: record.path, reason: place.unreachable });
      else if (place === 'there' && !isSecond(record.path)) plan.again.push(record.path);
      else gone.push({ ...record, isLeftOut: place === 'there', mayCome: waiting.has(readStamp(record.stamp).size) || mayGo?.(record.path) === false });
    });
    return gone;
  }

  /** Those of the doubtful whose content is another. */
  async #edited(doubtful: Found[]): Promise<(Hashed & { before: RecordedFile })[]> {
    const edited: (Hashed & { before: RecordedFile })[] = [];
    await mapLimited(doubtful, hashesAtOnce, async ({ picture, record }) => {
      const id = await this.#hash(picture);
      if (id === undefined) return;
      if (id !== record!.item) edited.push({ file: picture.file, stamp: picture.stamp, id, before: record! });
      else {
        this.#plan.noted.push({ path: picture.file, stamp: picture.stamp, item: id });
        this.#plan.unchanged++;
        if (!record!.isThere) this.#plan.deletedByHand++;
      }
    });
    return edited;
  }

  /** Files at new paths that may be ones that were elsewhere: of their size. All others are new. */
  async #recognised(fresh: Found[], vanished: RecordedFile[], records: RecordedFile[]): Promise<Hashed[]> {
    const deleted = records.filter(({ isThere }) => !isThere);
    const sizes = new Set([...vanished, ...deleted].map(({ stamp }) => readStamp(stamp).size));
    const unwanted = new Set(deleted.map(({ item }) => item));
    const hashed: Hashed[] = [];
    await mapLimited(fresh, hashesAtOnce, async ({ picture }) => {
      if (!sizes.has(readStamp(picture.stamp).size)) return void this.#plan.fresh.push({ file: picture.file, stamp: picture.stamp });
      const id = await this.#hash(picture);
      if (id === undefined) return;
      hashed.push({ file: picture.file, stamp: picture.stamp, id });
    });
    if (unwanted.size === 0) return hashed;
    const there = await this.#there(hashed.map(({ id }) => id));
    const isUnwanted = ({ id }: Hashed): boolean => unwanted.has(id) && !there.has(id);
    for (const { file, stamp, id } of hashed.filter(isUnwanted)) {
      this.#plan.noted.push({ path: file, stamp, item: id });
      this.#plan.deletedByHand++;
      this.#plan.unchanged++;
    }
    return hashed.filter((each) => !isUnwanted(each));
  }

  async #there(ids: string[]): Promise<Set<string>> {
    const there = new Set<string>();
    for (let from = 0; from < ids.length; from += idsAtOnce) {
      for (const { id } of await this.#context.catalog.present(this.#request.collection, ids.slice(from, from + idsAtOnce))) there.add(id);
    }
    return there;
  }

  async #hash(picture: PictureFile): Promise<string | undefined> {
    this.#request.signal.throwIfAborted();
    try {
      return await contentId(picture);
    } catch (error) {
      this.#plan.failures.push({ file: picture.file, reason: unreadable(error) });
      return undefined;
    }
  }
}

interface Hashed extends Arrival {
  id: string;
}

const arrival = ({ file, stamp, before }: Hashed): Arrival => ({ file, stamp, ...(before && { before }) });

async function requireRoot(root: string): Promise<void> {
  try {
    await stat(openable(root));
  } catch (error) {
    throw new MixspaceError('unprocessable', `${root} cannot be reached (${(error as NodeJS.ErrnoException).code}). Nothing was changed.`, { cause: error });
  }
}

/** Those that lie in none of the others. */
export function outermost(paths: string[]): string[] {
  const sorted = [...new Set(paths)].sort((a, b) => a.length - b.length);
  const kept = new Set<string>();
  for (const each of sorted) if (!hasAncestor(kept, each)) kept.add(each);
  return [...kept];
}

/** Whether a path is one of these, lies in one, or leads to one. */
function isAmong(paths: string[]): (at: string) => boolean {
  const targets = new Set(paths);
  const leading = new Set<string>();
  for (const each of paths) for (let at = path.dirname(each); !leading.has(at); at = path.dirname(at)) leading.add(at);
  return (at) => targets.has(at) || leading.has(at) || hasAncestor(targets, at);
}

function hasAncestor(paths: Set<string>, of: string): boolean {
  for (let at = path.dirname(of); ; at = path.dirname(at)) {
    if (paths.has(at)) return true;
    if (at === path.dirname(at)) return false;
  }
}
