import type { Label } from '../../contract/classify.js';
import { MixspaceError } from '../../errors.js';
import { partsOf } from './labels.js';
import type { Scale } from './scales.js';

/** Labels by their places: those without a parent, and the kinds of each parent, parents before their kinds. */
export interface Hierarchy {
  roots: number[];
  kinds: { parent: number; children: number[] }[];
}

/** @throws MixspaceError `invalid_request`: a parent that is no label, or is a kind of its own kind. */
export function hierarchyOf(labels: Label[]): Hierarchy {
  const place = new Map(labels.map((label, index) => [partsOf(label).name, index]));
  const roots: number[] = [];
  const children = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const { parent } = partsOf(label);
    if (parent === undefined) return void roots.push(index);
    const at = place.get(parent);
    if (at === undefined) throw new MixspaceError('invalid_request', `No label is called "${parent.slice(0, 100)}".`, { param: `labels[${index}].parent` });
    children.set(at, [...(children.get(at) ?? []), index]);
  });
  const kinds: Hierarchy['kinds'] = [];
  const reached = [...roots];
  for (let next = 0; next < reached.length; next++) {
    const own = children.get(reached[next]!);
    if (!own) continue;
    kinds.push({ parent: reached[next]!, children: own });
    reached.push(...own);
  }
  if (reached.length < labels.length) {
    const there = new Set(reached);
    const index = labels.findIndex((_, place) => !there.has(place));
    throw new MixspaceError('invalid_request', `The label "${partsOf(labels[index]!).name.slice(0, 100)}" is a kind of itself, by its parents.`, { param: `labels[${index}].parent` });
  }
  return { roots, kinds };
}

/** By label: what a parent has is shared among its kinds. `among`: those without a parent may be none of them; `choice`: they are one of them; `each`: they, and kinds beside each other, are asked one by one. */
export function scoresOf(hierarchy: Hierarchy, similarities: number[], scale: Scale, how: 'among' | 'choice' | 'each'): { scores: number[]; none?: number } {
  const scores = new Array<number>(similarities.length).fill(0);
  const of = (places: number[]): number[] => places.map((place) => similarities[place]!);
  const { probabilities, none } = how === 'among' ? scale.among(of(hierarchy.roots)) : { probabilities: scale[how](of(hierarchy.roots)), none: undefined };
  hierarchy.roots.forEach((place, i) => (scores[place] = probabilities[i]!));
  for (const { parent, children } of hierarchy.kinds) {
    const shares = how === 'each' ? scale.each(of(children)) : scale.choice(of(children));
    children.forEach((place, i) => (scores[place] = scores[parent]! * shares[i]!));
  }
  return { scores, ...(none === undefined ? {} : { none }) };
}

/** The label with the highest score among those without a parent, then the best of its kinds, and so on, to the last one whose score suffices. */
export function deepest({ roots, kinds }: Hierarchy, scores: number[], least: number): number | undefined {
  const best = (places: number[]): number => places.reduce((a, b) => (scores[b]! > scores[a]! ? b : a));
  const byParent = new Map(kinds.map(({ parent, children }) => [parent, children]));
  let found: number | undefined;
  for (let places: number[] | undefined = roots; places; ) {
    const next = best(places);
    if (scores[next]! < least) break;
    found = next;
    places = byParent.get(next);
  }
  return found;
}
