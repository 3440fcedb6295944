import { toScreenX, toScreenY, type Camera } from './camera.js';
import type { Shape } from './shapes.js';

/** In CSS pixels of the window. */
export type Pixel = readonly [x: number, y: number];

/** An SVG path of what is being drawn, or of a shape where it is seen now. */
export function outlineOf(shape: readonly Pixel[]): string;
export function outlineOf(shape: Shape, camera: Camera): string;
export function outlineOf(shape: readonly Pixel[] | Shape, camera?: Camera): string {
  if (!('kind' in shape)) return `M${shape.map((pixel) => pixel.join(' ')).join('L')}Z`;
  if (shape.kind === 'lasso') return outlineOf(shape.corners.map(([x, y]) => [toScreenX(camera!, x), toScreenY(camera!, y)]));
  const [x, y, r] = [toScreenX(camera!, shape.x), toScreenY(camera!, shape.y), shape.radius * camera!.scale];
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}
