import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { photos } from '../eval/pack.js';
import { inFlight } from './timing.js';

/** Photos of the pack, as they are there (160 x 160 WebP), as files in a temporary folder while `use` runs. */
export async function withPhotoFolder<T>(count: number, use: (folder: string, files: string[]) => Promise<T>): Promise<T> {
  const bytes = photos(count);
  return withFolder(count, 'webp', (index) => Promise.resolve(bytes[index]!), use);
}

const tileSide = 160;
const tileCount = 800;

/** JPEGs of any size, as cameras and the web have them, tiled of the pack's photos so that they are as full of detail: 4:2:0, quality 85. */
export async function withJpegFolder<T>(count: number, width: number, height: number, use: (folder: string, files: string[]) => Promise<T>): Promise<T> {
  const tiles = await Promise.all(photos(tileCount).map((bytes) => sharp(bytes).removeAlpha().raw().toBuffer()));
  const [across, down] = [Math.ceil(width / tileSide), Math.ceil(height / tileSide)];
  const jpeg = (index: number): Promise<Uint8Array> => {
    const pixels = tiled(across, down, (place) => tiles[(index * across * down + place) % tiles.length]!);
    return sharp(pixels, { raw: { width: across * tileSide, height: down * tileSide, channels: 3 } }).extract({ left: 0, top: 0, width, height }).jpeg({ quality: 85 }).toBuffer();
  };
  return withFolder(count, 'jpg', jpeg, use);
}

function tiled(across: number, down: number, tileAt: (place: number) => Uint8Array): Uint8Array {
  const rowBytes = tileSide * 3;
  const pixels = new Uint8Array(across * down * tileSide * rowBytes);
  for (let row = 0; row < down * tileSide; row++) {
    const y = row % tileSide;
    for (let column = 0; column < across; column++) {
      const tile = tileAt(Math.floor(row / tileSide) * across + column);
      pixels.set(tile.subarray(y * rowBytes, (y + 1) * rowBytes), (row * across + column) * rowBytes);
    }
  }
  return pixels;
}

async function withFolder<T>(count: number, ending: string, bytesOf: (index: number) => Promise<Uint8Array>, use: (folder: string, files: string[]) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-bench-'));
  try {
    const files = Array.from({ length: count }, (_, index) => path.join(folder, `${String(index).padStart(5, '0')}.${ending}`));
    await inFlight(files.entries(), availableParallelism(), async ([index, file]) => writeFile(file, await bytesOf(index)));
    return await use(folder, files);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
