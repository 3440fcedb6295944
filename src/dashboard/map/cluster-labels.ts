import { toScreenX, toScreenY, type Camera } from './camera.js';
import type { Values } from './map-source.js';
import type { Positions } from './points.js';

export interface ClusterLabel {
  name: string;
  count: number;
  x: number;
  y: number;
}

/** Each cluster's name in the midst of its points: at the medians of both axes, which few far away do not move. The largest first. */
export function clusterLabels(values: Values, positions: Positions): ClusterLabel[] {
  if (values.kind !== 'categories') return [];
  const members = values.categories.map(() => ({ x: [] as number[], y: [] as number[] }));
  for (let number = 0; number < Math.min(values.of.length, positions.length / 2); number++) {
    const of = members[values.of[number]!];
    if (!of || Number.isNaN(positions[2 * number]!)) continue;
    of.x.push(positions[2 * number]!);
    of.y.push(positions[2 * number + 1]!);
  }
  return members
    .map(({ x, y }, index) => ({ name: values.categories[index]!, count: x.length, x: median(x), y: median(y) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

const median = (values: number[]): number => Float32Array.from(values).sort()[Math.floor(values.length / 2)] ?? 0;

const [lineHeight, space] = [24, 6];

/** Puts the labels' elements where they belong now; one that would lie over a larger one's is not shown. */
export function placeLabels(elements: readonly (HTMLElement | null)[], widths: readonly number[], { labels, camera }: { labels: readonly ClusterLabel[]; camera: Camera }): void {
  const taken: { left: number; right: number; top: number; bottom: number }[] = [];
  labels.forEach((label, index) => {
    const element = elements[index];
    if (!element) return;
    const [x, y] = [toScreenX(camera, label.x), toScreenY(camera, label.y)];
    const half = widths[index]! / 2 + space;
    const box = { left: x - half, right: x + half, top: y - lineHeight / 2 - space, bottom: y + lineHeight / 2 + space };
    const isFree = box.right > 0 && box.left < camera.width && box.bottom > 0 && box.top < camera.height && !taken.some((other) => other.left < box.right && other.right > box.left && other.top < box.bottom && other.bottom > box.top);
    if (isFree) taken.push(box);
    element.style.visibility = isFree ? 'visible' : 'hidden';
    if (isFree) element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px) translate(-50%, -50%)`;
  });
}
