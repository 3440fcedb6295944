import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { exists, hashFile } from '../../files.js';

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

/** Names of the files in a folder, sorted; none where it is not there. */
export async function filesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}

/** Folders of a package are not nested deeper; a link that leads into a circle ends there. */
const deepest = 3;

/**
 * Of the sizes and times of all files in a folder but hidden ones, links followed, as hex: it stays the same only while
 * nobody writes to them, and while the folder is not moved away and back. What an archive or a copy sets a file's time
 * to does not count: the time of that setting does.
 */
export async function stampOf(directory: string): Promise<string> {
  const self = await lstat(directory).catch(() => undefined);
  return hashOf([self?.ctimeMs, signOf(await statOf(directory)), await signsOf(directory, 0)]);
}

/** Likewise, of these files. */
export async function stampOfFiles(paths: readonly string[]): Promise<string> {
  return hashOf(await Promise.all(paths.map(async (path) => signOf(await statOf(path)))));
}

function hashOf(signs: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(signs)).digest('hex').slice(0, 24);
}

/** Undefined where nothing is there. */
function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

function signOf(found: Stats | undefined): unknown[] {
  return [found?.size, found?.mtimeMs, found?.ctimeMs];
}

async function signsOf(directory: string, depth: number): Promise<unknown[]> {
  return Promise.all(
    (await filesIn(directory)).filter((name) => !name.startsWith('.')).map(async (name) => {
      const path = join(directory, name);
      const found = await statOf(path);
      if (found?.isDirectory()) return [name, depth < deepest ? await signsOf(path, depth + 1) : []];
      return [name, ...signOf(found)];
    }),
  );
}

/** An entry, hidden ones aside, that is neither a file nor a folder nor a link to one, such as a pipe, which would be read for ever. */
export async function oddEntry(directory: string, depth = 0): Promise<string | undefined> {
  for (const name of (await filesIn(directory)).filter((each) => !each.startsWith('.'))) {
    const path = join(directory, name);
    const found = await statOf(path);
    if (found && !found.isFile() && !found.isDirectory()) return path;
    const inside = found?.isDirectory() && depth < deepest ? await oddEntry(path, depth + 1) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

export interface WeightsFacts {
  /** SHA-256 of the ONNX file, then of each file of external data by name, hex. */
  hashes: string[];
  /** Paths of the files of external data. */
  externalData: string[];
  /** Activations are quantised as they come: the same input comes out differently beside others. */
  dynamicallyQuantized: boolean;
}

/** Reads an ONNX file once, and the files beside it that hold its weights. */
export async function readWeights(path: string): Promise<WeightsFacts> {
  const scan = new OnnxScan();
  const hashes = [await hashFile(path, (chunk) => scan.read(chunk))];
  const externalData: string[] = [];
  for (const location of [...scan.externalData].sort()) {
    if (location !== basename(location)) throw new Error(`${path} keeps weights in ${JSON.stringify(location)}; only a file beside it is read.`);
    const data = join(dirname(path), location);
    if (!(await exists(data))) throw new Error(`${path} keeps weights in ${location}, which is not beside it.`);
    hashes.push(await hashFile(data));
    externalData.push(data);
  }
  return { hashes, externalData, dynamicallyQuantized: scan.dynamicallyQuantized };
}

/** A string field of a protocol buffer: tag, length, bytes. */
function field(tag: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([tag, text.length]), Buffer.from(text)]);
}

/** NodeProto.op_type is field 4 (onnx.proto). */
const dynamicOperators = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM', 'MatMulIntegerToFloat', 'MatMulInteger', 'ConvInteger'].map((name) => field(0x22, name));

/** TensorProto.external_data holds StringStringEntryProto {key = 1, value = 2}; the value of `location` is the file. */
const locationKey = Buffer.concat([field(0x0a, 'location'), Buffer.from([0x12])]);
const longestName = 512;

/** Finds operators and external files in the bytes of an ONNX file as they go by, in chunks of any length. */
class OnnxScan {
  readonly externalData = new Set<string>();
  dynamicallyQuantized = false;
  #tail: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#tail, chunk]);
    this.dynamicallyQuantized ||= dynamicOperators.some((operator) => bytes.includes(operator));
    for (let at = bytes.indexOf(locationKey); at >= 0; at = bytes.indexOf(locationKey, at + 1)) {
      const name = lengthPrefixed(bytes, at + locationKey.length);
      if (name !== undefined) this.externalData.add(name);
    }
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - longestName)));
  }
}

/** Undefined where the bytes end first; the next chunk then has them whole. */
function lengthPrefixed(bytes: Buffer, at: number): string | undefined {
  const low = bytes[at];
  if (low === undefined) return undefined;
  const long = low > 127;
  const length = long ? (low & 127) + 128 * (bytes[at + 1] ?? 0) : low;
  const start = at + (long ? 2 : 1);
  if (length === 0 || length > longestName - 16 || start + length > bytes.length) return undefined;
  return bytes.toString('utf8', start, start + length);
}
