/** One line of the source made wrong, as a slip would make it; the tests that should notice. */
export interface Mutation {
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  /** What a user would suffer. */
  why: string;
  /** Those most likely to notice first. */
  tests: string[];
  /** Why it may live: nothing that anybody can observe differs. */
  lives?: string;
}

/** Of one file, in the order told. */
export const of =
  (file: string, tests: string[]) =>
  (name: string, find: string, replace: string, why: string, more: { tests?: string[]; lives?: string } = {}): Mutation => ({ name, file, find, replace, why, tests: more.tests ?? tests, ...(more.lives === undefined ? {} : { lives: more.lives }) });
