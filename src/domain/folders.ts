/**
 * The folder of what a source names: a path, or a file's name with its folders; of a path told as a `file:` URL, that
 * folder, told the same way where it has to be. Undefined where there is none, as of a bare name or a web address.
 */
export function folderOf(source: string): string | undefined {
  if (/^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(source)) return undefined;
  const last = Math.max(source.lastIndexOf('/'), source.lastIndexOf('\\'));
  if (last < 0) return undefined;
  const folder = source.slice(0, last) || '/';
  return folder.startsWith('file://') && !folder.includes('%') ? folder.slice('file://'.length) || '/' : folder;
}

/** Each once. */
export function foldersOf(sources: readonly string[]): string[] {
  return [...new Set(sources.map(folderOf).filter((folder) => folder !== undefined))];
}
