/**
 * How good the model is, measured through the running service, on pictures that nothing was trained on.
 *
 *     npm run eval
 *     npm run eval -- --only flickr,zh
 *
 * Prints a table; each part that is done is kept in results.json beside this file.
 */
import { parseArgs } from 'node:util';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { Captions } from './captions.js';
import { Embedder } from './embedder.js';
import { table, type Figure } from './figure.js';
import { cifar10 } from './cifar10.js';
import { clusters } from './clusters.js';
import { diversity } from './diversity.js';
import { duplicates } from './duplicates.js';
import { classification } from './classification.js';
import { gallery } from './gallery.js';
import { hybrid } from './hybrid.js';
import { map } from './map.js';
import { keepFigures, resultsFile } from './results.js';
import { sentences } from './sentences.js';
import { imageNetNoMatch, imageNetZeroShot } from './imagenet.js';
import { mixedLists } from './mixed.js';
import { labelledPictures, MissingPack } from './pack.js';
import { regions } from './regions.js';
import { relevance } from './relevance.js';
import { without } from './without.js';
import { zeroShot } from './zero-shot.js';

const parts = ['flickr', 'zh', 'de-fr', 'es-ja-ru', 'tiny-imagenet', 'cifar10', 'imagenet', 'gallery', 'no-match', 'duplicates', 'clusters', 'without', 'classify', 'hybrid', 'sentences', 'relevance', 'mixed', 'diversity', 'regions', 'map'] as const;
type Part = (typeof parts)[number];

async function evaluate(chosen: readonly Part[]): Promise<void> {
  const server = await startServer({ env: { LOG_LEVEL: 'error' } });
  try {
    const client = new MixspaceClient({ url: server.url });
    const model = (await client.models())[0]!;
    const run = measurements(client, model.templates ?? ['a photo of a {}']);
    const figures: Figure[] = [];
    for (const part of chosen) {
      const began = performance.now();
      const found = await run[part]();
      await keepFigures({ model: model.id, fingerprint: model.fingerprint }, part, found);
      figures.push(...found);
      console.error(`${part}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
    console.log(`\n${model.id}, fingerprint ${model.fingerprint}, ${model.dimensions} dimensions\n\n${table(figures)}\n`);
    console.log(`Kept in ${resultsFile}.`);
  } finally {
    await server.remove();
  }
}

function measurements(client: MixspaceClient, templates: readonly string[]): Record<Part, () => Promise<Figure[]>> {
  const embedder = new Embedder(client);
  let captions: Captions | undefined;
  const ofCaptions = (): Captions => (captions ??= new Captions(embedder));
  return {
    flickr: () => ofCaptions().english(),
    zh: () => ofCaptions().chinese(),
    'de-fr': () => ofCaptions().germanAndFrench(),
    'es-ja-ru': () => ofCaptions().spanishJapaneseAndRussian(),
    'tiny-imagenet': () => zeroShot(client, { name: 'Tiny-ImageNet val', pictures: labelledPictures('tiny-imagenet-val'), minimum: { within: 1, share: 0.6 } }),
    cifar10: () => cifar10(client),
    imagenet: () => imageNetZeroShot(client),
    gallery: () => gallery(embedder, templates),
    classify: () => classification(client),
    hybrid: () => hybrid(client, embedder),
    sentences: () => sentences(),
    'no-match': () => imageNetNoMatch(embedder, templates),
    duplicates: () => duplicates(client),
    clusters: () => clusters(client),
    without: () => without(client, embedder),
    relevance: () => relevance(embedder),
    mixed: () => mixedLists(embedder),
    diversity: () => diversity(embedder),
    regions: () => regions(client),
    map: () => map(client),
  };
}

function chosenParts(): readonly Part[] {
  const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
  if (only === undefined) return parts;
  return only.split(',').map((name) => {
    const part = parts.find((known) => known === name.trim());
    if (part === undefined) throw new RangeError(`--only takes ${parts.join(', ')}, separated by commas; not "${name}".`);
    return part;
  });
}

try {
  await evaluate(chosenParts());
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof MissingPack || error instanceof RangeError || code?.startsWith('ERR_PARSE_ARGS'))) throw error;
  console.error(message);
  process.exitCode = 1;
}
