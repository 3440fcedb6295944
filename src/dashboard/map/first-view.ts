import { fit, within, type Camera } from './camera.js';
import type { Positions } from './points.js';

/** The share of the points that may lie beyond each edge of what is shown first. */
const beyond = 0.005;
/** Where what is shown first is not clearly less than all, all is shown. */
const clearlyLess = 0.8;
const margin = 0.9;

/** A few far away leave the others their room: what nearly all points take, and the whole map where that is about the same. */
export function firstView(size: { width: number; height: number }, positions: Positions): Camera {
  const whole = fit(size);
  const [x, y] = [spanOf(positions, 0), spanOf(positions, 1)];
  if (!x || !y) return whole;
  const side = Math.max(x.most - x.least, y.most - y.least);
  if (side <= 0 || side > clearlyLess * Math.max(x.all, y.all)) return whole;
  const scale = Math.max(whole.scale, margin * Math.min(size.width / Math.max(x.most - x.least, 1e-4), size.height / Math.max(y.most - y.least, 1e-4)));
  return within({ ...whole, scale: Math.min(scale, 64 * whole.scale), x: (x.least + x.most) / 2, y: (y.least + y.most) / 2 });
}

function spanOf(positions: Positions, axis: 0 | 1): { least: number; most: number; all: number } | undefined {
  const values = positions.filter((value, index) => index % 2 === axis && !Number.isNaN(value)).sort();
  if (values.length === 0) return undefined;
  const at = (share: number): number => values[Math.round(share * (values.length - 1))]!;
  return { least: at(beyond), most: at(1 - beyond), all: at(1) - at(0) };
}
