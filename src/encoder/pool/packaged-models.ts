import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { ListedModel, ModelDescription, Models, SelfTest } from '../encoder.js';
import { findPackages, isPackage } from '../package/model-package.js';
import { changedAt, versionOfFolder } from '../package/files-version.js';
import type { Checks } from './package-checks.js';
import type { WorkerPool } from './pool.js';
import type { Version } from './version.js';
import { WorkerDied, type WorkerProcess } from './worker-process.js';

/** A package is one of three; what is checked of changed files becomes `now`, or is refused. */
type State = { is: 'pending' } | { is: 'usable'; now: Version; next?: 'checking' | { problem: string } } | { is: 'unusable'; problem: string };

interface Package {
  readonly id: string;
  /** When its folder was last changed: seconds since 1970, 0 while it has not been looked at. */
  changedAt: number;
  state: State;
  /** Of its files when its last check began; see `versionOfFolder`. */
  seen?: string;
  /** Its first check, or that of changed files. */
  checking?: Promise<Version>;
}

export interface ModelsOptions {
  modelsDirectory: string;
  checks: Checks;
  log: Log;
  /** To a package's id. */
  aliases: ReadonlyMap<string, string>;
}

/** A folder that is missing is looked for once more after so many milliseconds: it may be about to be replaced. */
const missingMs = 200;

const gone = 'The package has gone; it is used as long as its encoder workers live.';

/** No version is this: the next look takes the files for changed. */
const unseen = '';

const checkAttempts = 3;

/** The packages found, each checked when it is first asked for or when its turn comes, and again when its files have changed. */
export class PackagedModels implements Models {
  readonly #options: ModelsOptions;
  readonly #packages: Map<string, Package>;
  #default: string | undefined;
  #pool: WorkerPool | undefined;
  #looking: Promise<void> | undefined;
  #lookingNext: Promise<void> | undefined;
  #checkingAll: Promise<void> = Promise.resolve();

  private constructor(options: ModelsOptions, ids: string[]) {
    this.#options = options;
    this.#packages = new Map(ids.map((id) => [id, pending(id)]));
  }

  /** Throws `not_ready` where the directory cannot be read. */
  static async find(options: ModelsOptions): Promise<PackagedModels> {
    return new PackagedModels(options, await findIds(options.modelsDirectory));
  }

  /** From now on `pool` holds what is used; `id`, which is checked, is the default one. */
  serveFrom(pool: WorkerPool, id: string): void {
    this.#pool = pool;
    this.#default = id;
  }

  get ids(): string[] {
    return [...this.#packages.keys()].sort();
  }

  get defaultModel(): ModelDescription {
    return this.usable(this.#default!)!.description;
  }

  list(): ListedModel[] {
    const ids = this.ids.filter((id) => id !== this.#default);
    return (this.#default === undefined ? ids : [this.#default, ...ids]).map((id) => this.#told(this.#packages.get(id)!));
  }

  async model(id?: string): Promise<ModelDescription> {
    return id === undefined ? this.defaultModel : (await this.version(id)).description;
  }

  /** What is used of it, if its check is over. */
  usable(id: string): Version | undefined {
    const state = this.#packages.get(id)?.state;
    return state?.is === 'usable' ? state.now : undefined;
  }

  /** Throws `not_ready` where its files are others by now that cannot be used. */
  requireFiles(id: string): void {
    const state = this.#packages.get(id)?.state;
    if (state?.is === 'usable' && typeof state.next === 'object') throw unusable(id, state.next.problem);
  }

  /**
   * What is used of it, after its check. Throws `not_found`, after the directory was looked into again, or `not_ready`
   * where it cannot be used. With `worker`, the check runs and leaves the model there.
   */
  async version(name: string, worker?: WorkerProcess): Promise<Version> {
    if (!this.#packages.has(this.#idOf(name))) await this.look();
    const id = this.#idOf(name);
    const found = this.#packages.get(id);
    if (!found) {
      const there = this.ids.length === 0 ? 'there are none' : `there are ${this.ids.join(', ')}`;
      const meant = id === name ? '' : `, which ${JSON.stringify(name)} stands for`;
      throw new MixspaceError('not_found', `There is no model ${JSON.stringify(id)}${meant}; ${there}.`, { param: 'model' });
    }
    const { state } = found;
    if (state.is === 'usable') return state.now;
    if (state.is === 'unusable') throw unusable(id, state.problem);
    found.checking ??= this.#firstCheck(found, worker).finally(() => delete found.checking);
    return found.checking;
  }

  #idOf(name: string): string {
    return this.#packages.has(name) ? name : (this.#options.aliases.get(name) ?? name);
  }

  /** One at a time, so that what is served meanwhile goes on. */
  checkAll(): Promise<void> {
    this.#checkingAll = this.#checkingAll.then(async () => {
      for (const id of this.ids) {
        if (this.#options.checks.closing) return;
        await this.version(id).catch(() => undefined);
      }
    });
    return this.#checkingAll;
  }

  /**
   * What the directory holds by now: new packages are checked in their turn, changed ones at once, those that are gone
   * forgotten. A look that is under way may have missed what came since: one more follows it, for all who ask meanwhile.
   */
  look(): Promise<void> {
    if (!this.#looking) return this.#startLook();
    this.#lookingNext ??= this.#looking.then(() => {
      this.#lookingNext = undefined;
      return this.#looking ?? this.#startLook();
    });
    return this.#lookingNext;
  }

  /** The golden vectors once more, in a worker of its own; of a package that could not be used or has changed, by way of its check. */
  async selfTest(id: string): Promise<SelfTest> {
    const known = this.#packages.get(id);
    // Whatever its new files were refused for may have passed.
    if (known?.state.is === 'usable' && typeof known.state.next === 'object' && !known.checking) known.seen = unseen;
    await this.look();
    const found = this.#packages.get(id);
    if (found?.state.is === 'unusable') found.state = { is: 'pending' };
    if (found?.state.is === 'usable') await found.checking?.catch(() => undefined);
    const version = await this.version(id);
    this.requireFiles(id);
    return this.#options.checks.selfTest(version);
  }

  #told({ id, state, changedAt }: Package): ListedModel {
    const aliases = [...this.#options.aliases.keys()].filter((name) => name !== id && this.#idOf(name) === id);
    const about = { id, aliases, changedAt };
    if (state.is === 'pending') return { ...about, loadedIn: 0, memoryBytes: 0 };
    if (state.is === 'unusable') return { ...about, problem: state.problem, loadedIn: 0, memoryBytes: 0 };
    const { now, next } = state;
    const holders = modalities.map((modality) => this.#pool?.holders(now, modality) ?? []);
    return {
      ...about,
      description: now.description,
      ...(next === undefined ? {} : { replacement: next }),
      loadedIn: new Set(holders.flat()).size,
      memoryBytes: modalities.reduce((sum, modality, i) => sum + holders[i]!.length * (now.towerBytes[modality] ?? 0), 0),
    };
  }

  /** Never rejects. */
  #startLook(): Promise<void> {
    this.#looking = this.#look()
      .catch((error: unknown) => this.#options.log('error', 'The models directory could not be looked through.', { error: String(error) }))
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { modelsDirectory, checks, log } = this.#options;
    const ids = await findIds(modelsDirectory).catch((error: unknown) => log('error', String(error)));
    if (!ids || checks.closing) return;
    for (const id of ids.filter((each) => !this.#packages.has(each))) {
      this.#packages.set(id, pending(id));
      log('info', `There is a new model package, ${id}.`, { model: id });
    }
    await Promise.all([...this.#packages.values()].map((each) => (ids.includes(each.id) ? this.#lookAt(each) : this.#miss(each))));
    void this.checkAll();
  }

  async #lookAt(found: Package): Promise<void> {
    found.changedAt = await changedAt(this.#folder(found));
    if (found.seen === undefined) return;
    const files = await versionOfFolder(this.#folder(found));
    const { state } = found;
    if (state.is === 'usable' && files === state.now.files.version && !found.checking) {
      found.seen = files;
      delete state.next;
    }
    if (files === found.seen) return;
    if (state.is === 'usable') found.checking ??= this.#checkNext(found, state.now).finally(() => delete found.checking);
    else if (state.is === 'unusable') found.state = { is: 'pending' };
    found.checking?.catch(() => undefined);
  }

  async #miss(found: Package): Promise<void> {
    const before = found.state;
    if (before.is === 'usable' && typeof before.next === 'object' && before.next.problem === gone) return;
    await delay(missingMs);
    if (await isPackage(this.#folder(found))) return;
    this.#options.log('warn', `The model package ${found.id} has gone.`, { model: found.id });
    const { state } = found;
    if (state.is === 'usable' && this.#pool?.keeps(state.now)) {
      state.next = { problem: gone };
      found.seen = unseen;
      return;
    }
    this.#packages.delete(found.id);
    if (state.is === 'usable') this.#pool?.retire(state.now);
  }

  #folder({ id }: Package): string {
    return join(this.#options.modelsDirectory, id);
  }

  async #firstCheck(found: Package, worker: WorkerProcess | undefined): Promise<Version> {
    try {
      const now = await this.#check(found, worker);
      found.state = { is: 'usable', now };
      return now;
    } catch (error) {
      const problem = this.#reasonOf(error);
      found.state = { is: 'unusable', problem };
      this.#options.log('error', `The model package ${found.id} cannot be used and is left out.`, { model: found.id, error: problem });
      throw unusable(found.id, problem, error);
    }
  }

  /** What is used goes on until the other files have passed their check and lie where they are kept loaded. */
  async #checkNext(found: Package, before: Version): Promise<Version> {
    const { id } = found;
    const { log, checks } = this.#options;
    log('info', `The files of model ${id} have changed; they are checked.`, { model: id });
    found.state = { is: 'usable', now: before, next: 'checking' };
    try {
      const now = await this.#check(found);
      await this.#pool?.replace(before, now);
      found.state = { is: 'usable', now };
      if (now.key !== before.key) this.#pool?.retire(before);
      const { fingerprint } = now.description;
      const other = fingerprint === before.description.fingerprint ? 'its space is the same' : `its space is ${fingerprint} now, collections of ${before.description.fingerprint} have to be embedded again`;
      log('info', `The files of model ${id} are taken; ${other}.`, { model: id });
      return now;
    } catch (error) {
      if (checks.closing) return before;
      const problem = this.#reasonOf(error);
      found.state = { is: 'usable', now: before, next: { problem } };
      log('error', `The new files of model ${id} cannot be used; those in use are, as long as they are loaded.`, { model: id, error: problem });
      return before;
    }
  }

  #reasonOf(error: unknown): string {
    if (this.#options.checks.closing) throw new MixspaceError('not_ready', 'The service is stopping.');
    const reason = error instanceof MixspaceError ? (error.cause ?? error.message) : error;
    return String(reason).replace(/^(\w*Error: )+/, '');
  }

  async #check(found: Package, worker?: WorkerProcess): Promise<Version> {
    let given = worker;
    for (let attempt = 1; ; attempt++) {
      found.seen = await versionOfFolder(this.#folder(found));
      found.changedAt = await changedAt(this.#folder(found));
      try {
        return await this.#options.checks.check(found.id, given);
      } catch (error) {
        // Files that change meanwhile may come to rest; a worker may have been killed for another's sake.
        const passes = hasChanged(error) || error instanceof WorkerDied;
        if (passes) found.seen = unseen;
        if (!passes || attempt === checkAttempts || this.#options.checks.closing || given?.alive === false) throw error;
        given = undefined;
        if (hasChanged(error)) await delay(missingMs);
      }
    }
  }
}

function pending(id: string): Package {
  return { id, changedAt: 0, state: { is: 'pending' } };
}

function hasChanged(error: unknown): boolean {
  return error instanceof MixspaceError && error.code === 'conflict';
}

function unusable(id: string, problem: string, cause?: unknown): MixspaceError {
  return new MixspaceError('not_ready', `The model ${id} cannot be used: ${problem}`, { param: 'model', cause });
}

async function findIds(modelsDirectory: string): Promise<string[]> {
  return findPackages(modelsDirectory).catch((error: unknown) => {
    throw new MixspaceError('not_ready', `The models directory ${modelsDirectory} cannot be read.`, { cause: error });
  });
}
