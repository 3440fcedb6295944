import { Tensor } from 'onnxruntime-node';
import type { Towers } from '../package/model-package.js';
import type { SessionSettings } from '../protocol/messages.js';
import { toHalves } from './half-floats.js';
import { encodeAll, loaded, openTower, trial, type Embeddings, type Feeds, type KnownInput, type LoadedTower } from './tower.js';

export interface ImageTower extends LoadedTower {
  modality: 'image';
  /** `pixels`: float32 [count, 3, size, size]. */
  encode(pixels: Float32Array, count: number): Promise<Embeddings>;
}

/** Throws an Error whose sentence says what was found where something else is needed. */
export async function loadImageTower(rules: Towers['image'], settings: SessionSettings): Promise<ImageTower> {
  const { size } = rules;
  const pixelValues: KnownInput = { names: ['pixel_values', 'image', 'images', 'input'], required: true, types: ['float32', 'float16'], shape: [undefined, 3, size, size] };
  const tower = await openTower('image', rules, [pixelValues], settings);
  try {
    const stride = 3 * size * size;
    const feeds = (pixels: Float32Array, rows: number): Feeds => {
      const { name, type } = tower.inputs.get('pixel_values')!;
      return { [name]: pixelTensor(pixels, type, [rows, 3, size, size]) };
    };
    const dimension = await trial(tower, (rows) => feeds(new Float32Array(rows * stride), rows));
    return {
      modality: 'image',
      ...loaded(tower, dimension),
      encode: (pixels, count) => encodeAll(tower, count, dimension, (start, end, rows) => feeds(filledUp(pixels.subarray(start * stride, end * stride), rows * stride), rows)),
    };
  } catch (error) {
    await tower.release();
    throw error;
  }
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
