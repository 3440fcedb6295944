import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { base64, call, items, searchIn, type Answer } from '../api.js';

/** Ids that uploads use over and over, so that the collection stops growing. */
const ring = 400;
const words = ['a dog in the snow', 'children at play', 'a red car', 'two people on a bench', 'ein Hund am Strand', '一个骑自行车的男孩', 'una plaza de noche', '雨の駅'];

/** An idle connection that the service closes just as the next request goes out would look like a lost request. */
export const fresh = { connection: 'close' };

export interface Request {
  kind: string;
  send(): Promise<Answer>;
  /** What a 200 must hold; a sentence where it does not. */
  problem?(answer: Answer): string | undefined;
}

/** What several clients ask of a service, at random. No picture is ever sent twice: none is answered from memory. */
export class Requests {
  readonly #url: string;
  readonly #jpegs: Buffer[];
  #uploads = 0;

  private constructor(url: string, jpegs: Buffer[]) {
    this.#url = url;
    this.#jpegs = jpegs;
  }

  static async against(url: string): Promise<Requests> {
    return new Requests(url, await Promise.all(Array.from({ length: 24 }, (_, seed) => photo(seed))));
  }

  next(): Request {
    const dice = Math.random();
    if (dice < 0.3) return { kind: 'embed pictures', send: () => this.#post('/v1/embeddings', { input: Array.from({ length: 4 }, () => this.#picture()) }) };
    if (dice < 0.5) return { kind: 'embed texts', send: () => this.#post('/v1/embeddings', { input: Array.from({ length: 8 }, () => this.#words()) }) };
    if (dice < 0.7) return { kind: 'upload', send: () => this.#upload(), problem: failedItem };
    if (dice < 0.9) return { kind: 'search', send: () => this.#post(searchIn(), { query: this.#words(), limit: 10 }) };
    return { kind: 'classify', send: () => this.#post('/v1/classify', { input: [this.#picture()], labels: ['cat', 'dog', 'car', 'house', 'tree'] }) };
  }

  #post(path: string, body: unknown): Promise<Answer> {
    return call(this.#url, 'POST', path, body, fresh);
  }

  #upload(): Promise<Answer> {
    const form = new FormData();
    const ids = Array.from({ length: 4 }, () => String(this.#uploads++ % ring));
    form.append('metadata', JSON.stringify(ids.map((id) => ({ id }))));
    for (const id of ids) form.append('file', new Blob([this.#bytes()]), `${id}.jpg`);
    return call(this.#url, 'POST', items(), form, fresh);
  }

  #picture(): { image: string } {
    return { image: base64(this.#bytes()) };
  }

  /** Another content, the same picture: decoders stop at a JPEG's end. */
  #bytes(): Uint8Array {
    return Buffer.concat([this.#jpegs[Math.floor(Math.random() * this.#jpegs.length)]!, randomBytes(8)]);
  }

  #words(): string {
    return `${words[Math.floor(Math.random() * words.length)]!} ${Math.floor(Math.random() * 1e6)}`;
  }
}

function failedItem({ body }: Answer): string | undefined {
  const failed = body.items.find(({ status }: { status: string }) => status === 'failed');
  return failed === undefined ? undefined : `an item failed: ${failed.error.message}`;
}

/** Blotches of every size up to 1,600 x 1,200, as heavy to decode as a photo. */
async function photo(seed: number): Promise<Buffer> {
  const [width, height] = [800 + 100 * (seed % 9), 600 + 75 * (seed % 9)];
  const small = sharp(randomBytes(64 * 48 * 3), { raw: { width: 64, height: 48, channels: 3 } });
  return small.resize(width, height, { kernel: 'cubic' }).jpeg({ quality: 85 }).toBuffer();
}
