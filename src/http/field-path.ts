export type PathPart = string | number;

const longestPart = 100;
const longestPath = 400;

/** A field's place as errors name it: `items[3].metadata.a`, cut where it is long. */
export function shownPath(parts: readonly PathPart[], root = ''): string {
  let path = root;
  for (const part of parts) {
    if (path.length > longestPath) return `${path.slice(0, longestPath)}...`;
    if (typeof part === 'number') path += `[${part}]`;
    else path += (path ? '.' : '') + part.slice(0, longestPart).toWellFormed();
  }
  return path;
}
