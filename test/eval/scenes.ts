/** Large scenes with one small thing in each, built by seed: photos of the pack made large again, drawings and photos pasted in. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { artStyles, renderGallery } from '../../demo/gallery.js';
import { Random } from '../crash/random.js';
import { allCaptionedPhotos, captionedPhotos, labelledPictures, trainPictures } from './pack.js';

export interface Thing {
  name: string;
  kind: 'drawing' | 'photo';
  picture: () => Promise<Uint8Array>;
}

export interface Scene {
  id: string;
  thing: Thing;
  /** Of the thing, as fractions of the scene. */
  box: [number, number, number, number];
  jpeg: () => Promise<Uint8Array>;
}

/** What is tuned on, and what is reported. Neither things nor photos stand in both. */
export type Use = 'tuning' | 'evaluation';

const sizes = [[1280, 960], [960, 1280], [1440, 960]] as const;
/** Of the scene's width. */
const smallest = 1 / 10;
const largest = 1 / 6;
const drawingSize = 256;
const photoSources = ['popular-animals', 'caltech101', 'instruments30', 'grocery'];

/** As many scenes as things, each thing in one. */
export async function scenes(use: Use, perKind: number): Promise<Scene[]> {
  const things = [...(await drawings(use, perKind)), ...photoThings(use, perKind)];
  const held = new Set(captionedPhotos().map(({ name }) => name));
  const photos = use === 'evaluation' ? captionedPhotos() : allCaptionedPhotos().filter(({ name }) => !held.has(name));
  const backgrounds = Random.named(`backgrounds ${use}`).shuffle(photos);
  return things.map((thing, i): Scene => {
    const random = Random.named(`${use} ${thing.kind} ${thing.name}`);
    const [width, height] = random.pick(sizes);
    const side = Math.round(width * (smallest + random.next() * (largest - smallest)));
    const [left, top] = [random.between(0, width - side), random.between(0, height - side)];
    const jpeg = async (): Promise<Uint8Array> => {
      const small = await sharp(await thing.picture()).resize(side, side, { fit: 'inside' }).png().toBuffer();
      return sharp(backgrounds[i % backgrounds.length]!.webp).resize(width, height, { fit: 'fill', kernel: 'lanczos3' }).composite([{ input: small, left, top }]).jpeg({ quality: 92 }).toBuffer();
    };
    return { id: `${thing.kind} ${thing.name}`, thing, box: [left / width, top / height, side / width, side / height], jpeg };
  });
}

/** In the style that the bundled model's training did not see, cut out of their white. */
async function drawings(use: Use, most: number): Promise<Thing[]> {
  const directory = path.join(tmpdir(), `mixspace-eval-drawings-${drawingSize}`);
  const all = await renderGallery(directory, { styles: artStyles.filter(({ heldOut }) => heldOut).map(({ id }) => id), size: drawingSize });
  const others = Random.named('drawings').shuffle(all.filter(({ name }) => !/skin tone|flag|button|arrow|clock|sign$|face/.test(name)));
  const chosen = others.filter((_, i) => (i % 2 === 0) === (use === 'evaluation')).slice(0, most);
  return chosen.map(({ name, file }): Thing => ({ name, kind: 'drawing', picture: () => sharp(file).unflatten().png().toBuffer() }));
}

function photoThings(use: Use, most: number): Thing[] {
  const byLabel = new Map<string, Uint8Array>();
  for (const source of photoSources) for (const { label, webp } of labelledPictures(source)) if (!byLabel.has(label)) byLabel.set(label, webp);
  const labels = Random.named('photos').shuffle([...byLabel.keys()].sort());
  const chosen = labels.filter((_, i) => (i % 2 === 0) === (use === 'evaluation')).slice(0, most);
  return chosen.map((name): Thing => {
    const webp = use === 'evaluation' ? byLabel.get(name)! : (photoSources.flatMap((source) => trainPictures(source, name, 1))[0]?.webp ?? byLabel.get(name)!);
    return { name, kind: 'photo', picture: async () => webp };
  });
}
