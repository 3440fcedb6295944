import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';

export interface ArtStyle {
  readonly id: string;
  readonly title: string;
  readonly license: string;
  readonly author: string;
  readonly homepage: string;
  /** Kept out of the bundled model's training: the style that shows what it makes of art it has never seen. */
  readonly heldOut: boolean;
}

export const artStyles: readonly ArtStyle[] = [
  {
    id: 'noto',
    title: 'Noto Emoji',
    license: 'Apache-2.0',
    author: 'Google Inc',
    homepage: 'https://github.com/googlefonts/noto-emoji',
    heldOut: false,
  },
  {
    id: 'twemoji',
    title: 'Twitter Emoji',
    license: 'CC-BY-4.0',
    author: 'Twitter, Inc and other contributors',
    homepage: 'https://github.com/jdecked/twemoji',
    heldOut: false,
  },
  {
    id: 'fluent-emoji-flat',
    title: 'Fluent Emoji Flat',
    license: 'MIT',
    author: 'Microsoft Corporation',
    homepage: 'https://github.com/microsoft/fluentui-emoji',
    heldOut: true,
  },
];

export interface GalleryPicture {
  readonly file: string;
  readonly style: string;
  /** The icon's name in words: "hot air balloon". */
  readonly name: string;
}

export interface GalleryOptions {
  /** Ids of `artStyles`; all of them by default. */
  readonly styles?: readonly string[];
  /** Side of the square pictures in pixels. */
  readonly size?: number;
  /** Only icons of these names, as `GalleryPicture` has them; all by default. */
  readonly names?: ReadonlySet<string>;
  /** At most so many pictures of each style, spread evenly over its names. */
  readonly limit?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

interface Icon {
  readonly body: string;
  readonly left?: number;
  readonly top?: number;
  readonly width?: number;
  readonly height?: number;
  readonly hidden?: boolean;
}

interface IconSet {
  readonly width: number;
  readonly height: number;
  readonly icons: Readonly<Record<string, Icon>>;
}

const rendersAtOnce = 8;

/** Renders icons onto white as `<directory>/<style>/<icon>.png`, leaving alone those that are already there. */
export async function renderGallery(directory: string, options: GalleryOptions = {}): Promise<GalleryPicture[]> {
  const { styles = artStyles.map((style) => style.id), size = 160, names, limit, onProgress } = options;
  const jobs: { picture: GalleryPicture; svg: string }[] = [];
  for (const style of styles) {
    const set = await loadIconSet(style);
    await mkdir(join(directory, style), { recursive: true });
    for (const icon of spread(iconNames(set), limit)) {
      if (names && !names.has(inWords(icon))) continue;
      const picture = { file: join(directory, style, `${icon}.png`), style, name: inWords(icon) };
      jobs.push({ picture, svg: toSvg(set, icon, size) });
    }
  }

  const waiting = jobs.values();
  let done = 0;
  const renderWaiting = async () => {
    for (const { picture, svg } of waiting) {
      if (!(await exists(picture.file))) await render(svg, size, picture.file);
      onProgress?.(++done, jobs.length);
    }
  };
  await Promise.all(Array.from({ length: rendersAtOnce }, renderWaiting));
  return jobs.map((job) => job.picture);
}

/** The names of a style's icons, in words. */
export async function galleryNames(style: string): Promise<string[]> {
  return iconNames(await loadIconSet(style)).map(inWords);
}

const inWords = (icon: string): string => icon.replaceAll('-', ' ');

async function loadIconSet(style: string): Promise<IconSet> {
  if (!artStyles.some(({ id }) => id === style)) {
    throw new Error(`Unknown art style "${style}". Known: ${artStyles.map(({ id }) => id).join(', ')}.`);
  }
  const file = createRequire(import.meta.url).resolve(`@iconify-json/${style}/icons.json`);
  return JSON.parse(await readFile(file, 'utf8')) as IconSet;
}

/** Every icon that is not another one in a different skin tone. */
function iconNames(set: IconSet): string[] {
  const shown = Object.keys(set.icons).filter((name) => !set.icons[name]?.hidden);
  const all = new Set(shown);
  return shown.filter((name) => {
    if (name.includes('skin-tone')) return false;
    const withoutTone = name
      .split('-')
      .filter((word) => !['light', 'medium', 'dark'].includes(word))
      .join('-');
    return withoutTone === name || !all.has(withoutTone);
  });
}

function spread<T>(all: readonly T[], limit = all.length): T[] {
  const count = Math.min(limit, all.length);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as T);
}

function toSvg(set: IconSet, name: string, size: number): string {
  const { body, left = 0, top = 0, width = set.width, height = set.height } = set.icons[name] as Icon;
  const viewBox = [left, top, width, height].join(' ');
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size}" height="${size}" viewBox="${viewBox}">${body}</svg>`;
}

/** Renamed into place when complete, so that a broken-off run leaves no broken picture to be skipped by the next. */
async function render(svg: string, size: number, file: string): Promise<void> {
  const png = await sharp(Buffer.from(svg)).resize(size, size).flatten({ background: 'white' }).png().toBuffer();
  await writeFile(`${file}.part`, png);
  await rename(`${file}.part`, file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [directory, ...styles] = process.argv.slice(2);
  if (directory === undefined) {
    console.error(`Usage: tsx demo/gallery.ts OUT [${artStyles.map(({ id }) => id).join('|')} ...]`);
    process.exitCode = 2;
  } else {
    const pictures = await renderGallery(directory, {
      ...(styles.length > 0 && { styles }),
      onProgress: (done, total) => {
        if (done % 100 === 0 || done === total) process.stderr.write(`\r${done}/${total} pictures`);
      },
    });
    process.stderr.write(`\n${pictures.length} pictures in ${directory}\n`);
  }
}
