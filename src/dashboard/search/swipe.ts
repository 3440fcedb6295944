import { useRef } from 'preact/hooks';

const leastPixels = 48;

/** Handlers of an element over which one finger wipes to the next (1) or the one before (-1). A picture that is zoomed into is moved about, not wiped away. */
export function useSwipe(onSwipe: (by: -1 | 1) => void): { onTouchStart: (event: TouchEvent) => void; onTouchEnd: (event: TouchEvent) => void } {
  const began = useRef<{ x: number; y: number }>();
  return {
    onTouchStart: ({ touches }) => {
      const [touch] = touches;
      began.current = touches.length === 1 && touch && (visualViewport?.scale ?? 1) <= 1.01 ? { x: touch.clientX, y: touch.clientY } : undefined;
    },
    onTouchEnd: ({ changedTouches: [touch] }) => {
      if (!began.current || !touch) return;
      const [across, down] = [touch.clientX - began.current.x, touch.clientY - began.current.y];
      began.current = undefined;
      if (Math.abs(across) >= leastPixels && Math.abs(across) > 1.5 * Math.abs(down)) onSwipe(across < 0 ? 1 : -1);
    },
  };
}
