/** The job that brings a model. What has come lies in the models directory, from where the next run goes on. */
import type { ChosenModel, ModelSource } from '../../hub/model-source.js';
import type { JobKind } from '../../jobs/kind.js';
import type { Context } from '../context.js';
import { placeOfDisks } from '../sync/machine.js';

export const pullJob = 'pull';

export function pullKind({ models, sync }: Context, hub: ModelSource): JobKind<ChosenModel> {
  return {
    name: pullJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: false,
    // They share one line to the hub, and a models directory that one process at a time may write to.
    lock: () => pullJob,
    place: async () => placeOfDisks(sync.machine),
    async run(work) {
      const { parameters } = work.job;
      const { bytes, files } = await hub.pull(parameters, work.signal, (done, total) => work.at({ done, total }));
      await models.look();
      return { result: { id: parameters.id, model: parameters.name, commit: parameters.commit, variants: parameters.variants, files, bytes } };
    },
    discard: ({ parameters }) => hub.discard(parameters.name),
  };
}
