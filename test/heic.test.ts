import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, readHeader } from '../src/encoder/picture/decode.js';
import { base64, call, items } from './api.js';
import { repository, startServer, type RunningServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/heic');
const picture = (name: string): Promise<Buffer> => readFile(path.join(fixtures, name));

let server: RunningServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-heic-'));
  await writeFile(path.join(folder, 'phone.heic'), await picture('turned.heic'));
  server = await startServer({ env: { MIXSPACE_ROOTS: folder } });
});

afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('HEIC', () => {
  it.each(['house', 'turned', 'cutout'])('gives the pixels that Pillow gives: %s', async (name) => {
    const bytes = await picture(`${name}.heic`);
    const header = await readHeader(bytes, { pictureBytes: 1e6, picturePixels: 1e6 });
    const expected = await sharp(await picture(`${name}.png`)).raw().toBuffer({ resolveWithObject: true });
    expect(header).toMatchObject({ mediaType: 'image/heic', width: expected.info.width, height: expected.info.height });
    const { pixels, orientation, channels } = await decode(bytes, header);
    expect({ orientation, channels, length: pixels.length }).toEqual({ orientation: 1, channels: 3, length: expected.data.length });
    const differences = expected.data.map((value, i) => Math.abs(value - pixels[i]!));
    expect(differences.reduce((sum, each) => sum + each, 0) / differences.length).toBeLessThan(0.2);
    expect(differences.reduce((worst, each) => Math.max(worst, each), 0)).toBeLessThanOrEqual(16);
  });

  it('is taken in with its size, date, thumbnail and original, as an upload and by path', async () => {
    const bytes = await picture('turned.heic');
    await call(server.url, 'POST', '/v1/collections', { name: 'phones', originals: 'keep' });
    const { body } = await call(server.url, 'POST', items('phones'), { items: [{ id: 'sent', image: base64(bytes) }, { id: 'lies there', path: path.join(folder, 'phone.heic') }] });
    expect(body.items).toMatchObject([{ status: 'created' }, { status: 'created' }]);
    for (const id of ['sent', 'lies%20there']) {
      const at = `${items('phones')}/${id}`;
      expect((await call(server.url, 'GET', at)).body).toMatchObject({ width: 240, height: 320, taken_at: '2023-04-05T06:07:08' });

      const thumbnail = await fetch(`${server.url}${at}/image`);
      expect(thumbnail.headers.get('content-type')).toBe('image/webp');
      const shown = await sharp(Buffer.from(await thumbnail.arrayBuffer())).raw().toBuffer({ resolveWithObject: true });
      expect(shown.info).toMatchObject({ width: 240, height: 320 });
      const expected = await sharp(await picture('turned.png')).raw().toBuffer();
      expect(shown.data.reduce((sum, value, i) => sum + Math.abs(value - expected[i]!), 0) / expected.length).toBeLessThan(6);

      const original = await fetch(`${server.url}${at}/image?size=original`);
      expect(original.headers.get('content-type')).toBe('image/heic');
      expect(Buffer.from(await original.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  it('is a 415 with a sentence where it is truncated or broken, and the next is read', async () => {
    const bytes = await picture('house.heic');
    const broken = Buffer.from(bytes);
    broken.fill(0x55, bytes.length >> 1);
    const noDecoder = Buffer.from(bytes.toString('latin1').replaceAll('hvcC', 'xxxx').replaceAll('hvc1', 'zzz1'), 'latin1');
    const cases: [Uint8Array, string, RegExp][] = [
      ...[2500, 600, 40].map((length): [Uint8Array, string, RegExp] => [bytes.subarray(0, length), 'damaged_media', /^The HEIC is (truncated|broken).*\.$/]),
      [noDecoder, 'unsupported_media', /^The HEIC has pictures of the kind "zzz1", which is not supported\./],
    ];
    for (const [each, code, sentence] of cases) {
      const { status, body } = await call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(each) }] });
      expect([status, body.error.code, body.error.param]).toEqual([415, code, 'input[0].image']);
      expect(body.error.message).toMatch(sentence);
    }
    // What damage inside the compressed pixels gives is the decoder's choice: a picture or a 415.
    expect([200, 415]).toContain((await call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(broken) }] })).status);
    expect((await call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(bytes) }] })).status).toBe(200);
  });

  it('is refused by its header where it has too many pixels', async () => {
    const bytes = await picture('house.heic');
    await expect(readHeader(bytes, { pictureBytes: 1e6, picturePixels: 320 * 240 - 1 })).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('320 x 240') });
    const vast = Buffer.from(bytes);
    const size = vast.indexOf('ispe') + 8;
    vast.writeUInt32BE(9_000, size);
    vast.writeUInt32BE(9_000, size + 4);
    await expect(readHeader(vast, { pictureBytes: 1e6, picturePixels: 100e6 })).rejects.toMatchObject({ code: 'too_large', message: expect.stringContaining('HEIC') });
    vast.writeUInt32BE(90, size);
    const { status, body } = await call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(vast) }] });
    expect([status, body.error?.code]).toEqual([415, 'damaged_media']);
  });
});
