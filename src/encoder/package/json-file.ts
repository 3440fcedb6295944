import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exists } from '../../files.js';

/**
 * A field that is null counts as left out. Throws an Error whose sentence names the file and the field; with a fallback,
 * only where the file is there and broken.
 */
export async function readJson<Schema extends z.ZodType>(directory: string, name: string, schema: Schema, fallback?: z.output<Schema>): Promise<z.output<Schema>> {
  const path = join(directory, name);
  if (fallback !== undefined && !(await exists(path))) return fallback;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text, (_, each: unknown) => each ?? undefined);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} holds no JSON object.`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? name : `${name}: ${issue.path.join('.')}`;
  if (issue?.code !== 'unrecognized_keys') throw new Error(`${where}: ${issue?.message ?? 'is malformed'}.`);
  const known = issue.path.length === 0 && schema instanceof z.ZodObject ? `; known are ${Object.keys(schema.shape).join(', ')}` : '';
  throw new Error(`${where}: ${issue.keys.join(', ')} is no field of it${known}.`);
}
