import { Tensor } from 'onnxruntime-node';
import type { Towers } from '../package/model-package.js';
import type { SessionSettings } from '../protocol/messages.js';
import { readTextEncoding, type EncodedText } from '../text/text-encoding.js';
import { encodeAll, loaded, openTower, trial, type Embeddings, type Feeds, type KnownInput, type LoadedTower, type Tower } from './tower.js';

export interface TextTower extends LoadedTower {
  modality: 'text';
  tokenize(text: string): EncodedText;
  encode(texts: EncodedText[]): Promise<Embeddings>;
}

const idTypes = ['int64', 'int32'];
const inputs: KnownInput[] = [
  { names: ['input_ids', 'text', 'tokens', 'input'], required: true, types: idTypes, shape: [undefined, undefined] },
  { names: ['attention_mask'], required: false, types: idTypes, shape: [undefined, undefined] },
  { names: ['token_type_ids'], required: false, types: idTypes, shape: [undefined, undefined] },
];

/** How far apart two embeddings of one text may come out that differ in their padding alone. */
const paddingTolerance = 1e-4;

/** Throws an Error whose sentence says what was found where something else is needed. */
export async function loadTextTower(directory: string, rules: Towers['text'], settings: SessionSettings): Promise<TextTower> {
  const encoding = await readTextEncoding(directory, rules);
  const tower = await openTower('text', rules, inputs, settings);
  try {
    checkLength(tower, rules);
    const feeds = (texts: EncodedText[], rows: number, length = lengthOf(tower, rules, texts)): Feeds =>
      Object.fromEntries([...tower.inputs].map(([known, { name, type }]) => [name, idTensor(type, [rows, length], idsOf(known, texts, [rows, length], encoding.padTokenId))]));
    const probe = encoding.encode('a');
    const dimension = await trial(tower, (rows) => feeds([probe], rows));
    await checkPadding(tower, rules, probe, (length) => encodeAll(tower, 1, dimension, (_start, _end, rows) => feeds([probe], rows, length)));
    return {
      modality: 'text',
      ...loaded(tower, dimension),
      tokenize: (text) => encoding.encode(text),
      encode: (texts) => encodeAll(tower, texts.length, dimension, (start, end, rows) => feeds(texts.slice(start, end), rows)),
    };
  } catch (error) {
    await tower.release();
    throw error;
  }
}

/** Of the ids, where the file takes exactly so many. */
function fixedLength(tower: Tower): number | undefined {
  const length = tower.inputs.get('input_ids')?.shape[1];
  return typeof length === 'number' && length > 0 ? length : undefined;
}

function checkLength(tower: Tower, { contextLength, padding }: Towers['text']): void {
  const fixed = fixedLength(tower);
  if (fixed === undefined || fixed === contextLength || (padding === 'longest' && fixed > contextLength)) return;
  throw new Error(`${tower.file} takes exactly ${fixed} tokens, the package's context is ${contextLength}: model.json must say "context_length": ${fixed}, or another file is needed.`);
}

/** Texts are padded to the longest of their batch only where padding changes nothing. */
async function checkPadding(tower: Tower, { padding, contextLength }: Towers['text'], probe: EncodedText, embed: (length: number) => Promise<Embeddings>): Promise<void> {
  if (padding === 'max_length' || tower.step === 1 || fixedLength(tower) !== undefined) return;
  const { embeddings: bare } = await embed(probe.ids.length);
  const { embeddings: padded } = await embed(Math.min(contextLength, probe.ids.length + 8));
  const apart = bare.reduce((most, value, i) => Math.max(most, Math.abs(value - padded[i]!)), 0);
  if (apart <= paddingTolerance) return;
  const mask = tower.inputs.has('attention_mask') ? 'in spite of its attention_mask' : 'and has no attention_mask';
  throw new Error(`${tower.file} sees padding ${mask}: the same text alone and padded comes out ${apart.toPrecision(2)} apart. model.json must say how it was trained, most likely "padding": "max_length".`);
}

function lengthOf(tower: Tower, { padding, contextLength }: Towers['text'], texts: EncodedText[]): number {
  const fixed = fixedLength(tower);
  if (fixed !== undefined) return fixed;
  if (padding === 'max_length') return contextLength;
  return texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
}

/** Rows beyond the texts repeat the last one. */
function idsOf(known: string, texts: EncodedText[], [rows, length]: [rows: number, length: number], padTokenId: number): Int32Array {
  const values = new Int32Array(rows * length);
  if (known === 'input_ids') values.fill(padTokenId);
  if (known !== 'token_type_ids') {
    for (let row = 0; row < rows; row++) {
      const { ids } = texts[Math.min(row, texts.length - 1)]!;
      for (let i = 0; i < ids.length; i++) values[row * length + i] = known === 'input_ids' ? ids[i]! : 1;
    }
  }
  return values;
}

function idTensor(type: string, shape: [rows: number, length: number], ids: Int32Array): Tensor {
  return type === 'int32' ? new Tensor('int32', ids, shape) : new Tensor('int64', BigInt64Array.from(ids, BigInt), shape);
}
