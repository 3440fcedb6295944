/** A collection's map with known places, answered in the service's stead to a page in a browser. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';

export interface KnownMap {
  /** x0 y0 x1 y1 ... */
  positions: Float32Array;
  /** What stands on sheets: each point's color. */
  pictureOf?: (number: number) => readonly [red: number, green: number, blue: number];
  /** By what is asked for: a score of each point. */
  scores?: (query: string) => Float32Array;
  /** By field. */
  values?: Record<string, object>;
  stale?: { added: number; removed: number };
  titleOf?: (number: number) => string;
  metadataOf?: (number: number) => object;
}

const [columns, rows, size] = [16, 16, 64];
const job = 'job-of-the-test';
const bytes = (floats: Float32Array): Buffer => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);

export interface Asked {
  sheets: number[];
  points: string[];
  queries: string[];
  made: number;
}

/** What was asked for is told as it is. `map` may change between calls. */
export async function answerMap(page: Page, map: KnownMap): Promise<Asked> {
  const asked: Asked = { sheets: [], points: [], queries: [], made: 0 };
  const count = (): number => map.positions.length / 2;
  const sheets = new Map<number, Promise<Buffer>>();
  await page.route(/\/v1\/collections\/[^/]+\/map(\/|\?|$)/, async (route) => {
    const { pathname, searchParams } = new URL(route.request().url());
    const [, what = '', which] = pathname.split('/map')[1]!.split('/');
    const octets = (floats: Float32Array) => route.fulfill({ contentType: 'application/octet-stream', body: bytes(floats) });
    if (what === '' && route.request().method() === 'GET') {
      const levels = [256, 4096, 65_536].filter((level) => level < count());
      const sheetCount = Math.ceil(count() / (columns * rows));
      return route.fulfill({ json: { job, made_at: '2026-01-01T00:00:00.000Z', model: 'm', fingerprint: 'f', count: count(), levels: [...levels, count()], sheets: { count: sheetCount, columns, rows, size }, bounds: [-1, 1], stale: map.stale ?? { added: 0, removed: 0 } } });
    }
    if (what === 'points') {
      asked.points.push(searchParams.toString());
      return octets(map.positions.slice(2 * Number(searchParams.get('from') ?? 0), 2 * Number(searchParams.get('to') ?? count())));
    }
    if (what === 'sheets') {
      const number = Number(which);
      asked.sheets.push(number);
      if (!sheets.has(number)) sheets.set(number, sheetOf(number, map.pictureOf ?? spread));
      return route.fulfill({ contentType: 'image/png', body: await sheets.get(number)! });
    }
    if (what === 'items') {
      const { ids = [], numbers = ids.map((id) => Number(id.slice('item-'.length))) } = route.request().postDataJSON() as { numbers?: number[]; ids?: string[] };
      return route.fulfill({ json: { items: numbers.map((number) => itemOf(map, number)) } });
    }
    if (what === 'scores') {
      const { query } = route.request().postDataJSON() as { query: string };
      asked.queries.push(query);
      return octets(map.scores!(query));
    }
    if (what === 'values') {
      const values = map.values?.[searchParams.get('field')!];
      return route.fulfill({ json: values ?? { field: searchParams.get('field'), kind: 'categories', categories: [], rest: 0, missing: count(), values: encoded(new Uint8Array(count()).fill(255)) } });
    }
    return route.fallback();
  });
  await page.route(/\/v1\/collections\/[^/?]+$/, async (route) => {
    if (route.request().method() !== 'GET') return route.fallback();
    const response = await route.fetch();
    const found = ['map', ...(map.values?.['$cluster'] ? ['clusters'] : [])];
    return route.fulfill({ response, json: { ...((await response.json()) as object), findings: found.map((kind) => ({ kind, job, made_at: '2026-01-01T00:00:00.000Z', stale: false })) } });
  });
  const pictureOf = map.pictureOf ?? spread;
  await page.route(/\/items\/item-\d+\/image/, async (route) => {
    const number = Number(/item-(\d+)/.exec(route.request().url())![1]);
    const [r, g, b] = pictureOf(number);
    return route.fulfill({ contentType: 'image/png', body: await sharp({ create: { width: 32, height: 32, channels: 3, background: { r, g, b } } }).png().toBuffer() });
  });
  await page.route(/\/items\/item-\d+$/, (route) => route.request().method() === 'GET' ? route.fulfill({ json: itemOf(map, Number(/item-(\d+)/.exec(route.request().url())![1])) }) : route.fallback());
  return asked;
}

const spread = (number: number): readonly [number, number, number] => [40 + ((number * 37) % 200), 40 + ((number * 91) % 200), 40 + ((number * 53) % 200)];

function itemOf(map: KnownMap, number: number): object {
  const item = { number, id: `item-${number}`, modality: 'image', sources: [], content_hash: 'h', created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:00:00.000Z' };
  return { ...item, metadata: { name: map.titleOf?.(number) ?? `point ${number}`, ...map.metadataOf?.(number) } };
}

async function sheetOf(sheet: number, pictureOf: NonNullable<KnownMap['pictureOf']>): Promise<Buffer> {
  const pixels = Buffer.alloc(columns * size * rows * size * 3);
  for (let place = 0; place < columns * rows; place++) {
    const color = Buffer.from(pictureOf(sheet * columns * rows + place));
    const line = Buffer.concat(Array.from({ length: size }, () => color));
    for (let y = 0; y < size; y++) line.copy(pixels, 3 * ((Math.floor(place / columns) * size + y) * columns * size + (place % columns) * size));
  }
  return sharp(pixels, { raw: { width: columns * size, height: rows * size, channels: 3 } }).png({ compressionLevel: 1 }).toBuffer();
}

/** Values as the service sends them. */
export const encoded = (values: Uint8Array | Float32Array): string => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
