import type { MixspaceClient } from '../../src/client/index.js';
import { figureOf, type Figure } from './figure.js';
import { labelledPictures } from './pack.js';

const singleTemplate = 'a photo of a {}';
const perRequest = 1_000;

/** Pictures of one source told apart by its labels' names alone: with one template, and with the model's own. */
export async function zeroShot(client: MixspaceClient, name: string, source: string, minimum?: Figure['minimum']): Promise<Figure[]> {
  const pictures = labelledPictures(source);
  const labels = [...new Set(pictures.map(({ label }) => label))].sort();

  const ranks = async (templates?: string[]): Promise<number[]> => {
    const places: number[] = [];
    for (let from = 0; from < pictures.length; from += perRequest) {
      const batch = pictures.slice(from, from + perRequest);
      const input = batch.map(({ webp }) => ({ image: Buffer.from(webp).toString('base64') }));
      const { data } = await client.classify({ input, labels, top_k: Math.min(5, labels.length), ...(templates ? { templates } : {}) });
      data.forEach(({ predictions }, index) => {
        const place = predictions.findIndex(({ label }) => label === batch[index]!.label);
        places.push(place < 0 ? Infinity : place + 1);
      });
    }
    return places;
  };

  return [
    figureOf(`${name}, ${labels.length} names, "${singleTemplate}"`, await ranks([singleTemplate]), [1, 5]),
    figureOf(`${name}, ${labels.length} names, the model's own templates`, await ranks(), [1, 5], minimum),
  ];
}
