import { z } from 'zod';
import type { Preprocessing, Rgb } from '../picture/preprocess.js';
import type { Family } from './families.js';

/** open_clip's PreprocessCfg (open_clip/transform.py), as preprocess_cfg.json and open_clip_config.json carry it. */
export const OpenClipPreprocessor = z.object({
  size: z.union([z.number(), z.array(z.number())]).optional(),
  mode: z.string().optional(),
  mean: z.union([z.number(), z.array(z.number())]).optional(),
  std: z.union([z.number(), z.array(z.number())]).optional(),
  interpolation: z.string().optional(),
  resize_mode: z.string().optional(),
  /** 0 to 255, around what `longest` leaves open. */
  fill_color: z.number().optional(),
});
export type OpenClipPreprocessor = z.infer<typeof OpenClipPreprocessor>;

/** `file` names the source in errors. */
export function openClipPreprocessing(cfg: OpenClipPreprocessor, imageSize: number | number[] | undefined, family: Family, file: string): Preprocessing {
  const size = square(cfg.size ?? imageSize, file);
  if (cfg.mode !== undefined && cfg.mode !== 'RGB') throw new Error(`${file}: mode is ${JSON.stringify(cfg.mode)}; RGB is known.`);
  const mode = cfg.resize_mode ?? (family.geometry === 'squash' ? 'squash' : 'shortest');
  const geometry = ({ shortest: 'crop', squash: 'squash', longest: 'pad' } as const)[mode];
  if (geometry === undefined) throw new Error(`${file}: resize_mode is ${JSON.stringify(mode)}; shortest, squash and longest are known.`);
  return {
    geometry,
    interpolation: interpolationOf(cfg.interpolation, file) ?? family.interpolation,
    size,
    shortestEdge: size,
    mean: rgb(cfg.mean, 'mean', file) ?? family.mean,
    std: rgb(cfg.std, 'std', file) ?? family.std,
    // torchvision's CenterCrop rounds half to even; the hub's own preprocessors cut off.
    ...(geometry === 'crop' ? { cropRounding: 'half_even' } : {}),
    ...(geometry === 'pad' ? { fillColor: cfg.fill_color ?? 0 } : {}),
  };
}

function square(size: number | number[] | undefined, file: string): number {
  const [height, width = height] = Array.isArray(size) ? size : [size ?? 224];
  if (height === undefined || height !== width) throw new Error(`${file}: the input is ${JSON.stringify(size)} pixels; squares are known.`);
  return height;
}

function interpolationOf(name: string | undefined, file: string): Preprocessing['interpolation'] | undefined {
  // `random` concerns training; open_clip then takes bicubic.
  if (name === 'random') return 'bicubic';
  if (name === undefined || name === 'bicubic' || name === 'bilinear') return name;
  throw new Error(`${file}: interpolation is ${JSON.stringify(name)}; bicubic and bilinear are known.`);
}

function rgb(values: number | number[] | undefined, field: string, file: string): Rgb | undefined {
  if (values === undefined) return undefined;
  const [r, g, b] = typeof values === 'number' ? [values, values, values] : values;
  if (r === undefined || g === undefined || b === undefined) throw new Error(`${file}: ${field} needs three numbers.`);
  return [r, g, b];
}
