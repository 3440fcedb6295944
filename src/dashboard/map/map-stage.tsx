import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { titleOf } from '../items/picture.js';
import { useAnnouncements } from '../shell/announcements.js';
import { cameraOf, cameraText, fit, toWorldX, toWorldY, withPointInside, zoomAt } from './camera.js';
import { placeLabels, type ClusterLabel } from './cluster-labels.js';
import { colorOf, type Coloring } from './colors.js';
import { firstView } from './first-view.js';
import { watchGestures } from './gestures.js';
import { HoverCard, placeHoverCard } from './hover-card.js';
import type { ItemCache } from './item-cache.js';
import type { MapState } from './map-source.js';
import { MapView } from './map-view.js';
import { outlineOf, type Pixel } from './outline.js';
import { PictureStore } from './picture-store.js';
import { nearestPoint, nextPoint, type Block, type Direction, type Positions } from './points.js';
import { simplified, type Shape } from './shapes.js';
import { useMapTexts } from './words.js';

interface MapStageProps {
  map: MapState;
  positions: Positions;
  /** Of the positions. */
  blocks: Block[];
  cache: ItemCache;
  coloring: Coloring;
  /** Most of it are texts. */
  isOfTexts: boolean;
  shown: Uint8Array | undefined;
  selected: Uint8Array | undefined;
  shape: Shape | undefined;
  labels: readonly ClusterLabel[];
  /** The one that is open beside the map. */
  marked: number | undefined;
  isOpen: boolean;
  /** Where one looks, as the address says it. */
  at: string | null;
  onAt: (at: string) => void;
  onOpen: (number: number) => void;
  onShape: (shape: Shape | undefined) => void;
  onCluster: (name: string) => void;
  /** Escape, with nothing of the stage's own to go back from. */
  onBack: () => void;
}

const directions: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
/** CSS pixels: of a key's step, and of the first circle around a point. */
const [keyStep, firstCircle] = [90, 48];
const [nearer, circleGrowth] = [1.6, 1.4];
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const dark = matchMedia('(prefers-color-scheme: dark)');

/** The map itself, and all that is done on it by pointer, finger and key. */
export function MapStage(props: MapStageProps) {
  const { map, positions, cache, coloring, shown, selected, shape, labels, at } = props;
  const words = useMapTexts();
  const { say } = useAnnouncements();
  const [hovered, setHovered] = useState<number>();
  const [focused, setFocused] = useState<number>();
  const [isLasso, setLasso] = useState(false);
  const [picturesFailed, setPicturesFailed] = useState(false);
  const stage = useRef<HTMLDivElement>(null);
  const dots = useRef<HTMLCanvasElement>(null);
  const pictures = useRef<HTMLCanvasElement>(null);
  const path = useRef<SVGPathElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const hover = useRef<HTMLDivElement>(null);
  const card = useRef<HTMLSpanElement>(null);
  const labelElements = useRef<(HTMLElement | null)[]>([]);
  const labelWidths = useRef<number[]>([]);
  const view = useRef<MapView>();
  const drawing = useRef<Pixel[]>();
  const saidAt = useRef<string>();
  const pointed = hovered ?? focused;
  const named = props.isOpen && pointed === props.marked ? undefined : pointed;
  // Read by callbacks that live as long as the view.
  const now = useRef({ ...props, focused, named, isLasso });
  now.current = { ...props, focused, named, isLasso };

  const onFrame = (): void => {
    const current = view.current!;
    const { focused: number, shape: drawn, labels: names } = now.current;
    const outline = drawing.current ? outlineOf(drawing.current) : drawn ? outlineOf(drawn, current.camera) : '';
    path.current!.parentElement!.style.display = outline === '' ? 'none' : '';
    if (outline !== '') path.current!.setAttribute('d', outline);
    const box = number === undefined ? undefined : current.boxOf(number);
    const { style } = ring.current!;
    style.visibility = box ? 'visible' : 'hidden';
    if (box) {
      const side = Math.max(14, box.size + 6);
      Object.assign(style, { width: `${side}px`, height: `${side}px`, transform: `translate(${box.x - side / 2}px, ${box.y - side / 2}px)` });
    }
    placeHoverCard(hover.current!, now.current.named === undefined ? undefined : current.boxOf(now.current.named));
    placeLabels(labelElements.current, labelWidths.current, { labels: names, camera: current.camera });
  };

  useLayoutEffect(() => {
    const element = stage.current!;
    const created = new MapView(
      { dots: dots.current!, pictures: pictures.current! },
      {
        frame: onFrame,
        still: (camera) => {
          saidAt.current = cameraText(camera);
          now.current.onAt(saidAt.current);
        },
        isCalm: () => calm.matches,
      },
    );
    view.current = created;
    const measure = (): void => created.resize(Math.max(1, element.clientWidth), Math.max(1, element.clientHeight), devicePixelRatio);
    const paint = (): void => created.setGround(colorOf(getComputedStyle(element).backgroundColor));
    const size = { width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) };
    created.camera = cameraOf(now.current.at, size) ?? fit(size);
    measure();
    paint();
    const resizing = new ResizeObserver(measure);
    resizing.observe(element);
    dark.addEventListener('change', paint);
    return () => {
      resizing.disconnect();
      dark.removeEventListener('change', paint);
      created.close();
    };
  }, []);

  const store = useMemo(() => new PictureStore(cache.source, map, { arrival: () => view.current?.ask(), problem: (error) => setPicturesFailed(error !== undefined) }), [cache, map.job]);
  useEffect(() => () => store.close(), [store]);
  useLayoutEffect(() => {
    const style = (): void => {
      const { backgroundColor: paper, color: ink, borderTopColor: edge, fontFamily: font } = getComputedStyle(card.current!);
      store.setCardStyle({ paper, ink, edge, font }, devicePixelRatio);
      view.current?.ask();
    };
    style();
    dark.addEventListener('change', style);
    return () => dark.removeEventListener('change', style);
  }, [store]);
  useLayoutEffect(() => view.current!.setOfTexts(props.isOfTexts), [props.isOfTexts]);
  useLayoutEffect(() => view.current!.setPoints(positions, props.blocks, store), [positions, store]);
  const isPlaced = useRef(at !== null);
  useLayoutEffect(() => {
    if (isPlaced.current || positions.length === 0) return;
    isPlaced.current = true;
    view.current!.setCamera(firstView(view.current!.camera, positions));
  }, [positions]);
  useLayoutEffect(() => view.current!.setColoring(coloring), [coloring]);
  useLayoutEffect(() => view.current!.setShown(shown), [shown]);
  useLayoutEffect(() => view.current!.setSelected(selected), [selected]);
  useLayoutEffect(() => {
    labelWidths.current = labelElements.current.slice(0, labels.length).map((element) => element?.offsetWidth ?? 0);
    view.current!.ask();
  }, [labels]);
  useEffect(() => view.current!.ask(), [shape, focused, named]);
  // Back and Forward; not what was said from here.
  useEffect(() => {
    if (at === saidAt.current) return;
    const { camera } = view.current!;
    if (at !== null || saidAt.current !== undefined) view.current!.setCamera(cameraOf(at, camera) ?? firstView(camera, now.current.positions));
    saidAt.current = at ?? undefined;
  }, [at]);

  useEffect(
    () =>
      watchGestures(stage.current!, {
        pan: (dx, dy) => view.current!.panBy(dx, dy),
        zoom: (factor, where) => {
          setHovered(undefined);
          view.current!.zoomAt(factor, where);
        },
        hover: (where) => setHovered(where && view.current!.pointAt(where.x, where.y)),
        tap: ({ x, y }) => {
          stage.current!.focus({ preventScroll: true });
          const number = view.current!.pointAt(x, y);
          if (number === undefined) return now.current.onBack();
          setFocused(number);
          now.current.onOpen(number);
        },
        isLasso: (event) => event.shiftKey || now.current.isLasso,
        lassoTo: ({ x, y }, isFirst) => {
          if (isFirst) drawing.current = [];
          drawing.current?.push([x, y]);
          view.current!.ask();
        },
        lassoEnd: (isDropped) => {
          const outline = drawing.current ?? [];
          drawing.current = undefined;
          setLasso(false);
          view.current!.ask();
          if (isDropped || outline.length < 3) return;
          const { camera } = view.current!;
          now.current.onShape({ kind: 'lasso', corners: simplified(outline.map(([x, y]) => [toWorldX(camera, x), toWorldY(camera, y)]), 1 / camera.scale) });
        },
      }),
    [],
  );

  const { marked } = props;
  useEffect(() => {
    if (marked !== undefined) setFocused(marked);
  }, [marked]);

  const focusOn = (number: number): void => {
    const current = view.current!;
    setFocused(number);
    const target = withPointInside(current.destination, positions[2 * number]!, positions[2 * number + 1]!);
    if (target.x !== current.destination.x || target.y !== current.destination.y) current.flyTo(target);
  };
  const [focusedItem] = useFocusedItem(cache, focused);
  useEffect(() => {
    if (focusedItem) say(titleOf(focusedItem));
  }, [focusedItem]);

  const zoom = (factor: number): void => {
    const current = view.current!;
    const box = focused === undefined ? undefined : current.boxOf(focused);
    const { width, height } = current.camera;
    const isSeen = box && box.x >= 0 && box.x <= width && box.y >= 0 && box.y <= height;
    current.flyTo(zoomAt(current.destination, factor, isSeen ? box : { x: width / 2, y: height / 2 }));
  };
  const drawCircle = (factor: number): void => {
    if (focused === undefined) return;
    const [x, y] = [positions[2 * focused]!, positions[2 * focused + 1]!];
    const isHere = shape?.kind === 'circle' && Math.hypot(shape.x - x, shape.y - y) < 1e-4;
    const radius = isHere ? shape.radius * factor : firstCircle / view.current!.camera.scale;
    props.onShape({ kind: 'circle', x, y, radius: Math.min(radius, 3) });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const current = view.current!;
    const direction = directions[event.key];
    if (direction && event.shiftKey) {
      current.panBy(direction === 'left' ? keyStep : direction === 'right' ? -keyStep : 0, direction === 'up' ? keyStep : direction === 'down' ? -keyStep : 0);
    } else if (direction) {
      const { x, y } = current.camera;
      const from = focused === undefined ? undefined : { number: focused, x: positions[2 * focused]!, y: positions[2 * focused + 1]! };
      const next = from && !Number.isNaN(from.x) ? nextPoint(current.blocks, from, direction, current.isShown) : nearestPoint(current.blocks, { x, y, reach: 3 }, current.isShown);
      if (next !== undefined) focusOn(next);
    } else if (event.key === '+' || event.key === '=') zoom(nearer);
    else if (event.key === '-') zoom(1 / nearer);
    else if (event.key === '0') current.flyTo(fit(current.camera));
    else if (event.key === 'Enter' && focused !== undefined) props.onOpen(focused);
    else if (event.key === ' ') drawCircle(event.shiftKey ? 1 / circleGrowth : circleGrowth);
    else if (event.key === 'Escape') {
      if (isLasso) setLasso(false);
      else props.onBack();
    } else return;
    event.preventDefault();
  };

  return (
    <div class="map-frame">
      <div
        ref={stage}
        class={`map-stage${isLasso ? ' drawing' : ''}${hovered === undefined ? '' : ' pointing'}`}
        tabIndex={0}
        role="application"
        aria-label={words.stage}
        aria-describedby="map-help"
        onKeyDown={onKeyDown}
        onBlur={(event) => event.target === event.currentTarget && setHovered(undefined)}
      >
        <canvas ref={dots} class="dots" aria-hidden="true" />
        <canvas ref={pictures} class="pictures" aria-hidden="true" />
        <svg class="outline" aria-hidden="true">
          <path ref={path} />
        </svg>
        <div class="labels">
          {labels.map(({ name }, index) => (
            <button key={index} type="button" dir="auto" title={words.only(name)} ref={(element) => void (labelElements.current[index] = element)} onClick={() => props.onCluster(name)}>
              {name}
            </button>
          ))}
        </div>
        <span ref={card} class="card-colors" aria-hidden="true" />
        <div ref={ring} class="focus-ring" aria-hidden="true" />
        <div ref={hover} class="hover-place" aria-hidden="true">
          {named !== undefined && <HoverCard cache={cache} number={named} />}
        </div>
        {isLasso && <p class="lasso-hint">{words.lassoHint}</p>}
        {picturesFailed && <p class="pictures-problem" role="status">{words.picturesProblem}</p>}
      </div>
      <div class="map-controls">
        <button type="button" aria-label={words.zoomIn} title={`${words.zoomIn} (+)`} onClick={() => zoom(nearer)}>
          +
        </button>
        <button type="button" aria-label={words.zoomOut} title={`${words.zoomOut} (−)`} onClick={() => zoom(1 / nearer)}>
          −
        </button>
        <button type="button" aria-label={words.fit} title={`${words.fit} (0)`} onClick={() => view.current!.flyTo(fit(view.current!.camera))}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" /></svg>
        </button>
        <button type="button" aria-label={words.lasso} title={words.lasso} aria-pressed={isLasso} onClick={() => setLasso(!isLasso)}>
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4c5 0 8.5 2.4 8.5 5.6S17 15.4 12 15.4 3.500 13 3.500 9.700 7 4 12 4M8 15c-2 .4-3 1.600-2.300 3S8.500 20 8 21.500" stroke-dasharray="3 2.500" /></svg>
        </button>
      </div>
      <details class="map-help">
        <summary>{words.helpTitle}</summary>
        <p id="map-help">{words.help}</p>
      </details>
    </div>
  );
}

function useFocusedItem(cache: ItemCache, focused: number | undefined) {
  const [, setVersion] = useState(0);
  useEffect(() => cache.listen(() => setVersion((before) => before + 1)), [cache]);
  useEffect(() => {
    if (focused !== undefined) cache.ask([focused]);
  }, [cache, focused]);
  return [focused === undefined ? undefined : cache.get(focused)] as const;
}
