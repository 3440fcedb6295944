/**
 * How much it says that words of a query stand in an item. A caption of a picture is made of words that stand everywhere
 * and of which the encoder knows more than full text; a name, a number or a code stands in few items, and of it the
 * encoder knows nothing.
 */
import type { Term } from './terms.js';

/** Items in which a term may stand to say anything. */
export const mostItems = 1_000;
/** Evidence below is none. */
const least = 0.25;
/** An embedding's list weighs one. */
const greatest = 2;

/** 0..1: how few of a collection's items a term stands in, by the logarithm, as inverse document frequency has it. */
export function specificity(count: number, items: number): number {
  return Math.max(0, 1 - Math.log(1 + count) / Math.log(2 + items));
}

export interface WeighedTerm extends Term {
  count: number;
  specificity: number;
}

/** Which of the terms are worth looking up. */
export const isTelling = ({ count }: WeighedTerm): boolean => count > 0 && count < mostItems;

/** The weight, 0..2, that a list has for an item in which `standing` of `terms` stand; 0: none at all. */
export function weightOf(terms: WeighedTerm[], standing: WeighedTerm[]): number {
  const code = Math.max(0, ...standing.filter(({ kind }) => kind === 'code').map((term) => term.specificity));
  if (code >= least) return greatest;
  const sum = (of: WeighedTerm[]): number => of.reduce((total, term) => total + term.specificity, 0);
  const all = sum(terms);
  if (all === 0) return 0;
  const covered = (sum(standing) / all) * Math.max(...standing.map((term) => term.specificity));
  const named = Math.max(0, ...standing.filter(({ kind }) => kind === 'name').map((term) => term.specificity));
  const evidence = Math.max(covered, 0.75 * named);
  return evidence < least ? 0 : greatest * evidence;
}
