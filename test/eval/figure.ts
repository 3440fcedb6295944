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

export function missed({ within, minimum }: Figure): boolean {
  return minimum !== undefined && (within[minimum.within] ?? 0) < minimum.share;
}

export function table(figures: Figure[]): string {
  const share = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(3));
  const asked = (figure: Figure): string => {
    const { minimum } = figure;
    return minimum ? `@${minimum.within} >= ${minimum.share.toFixed(2)}: ${missed(figure) ? 'MISSED' : 'yes'}` : '';
  };
  const rows = figures.map((figure) => {
    const { name, queries, within, ofEnglish } = figure;
    return [name, String(queries), share(within[1]), share(within[5]), share(within[10]), share(ofEnglish), asked(figure)];
  });
  const head = ['', 'queries', '@1', '@5', '@10', 'of English @10', 'asked for'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: string[]): string => `| ${cells.map((cell, column) => (column === 0 || column === 6 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 || column === 6 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
