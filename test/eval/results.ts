/** What was measured last of each part, beside this file: a part that is run alone leaves the others as they are. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Figure } from './figure.js';

const file = path.join(import.meta.dirname, 'results.json');
export const resultsFile = path.relative(process.cwd(), file);

interface Results {
  model: string;
  fingerprint: string | null;
  parts: Record<string, Figure[]>;
}

/** Figures of another model or of other weights go. */
export async function keepFigures(of: Pick<Results, 'model' | 'fingerprint'>, part: string, figures: Figure[]): Promise<void> {
  const before = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Partial<Results>;
  const parts = before.fingerprint === of.fingerprint ? before.parts : undefined;
  await writeFile(file, `${JSON.stringify({ ...of, parts: { ...parts, [part]: figures } } satisfies Results, null, 2)}\n`);
}
