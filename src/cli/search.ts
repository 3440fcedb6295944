import path from 'node:path';
import { Option, type Command } from 'commander';
import type { MixspaceClient, SearchOptions } from '../client/index.js';
import type { SearchMatch, SearchResponse } from '../contract/search.js';
import { modalities, type Modality } from '../domain/modality.js';
import { MixspaceError } from '../errors.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, decimal, jsonObject, wholeNumber, type ClientFlags } from './options.js';
import { printWhy } from './explanation.js';
import { readPicture } from './picture-argument.js';
import { plural, printJson, printPath, printTable, sayAside, shortMetadata } from './print.js';

interface SearchFlags extends ClientFlags {
  collection: string;
  image?: string;
  limit?: number;
  minScore?: number;
  modality?: Modality;
  filter?: Record<string, unknown>;
  plain?: boolean;
  sort?: string;
  diversity?: number;
  groupBy?: string;
  explain?: boolean;
  all?: boolean;
  files?: boolean;
  null?: boolean;
}

export function searchCommand(): Command {
  return clientCommand('search', 'find what is nearest to words, to a picture, or to both together')
    .argument('[words...]', 'what to look for, in any language the model reads; "beach without people" and "beach -people" leave out what is not wanted')
    .option('--image <file>', 'a picture to look for')
    .addOption(collectionOption())
    .option('--limit <number>', 'matches at most (default: 10)', wholeNumber)
    .option('--min-score <number>', 'leave out what scores lower', decimal)
    .addOption(new Option('--modality <name>', 'only these').choices(modalities))
    .option('--filter <json>', 'conditions on metadata, such as \'{"year": {"$gte": 2020}}\'', jsonObject)
    .option('--sort <field>', 'of what is relevant, by a field such as $item.taken_at, $item.exif.rating or year; -FIELD for descending')
    .option('--diversity <number>', 'from 0 to 1: how much matches are to be unlike each other', decimal)
    .option('--group-by <field>', 'the best match of each value of a field, such as camera or $item.taken_at')
    .option('--explain', 'tell why: words, where in a picture, what was left out; of at most 20 matches')
    .option('--all', 'the nearest, relevant or not')
    .option('-f, --files', 'print the paths of what was found alone, one a line, for other programs')
    .option('-0, --null', 'end each path with a NUL in place of a line end, whatever characters it holds; with --files, for xargs -0')
    .option('--plain', 'take the words as they stand: do not look for names and codes, nor understand times, folders, kinds and what is not to be there')
    .action(async (words: string[], flags: SearchFlags) => {
      const answer = await search(openClient(flags), words.join(' '), flags);
      if (flags.json) return printJson(answer);
      if (answer.negated) sayAside(`Without: ${answer.negated.join(', ')}.`);
      if (answer.understood?.length) sayAside(`Understood: ${answer.understood.map(({ text }) => text).join(', ')}. Take the words as they stand with --plain.`);
      if (answer.matches.length === 0) sayAside(nothingSentence(answer));
      else if (flags.files || flags.null) printFiles(answer.matches, flags.null === true);
      else if (flags.explain) printWhy(answer);
      else printTable(answer.matches.map((match) => rowOf(match).filter((_, column) => column !== 1 || flags.groupBy !== undefined)));
    });
}

/** What came by upload or from elsewhere lies at no path. */
function printFiles(matches: SearchMatch[], isNul: boolean): void {
  const paths = matches.map(({ sources }) => sources.find((source) => path.isAbsolute(source) || source.startsWith('file://')));
  for (const each of paths) if (each !== undefined) printPath(each, isNul);
  const others = paths.filter((each) => each === undefined).length;
  if (others > 0) sayAside(`${plural(others, 'match', 'matches')} left out: no path is known of ${others === 1 ? 'it' : 'them'}.`);
}

function rowOf({ score, id, sources, text, metadata, group, part, taken_at, exif }: SearchMatch): string[] {
  return [score?.toFixed(3) ?? '', group && group.more > 0 ? `+${group.more}` : '', `${text ?? sources[0] ?? id}${part ? ` (${placeOf(part.box)})` : ''}`, [taken_at?.replace('T', ' '), exif?.camera, shortMetadata(metadata)].filter(Boolean).join(', ')];
}

/** Of a tile, in percent of the picture's width and height. */
function placeOf([x, y, width, height]: [number, number, number, number]): string {
  const percent = (value: number): string => `${Math.round(100 * value)}`;
  return `at ${percent(x)}-${percent(x + width)} %, ${percent(y)}-${percent(y + height)} %`;
}

function nothingSentence({ cut, unknown = [] }: SearchResponse): string {
  const notKnown = unknown.length > 0 ? ` The model does not know ${unknown.join(', ')}.` : '';
  return cut && cut.left_out > 0 ? `Nothing here matches.${notKnown} See the nearest anyway with --all.` : `Nothing found.${notKnown}`;
}

async function search(client: MixspaceClient, words: string, flags: SearchFlags): Promise<SearchResponse> {
  const { collection, image, limit, minScore, modality, filter, plain, sort, all, diversity, groupBy, explain } = flags;
  if (all && sort !== undefined) throw new MixspaceError('invalid_request', '--sort is of what is relevant: leave out --all.');
  const options: SearchOptions = {
    ...(all ? {} : { cutoff: 'auto' }),
    ...(sort === undefined ? {} : { sort }),
    ...(diversity === undefined ? {} : { diversity }),
    ...(groupBy === undefined ? {} : { group_by: groupBy }),
    ...(explain ? { explain } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(minScore === undefined ? {} : { min_score: minScore }),
    ...(modality === undefined ? {} : { modality }),
    ...(filter === undefined ? {} : { filter }),
    ...(plain ? {} : ({ negation: 'auto', lexical: 'auto', understand: true } as const)),
  };
  if (image === undefined) {
    if (words === '') throw new MixspaceError('invalid_request', 'What to look for? Give words, or a picture with --image FILE.');
    return client.search(collection, words, options);
  }
  const picture = new Blob([await readPicture(image)]);
  return client.searchByPicture(collection, picture, { ...options, ...(words === '' ? {} : { query: [{ input: { file: true } }, { input: words }] }) });
}
