/** A whole collection classified by a job: labels with their probabilities go into its items' metadata. */
import type { ClassifyCollectionRequest, JobResponse } from '../../contract/classifiers.js';
import { MixspaceError } from '../../errors.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import type { AdditionOutcome, ListPlace, MetadataAddition } from '../../store/catalog.js';
import { answerOf, type LabelledSet } from '../classify/answers.js';
import { scales } from '../classify/classify.js';
import { labelledSet } from '../classify/labelled-set.js';
import { activationOf } from '../classify/scales.js';
import { classifierOf } from '../classifiers/classifiers.js';
import { requireModel } from '../collection-model.js';
import type { Caller, Context, JobContext } from '../context.js';
import { toldJob } from '../jobs.js';
import { Confusion, type ConfusionTable } from './confusion.js';

const classifyJob = 'classify';
const pageItems = 256;
/** In one transaction. */
const writtenAtOnce = 64;

type Parameters = ClassifyCollectionRequest;

interface Checkpoint {
  after: ListPlace;
  done: number;
  failed: number;
  none: number;
  confusion: ConfusionTable;
}

/** `POST /v1/collections/{name}/classify`. Answers once the labels are known to be usable. */
export async function classifyCollection(context: JobContext, collection: string, request: ClassifyCollectionRequest, caller: Caller): Promise<JobResponse> {
  await prepared(context, collection, request, caller);
  const { job } = await context.jobs.start(classifyJob, { collection, parameters: request });
  return { job: toldJob(job) };
}

export function classifyKind(context: Context): JobKind<Parameters> {
  return { name: classifyJob, isPausable: true, isSingle: false, retriesFailures: false, run: (work) => run(context, work) };
}

async function prepared(context: Context, name: string, request: Parameters, caller: Caller): Promise<{ labelled: LabelledSet; fingerprint: string; scaleOf: Awaited<ReturnType<typeof scales>> }> {
  const collection = await context.catalog.getCollection(name);
  const model = await requireModel(context, collection);
  const saved = request.classifier === undefined ? undefined : await classifierOf(context, request.classifier, caller);
  if (saved && saved.model !== model.id) throw new MixspaceError('conflict', `The classifier "${request.classifier}" is for the model "${saved.model}", the collection "${name}" for "${model.id}".`, { param: 'classifier' });
  const labelled = saved ? await saved.of(model) : await labelledSet(context, model, { labels: request.labels!, templates: request.templates }, caller);
  const scaleOf = await scales(context, model, { activation: activationOf(model, undefined), isAsked: false, abstain: request.abstain, calibrated: model.calibration !== undefined, labels: labelled.names.length, temperature: labelled.fewShot?.temperature });
  return { labelled, fingerprint: model.fingerprint, scaleOf };
}

async function run(context: Context, work: JobWork<Parameters>): Promise<JobEnd> {
  const { catalog } = context;
  const { parameters, collection } = work.job;
  const name = collection!;
  const { field, truth, filter, abstain } = parameters;
  const { labelled, fingerprint, scaleOf } = await prepared(context, name, parameters, { signal: work.signal });
  const begun = work.job.checkpoint as Checkpoint | undefined;
  const confusion = new Confusion(labelled.names, begun?.confusion);
  let { after, done, failed, none } = begun ?? { after: undefined as ListPlace | undefined, done: 0, failed: 0, none: 0 };
  const { counts } = await catalog.describeCollection(name);
  work.at({ done, failed, ...(filter === undefined ? { total: Object.values(counts).reduce((a, b) => a + b, 0) } : {}) });
  for (;;) {
    work.signal.throwIfAborted();
    const page = await catalog.listItems(name, { limit: pageItems, ...(filter === undefined ? {} : { filter }), ...(after ? { after } : {}) });
    const embedded = await catalog.getEmbeddings(name, page.items.map(({ id }) => id));
    if (embedded.fingerprint !== fingerprint) throw new MixspaceError('conflict', `The collection "${name}" has gone over to another model. Classify it anew.`);
    const byId = new Map(embedded.items.map((each) => [each.id, each]));
    const said: { addition: MetadataAddition; prediction: string | null; truth: unknown }[] = [];
    for (const item of page.items) {
      const of = byId.get(item.id);
      if (!of) {
        failed++;
        await work.failed({ what: 'item', name: item.id, reason: 'It has no embedding.' });
        continue;
      }
      const embedding = of.parts[0]!;
      const { prediction, score, none: nothing, predictions } = answerOf(labelled, embedding, scaleOf(embedding, of.modality === 'image'), { abstains: abstain === 'auto', multiLabel: false, topK: labelled.names.length });
      const probability = prediction === null ? (nothing ?? score) : predictions.find(({ label }) => label === prediction)!.score;
      said.push({ addition: { id: item.id, fields: { [field]: { label: prediction, probability } } }, prediction, truth: truth === undefined ? undefined : item.metadata[truth] });
    }
    for (let from = 0; from < said.length; from += writtenAtOnce) {
      const some = said.slice(from, from + writtenAtOnce);
      const outcomes = await catalog.addMetadata(name, some.map(({ addition }) => addition), context.limits.metadata);
      for (const [i, outcome] of outcomes.entries()) {
        const { addition, prediction, truth: owed } = some[i]!;
        if (outcome === 'written') {
          done++;
          if (prediction === null) none++;
          if (truth !== undefined) confusion.count(owed, prediction);
        } else {
          failed++;
          await work.failed({ what: 'item', name: addition.id, reason: reasons(context)[outcome] });
        }
      }
    }
    work.at({ done, failed });
    if (!page.next) break;
    after = page.next;
    await work.save({ after, done, failed, none, confusion: confusion.table() } satisfies Checkpoint);
  }
  work.at({ done, failed, total: done + failed });
  return { result: { field, classified: done, none, ...(truth === undefined ? {} : { truth, ...confusion.result() }) } };
}

const reasons = ({ limits }: Context): Record<Exclude<AdditionOutcome, 'written'>, string> => ({
  missing: 'It has been deleted meanwhile.',
  too_large: `Metadata is at most ${limits.metadata} bytes of JSON; with the label this would have more.`,
  damaged: 'Its row in the database is damaged.',
});
