/** Which of the inputs that wait make a batch: bounded by what it costs, so that none holds up who comes next. */
import type { Modality } from '../../domain/modality.js';

export interface BatchLimits {
  /** However little they cost. */
  inputs: Record<Modality, number>;
  /** Of all texts of a batch, each as long as its longest. */
  tokens: number;
  /** Of all decoded pictures of a batch. */
  pixels: number;
}

/** `cost`: estimated tokens of a text, pixels of a picture; `parts`: embeddings that come of it at most, 1 unless set. */
interface Costly {
  modality: Modality;
  cost: number;
  parts?: number;
}

/** Texts may be passed over by so many batches' worth of later ones that are nearer to the first one's length. */
const windowInBatches = 4;

/**
 * Takes the next batch out of inputs of one modality, which stand in the order in which they came. The first is in it
 * whatever it costs. Texts are joined by those of the next few batches that are nearest to its length, so that little is
 * padded; pictures by those that follow.
 */
export function takeBatch<Input extends Costly>(waiting: Input[], limits: BatchLimits): Input[] {
  const [first] = waiting;
  if (!first) return [];
  return first.modality === 'text' ? takeTexts(waiting, first, limits) : takePictures(waiting, limits);
}

function takePictures<Input extends Costly>(waiting: Input[], { inputs, pixels }: BatchLimits): Input[] {
  let count = 0;
  for (let sum = 0, parts = 0; count < waiting.length; count++) {
    sum += waiting[count]!.cost;
    parts += waiting[count]!.parts ?? 1;
    if (count > 0 && (sum > pixels || parts > inputs.image)) break;
  }
  return waiting.splice(0, count);
}

function takeTexts<Input extends Costly>(waiting: Input[], first: Input, { inputs, tokens }: BatchLimits): Input[] {
  const most = inputs.text;
  const window = waiting.slice(0, windowInBatches * most);
  const byLength = window.toSorted((a, b) => a.cost - b.cost);
  let low = byLength.indexOf(first);
  let high = low + 1;
  while (high - low < most) {
    const [shorter, longer] = [byLength[low - 1], byLength[high]];
    const fits = (longest: number): boolean => longest * (high - low + 1) <= tokens;
    const takesLonger = longer !== undefined && fits(longer.cost) && (shorter === undefined || longer.cost - first.cost <= first.cost - shorter.cost);
    if (takesLonger) high++;
    else if (shorter !== undefined && fits(byLength[high - 1]!.cost)) low--;
    else if (longer !== undefined && fits(longer.cost)) high++;
    else break;
  }
  const taken = new Set(byLength.slice(low, high));
  waiting.splice(0, window.length, ...window.filter((each) => !taken.has(each)));
  return window.filter((each) => taken.has(each));
}
