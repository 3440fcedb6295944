import type { Address, Go } from './address.js';

/** What every page is given. A page is its own main element, and reads what it is to show from the address. */
export interface PageProps {
  address: Address;
  go: Go;
  /** A call was answered with 401. */
  onLocked: () => void;
  /** What the tab is called, beside the program; undefined: the page's name. */
  onTitle: (title: string | undefined) => void;
}
