import type { PagePlace } from './going.js';

export interface OrderPage<M> {
  matches: M[];
  /** Provably what a full comparison gives. */
  exact: boolean;
  /** Matches that would stand there without the cut. */
  leftOut: number;
  /** Where the next page begins; absent where there is none. */
  next?: PagePlace;
}

export interface PageAsked {
  limit: number;
  /** Left out: from the beginning. */
  place?: PagePlace | undefined;
  /** Of how many it is told what is left out; left out: of the page. */
  counted?: number;
}

/** Matches in some order, page by page. */
export type Order<M, P extends OrderPage<M> = OrderPage<M>> = (asked: PageAsked) => Promise<P>;
