import type { PagePlace } from './going.js';

export interface OrderPage<M> {
  matches: M[];
  /** Provably what a full comparison gives. */
  exact: boolean;
  /** Matches that would stand there without the cut. */
  leftOut: number;
  /** Where the next page begins; absent where there is none. */
  next?: PagePlace;
  /** Where matches are grouped: how many were looked at for the page, and whether those were all. */
  groups?: { looked: number; complete: boolean };
}

export interface PageAsked {
  limit: number;
  /** Left out: from the beginning. */
  place?: PagePlace | undefined;
  /** Of how many it is told what is left out; left out: of the page. */
  counted?: number;
}

/** Matches in some order, page by page. */
export type Order<M> = (asked: PageAsked) => Promise<OrderPage<M>>;
