/** Pictures told apart by names alone, through `/v1/classify`. */
import type { MixspaceClient } from '../../src/client/index.js';
import { expectedCalibrationError, type Guess } from './calibration.js';
import { figureOf, type Figure, type Minimum } from './figure.js';
import type { LabelledPicture } from './pack.js';

const singleTemplate = 'a photo of a {}';
const perRequest = 1_000;

export interface ZeroShotTask {
  name: string;
  pictures: LabelledPicture[];
  /** What may be said; the pictures' own labels unless given. */
  labels?: string[];
  /** The labels in another language, and that language's templates in place of the model's own. */
  said?: { as: ReadonlyMap<string, string>; templates: string[] };
  /** Of the ensemble's first guesses. */
  minimum?: Minimum;
}

/** With one template, and with the ensemble: the model's own, or that of the other language. */
export async function zeroShot(client: MixspaceClient, { name, pictures, labels: given, said, minimum }: ZeroShotTask): Promise<Figure[]> {
  const labels = given ?? [...new Set(pictures.map(({ label }) => label))].sort();
  const sayings = labels.map((label) => said?.as.get(label) ?? label);

  const guess = async (templates?: string[]): Promise<Guess[]> => {
    const guesses: Guess[] = [];
    for (let from = 0; from < pictures.length; from += perRequest) {
      const batch = pictures.slice(from, from + perRequest);
      const input = batch.map(({ webp }) => ({ image: Buffer.from(webp).toString('base64') }));
      const { data } = await client.classify({ input, labels: sayings, top_k: Math.min(5, labels.length), ...(templates ? { templates } : {}) });
      data.forEach(({ predictions, score }, index) => {
        const wanted = said?.as.get(batch[index]!.label) ?? batch[index]!.label;
        const place = predictions.findIndex(({ label }) => label === wanted);
        guesses.push({ place: place < 0 ? Infinity : place + 1, probability: score });
      });
    }
    return guesses;
  };
  const figure = (templates: string, guesses: Guess[], asked?: Minimum): Figure => ({
    ...figureOf(`${name}, ${labels.length} names, ${templates}`, guesses.map(({ place }) => place), [1, 5], asked),
    calibrationError: expectedCalibrationError(guesses),
  });

  const single = said?.templates[0] ?? singleTemplate;
  return [figure(`"${single}"`, await guess([single])), figure(said ? `${said.templates.length} templates` : "the model's own templates", await guess(said?.templates), minimum)];
}
