/** A text as a small card, drawn once: as pictures, it is laid on the map larger or smaller. */
export interface CardStyle {
  paper: string;
  ink: string;
  edge: string;
  font: string;
}

/** Pixels: of the square at a density of 1, of its letters and lines, and of the space around. */
const [side, letters, line, space] = [192, 17, 23, 14];
const lines = Math.floor((side - 2 * space) / line);
const mostCharacters = 400;
const words = new Intl.Segmenter(undefined, { granularity: 'word' });
/** The first letter is one of a script that is written from right to left. */
const fromRight = /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;

export function drawCard(text: string, { paper, ink, edge, font }: CardStyle, devicePixels: number): ImageBitmap {
  const density = Math.min(Math.max(devicePixels, 1), 2);
  const canvas = new OffscreenCanvas(side * density, side * density);
  const context = canvas.getContext('2d')!;
  context.scale(density, density);
  context.fillStyle = paper;
  context.strokeStyle = edge;
  context.beginPath();
  context.roundRect(0.5, 0.5, side - 1, side - 1, 10);
  context.fill();
  context.stroke();
  context.font = `${letters}px ${font}`;
  context.fillStyle = ink;
  context.textBaseline = 'top';
  context.direction = fromRight.test(text) ? 'rtl' : 'ltr';
  context.textAlign = 'start';
  const left = context.direction === 'rtl' ? side - space : space;
  broken(text, (part) => context.measureText(part).width <= side - 2 * space).forEach((each, index) => context.fillText(each, left, space + index * line));
  return canvas.transferToImageBitmap();
}

/** In lines that fit; what is left over behind the last one is an ellipsis. */
function broken(text: string, fits: (part: string) => boolean): string[] {
  const found: string[] = [];
  let current = '';
  for (const { segment } of words.segment(text.slice(0, mostCharacters).replaceAll(/\s+/g, ' ').trim())) {
    for (const part of fits(segment) ? [segment] : segment) {
      if (!fits(current + part.trimEnd())) {
        found.push(current.trimEnd());
        current = '';
      }
      if (found.length === lines) {
        let last = found[lines - 1]!;
        while (last !== '' && !fits(`${last}…`)) last = last.slice(0, -1);
        found[lines - 1] = `${last}…`;
        return found;
      }
      current += current === '' ? part.trimStart() : part;
    }
  }
  return [...found, current].filter((each) => each !== '');
}
