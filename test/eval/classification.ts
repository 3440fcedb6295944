/** What classification knows of what it does not know, and what few examples add: through `/v1/classify` and saved classifiers. */
import type { MixspaceClient } from '../../src/client/index.js';
import { Random } from '../crash/random.js';
import { expectedCalibrationError } from './calibration.js';
import type { Figure } from './figure.js';
import { labelledPictures, trainPictures, type LabelledPicture } from './pack.js';

/** Label sets that the calibration has not seen: models/.../recipe/calibration_pictures.py leaves their names out. */
const sets = ['tiny-imagenet-val', 'cifar10-test', 'caltech101', 'popular-animals', 'sports22', 'instruments30', 'intel-scenes', 'flowers5'] as const;
const perSet = 300;
const perRequest = 200;
const shots = [1, 4, 16];
/** With training pictures of their own. */
const taught = ['sports22', 'instruments30', 'intel-scenes', 'flowers5'] as const;

type Answer = Awaited<ReturnType<MixspaceClient['classify']>>['data'][number];
type Request = Omit<Parameters<MixspaceClient['classify']>[0], 'input'>;

export async function classification(client: MixspaceClient): Promise<Figure[]> {
  const figures: Figure[] = [];
  const all = new Map(sets.map((name) => [name, some(labelledPictures(name), name)]));
  const strangers = [...all].flatMap(([name, pictures]) => pictures.slice(0, 60).map((picture) => ({ ...picture, set: name })));
  for (const [name, pictures] of all) {
    const labels = [...new Set(pictures.map(({ label }) => label))].sort();
    const closed = await answers(client, pictures, { labels, calibrated: true, top_k: 1 });
    const single = await answers(client, pictures, { labels, templates: ['a photo of a {}'], top_k: 1 });
    const isRight = (answer: Answer, i: number): boolean => answer.predictions[0]!.label === pictures[i]!.label;
    figures.push(shareFigure(`${name}, ${labels.length} names, "a photo of a {}"`, single.map(isRight)));
    figures.push({ ...shareFigure(`${name}, ensemble, calibrated`, closed.map(isRight)), calibrationError: expectedCalibrationError(closed.map((answer, i) => ({ place: isRight(answer, i) ? 1 : 2, probability: answer.score }))) });

    const open = await answers(client, pictures, { labels, abstain: 'auto', top_k: 1 });
    const kept = open.filter((answer, i) => isRight(answer, i)).map(({ prediction }) => prediction !== null);
    const others = strangers.filter(({ set, label }) => set !== name && !labels.includes(label));
    const rejected = (await answers(client, others, { labels, abstain: 'auto', top_k: 1 })).map(({ prediction }) => prediction === null);
    figures.push(shareFigure(`${name}, abstain: right ones kept`, kept), shareFigure(`${name}, abstain: pictures of other sets rejected`, rejected));

    figures.push(await yesOrNo(client, name, pictures, labels));
  }
  for (const name of taught) figures.push(...(await fewShot(client, name, all.get(name)!)));
  return figures;
}

/** Each picture with its own label, and with another of the set drawn by seed. */
async function yesOrNo(client: MixspaceClient, name: string, pictures: LabelledPicture[], labels: string[]): Promise<Figure> {
  const random = Random.named(`${name} yes or no`);
  const judged = await answers(client, pictures, { labels, multi_label: true });
  const pairs = judged.flatMap(({ predictions }, i) => {
    const own = pictures[i]!.label;
    const others = labels.filter((label) => label !== own);
    const other = others[Math.floor(random.next() * others.length)]!;
    const scoreOf = (label: string): number => predictions.find((each) => each.label === label)!.score;
    return [{ probability: scoreOf(own), holds: true }, { probability: scoreOf(other), holds: false }];
  });
  const accuracyAt = (threshold: number): number => pairs.filter(({ probability, holds }) => probability >= threshold === holds).length / pairs.length;
  const best = [...new Set(pairs.map(({ probability }) => probability))].reduce((most, threshold) => Math.max(most, accuracyAt(threshold)), 0);
  const figure = shareFigure(`${name}, yes or no, balanced accuracy (${(100 * best).toFixed(1)} % at the best threshold)`, pairs.map(({ probability, holds }) => probability >= 0.5 === holds));
  return { ...figure, calibrationError: expectedCalibrationError(pairs.map(({ probability, holds }) => ({ place: holds ? 1 : 2, probability }))) };
}

async function fewShot(client: MixspaceClient, name: (typeof taught)[number], pictures: LabelledPicture[]): Promise<Figure[]> {
  const labels = [...new Set(pictures.map(({ label }) => label))].sort();
  const figures: Figure[] = [];
  const classifier = `eval-${name}`;
  await client.putClassifier(classifier, { labels });
  try {
    for (const shot of [0, ...shots]) {
      if (shot > 0) {
        for (const label of labels) {
          const inputs = trainPictures(name, label, shot).map(({ webp }) => ({ image: Buffer.from(webp).toString('base64') }));
          if (inputs.length > 0) await client.addExamples(classifier, { label, inputs });
        }
      }
      const judged = await answers(client, pictures, { classifier, top_k: 1 });
      figures.push(shareFigure(`${name}, ${shot} examples a label (split train)`, judged.map(({ predictions }, i) => predictions[0]!.label === pictures[i]!.label)));
    }
  } finally {
    await client.deleteClassifier(classifier);
  }
  return figures;
}

async function answers(client: MixspaceClient, pictures: { webp: Uint8Array }[], request: Request): Promise<Answer[]> {
  const all: Answer[] = [];
  for (let from = 0; from < pictures.length; from += perRequest) {
    const input = pictures.slice(from, from + perRequest).map(({ webp }) => ({ image: Buffer.from(webp).toString('base64') }));
    all.push(...(await client.classify({ input, ...request })).data);
  }
  return all;
}

/** Drawn by seed where there are many. */
function some(pictures: LabelledPicture[], name: string): LabelledPicture[] {
  const random = Random.named(name);
  return pictures.map((picture) => ({ picture, at: random.next() })).sort((a, b) => a.at - b.at).slice(0, perSet).map(({ picture }) => picture);
}

/** With Wilson's 95 % interval in its name. */
function shareFigure(name: string, holds: boolean[]): Figure {
  const n = holds.length;
  const share = holds.filter(Boolean).length / n;
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return { name: `${name} [${(middle - half).toFixed(3)}, ${(middle + half).toFixed(3)}]`, queries: n, within: { 1: share } };
}
