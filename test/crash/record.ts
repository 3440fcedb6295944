/** Rounds that were run, a line of JSON each, so that many may be run in parts. */
import { appendFile, readFile } from 'node:fs/promises';
import { sumOf, toldCounts, type Counts } from './counts.js';

export interface RoundRecord {
  round: number;
  seed: number;
  /** When it was killed. */
  moment: string;
  seconds: number;
  counts: Counts;
  faults: string[];
}

/** None where there is no such file. */
export async function readRecords(file: string): Promise<RoundRecord[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as RoundRecord);
}

export const appendRecord = (file: string, record: RoundRecord): Promise<void> => appendFile(file, `${JSON.stringify(record)}\n`);

export function sumLine(records: RoundRecord[]): string {
  const counts = sumOf(records.map((record) => record.counts));
  const faults = records.flatMap((record) => record.faults);
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  return `${toldCounts(counts)}; ${(seconds / (counts.rounds ?? 1)).toFixed(1)} s a round; ${faults.length} faults`;
}
