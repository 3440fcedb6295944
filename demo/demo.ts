/** Renders the sample gallery, indexes it, searches it in three languages, and leaves the page open (`--exit`: ends). */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import { startProgress } from '../src/cli/progress.js';
import { MixspaceClient } from '../src/client/index.js';
import { artStyles, galleryNames, renderGallery, type GalleryPicture } from './gallery.js';

const repository = path.resolve(import.meta.dirname, '..');
const main = path.join(repository, 'dist/main.js');
const gallery = path.join(repository, 'demo-index/gallery');
const index = path.join(repository, 'demo-index/index');

const categories = ['Animals & Nature', 'Food & Drink', 'Activities', 'Travel & Places', 'Objects', 'Smileys & Emotion'];
const namesPerCategory = 48;
const searches = [
  { language: 'English', words: 'a cat with a happy face' },
  { language: 'German', words: 'ein Schiff auf dem Meer' },
  { language: 'Chinese', words: '火车' },
];
const collection = 'default';
const itemsPerRequest = 64;

async function demo(): Promise<void> {
  await access(main).catch(() => {
    throw new Error('The service is not built yet: npm run build.');
  });
  const pictures = await drawGallery();
  const url = `http://127.0.0.1:${process.env['PORT'] ?? (await freePort(8080))}`;
  let service = await startService(url);
  try {
    const client = new MixspaceClient({ url });
    if (!(await client.collection(collection)).model_available) {
      console.log('The gallery was indexed with a model that is not here any more: it is indexed anew.');
      await client.call('deleteItems', { params: { name: collection }, query: { all: 'true' } });
      await stopService(service);
      service = await startService(url);
    }
    await addPictures(client, pictures);
    for (const { language, words } of searches) await showSearch(client, language, words);
    if (process.argv.includes('--exit')) return;
    console.log(`\nSearch for more at ${url} (Ctrl-C ends it).`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(service, 'exit')]);
  } finally {
    await stopService(service);
  }
}

async function drawGallery(): Promise<GalleryPicture[]> {
  const names = sharedNames(await Promise.all(artStyles.map(async ({ id }) => new Set(await galleryNames(id)))), await categoriesOfNames());
  const progress = startProgress('pictures drawn');
  const pictures = await renderGallery(gallery, { size: 256, names, onProgress: (done, total) => progress.at(done, total) });
  progress.end();
  return pictures;
}

/** The same names in every style, evenly from each category. */
function sharedNames(namesOfStyles: ReadonlySet<string>[], namesByCategory: Map<string, string[]>): Set<string> {
  return new Set(
    categories.flatMap((category) => {
      const shared = (namesByCategory.get(category) ?? []).filter((name) => namesOfStyles.every((names) => names.has(name)));
      const count = Math.min(namesPerCategory, shared.length);
      return Array.from({ length: count }, (_, i) => shared[Math.floor((i * shared.length) / count)]!);
    }),
  );
}

async function categoriesOfNames(): Promise<Map<string, string[]>> {
  const file = createRequire(import.meta.url).resolve(`@iconify-json/${artStyles[0]!.id}/metadata.json`);
  const metadata = JSON.parse(await readFile(file, 'utf8')) as { categories: Record<string, string[]> };
  return new Map(Object.entries(metadata.categories).map(([category, icons]) => [category, icons.map((icon) => icon.replaceAll('-', ' '))]));
}

async function startService(url: string): Promise<ChildProcess> {
  const service = spawn(process.execPath, [main, 'serve', '--roots', gallery], {
    env: { LOG_LEVEL: 'warn', ...process.env, HOST: '127.0.0.1', PORT: new URL(url).port, MIXSPACE_INDEX_DIR: index },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  while (!(await isReady(url))) {
    if (service.exitCode !== null || service.signalCode !== null) throw new Error('The service did not start.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return service;
}

const isReady = (url: string): Promise<boolean> => fetch(`${url}/readyz`).then(({ ok }) => ok, () => false);

async function stopService(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const ended = once(service, 'exit');
  service.kill('SIGTERM');
  await ended;
}

async function addPictures(client: MixspaceClient, pictures: GalleryPicture[]): Promise<void> {
  const began = performance.now();
  const progress = startProgress('pictures indexed');
  let added = 0;
  for (let from = 0; from < pictures.length; from += itemsPerRequest) {
    const batch = pictures.slice(from, from + itemsPerRequest);
    const outcomes = await client.addItems(collection, batch.map(({ file, name, style }) => ({ path: file, metadata: { name, style } })));
    const failed = outcomes.find(({ status }) => status === 'failed');
    if (failed) throw new Error(`A picture of the gallery was not taken: ${failed.error?.message}`);
    added += outcomes.filter(({ status }) => status === 'created').length;
    progress.at(from + batch.length, pictures.length);
  }
  progress.end();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${pictures.length} pictures are searchable, ${added} of them newly indexed, in ${seconds} s.`);
}

async function showSearch(client: MixspaceClient, language: string, words: string): Promise<void> {
  const { matches, took_ms: tookMs } = await client.search(collection, words, { limit: 5 });
  console.log(`\n${language}: "${words}" (${tookMs.toFixed(1)} ms)`);
  for (const { score, metadata } of matches) console.log(`  ${score!.toFixed(3)}  ${String(metadata['name'])} (${String(metadata['style'])})`);
}

async function freePort(first: number): Promise<number> {
  const isFree = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(first, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
  return isFree ? first : freePort(first + 1);
}

await demo().catch((error: unknown) => {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
