/** `npm run parity`: every family of ../shared/reference beside the Python reference, as a table for the README. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openEncoder } from '../../src/encoder/open.js';
import { startWorkerFrom } from '../../src/encoder/pool/worker-process.js';
import { bounds, compareEmbeddings, compareIds, comparePixels, limits, type EmbeddingComparison, type IdComparison, type PixelDifference } from './compare.js';

const repository = path.resolve(import.meta.dirname, '../..');
const root = path.resolve(process.argv[2] ?? path.join(repository, '../shared/reference'));
const families = { 'clip-tiny': 'CLIP', 'openclip-tiny': 'OpenCLIP, MobileCLIP', 'siglip-tiny': 'SigLIP', 'siglip2-tiny': 'SigLIP 2', 'chinese-clip-tiny': 'Chinese-CLIP' };

if (!existsSync(root)) {
  process.stderr.write(`NOTHING WAS COMPARED: the reference outputs are not at ${root}.\n`);
  process.exit(2);
}

interface Row {
  family: string;
  pixels: PixelDifference[];
  ids: IdComparison;
  embeddings: EmbeddingComparison;
}

const encoder = await openEncoder({
  modelsDirectory: root,
  limits,
  log: (level, message, fields) => level === 'error' && process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`),
  startWorker: startWorkerFrom(pathToFileURL(path.join(repository, 'dist/encoder/worker/worker.js'))),
});
const rows: Row[] = [];
const broken: string[] = [];
try {
  for (const [model, family] of Object.entries(families)) {
    const row = { family, pixels: await comparePixels(root, model), ids: await compareIds(root, model), embeddings: await compareEmbeddings(encoder, root, model) };
    rows.push(row);
    broken.push(...beyond(row).map((sentence) => `${family}: ${sentence}`));
  }
} finally {
  await encoder.close();
}
print(rows);
for (const sentence of broken) process.stderr.write(`${sentence}\n`);
process.exitCode = broken.length > 0 ? 1 : 0;

function beyond({ pixels, ids, embeddings }: Row): string[] {
  return [
    ...pixels.filter(({ lossless, worst }) => lossless && worst > 0).map(({ name, mean, worst }) => `${name} is lossless, but its pixels are ${mean.toFixed(3)} off, ${worst} at worst.`),
    ...pixels.filter(({ lossless, mean, worst }) => !lossless && (mean > bounds.meanPixels || worst > bounds.worstPixels)).map(({ name, mean, worst }) => `${name}: pixels are ${mean.toFixed(3)} off, ${worst} at worst.`),
    ...ids.different.map((name) => `other ids for ${JSON.stringify(name)}.`),
    ...(embeddings.image.cosine >= bounds.imageCosine ? [] : [`${embeddings.image.name} has the cosine ${embeddings.image.cosine.toFixed(6)}.`]),
    ...(embeddings.text.cosine >= bounds.textCosine ? [] : [`${JSON.stringify(embeddings.text.name)} has the cosine ${embeddings.text.cosine.toFixed(6)}.`]),
    ...(embeddings.aloneOrTogether <= bounds.aloneOrTogether ? [] : [`alone and in a batch, embeddings are ${embeddings.aloneOrTogether.toExponential(1)} apart.`]),
  ];
}

function print(all: Row[]): void {
  const header = ['family', 'lossless pictures, pixels identical', 'others, mean (worst picture) / worst pixel of 255', 'texts, ids identical', 'lowest cosine, pictures', 'lowest cosine, texts', 'alone or in a batch, apart'];
  const lines = all.map(({ family, pixels, ids, embeddings }) => {
    const lossless = pixels.filter((each) => each.lossless);
    const others = pixels.filter((each) => !each.lossless);
    const worst = others.reduce((a, b) => (b.mean > a.mean ? b : a), others[0] ?? { name: '', mean: 0, worst: 0 });
    return [
      family,
      `${lossless.filter((each) => each.worst === 0).length} of ${lossless.length}`,
      `${(others.reduce((sum, { mean }) => sum + mean, 0) / Math.max(1, others.length)).toFixed(3)} (${worst.name} ${worst.mean.toFixed(3)}) / ${Math.max(0, ...others.map((each) => each.worst))}`,
      `${ids.same} of ${ids.strict}`,
      floor(embeddings.image.cosine),
      floor(embeddings.text.cosine),
      embeddings.aloneOrTogether.toExponential(1),
    ];
  });
  for (const line of [header, header.map(() => '---'), ...lines]) process.stdout.write(`| ${line.join(' | ')} |\n`);
}

/** Never rounded up to a bound. */
function floor(cosine: number): string {
  return (Math.floor(cosine * 1e6) / 1e6).toFixed(6);
}
