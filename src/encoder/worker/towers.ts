import { Tensor } from 'onnxruntime-node';
import type { ModelPackage } from '../package/model-package.js';
import { readTextEncoding, type EncodedText, type TextEncoding } from '../text/text-encoding.js';
import { toHalves } from './half-floats.js';
import type { SessionSettings } from '../protocol/messages.js';
import { plainSession } from './session.js';
import { encodeAll, openTower, type Embeddings, type Feeds, type KnownInput, type Tower } from './tower.js';

/** Both towers of a package, loaded. */
export interface Towers {
  dimension: number;
  /** A tower takes one input at a time. */
  oneAtATime: boolean;
  textEncoding: TextEncoding;
  encodeTexts(texts: EncodedText[]): Promise<Embeddings>;
  /** `pixels`: float32 [count, 3, size, size]. */
  encodePixels(pixels: Float32Array, count: number): Promise<Embeddings>;
  executionProvider: string;
  /** Sentences: which other ones were asked for and why they are not used. */
  refused: string[];
  /** Gives the weights' memory back; nothing may run on the towers any more. */
  release(): Promise<void>;
}

const idTypes = ['int64', 'int32'];
const textInputs: KnownInput[] = [
  { names: ['input_ids', 'text', 'tokens', 'input'], required: true, types: idTypes, shape: [undefined, undefined] },
  { names: ['attention_mask'], required: false, types: idTypes, shape: [undefined, undefined] },
  { names: ['token_type_ids'], required: false, types: idTypes, shape: [undefined, undefined] },
];

/** How far apart two embeddings of one text may come out that differ in their padding alone. */
const paddingTolerance = 1e-4;

/** Throws an Error whose sentence says what was found where something else is needed. */
export async function loadTowers(model: ModelPackage, settings: SessionSettings = plainSession): Promise<Towers> {
  const textEncoding = await readTextEncoding(model.directory, model.text);
  const { size } = model.image;
  const pixelValues: KnownInput = { names: ['pixel_values', 'image', 'images', 'input'], required: true, types: ['float32', 'float16'], shape: [undefined, 3, size, size] };
  const text = await openTower('text', model.text, textInputs, settings);
  const image = await openTower('image', model.image, [pixelValues], settings);
  checkLength(text, model);

  const textFeeds = (texts: EncodedText[], rows: number, length = textLength(text, model, texts)): Feeds =>
    Object.fromEntries([...text.inputs].map(([known, { name, type }]) => [name, idTensor(known, type, texts, rows, length, textEncoding.padTokenId)]));
  const pixelFeeds = (pixels: Float32Array, rows: number): Feeds => {
    const { name, type } = image.inputs.get('pixel_values')!;
    return { [name]: pixelTensor(pixels, type, [rows, 3, size, size]) };
  };

  const stride = 3 * size * size;
  const probe = textEncoding.encode('a');
  const dimension = await trial(text, (rows) => textFeeds([probe], rows));
  const imageDimension = await trial(image, (rows) => pixelFeeds(new Float32Array(rows * stride), rows));
  if (dimension !== imageDimension) throw new Error(`The towers disagree: texts get ${dimension} numbers, pictures ${imageDimension}.`);
  await checkPadding(text, model, probe, (length) => encodeAll(text, 1, dimension, (_start, _end, rows) => textFeeds([probe], rows, length)));

  return {
    dimension,
    oneAtATime: text.step === 1 || image.step === 1,
    textEncoding,
    executionProvider: [...new Set([image.executionProvider, text.executionProvider])].join(', '),
    refused: [...new Set([...image.refused, ...text.refused])],
    release: async () => {
      await text.release();
      await image.release();
    },
    encodeTexts: (texts) => encodeAll(text, texts.length, dimension, (start, end, rows) => textFeeds(texts.slice(start, end), rows)),
    encodePixels: (pixels, count) => encodeAll(image, count, dimension, (start, end, rows) => pixelFeeds(filledUp(pixels.subarray(start * stride, end * stride), rows * stride), rows)),
  };
}

/** Runs it once; answers how many numbers an embedding has. */
async function trial(tower: Tower, feeds: (rows: number) => Feeds): Promise<number> {
  const rows = tower.fixed ? tower.step! : 1;
  const values = await tower.run(feeds(rows), rows);
  if (!values.every(Number.isFinite)) throw new Error(`${tower.file} gives numbers that are not finite.`);
  return values.length / rows;
}

/** Of the ids, where the file takes exactly so many. */
function fixedLength(tower: Tower): number | undefined {
  const length = tower.inputs.get('input_ids')?.shape[1];
  return typeof length === 'number' && length > 0 ? length : undefined;
}

function checkLength(tower: Tower, { text: { contextLength, padding } }: ModelPackage): void {
  const fixed = fixedLength(tower);
  if (fixed === undefined || fixed === contextLength || (padding === 'longest' && fixed > contextLength)) return;
  throw new Error(`${tower.file} takes exactly ${fixed} tokens, the package's context is ${contextLength}: model.json must say "context_length": ${fixed}, or another file is needed.`);
}

/** Texts are padded to the longest of their batch only where padding changes nothing. */
async function checkPadding(tower: Tower, { text }: ModelPackage, probe: EncodedText, embed: (length: number) => Promise<Embeddings>): Promise<void> {
  if (text.padding === 'max_length' || tower.step === 1 || fixedLength(tower) !== undefined) return;
  const { embeddings: bare } = await embed(probe.ids.length);
  const { embeddings: padded } = await embed(Math.min(text.contextLength, probe.ids.length + 8));
  const apart = bare.reduce((most, value, i) => Math.max(most, Math.abs(value - padded[i]!)), 0);
  if (apart <= paddingTolerance) return;
  const mask = tower.inputs.has('attention_mask') ? 'in spite of its attention_mask' : 'and has no attention_mask';
  throw new Error(`${tower.file} sees padding ${mask}: the same text alone and padded comes out ${apart.toPrecision(2)} apart. model.json must say how it was trained, most likely "padding": "max_length".`);
}

function textLength(tower: Tower, { text }: ModelPackage, texts: EncodedText[]): number {
  const fixed = fixedLength(tower);
  if (fixed !== undefined) return fixed;
  if (text.padding === 'max_length') return text.contextLength;
  return texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
}

/** Rows beyond the texts repeat the last one. */
function idTensor(known: string, type: string, texts: EncodedText[], rows: number, length: number, padTokenId: number): Tensor {
  const values = new Int32Array(rows * length);
  if (known === 'input_ids') values.fill(padTokenId);
  if (known !== 'token_type_ids') {
    for (let row = 0; row < rows; row++) {
      const { ids } = texts[Math.min(row, texts.length - 1)]!;
      for (let i = 0; i < ids.length; i++) values[row * length + i] = known === 'input_ids' ? ids[i]! : 1;
    }
  }
  return type === 'int32' ? new Tensor('int32', values, [rows, length]) : new Tensor('int64', BigInt64Array.from(values, BigInt), [rows, length]);
}

function pixelTensor(pixels: Float32Array, type: string, shape: number[]): Tensor {
  return type === 'float16' ? new Tensor('float16', toHalves(pixels), shape) : new Tensor('float32', pixels, shape);
}

function filledUp(pixels: Float32Array, length: number): Float32Array {
  if (pixels.length === length) return pixels;
  const filled = new Float32Array(length);
  filled.set(pixels);
  return filled;
}
