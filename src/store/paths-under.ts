import { sep } from 'node:path';

/** Of what lies under a path, as texts are ordered: the folder's name with a separator behind it, up to the sign that follows the separator; and the path alone. */
export function boundsOf(under: string): { first: string; last: string; alone: string } {
  const first = under.endsWith(sep) ? under : under + sep;
  return { first, last: first.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1), alone: under };
}
