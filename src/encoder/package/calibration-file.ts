import { join } from 'node:path';
import { z } from 'zod';
import type { Calibration } from '../../domain/calibration.js';
import { exists } from '../../files.js';
import { readJson } from './json-file.js';

const positive = z.number().positive();

const fileName = 'calibration.json';

const CalibrationFile = z.strictObject({
  sharpness: positive,
  slope: positive,
  offset: z.number(),
  abstain: z.number(),
  numbers: z
    .array(z.strictObject({ labels: z.number().int().min(2), temperature: positive, closed: positive }))
    .min(1)
    .refine((numbers) => numbers.every(({ labels }, i) => i === 0 || labels > numbers[i - 1]!.labels), 'they ascend by their labels'),
  /** What it was fitted on, for people. */
  fitted: z.strictObject({ pictures: z.number().int(), labels: z.number().int() }).optional(),
});

/** Undefined where there is none. Throws an Error that names the field. */
export async function readCalibration(directory: string): Promise<Calibration | undefined> {
  if (!(await exists(join(directory, fileName)))) return undefined;
  const { fitted: _, ...calibration } = await readJson(directory, fileName, CalibrationFile);
  return calibration;
}
