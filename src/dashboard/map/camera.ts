/** Where one looks: the plane of the map, in units of which the whole spans -1 to 1 on both axes, y downwards, seen in a window of CSS pixels. */
export interface Camera {
  /** What stands in the middle of the window. */
  x: number;
  y: number;
  /** CSS pixels that a unit takes. */
  scale: number;
  width: number;
  height: number;
}

/** How much of the plane is looked at, in its units. */
export interface Region {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const fitMargin = 0.94;
const deepest = 2 ** 14;

export const toScreenX = (camera: Camera, x: number): number => (x - camera.x) * camera.scale + camera.width / 2;
export const toScreenY = (camera: Camera, y: number): number => (y - camera.y) * camera.scale + camera.height / 2;
export const toWorldX = (camera: Camera, x: number): number => (x - camera.width / 2) / camera.scale + camera.x;
export const toWorldY = (camera: Camera, y: number): number => (y - camera.height / 2) / camera.scale + camera.y;

/** `margin`: CSS pixels beyond the window's edges. */
export function regionOf(camera: Camera, margin = 0): Region {
  return { left: toWorldX(camera, -margin), top: toWorldY(camera, -margin), right: toWorldX(camera, camera.width + margin), bottom: toWorldY(camera, camera.height + margin) };
}

const fitScale = ({ width, height }: { width: number; height: number }): number => Math.max(16, (Math.min(width, height) / 2) * fitMargin);

/** The whole map. */
export const fit = (size: { width: number; height: number }): Camera => ({ x: 0, y: 0, scale: fitScale(size), width: size.width, height: size.height });

/** How far one has come near: 0 where the whole is seen, one more with each doubling. */
export const zoomOf = (camera: Camera): number => Math.log2(camera.scale / fitScale(camera));

/** What is under the point (in CSS pixels of the window) stays there. */
export function zoomAt(camera: Camera, factor: number, at: { x: number; y: number }): Camera {
  const scale = Math.min(Math.max(camera.scale * factor, fitScale(camera) / 2), fitScale(camera) * deepest);
  const [worldX, worldY] = [toWorldX(camera, at.x), toWorldY(camera, at.y)];
  return within({ ...camera, scale, x: worldX - (at.x - camera.width / 2) / scale, y: worldY - (at.y - camera.height / 2) / scale });
}

/** By CSS pixels: what was under the finger is still. */
export const panBy = (camera: Camera, dx: number, dy: number): Camera => within({ ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale });

/** With the same middle and the same nearness in another window. */
export const resized = (camera: Camera, size: { width: number; height: number }): Camera => ({ ...camera, ...size, scale: fitScale(size) * 2 ** zoomOf(camera) });

/** The map never leaves the window whole. */
export const within = (camera: Camera): Camera => ({ ...camera, x: clampedTo1(camera.x), y: clampedTo1(camera.y) });

/** So that the point stands in the window, with some space around it. */
export function withPointInside(camera: Camera, x: number, y: number, margin = 60): Camera {
  const [left, top] = [toScreenX(camera, x), toScreenY(camera, y)];
  const inside = (at: number, size: number): number => Math.min(Math.max(at, Math.min(margin, size / 2)), size - Math.min(margin, size / 2));
  return panBy(camera, inside(left, camera.width) - left, inside(top, camera.height) - top);
}

const clampedTo1 = (value: number): number => Math.min(Math.max(value, -1), 1);

/** For an address; of another window's size too. */
export const cameraText = (camera: Camera): string => [camera.x, camera.y].map((value) => value.toFixed(5)).join() + `,${zoomOf(camera).toFixed(2)}`;

/** Undefined where it says none. */
export function cameraOf(text: string | null, size: { width: number; height: number }): Camera | undefined {
  const [x, y, zoom, ...more] = (text ?? '').split(',').map(Number);
  if (text === null || more.length > 0 || ![x, y, zoom].every(Number.isFinite)) return undefined;
  return within({ ...fit(size), x: x!, y: y!, scale: fitScale(size) * 2 ** Math.min(Math.max(zoom!, -1), Math.log2(deepest)) });
}
