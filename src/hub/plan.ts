import path from 'node:path';
import type { Variant } from '../encoder/package/variants.js';
import { MixspaceError } from '../errors.js';
import { exists } from '../files.js';
import { partBytes } from './download.js';
import { sha256IfSame } from './hashes.js';
import type { HubClient, HubFile, HubModel } from './hub-client.js';
import { findKnown } from './known-models.js';
import { mustBeAccepted, type License } from './license.js';
import { differences, readLock, type Lock } from './lock.js';
import type { Places } from './models-folder.js';
import type { HubReference } from './names.js';
import { selectFiles } from './select-files.js';

export interface PullRequest {
  reference: HubReference;
  name: string;
  /** Named by the user, the one to be used first. Left out: those that are there, or fp32. */
  variants?: Variant[];
  folder?: string;
}

export interface PlannedFile extends HubFile {
  /** Inside the model's folder, with slashes. */
  target: string;
  /** Its SHA-256 where the model's folder or the staging folder has exactly this file already. */
  here?: { sha256: string; at: string };
  /** Bytes of it that an earlier run has brought. */
  begun: number;
}

/** What a pull would do; nothing is written yet. */
export interface PullPlan {
  name: string;
  reference: HubReference;
  model: HubModel;
  folder: string | undefined;
  license: License;
  variants: Variant[];
  /** The one the service is to use, where the user named one or had named one. */
  variant: string | undefined;
  files: PlannedFile[];
  /** Of the model's folder as it is. */
  before: Lock | undefined;
  /** Everything is there as it should be. */
  isComplete: boolean;
  /** Weights, tokenizer or preprocessing become others: embeddings made before no longer fit. */
  changesEmbeddings: boolean;
  /** Files of the folder that are not what was pulled, and will be replaced. */
  mended: string[];
  /** What the layout needs and the repository lacks. */
  missing: string[];
  bytes: number;
  bytesToCome: number;
}

/** @throws MixspaceError `conflict` where the name is taken by another model, or variants of two commits would be mixed. */
export async function planPull(hub: HubClient, places: Places, request: PullRequest): Promise<PullPlan> {
  const { reference, name, folder } = request;
  const before = await readLock(places.directory);
  refuseOther(before, await exists(places.directory), request, places);
  const model = await hub.model(reference);
  const sameCommit = before?.commit === model.commit;
  const asked = request.variants ?? ((before?.variants as Variant[] | undefined) ?? ['fp32']);
  const variants = sameCommit ? [...new Set([...(before.variants as Variant[]), ...asked])] : asked;
  const left = before?.variants.filter((variant) => !variants.includes(variant as Variant)) ?? [];
  if (left.length > 0) throw twoCommits(before!, model, { asked, left }, request);

  const selection = selectFiles(model, variants, folder);
  const files: PlannedFile[] = [];
  for (const { listed, target } of selection.files) files.push(await planned(await hub.describe(model, listed), target, places));
  const mended = sameCommit
    ? files.filter(({ target, here }) => before.files[target] !== undefined && here?.at !== path.join(places.directory, target)).map(({ target }) => target)
    : before
      ? (await differences(places.directory, before)).filter(({ what }) => what === 'changed').map((each) => each.path)
      : [];
  const isVariantNamed = request.variants !== undefined && request.variants[0] !== before?.variant;
  return {
    name,
    reference,
    model,
    folder,
    license: licenseOf(model),
    variants,
    variant: request.variants?.[0] ?? before?.variant,
    files,
    before,
    isComplete: before !== undefined && sameCommit && !isVariantNamed && files.every(({ target, here }) => here?.at === path.join(places.directory, target)),
    changesEmbeddings: before !== undefined && !sameCommit && files.some(({ target, here }) => isOfTheSpace(target) && here?.at !== path.join(places.directory, target)),
    mended,
    missing: selection.missing,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    bytesToCome: files.reduce((sum, { size, here, begun }) => sum + (here ? 0 : size - begun), 0),
  };
}

function refuseOther(before: Lock | undefined, isThere: boolean, { reference, name, folder }: PullRequest, { directory }: Places): void {
  if (!isThere) return;
  const way = `--as gives this one another name, \`mixspace models remove ${name}\` removes the other.`;
  if (!before) throw new MixspaceError('conflict', `${directory} is there already and was not pulled: ${way}`, { param: '--as' });
  if (before.id.toLowerCase() !== reference.id.toLowerCase() || before.folder !== folder) {
    throw new MixspaceError('conflict', `The model ${name} is ${before.id}${before.folder === undefined ? '' : `, folder ${before.folder}`}: ${way}`, { param: '--as' });
  }
}

function twoCommits(before: Lock, model: HubModel, { asked, left }: { asked: string[]; left: string[] }, { reference, name }: PullRequest): MixspaceError {
  const old = before.commit.slice(0, 12);
  return new MixspaceError(
    'conflict',
    `${name} holds ${left.join(', ')} of commit ${old}, and ${reference.revision} is at ${model.commit.slice(0, 12)}: variants of two commits do not go together. ` +
      `\`mixspace models pull ${model.id}@${before.commit} --variant ${asked.join(',')}\` adds to what is there; \`mixspace models pull ${model.id} --variant ${[...new Set([...asked, ...left])].join(',')}\` brings all of it to the new commit.`,
    { param: '--variant' },
  );
}

async function planned(file: HubFile, target: string, { directory, staging }: Places): Promise<PlannedFile> {
  for (const folder of [directory, staging]) {
    const at = path.join(folder, target);
    const sha256 = await sha256IfSame(at, file);
    if (sha256 !== undefined) return { ...file, target, here: { sha256, at }, begun: 0 };
  }
  return { ...file, target, begun: await partBytes(path.join(staging, target), file) };
}

/** The hub's word; where its card names none, or less than is known of the model, the authors' own license as the curated list has it. */
function licenseOf({ id, license }: HubModel): License {
  const known = findKnown(id);
  if (!known) return license;
  const own: License = { id: known.license, ...(known.licenseName === undefined ? {} : { name: known.licenseName }) };
  return license.id === undefined || (mustBeAccepted(own) && !mustBeAccepted(license)) ? own : license;
}

/** Files that decide what an embedding is. */
function isOfTheSpace(target: string): boolean {
  return !/^(README\.md|LICEN[CS]E.*|special_tokens_map\.json)$/i.test(target);
}
