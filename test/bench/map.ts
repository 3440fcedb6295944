import { MixspaceClient } from '../../src/client/index.js';
import { trustOf } from '../eval/trust.js';
import { startServer } from '../server.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { ShiftedCloud } from './shifted-cloud.js';
import { cpuSecondsOf, inFlight, milliseconds, percentile, seconds } from './timing.js';

const perRequest = 1_000;
const sampled = 300;
const asked = 20;

/** A map of embeddings as those of pictures lie, made by the running service: how long it takes, and what is told of all points at once. */
export async function map(quick: boolean, wanted?: BenchModel, count?: number): Promise<void> {
  const model = wanted ?? (await defaultModel());
  for (const each of count === undefined ? (quick ? [2_000] : [10_000, 100_000]) : [count]) {
    const server = await startServer({ env: { LOG_LEVEL: 'error', ...settingsFor(model) }, patience: 120_000 });
    try {
      const client = new MixspaceClient({ url: server.url });
      const cloud = new ShiftedCloud({ dimension: (await client.models())[0]!.dimensions!, seed: 1 });
      const embeddings = Array.from({ length: each }, () => cloud.item().embedding);
      const firsts = Array.from({ length: Math.ceil(each / perRequest) }, (_, batch) => batch * perRequest);
      await inFlight(firsts, 2, async (first) => {
        await client.addItems('default', embeddings.slice(first, first + perRequest).map((embedding, i) => ({ id: String(first + i), embedding: Array.from(embedding), modality: 'image' as const, metadata: { draw: (first + i) % 100 } })));
      });
      const cpuBefore = cpuSecondsOf(server.process.pid!);
      const made = await seconds(async () => {
        const job = await client.makeMap('default');
        for await (const { type, job: now } of client.followJob(job.id)) if (type === 'end' && now.state !== 'done') throw new Error(now.problem ?? now.state);
      });
      const cpu = cpuSecondsOf(server.process.pid!) - cpuBefore;
      const told = await client.map('default');
      const points = await client.mapPoints('default');
      const order: Float32Array[] = [];
      for (let from = 0; from < told.count; from += perRequest) order.push(...(await client.mapItems('default', { from, limit: perRequest })).items.map(({ id }) => embeddings[Number(id)]!));
      for (const [name, call] of Object.entries({
        'all points': () => client.mapPoints('default'),
        'scores by an embedding': () => client.mapScores('default', { query: { embedding: Array.from(cloud.textQuery()) } }),
        'a field of all': () => client.mapValues('default', 'draw'),
      })) {
        const first = 1000 * (await seconds(call));
        const times: number[] = [];
        for (let i = 0; i < asked; i++) times.push(1000 * (await seconds(call)));
        console.log(`map, ${name}: the first time ${milliseconds(first)}, then p50 ${milliseconds(percentile(times, 0.5))} p95 ${milliseconds(percentile(times, 0.95))}`);
      }
      // Last: while it is told, the connection would lie idle until it is closed.
      const { value, low, high } = trustOf(order, points, { k: 15, sampled });
      console.log(`map, ${each} embeddings of ${embeddings[0]!.length} numbers: made in ${made.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU; trustworthiness at 15 of ${sampled} points ${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)}), as the service tells it ${told.trustworthiness}`);
    } finally {
      await server.remove();
    }
  }
}
