/** What lies beside a picture and speaks of it: Google Takeout's, XMP's and WebDataset's files. */
import { Metadata as Kept } from '../../contract/shared.js';
import type { Metadata } from '../../domain/metadata.js';
import { boundedJson } from './bounded-json.js';
import { importBounds } from './settings.js';
import type { Refusal } from './step.js';
import { isTakeout, takeoutFields, takeoutNames } from './takeout.js';
import { xmpFields } from './xmp.js';

/** The files beside the pictures, by their names as those of the pictures are told. */
export interface Sides {
  has(name: string): boolean;
  /** @throws Error: it is too large or broken. */
  read(name: string): Promise<Buffer>;
}

export const isSideFile = (name: string): boolean => /\.(json|xmp|txt|cls)$/i.test(name);

export interface SideNote {
  metadata?: Metadata;
  /** Side files that could not be read: the picture is taken in without them. */
  problems: Refusal[];
}

/** What the side files of a picture say of it, the later of WebDataset's, XMP and Takeout winning. `prefix` stands before names in `problems`. */
export async function noteFor(name: string, sides: Sides, prefix: string): Promise<SideNote> {
  const problems: Refusal[] = [];
  const fields: Metadata = {};
  const lay = async (side: string, fieldsOf: (bytes: Buffer) => Metadata | Promise<Metadata>): Promise<void> => {
    if (!sides.has(side)) return;
    try {
      const read = Kept.safeParse(await fieldsOf(await sides.read(side)));
      if (!read.success) throw new Error(read.error.issues[0]!.message.replace(/\.$/, ''));
      Object.assign(fields, read.data);
    } catch (error) {
      problems.push({ name: prefix + side, reason: `The side file cannot be read: ${(error as Error).message}.` });
    }
  };
  const sample = sampleOf(name);
  const stem = name.replace(/\.[^./]*$/, '');
  const takeout = takeoutNames(name).find((each) => sides.has(each));
  if (takeout !== `${sample}.json`) await lay(`${sample}.json`, (bytes) => objectOf(bytes));
  await lay(`${sample}.txt`, (bytes) => ({ caption: textOf(bytes) }));
  await lay(`${sample}.cls`, (bytes) => ({ class: classOf(textOf(bytes)) }));
  for (const side of new Set([`${stem}.xmp`, `${stem}.XMP`, `${name}.xmp`, `${name}.XMP`])) await lay(side, (bytes) => xmpFields(textOf(bytes)));
  if (takeout !== undefined) {
    await lay(takeout, (bytes) => {
      const told = objectOf(bytes);
      if (isTakeout(told)) return takeoutFields(told);
      return takeout === `${sample}.json` ? told : {};
    });
  }
  return { problems, ...(Object.keys(fields).length === 0 ? {} : { metadata: fields }) };
}

/** Folder and name up to the first dot, as WebDataset names its samples. */
export const sampleOf = (name: string): string => /^(?:.*\/)?[^/.]*/.exec(name)![0];

function textOf(bytes: Buffer): string {
  if (bytes.length > importBounds.side) throw new Error(`it has ${bytes.length} bytes, at most ${importBounds.side} are read`);
  return bytes.toString('utf8').replace(/^\ufeff/, '').trim();
}

function objectOf(bytes: Buffer): Metadata {
  const value = boundedJson(textOf(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no JSON object');
  return value as Metadata;
}

const classOf = (text: string): string | number => (/^\d{1,15}$/.test(text) ? Number(text) : text);
