import { titleOf } from '../items/picture.js';
import type { Result } from './portions.js';

const leastCut = 3;

/** What pictures are called beside each other: of names of files that all begin or end alike, where they differ. */
export function namesBeside(found: Result[]): (item: Result) => string {
  const fileNames = found.flatMap((item) => (isFileName(item) ? [titleOf(item)] : []));
  if (fileNames.length < 3) return nameOf;
  const start = commonStart(fileNames);
  const end = commonStart(fileNames.map(reversed));
  return (item) => {
    const title = nameOf(item);
    if (!isFileName(item) || !title.startsWith(start) || !reversed(title).startsWith(end) || title.length <= start.length + end.length) return title;
    return title.slice(start.length, title.length - end.length);
  };
}

/** A text says itself what it is. */
const nameOf = (item: Result): string => (titleOf(item) === item.text ? '' : titleOf(item));
const isFileName = (item: Result): boolean => item.text === undefined && item.sources[0] !== undefined && item.sources[0].endsWith(titleOf(item));
const reversed = (text: string): string => [...text].reverse().join('');

/** Up to where a word or a number ends in all of them. */
function commonStart(names: string[]): string {
  let [start = ''] = names;
  for (const name of names) while (!name.startsWith(start)) start = start.slice(0, -1);
  while (start !== '' && names.some((name) => kindOf(name[start.length]) === kindOf(start.at(-1)) && kindOf(start.at(-1)) !== 'other')) start = start.slice(0, -1);
  return start.length < leastCut ? '' : start;
}

const kindOf = (letter: string | undefined): 'digit' | 'letter' | 'other' => (letter === undefined ? 'other' : /\d/.test(letter) ? 'digit' : /\p{L}/u.test(letter) ? 'letter' : 'other');
