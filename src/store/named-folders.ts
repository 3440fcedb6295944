import { folded } from '../domain/words.js';

/** Beginnings of a source up to each folder of the name, its slash included; case and accents do not matter. */
export function foldersNamedIn(source: string, name: string): string[] {
  const wanted = folded(name);
  return [...foldersOf(source)].filter((folder) => folded(folder.name) === wanted).map(({ path }) => path);
}

/** Each folder on the way to a file, with its slash. */
function* foldersOf(source: string): Generator<{ name: string; path: string }> {
  for (const { index } of source.matchAll(/[/\\]/g)) {
    const path = source.slice(0, index + 1);
    const name = /[^/\\]*(?=[/\\]$)/.exec(path)?.[0] ?? '';
    if (name !== '') yield { name, path };
  }
}
