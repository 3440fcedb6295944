import type { MapSource, MapState } from './map-source.js';
import { drawCard, type CardStyle } from './text-card.js';

/** A part of an image, in its pixels. */
export interface Drawable {
  image: ImageBitmap;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A picture that is to be shown; `pixels`: of the screen, along its square's side. */
export interface Wanted {
  number: number;
  pixels: number;
}

const sheetsAtOnce = 3;
const picturesAtOnce = 6;
const mostSheetBytes = 128e6;
const mostPictures = 300;
/** Screen pixels along a square in which a text can be read, at a density of 1. */
const readablePixels = 84;
const textsAtOnce = 100;
/** So many times as many pixels as a sheet's square has are still sharp enough. */
const sharpEnough = 1.4;
/** A sheet that failed is asked for again after so many ms. */
const failedForMs = 5_000;

interface Sheet {
  image?: ImageBitmap;
  /** By place: 1 where there is a picture. */
  filled?: Uint8Array;
  usedAt: number;
  failedAt?: number;
}

/** Which of a sheet's squares hold something: texts have no picture. It is shrunk where it is decoded, beside the page's own thread. */
async function filledOf(bytes: Blob, { columns, rows }: MapState['sheets']): Promise<Uint8Array> {
  const shrunk = await createImageBitmap(bytes, { resizeWidth: 4 * columns, resizeHeight: 4 * rows, resizeQuality: 'low' });
  const small = new OffscreenCanvas(4 * columns, 4 * rows).getContext('2d', { willReadFrequently: true })!;
  small.drawImage(shrunk, 0, 0);
  shrunk.close();
  const { data } = small.getImageData(0, 0, 4 * columns, 4 * rows);
  const filled = new Uint8Array(columns * rows);
  for (let y = 0; y < 4 * rows; y++) for (let x = 0; x < 4 * columns; x++) if (data[4 * (y * 4 * columns + x) + 3]! > 0) filled[(y >> 2) * columns + (x >> 2)] = 1;
  return filled;
}

/** The pictures of a map's points: many small ones by sheets, and single larger ones for those who come near. Least recently used go first. */
export class PictureStore {
  readonly #sheets = new Map<number, Sheet>();
  /** Null: there is none larger. */
  readonly #pictures = new Map<number, ImageBitmap | null>();
  /** Of texts; null: there is none to be read. */
  readonly #texts = new Map<number, string | null>();
  readonly #cards = new Map<number, ImageBitmap>();
  #cardStyle: { style: CardStyle; devicePixels: number } | undefined;
  #loadsTexts = false;
  readonly #loading = new Set<number>();
  readonly #leaving = new AbortController();
  #sheetsLoading = 0;
  #wanted: readonly Wanted[] = [];
  /** Those of them that are large enough for words. */
  #readable: ReadonlySet<number> = new Set();
  #uses = 0;

  /** `onArrival`: something can be drawn that could not before. `onProblem`: with undefined when it has passed. */
  constructor(
    private readonly source: MapSource,
    private readonly map: MapState,
    private readonly on: { arrival: () => void; problem: (error: unknown) => void },
  ) {}

  close(): void {
    this.#leaving.abort();
    for (const { image } of this.#sheets.values()) image?.close();
    for (const image of this.#pictures.values()) image?.close();
    this.#sheets.clear();
    this.#pictures.clear();
    this.#dropCards();
  }

  /** How texts are drawn from now on. */
  setCardStyle(style: CardStyle, devicePixels: number): void {
    this.#cardStyle = { style, devicePixels };
    this.#dropCards();
  }

  /** The best there is now. */
  drawable(number: number): Drawable | undefined {
    const picture = this.#pictures.get(number);
    if (picture) return { image: picture, x: 0, y: 0, width: picture.width, height: picture.height };
    const { columns, rows, size } = this.map.sheets;
    const sheet = this.#sheets.get(Math.floor(number / (columns * rows)));
    if (!sheet?.image) return undefined;
    sheet.usedAt = ++this.#uses;
    const place = number % (columns * rows);
    if (sheet.filled?.[place] === 0) return this.#card(number);
    return { image: sheet.image, x: (place % columns) * size, y: Math.floor(place / columns) * size, width: size, height: size };
  }

  /** What is to be shown now, the most wanted first; what was wanted before and has not been asked for is not any more. */
  want(wanted: readonly Wanted[], isMoving: boolean): void {
    this.#wanted = wanted;
    const readable = readablePixels * (this.#cardStyle?.devicePixels ?? 1);
    this.#readable = new Set(wanted.filter(({ pixels }) => pixels >= readable).map(({ number }) => number));
    this.#loadSheets();
    void this.#loadTexts();
    if (!isMoving) void this.#loadPictures();
  }

  #card(number: number): Drawable | undefined {
    const { text, card, wanted } = { text: this.#texts.get(number), card: this.#cards.get(number), wanted: this.#readable.has(number) };
    if (typeof text !== 'string' || !wanted || !this.#cardStyle) return undefined;
    const image = card ?? drawCard(text, this.#cardStyle.style, this.#cardStyle.devicePixels);
    if (!card) this.#cards.set(number, image);
    return { image, x: 0, y: 0, width: image.width, height: image.height };
  }

  #dropCards(): void {
    for (const card of this.#cards.values()) card.close();
    this.#cards.clear();
  }

  async #loadTexts(): Promise<void> {
    const { columns, rows } = this.map.sheets;
    const isText = (number: number): boolean => this.#sheets.get(Math.floor(number / (columns * rows)))?.filled?.[number % (columns * rows)] === 0;
    const next = [...this.#readable].filter((number) => isText(number) && !this.#texts.has(number)).slice(0, textsAtOnce);
    if (next.length === 0 || this.#loadsTexts) return;
    const { signal } = this.#leaving;
    this.#loadsTexts = true;
    try {
      const items = await this.source.items(next, { signal });
      for (const number of next) this.#texts.set(number, null);
      for (const { number, text } of items) this.#texts.set(number, text ?? null);
      for (const kept of [this.#texts, this.#cards]) {
        for (const number of kept.keys()) {
          if (kept.size <= mostPictures) break;
          if (this.#readable.has(number)) continue;
          if (kept === this.#cards) this.#cards.get(number)?.close();
          kept.delete(number);
        }
      }
      this.on.arrival();
    } catch {
      // Their dots stand; whoever moves asks again.
      return;
    } finally {
      this.#loadsTexts = false;
    }
    if (!signal.aborted) void this.#loadTexts();
  }

  #loadSheets(): void {
    const { columns, rows } = this.map.sheets;
    const sheets = new Set(this.#wanted.map(({ number }) => Math.floor(number / (columns * rows))));
    for (const number of sheets) {
      if (this.#sheetsLoading >= sheetsAtOnce) return;
      const known = this.#sheets.get(number);
      if (known && (known.failedAt === undefined || performance.now() - known.failedAt < failedForMs)) continue;
      void this.#loadSheet(number);
    }
  }

  async #loadSheet(number: number): Promise<void> {
    const sheet: Sheet = { usedAt: ++this.#uses };
    this.#sheets.set(number, sheet);
    this.#sheetsLoading++;
    const { signal } = this.#leaving;
    try {
      const bytes = await this.source.sheet(this.map, number, { signal });
      const [image, filled] = await Promise.all([createImageBitmap(bytes), filledOf(bytes, this.map.sheets)]);
      if (signal.aborted) return image.close();
      Object.assign(sheet, { image, filled });
      this.#dropSheets();
      this.on.problem(undefined);
      this.on.arrival();
      void this.#loadTexts();
    } catch (error) {
      if (signal.aborted) return;
      sheet.failedAt = performance.now();
      this.on.problem(error);
      setTimeout(() => signal.aborted || this.#loadSheets(), failedForMs);
    } finally {
      this.#sheetsLoading--;
      if (!signal.aborted) this.#loadSheets();
    }
  }

  #dropSheets(): void {
    const loaded = [...this.#sheets].filter(([, { image }]) => image).sort(([, a], [, b]) => a.usedAt - b.usedAt);
    let bytes = loaded.reduce((sum, [, { image }]) => sum + 4 * image!.width * image!.height, 0);
    for (const [number, { image }] of loaded.slice(0, -1)) {
      if (bytes <= mostSheetBytes) return;
      bytes -= 4 * image!.width * image!.height;
      image!.close();
      this.#sheets.delete(number);
    }
  }

  async #loadPictures(): Promise<void> {
    const near = this.#wanted.filter(({ number, pixels }) => pixels > sharpEnough * this.map.sheets.size && !this.#pictures.has(number) && !this.#loading.has(number));
    const next = near.slice(0, Math.max(0, picturesAtOnce - this.#loading.size)).map(({ number }) => number);
    if (next.length === 0) return;
    const { signal } = this.#leaving;
    for (const number of next) this.#loading.add(number);
    try {
      const items = await this.source.items(next, { signal });
      await Promise.all(
        items.map(async ({ id, number, modality }) => {
          const image = modality === 'image' ? await this.source.picture(id, { signal }).then(createImageBitmap, () => null) : null;
          if (signal.aborted) return image?.close();
          this.#pictures.set(number, image);
          this.on.arrival();
        }),
      );
      for (const number of next) if (!this.#pictures.has(number)) this.#pictures.set(number, null);
    } catch {
      // The sheet's picture stands; whoever moves asks again.
      return;
    } finally {
      for (const number of next) this.#loading.delete(number);
    }
    const wanted = new Set(this.#wanted.map(({ number }) => number));
    for (const [number, image] of this.#pictures) {
      if (this.#pictures.size <= mostPictures) break;
      if (wanted.has(number)) continue;
      image?.close();
      this.#pictures.delete(number);
    }
    if (!signal.aborted) void this.#loadPictures();
  }
}
