/** How many places from the top count as found. */
export type Depth = 1 | 5 | 10;

/** What is asked of a figure. */
export type Minimum = { within: Depth; share: number } | { ofEnglish: number } | { rejected: number } | { share: number };

/** One line of the report: the share of queries whose answer stood among the first 1, 5, 10. */
export interface Figure {
  name: string;
  queries: number;
  within: Partial<Record<Depth, number>>;
  /** The share within 10 as a part of what the same queries get in English. */
  ofEnglish?: number;
  /** Expected calibration error. */
  calibrationError?: number;
  /** Share of the names of absent things that are rejected, at the score that keeps 95 % of the present ones. */
  rejected?: { share: number; minScore: number };
  /** With a 95 % interval. */
  share?: { value: number; low: number; high: number };
  /** Anything else, by name: a share with its 95 % interval, or a number. */
  more?: Record<string, { value: number; low?: number; high?: number }>;
  minimum?: Minimum;
}

/** A share of so many, with Wilson's 95 % interval. */
export function shareOf(hits: number, of: number): { value: number; low: number; high: number } {
  const z = 1.96;
  const value = hits / of;
  const middle = (value + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((value * (1 - value)) / of + z ** 2 / (4 * of ** 2));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** A mean with its 95 % interval. */
export function meanOf(values: number[]): { value: number; low: number; high: number } {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  const error = 1.96 * Math.sqrt(values.reduce((sum, each) => sum + (each - value) ** 2, 0) / values.length / values.length);
  return { value, low: value - error, high: value + error };
}

export function figureOf(name: string, ranks: number[], depths: Depth[], minimum?: Minimum): Figure {
  const within = Object.fromEntries(depths.map((depth) => [depth, ranks.filter((rank) => rank <= depth).length / ranks.length]));
  return { name, queries: ranks.length, within, ...(minimum ? { minimum } : {}) };
}

const columns: { title: string; cell: (figure: Figure) => string; left?: true }[] = [
  { title: '', cell: ({ name }) => name, left: true },
  { title: 'queries', cell: ({ queries }) => String(queries) },
  { title: '@1', cell: ({ within }) => share(within[1]) },
  { title: '@5', cell: ({ within }) => share(within[5]) },
  { title: '@10', cell: ({ within }) => share(within[10]) },
  { title: 'of English @10', cell: ({ ofEnglish }) => share(ofEnglish) },
  { title: 'calibration error', cell: ({ calibrationError }) => share(calibrationError) },
  { title: 'absent rejected', cell: ({ rejected }) => (rejected ? `${share(rejected.share)} below ${share(rejected.minScore)}` : '') },
  { title: 'share', cell: ({ share: found }) => (found ? `${share(found.value)} (${share(found.low)} to ${share(found.high)})` : '') },
  { title: 'besides', cell: ({ more = {} }) => Object.entries(more).map(([name, { value, low, high }]) => `${name} ${share(value)}${low === undefined ? '' : ` [${share(low)}, ${share(high)}]`}`).join('; '), left: true },
  { title: 'asked for', cell: asked, left: true },
];

export function table(figures: Figure[]): string {
  const rows = figures.map((figure) => columns.map(({ cell }) => cell(figure)));
  const widths = columns.map(({ title }, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: string[]): string => `| ${row.map((cell, column) => (columns[column]!.left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${columns.map(({ left }, column) => '-'.repeat(widths[column]! + 1) + (left ? '-' : ':')).join('|')}|`;
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join('\n');
}

function share(value: number | undefined): string {
  return value?.toFixed(3) ?? '';
}

function asked(figure: Figure): string {
  const { minimum } = figure;
  if (!minimum) return '';
  const [what, least, got] =
    'within' in minimum
      ? [`@${minimum.within}`, minimum.share, figure.within[minimum.within]]
      : 'ofEnglish' in minimum
        ? ['of English', minimum.ofEnglish, figure.ofEnglish]
        : 'share' in minimum
        ? ['share', minimum.share, figure.share?.value]
        : ['rejected', minimum.rejected, figure.rejected?.share];
  return `${what} >= ${least.toFixed(2)}: ${(got ?? 0) < least ? 'MISSED' : 'yes'}`;
}
