import { z } from 'zod';
import type { MixspaceClient } from '../../client/index.js';
import type { ClassifyResponse } from '../../contract/classify.js';
import { list } from '../../contract/zod-helpers.js';
import { mapLimited } from '../../map-limited.js';
import { collection, itemId, picture, text } from '../arguments.js';
import { smallPicture } from '../thumbnails.js';
import { ArgumentProblem, tool } from '../tool.js';

const mostItems = 20;
const mostLabels = 200;
const shownLabels = 5;
const atOnce = 4;

type Input = { text: string } | { image: string };

export const classify = tool({
  name: 'classify',
  title: 'Classify pictures and texts',
  description:
    'Tells which of some labels of your own fit a picture, a text or items of a collection, with probabilities, without training. The best label is told even where it fits badly, unless may_be_none is set. Give labels as one would describe what is seen: "a cat", "a scanned invoice".',
  input: z.strictObject({
    labels: list(z.string().min(1).max(500)).min(1).max(mostLabels).describe('With a single one: whether it fits.'),
    image: picture.optional(),
    text: text.optional(),
    ids: list(itemId).min(1).max(mostItems).optional().describe('Items of the collection, in place of image and text.'),
    collection,
    may_be_none: z.boolean().default(false).describe('"None of these" competes with the labels, and often wins where the model is not sure.'),
    multi_label: z.boolean().default(false).describe('Several labels may hold: each is answered by yes or no.'),
  }),
  output: z.looseObject({
    data: z
      .array(
        z.looseObject({
          index: z.number().int(),
          prediction: z.string().nullable().describe('null: none of the labels, with may_be_none.'),
          score: z.number().describe("The best label's probability."),
          labels: z.array(z.string()).optional().describe('With multi_label: all that hold.'),
          predictions: z.array(z.looseObject({ label: z.string(), score: z.number() })),
        }),
      )
      .describe('One of each input: of the ids in their order, or of the image, then the text.'),
  }),
  run: async ({ labels, image, text: words, ids, collection: name, may_be_none, multi_label }, { client, signal }) => {
    const given: [string, Input][] = [image === undefined ? [] : [['the picture', { image }] as [string, Input]], words === undefined ? [] : [['the text', { text: words }] as [string, Input]]].flat();
    if ((given.length === 0) === (ids === undefined)) throw new ArgumentProblem('Say what to classify: image or text, or else ids.');
    const inputs = ids === undefined ? given : await mapLimited(ids, atOnce, async (id): Promise<[string, Input]> => [id, await contentOf(client, { name, id, signal })]);
    // Items are judged by the model that their collection is searched by.
    const model = ids === undefined ? {} : { model: (await client.collection(name, { signal })).model };
    const answer = await client.classify({ ...model, input: inputs.map(([, input]) => input), labels, ...(may_be_none ? { abstain: 'auto' as const } : {}), ...(multi_label ? { multi_label } : {}) }, { signal });
    return {
      content: [{ type: 'text', text: answer.data.map((each, index) => `${inputs[index]![0]}: ${sentenceOf(each)}`).join('\n') }],
      structuredContent: answer,
    };
  },
});

/** By its thumbnail, which has more pixels than models look at. */
async function contentOf(client: MixspaceClient, { name, id, signal }: { name: string; id: string; signal: AbortSignal }): Promise<Input> {
  const item = await client.getItem(name, id, { signal });
  if (item.text !== undefined) return { text: item.text };
  const picture = await smallPicture(client, name, id, signal);
  if (picture === undefined) throw new ArgumentProblem(`The item ${id} has no picture that could be classified.`);
  return { image: Buffer.from(picture.bytes).toString('base64') };
}

function sentenceOf({ prediction, labels, predictions }: ClassifyResponse['data'][number]): string {
  const said = labels === undefined ? (prediction ?? 'none of the labels') : labels.length === 0 ? 'none of the labels' : labels.join(', ');
  const scores = [...predictions].sort((a, b) => b.score - a.score).slice(0, shownLabels).map(({ label, score }) => `${label} ${score.toFixed(2)}`);
  return `${said} (${scores.join(', ')}${predictions.length > shownLabels ? ', ...' : ''})`;
}
