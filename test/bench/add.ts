import { availableParallelism } from 'node:os';
import { runMixspace, startServer } from '../server.js';
import { BareEncoding } from './bare-encoding.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { withPhotoFolder } from './photo-folder.js';
import { perPicture, readStages } from './stages.js';
import { median, seconds } from './timing.js';

const rounds = 3;

interface Summary {
  found: number;
  created: number;
  updated: number;
  known: number;
  failures: unknown[];
}

/** Pictures a second of `mixspace add`, thumbnails and a flush to disk included, against embedding them alone; then what a second run takes. */
export async function add(quick: boolean, asked?: BenchModel): Promise<void> {
  const model = asked ?? (await defaultModel());
  const count = quick ? 200 : 1_000;
  const workers = Math.min(8, availableParallelism());
  await withPhotoFolder(count, async (folder, files) => {
    const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_WORKERS: String(workers), MIXSPACE_ROOTS: folder, ...settingsFor(model) }, patience: 120_000 });
    const bare = await BareEncoding.start(model, workers);
    const addTo = async (collection: string): Promise<Summary> => {
      const { code, stdout, stderr } = await runMixspace(['add', folder, '--collection', collection, '--json'], { MIXSPACE_URL: server.url });
      if (code !== 0) throw new Error(`mixspace add ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as Summary;
    };
    try {
      await bare.encode(files);
      await addTo('warm-up');

      const ours: number[] = [];
      const theirs: number[] = [];
      const before = await readStages(server.url);
      for (let round = 0; round < rounds; round++) {
        ours.push(count / (await seconds(() => addTo(`round-${round}`))));
        theirs.push(count / (await seconds(() => bare.encode(files))));
      }
      const after = await readStages(server.url);
      const [our, their] = [median(ours), median(theirs)];
      console.log(`add: ours ${our.toFixed(1)} pictures/s, bare embedding ${their.toFixed(1)} pictures/s, ratio ${(our / their).toFixed(3)} (${count} photos, by path, medians of ${rounds} rounds)`);
      console.log(`add: ours, milliseconds a picture: ${perPicture(before, after, count * rounds)}`);

      let again: Summary | undefined;
      const second = await seconds(async () => (again = await addTo('round-0')));
      const { created, updated, known } = again!;
      console.log(`add: second run ${second.toFixed(1)} s, ${created + updated === 0 ? 'adds nothing' : `ADDS ${created + updated}`}, ${known} already there`);
    } finally {
      await bare.end();
      await server.remove();
    }
  });
}
