import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { artStyles, renderGallery, type GalleryPicture } from '../../demo/gallery.js';
import type { Embedder } from './embedder.js';
import { figureOf, type Figure } from './figure.js';
import { rankOf } from './ranks.js';

const pictures = 500;
const size = 160;

/** Icons found by their names, in the one art style that the training did not see: among 500, and among all. */
export async function gallery(embedder: Embedder): Promise<Figure[]> {
  const styles = artStyles.filter(({ heldOut }) => heldOut);
  const title = styles.map(({ title }) => title).join(', ');
  const directory = path.join(tmpdir(), `mixspace-eval-gallery-${size}`);
  const render = (limit?: number): Promise<GalleryPicture[]> => renderGallery(directory, { styles: styles.map(({ id }) => id), size, ...(limit === undefined ? {} : { limit }) });

  const all = await render();
  const some = new Set((await render(pictures)).map(({ file }) => file));
  const names = await embedder.texts(all.map(({ name }) => name));
  const drawn = await embedder.pictures(await Promise.all(all.map(({ file }) => readFile(file))));
  const find = (chosen: number[], minimum?: Figure['minimum']): Figure => {
    const candidates = chosen.map((index) => drawn[index]!);
    const ranks = chosen.map((index, place) => rankOf(names[index]!, candidates, (candidate) => candidate === place));
    return figureOf(`${title}, name to picture, of ${chosen.length}`, ranks, [1, 5, 10], minimum);
  };
  const indexes = [...all.keys()];
  return [find(indexes.filter((index) => some.has(all[index]!.file)), { within: 10, share: 0.3 }), find(indexes)];
}
