import { toScreenX, toScreenY, type Camera } from './camera.js';
import type { Place } from './picture-layout.js';
import type { Drawable } from './picture-store.js';

interface Shown extends Place {
  /** Where it goes; undefined: away. */
  to: Place | undefined;
  opacity: number;
}

/** ms in which most of a change has come. */
const settlingMs = 90;
const nearlyThere = 0.01;
/** CSS pixels. */
const frameWidth = 3;

interface Drawing {
  camera: Camera;
  devicePixels: number;
  drawableOf: (number: number) => Drawable | undefined;
  /** Those that stand back are paler. */
  opacityOf: (number: number) => number;
  /** The color of a frame around it. */
  frameOf: (number: number) => string | undefined;
  now: number;
}

/** Pictures over the dots, fading in where they come, going where they are to be. */
export class PictureLayer {
  readonly #shown = new Map<number, Shown>();
  #drawnAt = 0;

  /** `isAtOnce`: no motion. */
  constructor(private readonly isAtOnce: () => boolean) {}

  clear(): void {
    this.#shown.clear();
  }

  /** Those that are to be seen from now on. */
  go(places: readonly Place[]): void {
    const staying = new Set(places.map(({ number }) => number));
    for (const shown of this.#shown.values()) if (!staying.has(shown.number)) shown.to = undefined;
    for (const place of places) {
      const shown = this.#shown.get(place.number);
      if (shown) shown.to = place;
      else this.#shown.set(place.number, { ...place, to: place, opacity: 0 });
    }
  }

  /** True while something still moves. */
  draw(context: CanvasRenderingContext2D, { camera, devicePixels, drawableOf, opacityOf, frameOf, now }: Drawing): boolean {
    const step = this.isAtOnce() ? 1 : 1 - Math.exp(-Math.min(now - this.#drawnAt, 50) / settlingMs);
    this.#drawnAt = now;
    let isMoving = false;
    context.setTransform(devicePixels, 0, 0, devicePixels, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    for (const shown of this.#shown.values()) {
      const { to } = shown;
      if (to) {
        shown.x += (to.x - shown.x) * step;
        shown.y += (to.y - shown.y) * step;
        shown.size += (to.size - shown.size) * step;
        if (Math.abs(to.size - shown.size) + Math.abs(to.x - shown.x) + Math.abs(to.y - shown.y) > nearlyThere * to.size) isMoving = true;
        else Object.assign(shown, { x: to.x, y: to.y, size: to.size });
      }
      const drawable = drawableOf(shown.number);
      const wanted = to && drawable ? 1 : 0;
      shown.opacity += (wanted - shown.opacity) * step;
      if (Math.abs(wanted - shown.opacity) > nearlyThere) isMoving = true;
      else shown.opacity = wanted;
      if (!to && shown.opacity === 0) this.#shown.delete(shown.number);
      if (drawable && shown.opacity > 0) drawOne(context, { camera, shown, drawable, opacity: shown.opacity * opacityOf(shown.number), frame: frameOf(shown.number) });
    }
    context.globalAlpha = 1;
    return isMoving;
  }

  /** What is seen there, in CSS pixels. */
  at(camera: Camera, x: number, y: number): number | undefined {
    let found: number | undefined;
    for (const { number, x: middleX, y: middleY, size, to, opacity } of this.#shown.values()) {
      const half = (size * camera.scale) / 2;
      if (to && opacity > 0.5 && Math.abs(toScreenX(camera, middleX) - x) <= half && Math.abs(toScreenY(camera, middleY) - y) <= half) found = number;
    }
    return found;
  }

  /** Where a point's picture is, if it is seen. */
  placeOf(number: number): Place | undefined {
    const shown = this.#shown.get(number);
    return shown?.to && shown.opacity > 0.5 ? shown : undefined;
  }
}

function drawOne(context: CanvasRenderingContext2D, { camera, shown, drawable, opacity, frame }: { camera: Camera; shown: Place; drawable: Drawable; opacity: number; frame: string | undefined }): void {
  const { image, x, y, width, height } = drawable;
  const side = shown.size * camera.scale;
  const shrink = side / Math.max(width, height);
  const [wide, high] = [width * shrink, height * shrink];
  const [left, top] = [toScreenX(camera, shown.x) - wide / 2, toScreenY(camera, shown.y) - high / 2];
  if (left > camera.width || top > camera.height || left + wide < 0 || top + high < 0) return;
  context.globalAlpha = opacity;
  context.drawImage(image, x, y, width, height, left, top, wide, high);
  if (frame === undefined) return;
  // Around the square: a sheet's picture may fill less of it.
  context.strokeStyle = frame;
  context.lineWidth = frameWidth;
  context.strokeRect(left + frameWidth / 2, top + frameWidth / 2, wide - frameWidth, high - frameWidth);
}
