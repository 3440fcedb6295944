import { availableParallelism } from 'node:os';
import { startServer, type RunningServer } from '../server.js';
import { benchModel, settingsFor, type BenchModel } from './bench-model.js';
import { embeddingRequests, requestEmbeddings } from './embedding-requests.js';
import { withJpegFolder } from './photo-folder.js';
import { randomVit } from './random-vit.js';
import { cosineSpread, printPixelDifference, printReferenceErrors } from './reference-error.js';
import { millisecondsEach, perPicture, readStages } from './stages.js';
import { alternate, CpuMeter, median, ratioOf } from './timing.js';
import { peerName, TransformersPeer } from './transformers-peer.js';

interface PhotoKind {
  label: string;
  width: number;
  height: number;
  count: number;
  /** Ours; theirs takes the best of `batchSizes`. */
  perRequest: number;
  /** Also with `preprocess_speed: "fast"`. */
  alsoFast?: true;
}

const kinds: PhotoKind[] = [
  { label: '0.3 MP JPEGs', width: 640, height: 480, count: 192, perRequest: 32 },
  { label: '12 MP JPEGs', width: 4_032, height: 3_024, count: 48, perRequest: 12, alsoFast: true },
];
const batchSizes = [1, 4, 8];
const rounds = 3;

/** From JPEG files to normalised embeddings, reading included: through /v1/embeddings, and by @huggingface/transformers in one process. With both errors of preprocessing. */
export async function transformers(quick: boolean, asked?: BenchModel): Promise<void> {
  const model = asked ?? (await benchModel(randomVit));
  const peer = await TransformersPeer.start();
  try {
    await printReferenceErrors(peer);
    await peer.load(model);
    for (const kind of kinds) await races(peer, model, { ...kind, count: kind.count / (quick ? 4 : 1) });
  } finally {
    peer.end();
  }
}

async function races(peer: TransformersPeer, model: BenchModel, kind: PhotoKind): Promise<void> {
  const { label, width, height, count, alsoFast } = kind;
  await withJpegFolder(count, width, height, async (_, files) => {
    const { batchSize, embeddings } = await bestOf(peer, files);
    const exact = await serving(model, {}, (server) => race(server, peer, model, kind, files, batchSize));
    await printPixelDifference(peer, model, files.slice(0, 16), label);
    console.log(`transformers, ${label}: its embeddings' cosine to ours: ${cosineSpread(embeddings, exact)}`);
    if (!alsoFast) return;
    const fast = await serving(model, { MIXSPACE_PREPROCESS_SPEED: 'fast' }, (server) => race(server, peer, model, { ...kind, label: `${label}, ours fast` }, files, batchSize));
    console.log(`transformers, ${label}: our fast embeddings' cosine to our exact ones: ${cosineSpread(fast, exact)}`);
  });
}

async function serving<T>(model: BenchModel, env: Record<string, string>, use: (server: RunningServer) => Promise<T>): Promise<T> {
  const workers = Math.min(8, availableParallelism());
  const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: String(workers), ...settingsFor(model), ...env }, patience: 120_000 });
  try {
    return await use(server);
  } finally {
    await server.remove();
  }
}

/** Answers our embeddings. */
async function race(server: RunningServer, peer: TransformersPeer, model: BenchModel, { label, width, height, count, perRequest }: PhotoKind, files: string[], batchSize: number): Promise<Float32Array[]> {
  const ours = (round: number): Promise<Float32Array[]> => requestEmbeddings(server.url, embeddingRequests(model.id, files, perRequest, round));
  const own = await ours(rounds);
  const before = await readStages(server.url);
  const client = new CpuMeter();
  const contest = await alternate(rounds, count, (round) => client.during(() => ours(round)), () => peer.encode(files, batchSize));
  const after = await readStages(server.url);
  const { stages } = await peer.encode(files, batchSize);

  console.log(
    `transformers, ${label}: ours ${median(contest.ours).toFixed(1)} pictures/s, ${peerName} ${peer.version} ${median(contest.theirs).toFixed(1)} pictures/s, ${ratioOf(contest)} ` +
      `(${model.id}, ${count} files of ${width} x ${height}; its best of batches of ${batchSizes.join(', ')} is ${batchSize})`,
  );
  console.log(`transformers, ${label}: ours, milliseconds a picture: ${perPicture(before, after, count * rounds)}; its client: ${millisecondsEach([['cpu', client.seconds]], count * rounds)}`);
  console.log(`transformers, ${label}: ${peerName}, milliseconds a picture: ${millisecondsEach(stages, count)}`);
  return own;
}

/** Half of the files in each size of batch, after a run to warm up. */
async function bestOf(peer: TransformersPeer, files: string[]): Promise<{ batchSize: number; embeddings: Float32Array[] }> {
  const { embeddings } = await peer.encode(files, batchSizes.at(-1)!);
  const times: { batchSize: number; time: number }[] = [];
  for (const batchSize of batchSizes) {
    const began = performance.now();
    await peer.encode(files.slice(0, files.length / 2), batchSize);
    times.push({ batchSize, time: performance.now() - began });
  }
  return { batchSize: times.sort((a, b) => a.time - b.time)[0]!.batchSize, embeddings };
}
