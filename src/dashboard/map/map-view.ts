import { fit, panBy, resized, toScreenX, toScreenY, toWorldX, toWorldY, zoomAt, zoomOf, type Camera } from './camera.js';
import { cssOf, inkOf, inksOf, plainColoring, type Color, type Coloring } from './colors.js';
import { colorCount, densityOf, DotBuffer, overhang, standsBack, type Inks } from './dots.js';
import { PictureLayer } from './picture-layer.js';
import { layOutPictures } from './picture-layout.js';
import type { PictureStore } from './picture-store.js';
import { nearestPoint, type Block, type Positions } from './points.js';
import { pyramidOf, type Pyramid } from './pyramid.js';

/** Dots that one frame draws at most before it lets the next one go on. */
const dotsPerFrame = 140_000;
const stillAfterMs = 150;
const flightMs = 220;
/** CSS pixels from a dot that still hit it. */
export const hitReach = 10;

interface Canvases {
  dots: HTMLCanvasElement;
  pictures: HTMLCanvasElement;
}

/** The drawn map: what is where, and where one looks. Draws when something has changed, and else not. */
export class MapView {
  camera: Camera = fit({ width: 1, height: 1 });
  positions: Positions = new Float32Array();
  blocks: Block[] = [];
  #pyramid: Pyramid = pyramidOf(this.positions);
  #coloring: Coloring = plainColoring(0);
  #ground: Color = [255, 255, 255];
  #inks: Inks = new Uint32Array(256);
  /** Of each block's points, in its order. */
  #bytes: Uint8Array[] = [];
  #isLate = new Uint8Array(256);
  #shown: Uint8Array | undefined;
  #selected: Uint8Array | undefined;
  #isOfTexts = false;
  #buffer: DotBuffer | undefined;
  #density = 1;
  #devicePixels = 1;
  #pictures: PictureStore | undefined;
  readonly #layer: PictureLayer;
  readonly #contexts: { dots: CanvasRenderingContext2D; pictures: CanvasRenderingContext2D };
  #asked = 0;
  /** The next block to draw; 0: from the start. */
  #nextBlock = 0;
  #isLaidOut = false;
  #movedAt = 0;
  #stillTimer = 0;
  #flight: { from: Camera; to: Camera; startedAt: number } | undefined;

  /** `frame`: after each drawing; `still`: a while after the last movement. */
  constructor(
    private readonly canvases: Canvases,
    private readonly on: { frame: (camera: Camera) => void; still: (camera: Camera) => void; isCalm: () => boolean },
  ) {
    this.#contexts = { dots: canvases.dots.getContext('2d', { alpha: false })!, pictures: canvases.pictures.getContext('2d')! };
    this.#layer = new PictureLayer(on.isCalm);
  }

  close(): void {
    cancelAnimationFrame(this.#asked);
    clearTimeout(this.#stillTimer);
    this.#asked = -1;
  }

  resize(width: number, height: number, devicePixels: number): void {
    const { dots, pictures } = this.canvases;
    this.camera = resized(this.camera, { width, height });
    this.#devicePixels = devicePixels;
    this.#density = densityOf(width, height, devicePixels);
    [pictures.width, pictures.height] = [Math.round(width * devicePixels), Math.round(height * devicePixels)];
    [dots.width, dots.height] = [Math.round(width * this.#density) + 2 * overhang, Math.round(height * this.#density) + 2 * overhang];
    const margin = `${-overhang / this.#density}px`;
    Object.assign(dots.style, { left: margin, top: margin, width: `${dots.width / this.#density}px`, height: `${dots.height / this.#density}px` });
    this.#buffer = new DotBuffer(dots.width, dots.height);
    this.#moved();
  }

  setGround(ground: Color): void {
    this.#ground = ground;
    this.#recolor();
  }

  /** `blocks`: of the positions. */
  setPoints(positions: Positions, blocks: Block[], pictures: PictureStore): void {
    this.positions = positions;
    this.blocks = blocks;
    if (this.#pictures !== pictures) this.#layer.clear();
    this.#pictures = pictures;
    if (this.#coloring.of.length !== positions.length / 2) this.#coloring = plainColoring(positions.length / 2);
    this.#rebuild();
  }

  /** Texts need more room than pictures. */
  setOfTexts(isOfTexts: boolean): void {
    this.#isOfTexts = isOfTexts;
    this.#again();
  }

  setColoring(coloring: Coloring): void {
    this.#coloring = coloring;
    this.#recolor();
  }

  /** By number, 1: is shown; the others stand back, and have no pictures. Undefined: all. */
  setShown(shown: Uint8Array | undefined): void {
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#rebuild();
  }

  setSelected(selected: Uint8Array | undefined): void {
    if (selected === this.#selected) return;
    this.#selected = selected;
    this.#recolor();
  }

  setCamera(camera: Camera): void {
    this.#flight = undefined;
    this.camera = camera;
    this.#moved();
  }

  panBy(dx: number, dy: number): void {
    this.setCamera(panBy(this.camera, dx, dy));
  }

  zoomAt(factor: number, at: { x: number; y: number }): void {
    this.setCamera(zoomAt(this.camera, factor, at));
  }

  /** There in a moment; at once for those who want no motion. */
  flyTo(to: Camera): void {
    if (this.on.isCalm()) return this.setCamera(to);
    this.#flight = { from: this.camera, to, startedAt: performance.now() };
    this.#moved();
  }

  /** Where it will be once it has flown. */
  get destination(): Camera {
    return this.#flight?.to ?? this.camera;
  }

  /** The point whose picture or dot is there, in CSS pixels. */
  pointAt(x: number, y: number): number | undefined {
    return this.#layer.at(this.camera, x, y) ?? nearestPoint(this.blocks, { x: toWorldX(this.camera, x), y: toWorldY(this.camera, y), reach: hitReach / this.camera.scale }, (number) => this.isShown(number));
  }

  readonly isShown = (number: number): boolean => this.#shown === undefined || this.#shown[number] === 1;

  /** Where a point is seen: its picture's square, or its dot. */
  boxOf(number: number): { x: number; y: number; size: number } | undefined {
    const [x, y] = [this.positions[2 * number], this.positions[2 * number + 1]];
    if (x === undefined || y === undefined || Number.isNaN(x)) return undefined;
    const place = this.#layer.placeOf(number) ?? { x, y, size: this.#dotSize() / this.camera.scale };
    return { x: toScreenX(this.camera, place.x), y: toScreenY(this.camera, place.y), size: place.size * this.camera.scale };
  }

  /** Once more, since something that it draws has come. */
  readonly ask = (): void => {
    if (this.#asked === 0) this.#asked = requestAnimationFrame((now) => this.#frame(now));
  };

  /** The width of the cells that a picture or a card each stands in. */
  #cellPixels(): number {
    const isNarrow = this.camera.width < 600;
    return this.#isOfTexts ? (isNarrow ? 96 : 116) : isNarrow ? 60 : 76;
  }

  /** In CSS pixels. */
  #dotSize(): number {
    const count = this.positions.length / 2;
    const far = count > 60_000 ? 2 : count > 8_000 ? 3 : count > 1_000 ? 5 : 7;
    return Math.min(far + Math.max(0, zoomOf(this.camera)) * 0.9, 10);
  }

  #moved(): void {
    this.#movedAt = performance.now();
    clearTimeout(this.#stillTimer);
    this.#stillTimer = window.setTimeout(() => {
      this.#isLaidOut = false;
      this.ask();
      this.on.still(this.camera);
    }, stillAfterMs);
    this.#again();
  }

  #again(): void {
    this.#nextBlock = 0;
    this.#isLaidOut = false;
    this.ask();
  }

  #rebuild(): void {
    this.#pyramid = pyramidOf(this.positions, this.#shown);
    this.#recolor();
  }

  #recolor(): void {
    const { of, above } = this.#coloring;
    const [shown, selected] = [this.#shown, this.#selected];
    this.#bytes = this.blocks.map(({ numbers }) => {
      const bytes = new Uint8Array(numbers.length);
      for (let place = 0; place < bytes.length; place++) {
        const number = numbers[place]!;
        bytes[place] = of[number]! | ((shown && shown[number] === 0) || (selected && selected[number] === 0) ? standsBack : 0);
      }
      return bytes;
    });
    this.#inks = inksOf(this.#coloring, this.#ground);
    this.#isLate.fill(0);
    if (shown || selected) this.#isLate.fill(1, 0, colorCount);
    else for (const index of above) this.#isLate[index] = 1;
    this.#again();
  }

  #frame(now: number): void {
    this.#asked = 0;
    const flight = this.#flight;
    if (flight) {
      const share = Math.min(1, (now - flight.startedAt) / flightMs);
      this.camera = between(flight.from, flight.to, Math.max(0, share));
      if (share === 1) this.#flight = undefined;
      this.#moved();
    }
    const hasMoreDots = this.#drawDots();
    const isMoving = this.#drawPictures(now);
    this.on.frame(this.camera);
    if (hasMoreDots || isMoving) this.ask();
  }

  #drawDots(): boolean {
    const buffer = this.#buffer;
    if (!buffer || this.#nextBlock > this.blocks.length) return false;
    if (this.#nextBlock === 0) buffer.clear(inkOf(this.#ground));
    const size = Math.max(2, Math.round(this.#dotSize() * this.#density));
    let drawn = 0;
    while (this.#nextBlock < this.blocks.length && drawn < dotsPerFrame) {
      const index = this.#nextBlock++;
      drawn += buffer.draw(this.blocks[index]!, { camera: this.camera, bytes: this.#bytes[index]!, inks: this.#inks, isLate: this.#isLate, size, density: this.#density });
    }
    buffer.finish(size);
    this.#contexts.dots.putImageData(buffer.image, 0, 0);
    if (this.#nextBlock < this.blocks.length) return true;
    this.#nextBlock = this.blocks.length + 1;
    return false;
  }

  #drawPictures(now: number): boolean {
    const store = this.#pictures;
    if (!store) return false;
    const { camera } = this;
    if (!this.#isLaidOut) {
      this.#isLaidOut = true;
      const places = layOutPictures(camera, { positions: this.positions, blocks: this.blocks, pyramid: this.#pyramid, isShown: this.#shown }, this.#cellPixels());
      this.#layer.go(places);
      const fromMiddle = ({ x, y }: { x: number; y: number }): number => (x - camera.x) ** 2 + (y - camera.y) ** 2;
      places.sort((a, b) => fromMiddle(a) - fromMiddle(b));
      store.want(places.map(({ number, size }) => ({ number, pixels: size * camera.scale * this.#devicePixels })), performance.now() - this.#movedAt < stillAfterMs - 10);
    }
    const selected = this.#selected;
    const { legend, colors, of } = this.#coloring;
    return this.#layer.draw(this.#contexts.pictures, {
      camera,
      devicePixels: this.#devicePixels,
      drawableOf: (number) => store.drawable(number),
      frameOf: legend ? (number) => cssOf(colors[of[number]!]!) : () => undefined,
      opacityOf: (number) => (selected && selected[number] === 0 ? 0.3 : 1),
      now,
    });
  }
}

/** The scale goes by equal factors, and the middle as it does. */
function between(from: Camera, to: Camera, share: number): Camera {
  const eased = 1 - (1 - share) ** 3;
  const scale = from.scale * (to.scale / from.scale) ** eased;
  const way = Math.abs(to.scale - from.scale) < 1e-9 * to.scale ? eased : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
  return { ...to, scale, x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way };
}
