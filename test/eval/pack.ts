/** The pack of pictures that evaluation and benchmarks run on. It lies beside the checkout and is no part of it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Sqlite } from '../../src/store/embedded/database.js';

export interface CaptionedPhoto {
  name: string;
  captions: string[];
  webp: Uint8Array;
}

export interface LabelledPicture {
  label: string;
  webp: Uint8Array;
}

/** Caption number `caption` of the photo `name`, in other languages. */
export type Translation<Language extends string> = { name: string; caption: number } & Record<Language, string>;

export class MissingPack extends Error {}

const folder = path.resolve(process.env['MIXSPACE_DATA'] ?? path.join(import.meta.dirname, '../../../shared/data'));
const labelledFiles = ['photos-0.sqlite', 'photos-1.sqlite', 'photos-2.sqlite', 'photos-3.sqlite'];

/** The photos of Flickr8k that nothing was trained on. */
export function captionedPhotos(): CaptionedPhoto[] {
  const rows = select<{ name: string; captions: string; webp: Uint8Array }>('flickr8k.sqlite', "SELECT name, captions, webp FROM pictures WHERE split = 'dev' ORDER BY id");
  return rows.map(({ captions, ...row }) => ({ ...row, captions: JSON.parse(captions) as string[] }));
}

/** Those that training saw as well. */
export function allCaptionedPhotos(): CaptionedPhoto[] {
  const rows = select<{ name: string; captions: string; webp: Uint8Array }>('flickr8k.sqlite', 'SELECT name, captions, webp FROM pictures ORDER BY id');
  return rows.map(({ captions, ...row }) => ({ ...row, captions: JSON.parse(captions) as string[] }));
}

/** The pictures of one source that nothing was trained on. */
export function labelledPictures(source: string): LabelledPicture[] {
  const query = "SELECT label, webp FROM pictures WHERE source = ? AND split = 'dev' AND label IS NOT NULL ORDER BY id";
  return labelledFiles.flatMap((file) => select<LabelledPicture>(file, query, source));
}

/** The first pictures of a label of one source's training split: what classifiers are taught with. */
export function trainPictures(source: string, label: string, count: number): LabelledPicture[] {
  const query = "SELECT label, webp FROM pictures WHERE source = ? AND split = 'train' AND label = ? ORDER BY id LIMIT ?";
  return labelledFiles.flatMap((file) => select<LabelledPicture>(file, query, source, label, count)).slice(0, count);
}

/** Photos of ImageNet's classes whose sources were kept out of training altogether, whatever their split. */
export function unseenImageNetPhotos(): LabelledPicture[] {
  const query = "SELECT label, webp FROM pictures WHERE source IN ('nips17-dev', 'imagenet-sample-1000') AND label IS NOT NULL ORDER BY source, id";
  return labelledFiles.flatMap((file) => select<LabelledPicture>(file, query));
}

/** The names of ImageNet's 1,000 classes, each by its first synonym. */
export async function imageNetNames(): Promise<string[]> {
  const [, ...lines] = (await readFile(pathOf('teachers/imagenet_labels.txt'), 'utf8')).trim().split('\n');
  return [...new Set(lines.map((line) => line.split(',')[0]!))];
}

export interface NamedPicture {
  split: 'dev' | 'train';
  /** Label and captions. */
  texts: string[];
  webp: () => Uint8Array;
}

/** Every picture nothing was trained on that has a label or captions, then a third of those of training. */
export function namedPictures(): NamedPicture[] {
  const files = ['flickr8k.sqlite', ...labelledFiles];
  return (['dev', 'train'] as const).flatMap((split) =>
    files.flatMap((file) => {
      const part = split === 'train' && file !== 'flickr8k.sqlite' ? 'AND rowid % 3 = 0' : '';
      return select<{ id: number; label: string | null; captions: string | null }>(file, `SELECT id, label, captions FROM pictures WHERE split = ? ${part} AND (label IS NOT NULL OR captions IS NOT NULL) ORDER BY id`, split).map(({ id, label, captions }) => ({
        split,
        texts: [...(label === null ? [] : [label]), ...(captions === null ? [] : (JSON.parse(captions) as string[]))],
        webp: () => select<{ webp: Uint8Array }>(file, 'SELECT webp FROM pictures WHERE id = ?', id)[0]!.webp,
      }));
    }),
  );
}

/** Any photos of Flickr8k, for measuring speed alone. */
export function photos(count: number): Uint8Array[] {
  return select<{ webp: Uint8Array }>('flickr8k.sqlite', 'SELECT webp FROM pictures ORDER BY id LIMIT ?', count).map(({ webp }) => webp);
}

/** `file` of the pack, or an absolute path. */
export async function translations<Language extends string>(file: string): Promise<Translation<Language>[]> {
  const lines = await readFile(pathOf(file), 'utf8');
  return lines.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Translation<Language>);
}

/** @throws MissingPack */
function select<Row>(file: string, query: string, ...values: unknown[]): Row[] {
  const database = new Sqlite(pathOf(file), { readonly: true });
  try {
    return database.prepare(query).all(...values) as Row[];
  } finally {
    database.close();
  }
}

function pathOf(file: string): string {
  const full = path.resolve(folder, file);
  if (!existsSync(full)) throw new MissingPack(`The pack of pictures is needed and ${full} is not there: put it beside the checkout as ../shared/data, or say where it is with MIXSPACE_DATA.`);
  return full;
}
