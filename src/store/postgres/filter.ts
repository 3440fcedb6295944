import type { Filter } from '../../domain/filter.js';

/**
 * A filter as a condition on `items.fields` that is true or false and never null; what it compares with is appended to
 * `values` and named by its place there (`$1` is the first). The filter must have passed the contract's validation.
 */
export function compileFilter(_filter: Filter, _values: unknown[]): string {
  throw new Error('Filters are not compiled yet.');
}
