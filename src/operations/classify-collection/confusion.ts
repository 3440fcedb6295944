/** How often what is true was called what. `rows` by the true label, `columns` by what was said; the last column is none of them. */
export interface ConfusionTable {
  labels: string[];
  columns: (string | null)[];
  rows: number[][];
  /** Items without a true label among the labels. */
  unknown: number;
}

export class Confusion {
  readonly #labels: string[];
  readonly #place: Map<string, number>;
  readonly #rows: Map<number, Map<number, number>>;
  #unknown = 0;

  constructor(labels: string[], before?: ConfusionTable) {
    this.#labels = labels;
    this.#place = new Map(labels.map((label, index) => [label, index]));
    this.#rows = new Map();
    before?.rows.forEach((row, i) => row.forEach((count, j) => count > 0 && this.#add(this.#place.get(before.labels[i]!)!, before.columns[j] ?? null, count)));
    this.#unknown = before?.unknown ?? 0;
  }

  count(truth: unknown, said: string | null): void {
    const row = typeof truth === 'string' ? this.#place.get(truth) : undefined;
    if (row === undefined) this.#unknown++;
    else this.#add(row, said, 1);
  }

  /** Only what has been counted: a thousand labels would make a million cells. */
  table(): ConfusionTable {
    const rows = [...this.#rows.keys()].sort((a, b) => a - b);
    const columns = [...new Set([...this.#rows.values()].flatMap((row) => [...row.keys()]))].sort((a, b) => a - b);
    return {
      labels: rows.map((row) => this.#labels[row]!),
      columns: columns.map((column) => this.#labels[column] ?? null),
      rows: rows.map((row) => columns.map((column) => this.#rows.get(row)!.get(column) ?? 0)),
      unknown: this.#unknown,
    };
  }

  result(): { accuracy: number | null; confusion: ConfusionTable } {
    let all = 0;
    let right = 0;
    for (const [row, counts] of this.#rows) {
      for (const [column, count] of counts) {
        all += count;
        if (column === row) right += count;
      }
    }
    return { accuracy: all === 0 ? null : right / all, confusion: this.table() };
  }

  #add(row: number, said: string | null, count: number): void {
    const column = said === null ? this.#labels.length : this.#place.get(said)!;
    const counts = this.#rows.get(row) ?? new Map<number, number>();
    counts.set(column, (counts.get(column) ?? 0) + count);
    this.#rows.set(row, counts);
  }
}
