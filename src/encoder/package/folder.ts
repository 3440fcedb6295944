import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Names of the files in a folder, sorted; none where it is not there. */
export async function filesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}

/** Folders of a package are not nested deeper; a link that leads into a circle ends there. */
export const deepest = 3;

/** An entry, hidden ones aside, that is neither a file nor a folder nor a link to one, such as a pipe, which would be read for ever. */
export async function oddEntry(directory: string, depth = 0): Promise<string | undefined> {
  for (const name of (await filesIn(directory)).filter((each) => !each.startsWith('.'))) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found && !found.isFile() && !found.isDirectory()) return path;
    const inside = found?.isDirectory() && depth < deepest ? await oddEntry(path, depth + 1) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}
