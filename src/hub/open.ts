import { rm } from 'node:fs/promises';
import type { Variant } from '../encoder/package/variants.js';
import { MixspaceError } from '../errors.js';
import type { HubClient } from './hub-client.js';
import { mustBeAccepted, shortLicense, tellLicense } from './license.js';
import type { ChosenModel, ModelSource, PulledModel, WantedModel } from './model-source.js';
import { nameOf, parseReference, requireHubFolder, requireModelName } from './names.js';
import type { PullPlan, PullRequest } from './plan.js';
import { parseVariants } from './select-files.js';
import type { HubAccess } from './transport.js';

const bytesOfParameter = 4;

/** A hub as the port has it; its client is loaded when it is first asked. */
export function openHub({ modelsDir, access }: { modelsDir: string; access: HubAccess }): ModelSource {
  const asked = async <T>(signal: AbortSignal, work: (hub: HubClient) => Promise<T>): Promise<T> => {
    const { HubClient: Client } = await import('./hub-client.js');
    const hub = new Client(access, signal, () => {});
    try {
      return await work(hub);
    } catch (error) {
      throw signal.aborted ? error : ofField(error);
    } finally {
      await hub.close();
    }
  };
  return {
    async recommended() {
      const { knownModels } = await import('./known-models.js');
      return knownModels.map(({ parameters, takeFor: _, ...model }) => ({ ...model, mustBeAccepted: mustBeAccepted({ id: model.license }), ...(parameters === undefined ? {} : { bytes: parameters * 1e6 * bytesOfParameter }) }));
    },

    plan: (wanted, signal) =>
      asked(signal, async (hub) => {
        const [{ planPull }, { requireSpace }, { placesOf }] = await Promise.all([import('./plan.js'), import('./pull.js'), import('./models-folder.js')]);
        const request = requestOf(wanted);
        const places = placesOf(modelsDir, request.name);
        const plan = await planPull(hub, places, request);
        await requireSpace(places, plan);
        return toldPlan(plan, request);
      }),

    pull: (chosen, signal, onBytes) =>
      asked(signal, async (hub) => {
        const [{ planPull }, { carryOut }, { alone, sweep }] = await Promise.all([import('./plan.js'), import('./pull.js'), import('./models-folder.js')]);
        return alone(modelsDir, chosen.name, async (places) => {
          await sweep(modelsDir);
          const { name, id, commit, folder } = chosen;
          const plan = await planPull(hub, places, { reference: { id, revision: commit }, name, ...(chosen.isNamed ? { variants: chosen.variants as Variant[] } : {}), ...(folder === undefined ? {} : { folder }) });
          // The lock file names what was asked for.
          plan.model.revision = chosen.revision;
          const there = new Map(plan.files.map((file) => [file, file.here ? file.size : file.begun]));
          let come = plan.bytes - plan.bytesToCome;
          onBytes(come, plan.bytes);
          const outcome = { bytes: plan.bytes, files: plan.files.length };
          if (plan.isComplete) return outcome;
          await carryOut(hub, places, plan, {
            at(file, bytes) {
              come += bytes - there.get(file)!;
              there.set(file, bytes);
              onBytes(come, plan.bytes);
            },
            came() {},
          });
          return outcome;
        });
      }),

    async discard(name) {
      const { placesOf } = await import('./models-folder.js');
      await rm(placesOf(modelsDir, name).staging, { recursive: true, force: true });
    },
  };
}

function requestOf({ id, variants, folder: given, as }: WantedModel): PullRequest {
  try {
    const reference = parseReference(id);
    const folder = given === undefined ? undefined : requireHubFolder(given);
    return {
      reference,
      name: requireModelName(as ?? nameOf(reference.id, folder), '--as'),
      ...(variants === undefined ? {} : { variants: parseVariants(variants.join(',')) }),
      ...(folder === undefined ? {} : { folder }),
    };
  } catch (error) {
    throw ofField(error);
  }
}

function toldPlan(plan: PullPlan, { variants }: PullRequest): PulledModel {
  const { model, name, folder, license, before } = plan;
  const short = shortLicense(license);
  const chosen: ChosenModel = { id: plan.reference.id, revision: plan.reference.revision, commit: model.commit, name, variants: variants ?? plan.variants, isNamed: variants !== undefined, ...(folder === undefined ? {} : { folder }) };
  return {
    chosen,
    license: short,
    licenseSentence: tellLicense(license, model.page),
    mustBeAccepted: mustBeAccepted(license) && (before === undefined || before.license !== (short ?? null)),
    files: plan.files.length,
    bytes: plan.bytes,
    bytesToCome: plan.bytesToCome,
    isComplete: plan.isComplete,
    changesEmbeddings: plan.changesEmbeddings,
    mended: plan.mended,
  };
}

/** The command line's words for what a caller of the service names otherwise. */
function ofField(error: unknown): unknown {
  if (!(error instanceof MixspaceError)) return error;
  const plain = (text: string): string => text.replace(/^ID$/, 'id').replace(/--(as|variant|folder)\b/g, '$1').replaceAll('run the same command again', 'resume the job');
  return new MixspaceError(error.code, plain(error.message), { ...(error.param === undefined ? {} : { param: plain(error.param) }), ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }), cause: error });
}
