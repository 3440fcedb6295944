import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { artStyles, renderGallery, type GalleryPicture } from '../../demo/gallery.js';
import type { Embedder } from './embedder.js';
import { figureOf, type Figure, type Minimum } from './figure.js';
import { noMatch, spread } from './no-match.js';
import { rankOf } from './ranks.js';

const pictures = 500;
const absent = 200;
const size = 160;

/** Icons found by their names, in the one art style that the training did not see: among 500, and among all. */
export async function gallery(embedder: Embedder, templates: readonly string[]): Promise<Figure[]> {
  const styles = artStyles.filter(({ heldOut }) => heldOut);
  const title = styles.map(({ title }) => title).join(', ');
  const directory = path.join(tmpdir(), `mixspace-eval-gallery-${size}`);
  const render = (limit?: number): Promise<GalleryPicture[]> => renderGallery(directory, { styles: styles.map(({ id }) => id), size, ...(limit === undefined ? {} : { limit }) });

  const all = await render();
  const names = all.map(({ name }) => name);
  const some = new Set((await render(pictures)).map(({ file }) => file));
  const drawn = await embedder.pictures(await Promise.all(all.map(({ file }) => readFile(file))));
  const find = (what: string, queries: Float32Array[], chosen: number[], minimum?: Minimum): Figure => {
    const candidates = chosen.map((index) => drawn[index]!);
    const ranks = chosen.map((index, place) => rankOf(queries[index]!, candidates, (candidate) => candidate === place));
    return figureOf(`${title}, ${what} to picture, of ${chosen.length}`, ranks, [1, 5, 10], minimum);
  };

  const indexes = [...all.keys()];
  const few = indexes.filter((index) => some.has(all[index]!.file));
  const bare = await embedder.texts(names);
  const away = new Set(spread(indexes, absent));
  const there = indexes.filter((index) => !away.has(index));
  return [
    find('name', bare, few, { within: 10, share: 0.4 }),
    find('name', bare, indexes),
    find('"a photo of a {}"', await embedder.ensembles(names, ['a photo of a {}']), few),
    find("the model's own templates", await embedder.ensembles(names, templates), few),
    await noMatch(embedder, {
      name: title,
      pictures: there.map((index) => drawn[index]!),
      present: there.map((index) => names[index]!),
      absent: [...away].map((index) => names[index]!),
      templates,
    }),
  ];
}
