import type { Metadata } from '../domain/metadata.js';
import { nameBytes } from '../file-names.js';
import { printable, printableJson } from '../printable.js';

/** A line on stdout. What it holds may come from anywhere: it is shown, and does nothing to the terminal. */
export function say(sentence: string): void {
  process.stdout.write(`${printable(sentence)}\n`);
}

/** The same behind a word of ours in color, where there is a terminal that shows it and NO_COLOR (no-color.org) does not forbid. */
export function sayMarked(word: string, color: keyof typeof colors, sentence: string): void {
  const isShown = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  process.stdout.write(`${isShown ? `\u001b[${colors[color]}m${word}\u001b[39m` : word}${printable(sentence)}\n`);
}

/** ECMA-48, select graphic rendition. */
const colors = { red: 31, green: 32, yellow: 33 };

/** Of a path as it is told, for other programs: a line, or, whatever characters it holds, its bytes and a NUL. */
export function printPath(told: string, isNul: boolean): void {
  if (isNul) process.stdout.write(Buffer.concat([nameBytes(told) ?? Buffer.from(told), Buffer.of(0)]));
  else say(told);
}

/** The same on stderr. */
export function sayAside(sentence: string): void {
  process.stderr.write(`${printable(sentence)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(JSON.stringify(value, null, 2))}\n`);
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function printTable(cells: string[][]): void {
  const rows = cells.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  for (const row of rows) {
    process.stdout.write(`${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('  ').trimEnd()}\n`);
  }
}

export function shortMetadata(metadata: Metadata, most = 80): string {
  const text = Object.entries(metadata)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
