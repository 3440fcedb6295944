import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { MixspaceClient } from '../../src/client/index.js';
import { fromBase64 } from '../eval/embedder.js';
import { startServer } from '../server.js';
import { BareEncoding } from './bare-encoding.js';
import { withPhotoFolder } from './photo-folder.js';
import { perPicture, readStages } from './stages.js';
import { inFlight, median, seconds } from './timing.js';

const perRequest = 100;
const requestsInFlight = 2;
const rounds = 3;

/** Pictures a second of /v1/embeddings, against the same code on the same files without a service. */
export async function embeddings(quick: boolean): Promise<void> {
  const count = quick ? 200 : 1_000;
  const workers = Math.min(8, availableParallelism());
  await withPhotoFolder(count, async (_, files) => {
    const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_WORKERS: String(workers), MIXSPACE_CACHE: '0' } });
    const model = (await new MixspaceClient({ url: server.url }).models())[0]!;
    const bare = await BareEncoding.start(model.id, workers);
    try {
      const requests = await requestBodies(files);
      const ask = () => askAll(server.url, requests);
      const difference = largestDifference(await ask(), await bare.encode(files));

      const ours: number[] = [];
      const theirs: number[] = [];
      const before = await readStages(server.url);
      for (let round = 0; round < rounds; round++) {
        ours.push(count / (await seconds(ask)));
        theirs.push(count / (await seconds(() => bare.encode(files))));
      }
      const [our, their] = [median(ours), median(theirs)];
      console.log(
        `embeddings: ours ${our.toFixed(1)} pictures/s, bare ${their.toFixed(1)} pictures/s, ratio ${(our / their).toFixed(3)} ` +
          `(${count} photos, ${workers} workers, medians of ${rounds} rounds; embeddings differ by at most ${difference.toExponential(1)})`,
      );
      console.log(`embeddings: ours, milliseconds a picture: ${perPicture(before, await readStages(server.url), count * rounds)}`);
    } finally {
      await bare.end();
      await server.remove();
    }
  });
}

/** Made beforehand: encoding base64 is the client's work. */
async function requestBodies(files: string[]): Promise<string[]> {
  const input = await Promise.all(files.map(async (file) => ({ image: await readFile(file, 'base64') })));
  const bodies: string[] = [];
  for (let from = 0; from < input.length; from += perRequest) bodies.push(JSON.stringify({ input: input.slice(from, from + perRequest), encoding_format: 'base64' }));
  return bodies;
}

/** The embeddings, still in base64, in the pictures' order. */
async function askAll(url: string, bodies: string[]): Promise<string[]> {
  const answers = new Array<string[]>(bodies.length);
  await inFlight(bodies.entries(), requestsInFlight, async ([index, body]) => {
    const response = await fetch(`${url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (!response.ok) throw new Error(`/v1/embeddings answered ${response.status}: ${await response.text()}`);
    const { data } = (await response.json()) as { data: { embedding: string }[] };
    answers[index] = data.map(({ embedding }) => embedding);
  });
  return answers.flat();
}

function largestDifference(ours: string[], bare: Float32Array[]): number {
  let largest = 0;
  for (const [index, text] of ours.entries()) fromBase64(text).forEach((value, i) => (largest = Math.max(largest, Math.abs(value - bare[index]![i]!))));
  return largest;
}
