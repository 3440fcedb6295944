import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../errors.js';
import { downloadFile, type WantedFile } from './download.js';
import type { HubClient } from './hub-client.js';
import { shortLicense } from './license.js';
import { lockName, type Lock } from './lock.js';
import { freeBytes, swapIn, type Places } from './models-folder.js';
import type { PlannedFile, PullPlan } from './plan.js';

export interface PullReport {
  /** A file is there, or comes: its bytes so far. */
  at(file: PlannedFile, bytes: number): void;
  /** A file has come and is what the hub says it is. */
  came(file: PlannedFile): void;
}

const cardName = 'model.json';

/**
 * Carries a plan out: every file into the staging folder, then the folder under its name in one step, with its lock file.
 * Whatever ends it early leaves the model's folder as it was and the staging folder to go on from.
 * @throws MixspaceError: `disk_full`, `unprocessable` for wrong bytes, `not_ready` where the hub stays out of reach.
 */
export async function carryOut(hub: HubClient, places: Places, plan: PullPlan, report: PullReport): Promise<Lock> {
  const { directory, staging } = places;
  await requireSpace(places, plan);
  await mkdir(staging, { recursive: true });
  const files: Lock['files'] = {};
  for (const file of plan.files) {
    hub.signal.throwIfAborted();
    const target = path.join(staging, file.target);
    files[file.target] = { size: file.size, sha256: await bring({ hub, model: plan.model, file }, target, report) };
  }
  const kept = plan.before ? await keepOwnFiles(directory, staging, plan.before, new Set(Object.keys(files))) : [];
  await tellService(places, plan, files, kept.includes(cardName));
  const lock: Lock = {
    lock_version: 1,
    id: plan.reference.id,
    ...(plan.folder === undefined ? {} : { folder: plan.folder }),
    commit: plan.model.commit,
    revision: plan.model.revision,
    variants: plan.variants,
    ...(plan.variant === undefined ? {} : { variant: plan.variant }),
    license: shortLicense(plan.license) ?? null,
    files,
    pulled_at: new Date().toISOString(),
  };
  await writeFile(path.join(staging, lockName), `${JSON.stringify(lock, null, 2)}\n`, { flush: true });
  await dropStrays(staging, new Set([...Object.keys(files), ...kept, lockName, cardName]));
  await swapIn(places);
  return lock;
}

async function bring(wanted: WantedFile<PlannedFile>, target: string, report: PullReport): Promise<string> {
  const { file } = wanted;
  if (!file.here) {
    const sha256 = await downloadFile(wanted, target, (bytes) => report.at(file, bytes));
    report.came(file);
    return sha256;
  }
  if (file.here.at !== target) {
    await mkdir(path.dirname(target), { recursive: true });
    await rm(target, { force: true });
    await linkOrCopy(file.here.at, target);
  }
  report.at(file, file.size);
  return file.here.sha256;
}

/** @throws MixspaceError `disk_full`. */
export async function requireSpace({ staging }: Places, { bytesToCome }: PullPlan): Promise<void> {
  const modelsDir = path.dirname(staging);
  const free = await freeBytes(modelsDir);
  if (free < bytesToCome) throw new MixspaceError('disk_full', `${bytesToCome} bytes are to come, and the disk of ${modelsDir} has room for ${free}. Nothing was downloaded; make room, or name another place with --models-dir.`);
}

/** The same file under a second name costs nothing; where links are not to be had, a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));
}

/** What the user has put beside the pulled files, golden vectors say, stays. */
async function keepOwnFiles(directory: string, staging: string, before: Lock, planned: Set<string>): Promise<string[]> {
  const kept: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const from = path.join(entry.parentPath, entry.name);
    const name = path.relative(directory, from).split(path.sep).join('/');
    if (entry.isDirectory() || name === lockName || planned.has(name) || before.files[name] !== undefined) continue;
    const to = path.join(staging, name);
    await mkdir(path.dirname(to), { recursive: true });
    await rm(to, { force: true });
    if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else await linkOrCopy(from, to);
    kept.push(name);
  }
  return kept;
}

/**
 * The license and the variant that the user named go into model.json, where the service reads them, unless the package brought
 * a model.json of its own. What else stands in one that is there stays.
 */
async function tellService({ staging }: Places, { license, variant }: PullPlan, files: Lock['files'], hasOne: boolean): Promise<void> {
  if (files[cardName]) return;
  const card = path.join(staging, cardName);
  const own = hasOne ? (JSON.parse(await readFile(card, 'utf8')) as Record<string, unknown>) : {};
  const short = shortLicense(license);
  const told = { ...own, ...(variant === undefined ? {} : { variant }), ...(short === undefined ? {} : { license: own['license'] ?? short }) };
  // The file may be another name of the one in use.
  await rm(card, { force: true });
  if (Object.keys(told).length > 0) await writeFile(card, `${JSON.stringify(told, null, 2)}\n`, { flush: true });
}

/** What earlier runs brought of other commits. */
async function dropStrays(staging: string, expected: Set<string>): Promise<void> {
  for (const entry of await readdir(staging, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !expected.has(path.relative(staging, file).split(path.sep).join('/'))) await rm(file);
  }
}
