import { z } from 'zod';
import type { SearchResponse } from '../../contract/search.js';
import type { Query } from '../../client/index.js';
import { collection, cursor, filter, itemId, modality, page, picture, text } from '../arguments.js';
import { galleryUri } from '../gallery.js';
import { imageContent, mostThumbnails, thumbnailsOf } from '../thumbnails.js';
import { ArgumentProblem, tool } from '../tool.js';
import { lineOf, linkTo, toldItem, ToldItem } from '../told-items.js';

export const searchItems = tool({
  name: 'search_items',
  title: 'Search pictures and texts',
  description:
    'Finds pictures and texts of a collection by what they show or say: by words in any language, by a picture, by an item that is there (id), or by several of them together. Answers only what is relevant, which may be nothing; the best come first, with thumbnails. "beach without people" leaves out what is not wanted. Narrow it down by filter rather than by more words.',
  input: z.strictObject({
    collection,
    text: text.optional().describe('What to look for, as one would describe the picture: "a dog in the snow".'),
    image: picture.optional(),
    id: itemId.optional().describe('An item of the collection: finds what is like it.'),
    modality: modality.optional(),
    filter: filter.optional(),
    limit: page(50, 10, 'Matches'),
    cursor: cursor.optional(),
    cutoff: z.enum(['auto', 'none']).default('auto').describe('auto: the relevant alone. none: the nearest, relevant or not.'),
    thumbnails: z.number().int().min(0).max(mostThumbnails).default(6).describe('How many matches are shown as pictures.'),
  }),
  output: z.looseObject({
    matches: z.array(ToldItem.extend({ score: z.number().optional().describe('Cosine: compare it within one answer alone.'), relevance: z.number().optional().describe('How likely it is what was asked for, 0..1.') })).describe('Best first.'),
    next_cursor: z.string().optional().describe('There are more.'),
  }),
  // The second is how hosts of before 2026 look for it.
  meta: { ui: { resourceUri: galleryUri }, 'ui/resourceUri': galleryUri },
  run: async ({ collection: name, text: words, image, id, thumbnails, ...rest }, { client, signal }) => {
    const inputs = [words === undefined ? [] : [{ text: words }], image === undefined ? [] : [{ image }], id === undefined ? [] : [{ id }]].flat();
    if (inputs.length === 0) throw new ArgumentProblem('Say what to look for: text, image or id.');
    const query: Query = inputs.length === 1 ? inputs[0]! : inputs.map((input) => ({ input }));
    const answer = await client.search(name, query, { ...rest, ...(words === undefined ? {} : { lexical: 'auto', negation: 'auto' }), signal });
    const matches = answer.matches.map(toldItem);
    const pictures = await thumbnailsOf(matches, thumbnails, { client, collection: name, signal });
    const shown = matches.flatMap((match, index) => (pictures.has(match.id) ? [{ id: match.id, number: index + 1 }] : []));
    return {
      content: [
        { type: 'text', text: [headline(name, answer), ...matches.map((match, index) => `${index + 1}. ${likeness(match)} ${lineOf(match)}`), ...(shown.length === 0 ? [] : [`The pictures that follow are of ${shown.map(({ number }) => number).join(', ')}.`])].join('\n') },
        ...shown.map((each) => imageContent(pictures.get(each.id)!, each.id)),
        ...matches.map((match) => linkTo(name, match)),
      ],
      structuredContent: { ...answer, matches },
    };
  },
});

function headline(collection: string, { matches, cut, next_cursor, negated, unknown }: SearchResponse): string {
  const notes = [
    matches.length > 0
      ? `${matches.length} ${matches.length === 1 ? 'match' : 'matches'} in ${collection}${next_cursor === undefined ? '' : '; more with next_cursor'}.`
      : `No match: nothing in ${collection} is what was asked for.${cut === undefined || cut.left_out === 0 ? '' : ` ${cut.left_out} that are nearest were left out as not relevant; cutoff "none" shows them.`}`,
    negated?.length ? `Without: ${negated.join(', ')}.` : '',
    unknown?.length ? `Words that the model does not know: ${unknown.join(', ')}.` : '',
  ];
  return notes.filter(Boolean).join(' ');
}

const likeness = ({ score, relevance }: { score?: number | undefined; relevance?: number | undefined }): string =>
  [relevance === undefined ? '' : `relevance ${relevance.toFixed(2)}`, score === undefined ? '' : `score ${score.toFixed(3)}`].filter(Boolean).join(', ').replace(/.+/, '[$&]');
