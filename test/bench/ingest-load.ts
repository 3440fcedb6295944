/** Uploads the pictures of a folder over and over, each time as a new item, until its parent lets go. A process of its own: `ingest-load.ts URL FOLDER`. */
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceClient, type UploadFile } from '../../src/client/index.js';
import { inFlight } from './timing.js';

const perRequest = 64;
const requestsInFlight = 4;

const [url, folder] = process.argv.slice(2) as [string, string];
const client = new MixspaceClient({ url, retries: 20 });
const blobs = await Promise.all((await readdir(folder)).map(async (name) => new Blob([await readFile(path.join(folder, name))])));
let stopped = false;
process.on('disconnect', () => (stopped = true));

function* requests(): Generator<UploadFile[]> {
  for (let number = 0; !stopped; ) {
    yield Array.from({ length: perRequest }, () => {
      const name = `${number}.webp`;
      return { id: name, name, blob: blobs[number++ % blobs.length]! };
    });
  }
}

await inFlight(requests(), requestsInFlight, async (files) => {
  const outcomes = await client.uploadItems('default', files);
  const failed = outcomes.find(({ status }) => status !== 'created');
  if (failed) throw new Error(`A picture was ${failed.status}: ${failed.error?.message}`);
});
