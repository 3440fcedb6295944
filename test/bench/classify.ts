import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { photos } from '../eval/pack.js';
import { cpuSecondsOf, median, milliseconds } from './timing.js';

const rounds = 9;

/** What a question costs that was asked before, and what labels that are saved add to a picture; each as wall time and as the service's own CPU. */
export async function classify(quick: boolean): Promise<void> {
  const server = await startServer({ env: { LOG_LEVEL: 'error' } });
  try {
    const client = new MixspaceClient({ url: server.url });
    const image_url = `data:image/webp;base64,${Buffer.from(photos(1)[0]!).toString('base64')}`;
    const questions = Array.from({ length: 1_000 }, (_, i) => ({ type: 'predicate' as const, instructions: `a thing with the number ${i}` }));
    const ask = (count: number) => client.decide({ input: [{ role: 'user', content: [{ type: 'input_image', image_url }] }], questions: questions.slice(0, count) });
    await told('a cached question', questions.length - 1, () => ask(1), () => ask(questions.length), quick, server.process.pid!);

    const labels = Array.from({ length: 1_000 }, (_, i) => `thing number ${i}`);
    await client.putClassifier('few', { labels: labels.slice(0, 2) });
    await client.putClassifier('many', { labels });
    const input = photos(20).map((webp) => ({ image: Buffer.from(webp).toString('base64') }));
    const run = (classifier: string) => client.classify({ input, classifier, top_k: 1 });
    await told('998 more saved labels, a picture', input.length, () => run('few'), () => run('many'), quick, server.process.pid!);

    await client.putClassifier('taught', { labels: labels.slice(0, 10) });
    const examples = photos(quick ? 200 : 1_000).map((webp) => ({ image: Buffer.from(webp).toString('base64') }));
    for (let label = 0; label < 10; label++) await client.addExamples('taught', { label: labels[label]!, inputs: examples.slice((label * examples.length) / 10, ((label + 1) * examples.length) / 10) });
    // The same example once more: only what is learnt is new.
    const began = performance.now();
    await client.addExamples('taught', { label: labels[0]!, inputs: examples.slice(0, 1) });
    console.log(`classify: learning from ${examples.length} examples of 10 labels: ${milliseconds(performance.now() - began)}`);
  } finally {
    await server.remove();
  }
}

async function told(what: string, count: number, less: () => Promise<unknown>, more: () => Promise<unknown>, quick: boolean, pid: number): Promise<void> {
  await less();
  await more();
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < (quick ? 3 : rounds); round++) {
    const [a, b] = [await timed(less, pid), await timed(more, pid)];
    wall.push((b.wall - a.wall) / count);
    cpu.push((b.cpu - a.cpu) / count);
  }
  console.log(`classify: ${what} adds ${milliseconds(median(wall))}, ${milliseconds(median(cpu))} of it CPU (median of ${wall.length} rounds)`);
}

async function timed(work: () => Promise<unknown>, pid: number): Promise<{ wall: number; cpu: number }> {
  const before = cpuSecondsOf(pid);
  const began = performance.now();
  await work();
  return { wall: performance.now() - began, cpu: (cpuSecondsOf(pid) - before) * 1000 };
}
