interface At {
  x: number;
  y: number;
}

export interface Gestures {
  /** Pressed and moved: by CSS pixels. */
  pan: (dx: number, dy: number) => void;
  zoom: (factor: number, at: At) => void;
  /** Pressed and let go in one place. */
  tap: (at: At) => void;
  /** A pointer over it that presses nothing; undefined: away. */
  hover: (at: At | undefined) => void;
  /** Whether what begins now is an outline. */
  isLasso: (event: PointerEvent) => boolean;
  lassoTo: (at: At, isFirst: boolean) => void;
  lassoEnd: (isDropped: boolean) => void;
}

/** CSS pixels that a press may stray and still be one. */
const strayed = 5;

/** What mouse, pen and fingers do on an element; the function ends it. */
export function watchGestures(element: HTMLElement, gestures: Gestures): () => void {
  const pressed = new Map<number, At>();
  let doing: 'nothing' | 'press' | 'pan' | 'pinch' | 'lasso' = 'nothing';
  let start: At = { x: 0, y: 0 };
  const ending = new AbortController();
  const { signal } = ending;

  const atOf = (event: MouseEvent): At => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const spread = (): { middle: At; apart: number } => {
    const [a, b] = [...pressed.values()] as [At, At];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  };

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || (event.target as Element).closest('button, a, input, select')) return;
    element.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, (start = atOf(event)));
    gestures.hover(undefined);
    if (pressed.size === 2) {
      if (doing === 'lasso') gestures.lassoEnd(true);
      doing = 'pinch';
    } else if (pressed.size === 1) {
      doing = gestures.isLasso(event) ? 'lasso' : 'press';
      if (doing === 'lasso') gestures.lassoTo(start, true);
    }
  }, { signal });

  element.addEventListener('pointermove', (event) => {
    const at = atOf(event);
    const before = pressed.get(event.pointerId);
    if (!before) return event.pointerType === 'mouse' ? gestures.hover((event.target as Element).closest('button') ? undefined : at) : undefined;
    if (doing === 'pinch' && pressed.size === 2) {
      const was = spread();
      pressed.set(event.pointerId, at);
      const is = spread();
      gestures.zoom(is.apart / was.apart, is.middle);
      gestures.pan(is.middle.x - was.middle.x, is.middle.y - was.middle.y);
      return;
    }
    if (doing === 'press' && Math.hypot(at.x - start.x, at.y - start.y) > strayed) {
      doing = 'pan';
      gestures.pan(at.x - start.x, at.y - start.y);
    } else if (doing === 'pan') gestures.pan(at.x - before.x, at.y - before.y);
    else if (doing === 'lasso') gestures.lassoTo(at, false);
    pressed.set(event.pointerId, at);
  }, { signal });

  const onEnd = (event: PointerEvent): void => {
    if (!pressed.delete(event.pointerId)) return;
    if (doing === 'lasso') gestures.lassoEnd(event.type === 'pointercancel');
    else if (doing === 'press' && event.type === 'pointerup') gestures.tap(atOf(event));
    // The finger that stays goes on with the map.
    doing = pressed.size === 1 && doing === 'pinch' ? 'pan' : pressed.size > 0 ? doing : 'nothing';
  };
  element.addEventListener('pointerup', onEnd, { signal });
  element.addEventListener('pointercancel', onEnd, { signal });
  element.addEventListener('pointerleave', () => pressed.size === 0 && gestures.hover(undefined), { signal });
  element.addEventListener('wheel', (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    // A pinch on a touchpad comes as a wheel with Ctrl, in small steps.
    const step = Math.min(Math.max(event.deltaY * lines * (event.ctrlKey ? 6 : 1), -400), 400);
    gestures.zoom(Math.exp(-step * 0.0018), atOf(event));
  }, { signal, passive: false });
  element.addEventListener('dblclick', (event) => {
    if (!(event.target as Element).closest('button, a, input, select')) event.preventDefault();
  }, { signal });

  return () => ending.abort();
}
