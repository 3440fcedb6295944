/** What nobody needs is given back, and comes again when it is needed. */
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { call } from './api.js';
import { changingModels, interactive, listedAs, models, open, start, startWorker, until } from './changing-models.js';
import { tinyModels } from './server.js';
import { fixtures } from './small-towers.js';

const picture = () => readFile(path.join(fixtures, 'images', 'landscape.jpg'));
const vectorOf = (outcome: { ok: boolean; value?: { embedding: Float32Array } } | undefined): number[] => [...outcome!.value!.embedding];

changingModels();

it('ends workers that nobody needs but one, which answers texts at once and pictures as before, and wakes the others under load', async () => {
  let started = 0;
  const encoder = await open({
    workers: 3,
    restSeconds: 1,
    startWorker: (settings) => {
      started++;
      return startWorker(settings);
    },
  });
  // The check of the other model has a worker of its own.
  await encoder.models.model('other');
  const bytes = await picture();
  const [text] = await encoder.encodeTexts('main', ['a dog'], interactive);
  const before = vectorOf((await encoder.encodeImages('main', [bytes], interactive))[0]);
  const main = () => encoder.models.list().find(({ id }) => id === 'main')!;
  await until(() => encoder.workers().processes, (processes) => processes.length === 1);
  expect(encoder.workers().processes[0]).toMatchObject({ worker: 0, role: 'encoder' });
  expect(main().loadedIn).toBe(1);

  const rested = started;
  expect(await encoder.encodeTexts('main', ['a dog'], interactive)).toEqual([text]);
  expect(started).toBe(rested);
  const outcomes = await encoder.encodeImages('main', Array<Buffer>(120).fill(bytes), { priority: 'bulk' });
  for (const outcome of outcomes) expect(vectorOf(outcome as never)).toEqual(before.map((value) => expect.closeTo(value, 5) as number));
  expect(started).toBeGreaterThan(rested);
  expect(encoder.workers().replaced).toBe(0);
});

it('holds a text tower in one worker alone, and tells the memory of each process', async () => {
  const server = await start({ MIXSPACE_WORKERS: '2' });
  await until(() => listedAs(server, 'main'), ({ loaded_in: held }) => held === 2);
  const memory = async () => {
    const { body } = await call<string>(server.url, 'GET', '/metrics');
    return [...body.matchAll(/^mixspace_resident_bytes\{role="([^"]+)",worker="(\d*)"\} (\S+)$/gm)].map(([, role, worker, bytes]) => [role, worker, Number(bytes)] as const);
  };
  // As of its first answer, each.
  const told = await until(memory, (all) => all.every(([, , bytes]) => bytes > 20e6));
  expect(told.map(([role, worker]) => [role, worker])).toEqual([['service', ''], ['encoder', '0'], ['picture encoder', '1']]);
});

it('keeps what it could not load again', async () => {
  const encoder = await open({ workers: 2, restSeconds: 5 });
  await rename(path.join(models, 'main'), path.join(models, '.main'));
  // Of the same model, opened later: when its worker rests, the other one's would have.
  const clock = await open({ modelsDirectory: tinyModels, defaultModel: 'clip-tiny', workers: 2, restSeconds: 5 });
  await until(() => clock.workers().processes, (processes) => processes.length === 1);
  expect(encoder.workers().processes).toHaveLength(2);
  const [wanted] = await clock.encodeImages('clip-tiny', [await picture()], interactive);
  expect(vectorOf((await encoder.encodeImages('main', [await picture()], interactive))[0])).toEqual(vectorOf(wanted));
});
