import { availableParallelism } from 'node:os';
import { startServer } from '../server.js';
import { BareEncoding } from './bare-encoding.js';
import { benchModel, defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { embeddingRequests, readyMade, requestEmbeddings, type RequestBody } from './embedding-requests.js';
import { withPhotoFolder } from './photo-folder.js';
import { randomVit } from './random-vit.js';
import { millisecondsEach, perPicture, readStages } from './stages.js';
import { alternate, CpuMeter, median, ratioOf } from './timing.js';

const perRequest = 100;

/** Pictures a second of /v1/embeddings, against the same code on the same files without a service: with the small bundled model and with one of a common size. */
export async function embeddings(quick: boolean, asked?: BenchModel): Promise<void> {
  for (const model of asked ? [asked] : [await defaultModel(), await benchModel(randomVit)]) {
    const slow = model.id === randomVit;
    await againstBare(model, { count: (slow ? 250 : 1_000) / (quick ? 5 : 1), rounds: slow && !quick ? 5 : 3 });
  }
}

async function againstBare(model: BenchModel, { count, rounds }: { count: number; rounds: number }): Promise<void> {
  const workers = Math.min(8, availableParallelism());
  await withPhotoFolder(count, async (_, files) => {
    const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: String(workers), ...settingsFor(model) }, patience: 120_000 });
    const bare = await BareEncoding.start(model, workers);
    try {
      const requests: RequestBody[][] = [];
      for (let round = 0; round <= rounds; round++) requests.push(await readyMade(embeddingRequests(model.id, files, perRequest, round)));
      const difference = largestDifference(await requestEmbeddings(server.url, requests[rounds]!), await bare.encode(files));

      const before = await readStages(server.url);
      const [client, loop] = [new CpuMeter(), new CpuMeter()];
      const contest = await alternate(rounds, count, (round) => client.during(() => requestEmbeddings(server.url, requests[round]!)), () => loop.during(() => bare.encode(files)));
      const after = await readStages(server.url);
      console.log(
        `embeddings, ${model.id}: ours ${median(contest.ours).toFixed(1)} pictures/s, bare ${median(contest.theirs).toFixed(1)} pictures/s, ${ratioOf(contest)} ` +
          `(${count} photos, ${workers} workers; embeddings differ by at most ${difference.toExponential(1)})`,
      );
      console.log(`embeddings, ${model.id}: ours, milliseconds a picture: ${perPicture(before, after, count * rounds)}; its client: ${millisecondsEach([['cpu', client.seconds]], count * rounds)}; bare: ${millisecondsEach([['cpu', loop.seconds]], count * rounds)}`);
    } finally {
      await bare.end();
      await server.remove();
    }
  });
}

function largestDifference(ours: Float32Array[], bare: Float32Array[]): number {
  let largest = 0;
  for (const [index, embedding] of ours.entries()) embedding.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - bare[index]![i]!))));
  return largest;
}
