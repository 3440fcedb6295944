/** Pictures in rows of full width, each as wide as its shape asks for. */

export interface Shape {
  /** Width by height. */
  aspect: number;
  /** Those of another stand under another heading; undefined: under none. */
  section: string;
}

export interface Metrics {
  width: number;
  /** That a row is near to. */
  rowHeight: number;
  gap: number;
  /** Below each picture. */
  captionHeight: number;
  headingHeight: (section: string) => number;
}

export interface Row {
  top: number;
  /** Of the pictures. */
  height: number;
  /** Indices of the first, and behind the last. */
  from: number;
  to: number;
}

export interface Group {
  section: string;
  top: number;
  headingHeight: number;
  rows: Row[];
}

export interface Layout {
  groups: Group[];
  height: number;
  /** So many of the pictures have a place. */
  laid: number;
  /** By index, in pixels. */
  lefts: number[];
  widths: number[];
}

const narrowest = 0.45;
const widest = 3;
export const boundedAspect = (width: number, height: number): number => Math.min(Math.max(width / height, narrowest), widest);

/**
 * Lays them out; `before`, which holds the first of them in the same measure, is gone on with and changed.
 * Unless they are complete, a last row that is not full waits for what comes.
 */
export function layOut(shapes: Shape[], metrics: Metrics, isComplete: boolean, before?: Layout): Layout {
  const layout: Layout = before ?? { groups: [], height: 0, laid: 0, lefts: [], widths: [] };
  while (layout.laid < shapes.length) {
    const { section } = shapes[layout.laid]!;
    const row = nextRow(shapes, layout.laid, metrics);
    const isLast = row.to === shapes.length;
    if (isLast && !row.isFull && !isComplete) break;
    place(layout, section, row, { shapes, metrics });
  }
  return layout;
}

interface Filled {
  from: number;
  to: number;
  height: number;
  isFull: boolean;
}

function nextRow(shapes: Shape[], from: number, { width, rowHeight, gap }: Metrics): Filled {
  const { section } = shapes[from]!;
  let sum = 0;
  for (let to = from; to < shapes.length && shapes[to]!.section === section; to++) {
    const heightWithout = (width - gap * Math.max(0, to - from - 1)) / sum;
    sum += shapes[to]!.aspect;
    const height = (width - gap * (to - from)) / sum;
    if (height > rowHeight) continue;
    const isBetterWithout = to > from && heightWithout - rowHeight < rowHeight - height;
    return isBetterWithout ? { from, to, height: heightWithout, isFull: true } : { from, to: to + 1, height, isFull: true };
  }
  let to = from;
  while (to < shapes.length && shapes[to]!.section === section) to++;
  const endsHere = to < shapes.length;
  return { from, to, height: rowHeight, isFull: endsHere };
}

function place(layout: Layout, section: string, { from, to, height }: Filled, { shapes, metrics }: { shapes: Shape[]; metrics: Metrics }): void {
  const { gap, captionHeight, width } = metrics;
  let group = layout.groups.at(-1);
  if (group?.section !== section) {
    group = { section, top: layout.height, headingHeight: metrics.headingHeight(section), rows: [] };
    layout.groups.push(group);
    layout.height += group.headingHeight;
  }
  const tall = Math.round(height);
  let left = 0;
  for (let index = from; index < to; index++) {
    const right = left + shapes[index]!.aspect * height;
    layout.lefts[index] = Math.round(left);
    layout.widths[index] = Math.min(Math.round(right), width) - Math.round(left);
    left = right + gap;
  }
  group.rows.push({ top: layout.height, height: tall, from, to });
  layout.height += tall + captionHeight + gap;
  layout.laid = to;
}

/** The groups, and of each the rows, that lie between two heights. */
export function rowsWithin({ groups, height }: Layout, top: number, bottom: number): { group: Group; rows: Row[] }[] {
  const within: { group: Group; rows: Row[] }[] = [];
  for (let index = Math.max(0, firstBelow(groups, top) - 1); index < groups.length && groups[index]!.top < bottom; index++) {
    const group = groups[index]!;
    if ((groups[index + 1]?.top ?? height) <= top) continue;
    within.push({ group, rows: group.rows.slice(Math.max(0, firstBelow(group.rows, top) - 1), firstBelow(group.rows, bottom)) });
  }
  return within;
}

export const groupOf = ({ groups }: Layout, row: Row): Group | undefined => groups[firstBelow(groups, row.top + 1) - 1];

/** Index of the first that begins at the height or below. */
function firstBelow(sorted: { top: number }[], height: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]!.top < height) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row in which a picture lies; undefined: it has no place. */
export function rowOf(layout: Layout, index: number): Row | undefined {
  if (index < 0 || index >= layout.laid) return undefined;
  return flatRows(layout)[rowIndexOf(flatRows(layout), index)];
}

/** The one above or below that lies nearest; undefined: there is no such row. */
export function verticalNeighbor(layout: Layout, index: number, by: -1 | 1): number | undefined {
  const rows = flatRows(layout);
  const row = rows[rowIndexOf(rows, index) + by];
  if (!row) return undefined;
  const middleOf = (each: number): number => layout.lefts[each]! + layout.widths[each]! / 2;
  let nearest = row.from;
  for (let each = row.from; each < row.to; each++) if (Math.abs(middleOf(each) - middleOf(index)) < Math.abs(middleOf(nearest) - middleOf(index))) nearest = each;
  return nearest;
}

const flatRows = ({ groups }: Layout): Row[] => (groups.length === 1 ? groups[0]!.rows : groups.flatMap(({ rows }) => rows));

function rowIndexOf(rows: Row[], index: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.to <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}
