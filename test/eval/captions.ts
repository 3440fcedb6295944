/** Photos found by captions, and captions by photos: Flickr8k, in English and in the languages its captions were translated to. */
import path from 'node:path';
import type { Embedder } from './embedder.js';
import { figureOf, type Depth, type Figure, type Minimum } from './figure.js';
import { captionedPhotos, translations, type CaptionedPhoto, type Translation } from './pack.js';
import { rankOf } from './ranks.js';

const depths: Depth[] = [1, 5, 10];

export class Captions {
  readonly #embedder: Embedder;
  readonly #photos: CaptionedPhoto[] = captionedPhotos();
  #embedded: Promise<Float32Array[]> | undefined;

  constructor(embedder: Embedder) {
    this.#embedder = embedder;
  }

  async english(): Promise<Figure[]> {
    const photos = await this.#photoEmbeddings();
    const texts = this.#photos.flatMap(({ captions }) => captions);
    const photoOf = this.#photos.flatMap(({ captions }, photo) => captions.map(() => photo));
    const captions = await this.#embedder.texts(texts);
    const toImage = captions.map((caption, index) => rankOf(caption, photos, (photo) => photo === photoOf[index]));
    const toText = photos.map((photo, index) => rankOf(photo, captions, (caption) => photoOf[caption] === index));
    return [
      figureOf(`Flickr8k, text to image, of ${photos.length}`, toImage, depths, { within: 10, share: 0.58 }),
      figureOf(`Flickr8k, image to text, best own caption of ${texts.length}`, toText, depths, { within: 10, share: 0.62 }),
    ];
  }

  async chinese(): Promise<Figure[]> {
    const queries = await translations<'zh'>('flickr8k-dev-zh.jsonl');
    return this.#translated(queries, [{ code: 'zh', language: 'Chinese', minimum: { within: 10, share: 0.52 } }]);
  }

  async germanAndFrench(): Promise<Figure[]> {
    const queries = await translations<'de' | 'fr'>('flickr8k-dev-de-fr.jsonl');
    const minimum = { ofEnglish: 0.82 };
    return this.#translated(queries, [{ code: 'de', language: 'German', minimum }, { code: 'fr', language: 'French', minimum }]);
  }

  async spanishJapaneseAndRussian(): Promise<Figure[]> {
    const queries = await translations<'es' | 'ja' | 'ru'>(path.join(import.meta.dirname, 'flickr8k-dev-es-ja-ru.jsonl'));
    const minimum = { ofEnglish: 0.75 };
    return this.#translated(queries, [
      { code: 'es', language: 'Spanish', minimum },
      { code: 'ja', language: 'Japanese', minimum },
      { code: 'ru', language: 'Russian', minimum },
    ]);
  }

  async #translated<Code extends string>(queries: Translation<Code>[], into: { code: Code; language: string; minimum: Minimum }[]): Promise<Figure[]> {
    const photoByName = new Map(this.#photos.map(({ name }, photo) => [name, photo]));
    const wanted = queries.map(({ name }) => photoByName.get(name)!);
    const captions = queries.map(({ caption }, index) => this.#photos[wanted[index]!]!.captions[caption]!);
    const languages = into.map(({ language }) => language).join(' and ');
    const english = await this.#find(`the same as ${languages}, in English`, captions, wanted);
    const figures: Figure[] = [];
    for (const { code, language, minimum } of into) {
      const figure = await this.#find(`${language}, text to image`, queries.map((query) => query[code]), wanted, minimum);
      figures.push({ ...figure, ofEnglish: figure.within[10]! / english.within[10]! });
    }
    return [...figures, english];
  }

  async #find(name: string, texts: string[], wanted: number[], minimum?: Minimum): Promise<Figure> {
    const photos = await this.#photoEmbeddings();
    const queries = await this.#embedder.texts(texts);
    const ranks = queries.map((query, index) => rankOf(query, photos, (photo) => photo === wanted[index]));
    return figureOf(name, ranks, depths, minimum);
  }

  #photoEmbeddings(): Promise<Float32Array[]> {
    this.#embedded ??= this.#embedder.pictures(this.#photos.map(({ webp }) => webp));
    return this.#embedded;
  }
}
