import type { Command } from 'commander';
import type { WalkRules } from '../picture-files.js';

export interface WalkFlags {
  exclude?: string[];
  include?: string[];
}

const more = (glob: string, globs: string[] = []): string[] => [...globs, glob];

/** What of the folders is walked, for every command that walks some. */
export function withWalkOptions(command: Command): Command {
  return command
    .option('--exclude <glob>', 'leave out what matches, written as in .gitignore, below each path; may be given again; !GLOB takes back what is left out otherwise', more)
    .option('--include <glob>', 'take in what matches all the same, whatever else leaves it out; may be given again', more);
}

export const rulesOf = ({ exclude, include }: WalkFlags): WalkRules => ({ ...(exclude && { exclude }), ...(include && { include }) });

export const walkHelp = `
Left out by default: hidden files and folders, and those that other programs fill (@eaDir, #recycle, $RECYCLE.BIN,
System Volume Information, .thumbnails, __MACOSX, lost+found, .trash* and the like). A file .mixspaceignore in a folder,
written as .gitignore is, leaves out what it names there and below. A file is a picture by its first bytes, not its name.
A name that is no UTF-8 is told as a file: URL, and may be given as one.`;
