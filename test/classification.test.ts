import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backgroundNames } from '../src/domain/background.js';
import { call, items } from './api.js';
import { runMixspace } from './server.js';
import { dot, flat, readsTexts, startSmall, type Package, type SmallService } from './small-service.js';

const calibration = {
  sharpness: 20,
  slope: 15,
  offset: 2.5,
  abstain: 1,
  numbers: [
    { labels: 2, temperature: 1.5, closed: 0.8 },
    { labels: 8, temperature: 0.75, closed: 0.4 },
  ],
};
const calibrated: Package = { ...readsTexts, 'calibration.json': calibration };

let service: SmallService;
let pictures: string[];
beforeAll(async () => {
  service = await startSmall({ calibrated, plain: readsTexts });
  pictures = await Promise.all([flat(250, 10, 10), flat(10, 240, 20), flat(15, 15, 245), flat(200, 190, 30)]);
});
afterAll(() => service.remove());

const image = (index: number): object => ({ image: pictures[index]! });
const classify = async (request: object): Promise<any> => {
  const { status, body } = await service.post('/v1/classify', request);
  expect([status, body.error]).toEqual([200, undefined]);
  return body;
};
const refusal = async (at: string, body: unknown, method = 'POST'): Promise<unknown[]> => {
  const answer = await call(service.server.url, method, at, body);
  return [answer.status, answer.body.error?.param];
};

/** By its own arithmetic: what the formula of the calibration says of a picture and prompts. */
async function reckoned(input: unknown, prompts: string[]): Promise<number[]> {
  const embedding = await service.embed(input);
  const background = (await service.post('/v1/embeddings', { input: backgroundNames.map((name) => `a photo of a ${name}`) })).body.data.map(({ embedding: each }: any) => each as number[]);
  const level = Math.log(background.reduce((sum: number, each: number[]) => sum + Math.exp(20 * dot(embedding, each)), 0)) / 20;
  const labels = await Promise.all(prompts.map((prompt) => service.embed(prompt)));
  return labels.map((label) => 15 * (dot(embedding, label) - level) + 2.5);
}
const yes = (logit: number): number => 1 / (1 + Math.exp(-logit));

describe('Calibrated classification', () => {
  it('answers one label alone with the probability that the calibration says, and an uncalibrated model with its own', async () => {
    const [logit] = await reckoned(image(0), ['a photo of a fire']);
    const [one] = (await classify({ input: [image(0)], labels: ['fire'] })).data;
    expect(one).toMatchObject({ calibrated: true, prediction: 'fire' });
    expect(one.score).toBeCloseTo(yes(logit!), 4);
    const [own] = (await classify({ model: 'plain', input: [image(0)], labels: ['fire'] })).data;
    expect(own.score).toBe(1);
    expect(own.calibrated).toBeUndefined();
  });

  it('lets none of these compete where it is asked to, and gives probabilities that make 1 with it', async () => {
    const labels = ['fire', 'grass', 'sea', 'sand'];
    const logits = await reckoned(image(1), labels.map((label) => `a photo of a ${label}`));
    const temperature = 1.5 + (Math.log(4 / 2) / Math.log(8 / 2)) * (0.75 - 1.5);
    const powers = [1 / temperature, ...logits.map((logit) => logit / temperature)].map(Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    const [answer] = (await classify({ input: [image(1)], labels, abstain: 'auto' })).data;
    expect(answer.none).toBeCloseTo(powers[0]! / sum, 4);
    for (const { label, score } of answer.predictions) expect(score).toBeCloseTo(powers[labels.indexOf(label) + 1]! / sum, 4);
    expect(answer.none + answer.predictions.reduce((all: number, { score }: any) => all + score, 0)).toBeCloseTo(1, 9);
    expect(answer.prediction).toBe(answer.none > answer.score ? null : answer.predictions[0].label);
    const closed = (await classify({ input: [image(1)], labels, calibrated: true })).data[0];
    const closedPowers = logits.map((logit) => Math.exp(logit / (0.8 + (Math.log(4 / 2) / Math.log(8 / 2)) * (0.4 - 0.8))));
    for (const { label, score } of closed.predictions) expect(score).toBeCloseTo(closedPowers[labels.indexOf(label)]! / closedPowers.reduce((a, b) => a + b), 4);
  });

  it('asks each label by itself with multi_label: neither the number nor the order of the others changes an answer', async () => {
    const alone = (await classify({ input: [image(2)], labels: ['sea'] })).data[0].score;
    for (const labels of [['sea', 'fire'], ['grass', 'sand', 'sea', 'fire']]) {
      const [answer] = (await classify({ input: [image(2)], labels, multi_label: true })).data;
      expect(answer.predictions.find(({ label }: any) => label === 'sea').score).toBe(alone);
      expect(answer.labels).toEqual(answer.predictions.filter(({ score }: any) => score >= 0.5).map(({ label }: any) => label));
    }
  });

  it('answers as before where nothing new is asked', async () => {
    const request = { input: [image(0), 'a text'], labels: ['fire', 'grass', 'sea'] };
    const { data: now } = await classify(request);
    const { data: plain } = await classify({ ...request, model: 'plain' });
    expect(now).toEqual(plain);
    expect(now[0].predictions.reduce((all: number, { score }: any) => all + score, 0)).toBeCloseTo(1, 9);
  });

  it('shares what a parent has among its kinds', async () => {
    const top = (await classify({ input: [image(3)], labels: ['animal', 'vehicle'], abstain: 'auto' })).data[0];
    const labels = ['animal', { name: 'dog', parent: 'animal' }, { name: 'husky', parent: 'dog', prompts: ['a husky', 'a sledge dog'] }, { name: 'poodle', parent: 'dog' }, { name: 'cat', parent: 'animal' }, 'vehicle'];
    const [answer] = (await classify({ input: [image(3)], labels, abstain: 'auto' })).data;
    const score = (name: string): number => answer.predictions.find(({ label }: any) => label === name).score;
    expect(score('dog') + score('cat')).toBeCloseTo(score('animal'), 9);
    expect(score('husky') + score('poodle')).toBeCloseTo(score('dog'), 9);
    for (const { label, score: before } of top.predictions) expect(score(label)).toBeCloseTo(before, 9);
    expect(await refusal('/v1/classify', { input: [image(3)], labels: ['a', { name: 'b', parent: 'c' }] })).toEqual([400, 'labels[1].parent']);
    expect(await refusal('/v1/classify', { input: [image(3)], labels: ['a', { name: 'b', parent: 'c' }, { name: 'c', parent: 'b' }] })).toEqual([400, 'labels[1].parent']);
  });

  it('refuses by name what contradicts itself, or what a model cannot know', async () => {
    const input = [image(0)];
    expect(await refusal('/v1/classify', { input })).toEqual([400, 'labels']);
    expect(await refusal('/v1/classify', { input, labels: ['a'], classifier: 'b' })).toEqual([400, 'labels']);
    expect(await refusal('/v1/classify', { input, labels: ['a', 'b'], abstain: 'maybe' })).toEqual([400, 'abstain']);
    expect(await refusal('/v1/classify', { input, labels: ['a', 'b'], abstain: 'auto', activation: 'softmax' })).toEqual([400, 'abstain']);
    expect(await refusal('/v1/classify', { input, labels: ['a', 'b'], multi_label: true, model: 'plain' })).toEqual([422, 'multi_label']);
  });
});

describe('Decisions', () => {
  const ask = async (questions: object[], index = 0): Promise<any> => {
    const { status, body } = await service.post('/v1/decisions', { model: 'gpt-6-luna', input: [{ role: 'user', content: [{ type: 'input_image', image_url: `data:image/png;base64,${pictures[index]!}` }] }], questions, safety_identifier: 'x' });
    expect([status, body.error]).toEqual([200, undefined]);
    return body;
  };

  it('answer predicates, choices and scores in the shape of the protocol', async () => {
    const { answers, model, calibrated: is, usage } = await ask([
      { type: 'predicate', name: 'hot', instructions: 'Is there a fire?' },
      { type: 'choice', instructions: 'What is it?', choices: [{ value: 'grass' }, { value: true, description: 'a sea' }, { value: 'true' }] },
      { type: 'score', name: 'deep', instructions: 'How deep?', levels: [{ label: 'shallow' }, { label: 'deep' }, { label: 'abyss', description: 'the bottom of the sea' }] },
      { type: 'choice', name: 'b', instructions: 'fire', choices: [{ value: false }, { value: true }] },
    ]);
    const [logit] = await reckoned(image(0), ['a fire']);
    expect([model, is, usage.total_tokens > 0]).toEqual(['calibrated', true, true]);
    expect(answers[0]).toMatchObject({ type: 'predicate', name: 'hot' });
    expect(answers[0].probability).toBeCloseTo(yes(logit!), 4);
    expect(answers[1].probabilities.map(({ value }: any) => value)).toEqual(['grass', true, 'true']);
    expect(answers[1].name).toBeNull();
    for (const { probabilities } of answers.slice(1)) expect(probabilities.reduce((sum: number, { probability }: any) => sum + probability, 0)).toBeCloseTo(1, 9);
    const best = answers[1].probabilities.reduce((a: any, b: any) => (b.probability > a.probability ? b : a));
    expect([answers[1].choice, answers[1].confidence]).toEqual([best.value, best.probability]);
    expect(answers[2].score).toBeCloseTo(answers[2].probabilities.reduce((sum: number, { value, probability }: any) => sum + value * probability, 0), 9);
    expect(answers[3].probabilities.map(({ value }: any) => value)).toEqual([false, true]);
  });

  it('never change because others are asked besides, in whatever order', async () => {
    const questions = Array.from({ length: 60 }, (_, i) => ({ type: i % 2 === 0 ? 'predicate' : 'choice', name: `q${i}`, instructions: `thing ${i}`, ...(i % 2 === 0 ? {} : { choices: [{ value: `stone ${i}` }, { value: `tree ${i}` }] }) }));
    const all = (await ask(questions, 1)).answers;
    expect((await ask([...questions].reverse(), 1)).answers.reverse()).toEqual(all);
    expect((await ask([questions[31]!], 1)).answers[0]).toEqual(all[31]);
  });

  it('refuse one by one what cannot be known, and answer the others', async () => {
    const { answers } = await ask([{ type: 'predicate', name: 'n', instructions: 'Is there no dog?' }, { type: 'predicate', instructions: '12?' }, { type: 'predicate', instructions: 'a dog' }, { type: 'choice', instructions: 'x', choices: [{ value: 'a dog' }, { value: false }] }]);
    expect(answers.map(({ type, name }: any) => [type, name])).toEqual([['refusal', 'n'], ['refusal', null], ['predicate', null], ['refusal', null]]);
    const text = (await service.post('/v1/decisions', { input: 'a text', questions: [{ type: 'predicate', instructions: 'a dog' }, { type: 'choice', instructions: 'x', choices: [{ value: 'one' }, { value: 'two' }] }] })).body;
    expect([text.calibrated, ...text.answers.map(({ type }: any) => type)]).toEqual([false, 'refusal', 'choice']);
  });

  it('name what is wrong with a request', async () => {
    const predicate = { type: 'predicate', instructions: 'a dog' };
    const choices = (count: number): object[] => Array.from({ length: count }, (_, i) => ({ value: `v${i}` }));
    const refused = async (more: object): Promise<unknown[]> => refusal('/v1/decisions', { input: 'x', questions: [predicate], ...more });
    expect(await refused({ questions: [] })).toEqual([400, 'questions']);
    expect((await refused({ questions: new Array(1001).fill(predicate) }))[0]).toBeGreaterThanOrEqual(400);
    expect(await refused({ questions: [{ type: 'choice', instructions: 'x', choices: choices(1) }] })).toEqual([400, 'questions[0].choices']);
    expect((await refused({ questions: [{ type: 'choice', instructions: 'x', choices: choices(256) }] }))[1]).toMatch(/^questions\[0\]\.choices/);
    expect(await refused({ questions: [{ type: 'choice', instructions: 'x', choices: [{ value: 'a' }, { value: 'a' }] }] })).toEqual([400, 'questions[0].choices[1].value']);
    expect(await refused({ model: 'nobody' })).toEqual([404, 'model']);
    expect((await refused({ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }] }] }))).toEqual([415, 'input[0].content[0].image']);
  });
});

describe('Saved classifiers', () => {
  it('answer as their labels do, learn from examples, and forget them again', async () => {
    const { url } = service.server;
    const labels = ['fire', 'grass', 'sea'];
    expect((await call(url, 'PUT', '/v1/classifiers/colors', { labels })).body).toMatchObject({ name: 'colors', model: 'calibrated', labels, examples: [] });
    const before = await classify({ input: pictures.map((_, i) => image(i)), classifier: 'colors' });
    expect(before.data).toEqual((await classify({ input: pictures.map((_, i) => image(i)), labels })).data);

    await service.collection('kept');
    await service.add('kept', [{ id: 'blue', image: pictures[2]! }]);
    for (const [label, content] of [['fire', { inputs: [image(1)] }], ['grass', { inputs: [image(0)] }], ['sea', { collection: 'kept', ids: ['blue'] }]] as const) {
      expect((await service.post('/v1/classifiers/colors/examples', { label, ...content })).status).toBe(200);
    }
    const taught = (await service.get('/v1/classifiers/colors')).body;
    expect(taught.examples).toEqual(labels.map((label) => ({ label, count: 1, not: 0 })));
    expect(taught.accuracy.leave_one_out).toBeGreaterThanOrEqual(taught.accuracy.zero_shot);
    const after = (await call(url, 'DELETE', '/v1/classifiers/colors/examples', { inputs: [image(0)] })).body;
    expect(after.examples.map(({ label }: any) => label)).toEqual(['fire', 'sea']);
    expect((await call(url, 'DELETE', '/v1/classifiers/colors/examples', {})).body.examples).toEqual([]);
    expect((await classify({ input: pictures.map((_, i) => image(i)), classifier: 'colors' })).data).toEqual(before.data);
    expect((await service.get('/v1/classifiers')).body.classifiers.map(({ name }: any) => name)).toEqual(['colors']);
    expect((await call(url, 'DELETE', '/v1/classifiers/colors')).status).toBe(204);
    expect((await service.get('/v1/classifiers/colors')).status).toBe(404);
  });

  it('refuse examples by name', async () => {
    await call(service.server.url, 'PUT', '/v1/classifiers/two', { labels: ['a', 'b'] });
    await call(service.server.url, 'POST', '/v1/collections', { name: 'other-space', model: 'plain' });
    const at = '/v1/classifiers/two/examples';
    expect(await refusal(at, { label: 'c', inputs: ['x'] })).toEqual([400, 'label']);
    expect(await refusal(at, { label: 'a' })).toEqual([400, 'inputs']);
    expect(await refusal(at, { label: 'a', ids: ['x'] })).toEqual([400, 'collection']);
    expect(await refusal(at, { label: 'a', collection: 'default', ids: ['x'] })).toEqual([404, 'ids[0]']);
    expect(await refusal('/v1/classifiers/nobody/examples', { label: 'a', inputs: ['x'] })).toEqual([404, null]);
    expect(await refusal('/v1/classifiers/two%20', { labels: ['a'] }, 'PUT')).toEqual([400, 'name']);
  });
});

describe('A classified collection', () => {
  it('has labels with probabilities in its metadata, to be filtered by, and tells how often the truth was met', async () => {
    const name = await service.collection('gallery');
    await service.add(name, pictures.map((each, i) => ({ id: `p${i}`, image: each, metadata: { n: i, is: i < 2 ? 'fire' : 'sea' } })));
    const expected = (await classify({ input: pictures.map((_, i) => image(i)), labels: ['fire', 'sea'], calibrated: true })).data;
    const { status, body } = await service.post(`/v1/collections/${name}/classify`, { labels: ['fire', 'sea'], field: 'seen', truth: 'is' });
    expect(status).toBe(202);
    let job = body.job;
    for (; !['done', 'failed', 'cancelled'].includes(job.state); job = (await service.get(`/v1/jobs/${job.id}`)).body) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(job).toMatchObject({ kind: 'classify', state: 'done', done: 4, failed: 0 });
    const listed = (await service.get(items(name))).body.items;
    expect(listed.map(({ metadata }: any) => [metadata.n, metadata.seen.label])).toEqual(expected.map(({ prediction }: any, i: number) => [i, prediction]));
    listed.forEach(({ metadata }: any, i: number) => expect(metadata.seen.probability).toBeCloseTo(expected[i].score, 5));
    const right = expected.filter(({ prediction }: any, i: number) => prediction === (i < 2 ? 'fire' : 'sea')).length;
    expect(job.result.accuracy).toBe(right / 4);
    expect(job.result.confusion.rows.flat().reduce((a: number, b: number) => a + b)).toBe(4);
    const filter = encodeURIComponent(JSON.stringify({ 'seen.label': expected[0].prediction }));
    expect((await service.get(`${items(name)}?filter=${filter}`)).body.items.map(({ id }: any) => id)).toContain('p0');
    expect(await refusal(`/v1/collections/${name}/classify`, { labels: ['a'], field: 'a.b' })).toEqual([400, 'field']);
    expect(await refusal(`/v1/collections/${name}/classify`, { field: 'a' })).toEqual([400, 'labels']);
  });
});

describe('The command line', () => {
  it('classifies a folder as CSV', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-folder-'));
    try {
      for (const [i, each] of pictures.entries()) await writeFile(path.join(folder, `${i}.png`), Buffer.from(each, 'base64'));
      const { code, stdout } = await runMixspace(['classify', folder, '--labels', 'fire,sea', '--format', 'csv', '--url', service.server.url]);
      const [head, ...lines] = stdout.trim().split('\n');
      expect([code, head, lines.length]).toEqual([0, 'file,label,score,none', 4]);
      expect(lines[0]).toMatch(/^".*0\.png","(fire|sea)",0\.\d+,$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('a package whose calibration is malformed cannot be used, and says which field', async () => {
  const bad = await startSmall({ good: readsTexts, bad: { ...readsTexts, 'calibration.json': { ...calibration, slope: -1 } } });
  try {
    const { status, body } = await bad.post('/v1/classify', { model: 'bad', input: ['x'], labels: ['a'] });
    expect([status, body.error.message]).toEqual([503, expect.stringContaining('calibration.json: slope')]);
  } finally {
    await bad.remove();
  }
});
