/** How many places from the top count as found. */
export type Depth = 1 | 5 | 10;

/** One line of the report: the share of queries whose answer stood among the first 1, 5, 10. */
export interface Figure {
  name: string;
  queries: number;
  within: Partial<Record<Depth, number>>;
  /** The share within 10 as a part of what the same queries get in English. */
  ofEnglish?: number;
  minimum?: { within: Depth; share: number };
}

export function figureOf(name: string, ranks: number[], depths: Depth[], minimum?: Figure['minimum']): Figure {
  const within = Object.fromEntries(depths.map((depth) => [depth, ranks.filter((rank) => rank <= depth).length / ranks.length]));
  return { name, queries: ranks.length, within, ...(minimum ? { minimum } : {}) };
}

export function table(figures: Figure[]): string {
  const head = ['', 'queries', '@1', '@5', '@10', 'of English @10', 'asked for'];
  const rows = figures.map(cells);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const isText = (column: number): boolean => column === 0 || column === head.length - 1;
  const line = (row: string[]): string => `| ${row.map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => '-'.repeat(width + 1) + (isText(column) ? '-' : ':')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function cells(figure: Figure): string[] {
  const { name, queries, within, ofEnglish, minimum } = figure;
  const share = (value: number | undefined): string => value?.toFixed(3) ?? '';
  const asked = minimum ? `@${minimum.within} >= ${minimum.share.toFixed(2)}: ${missed(figure) ? 'MISSED' : 'yes'}` : '';
  return [name, String(queries), share(within[1]), share(within[5]), share(within[10]), share(ofEnglish), asked];
}

function missed({ within, minimum }: Figure): boolean {
  return minimum !== undefined && (within[minimum.within] ?? 0) < minimum.share;
}
