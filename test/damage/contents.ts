/** A directory that a real service filled and was killed over, and what was sent to it. */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { base64, call, items } from '../api.js';
import { embeddingOf } from '../crash/contents.js';
import { drawn } from '../pictures.js';
import { startServer } from '../server.js';
import type { EmbeddedStoreSettings } from '../../src/store/embedded/open.js';
import { search } from '../store-search.js';
import { bothPorts, type BothPorts } from '../store-ports.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../../src/store/embedded/open.js');

export const env = { MIXSPACE_WORKERS: '1', LOG_LEVEL: 'warn' };

export interface Sent {
  id: string;
  metadata: Record<string, unknown>;
  text?: string;
  picture?: Buffer;
  embedding?: number[];
}

export interface Contents {
  sent: Map<string, Sent>;
  /** As they were while all was well: those of texts and pictures are not ours to know. */
  embeddings: Map<string, number[]>;
  thumbnails: Map<string, Buffer>;
  dimension: number;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** Two lives of a service: the first is closed, so that pages lie in the database, the second killed, so that some lie in the -wal file. */
export async function fill(indexDir: string): Promise<Contents> {
  const sent = new Map<string, Sent>();
  const embeddings = new Map<string, number[]>();
  const thumbnails = new Map<string, Buffer>();
  let dimension = 0;
  for (const life of [1, 2]) {
    const server = await startServer({ env, indexDir });
    try {
      dimension = (await call(server.url, 'GET', '/v1/collections/default')).body.dimensions;
      for (const batch of [0, 1, 2]) {
        const entries: Sent[] = [];
        for (let i = 0; i < 5; i++) entries.push({ id: `picture_${life}${batch}_${i}`, metadata: { life, kind: 'picture', nested: { i } }, picture: await drawn(life * 100 + batch * 10 + i) });
        for (let i = 0; i < 3; i++) entries.push({ id: `text_${life}${batch}_${i}`, metadata: { life, kind: 'text' }, text: `A text of life ${life}, batch ${batch}, number ${i}. ${'More of it. '.repeat(i * 300)}` });
        for (let i = 0; i < 12; i++) {
          const id = `embedding_${life}${batch}_${i}`;
          entries.push({ id, metadata: { life, kind: 'embedding', words: 'here and there' }, embedding: embeddingOf(id, 1, dimension) });
        }
        const body = { items: entries.map(({ picture, embedding, ...rest }) => ({ ...rest, ...(picture ? { image: base64(picture) } : {}), ...(embedding ? { embedding, modality: 'image' } : {}) })) };
        const { body: answer } = await call(server.url, 'POST', items(), body);
        expect(answer.items.every(({ status }: { status: string }) => status === 'created'), JSON.stringify(answer)).toBe(true);
        for (const entry of entries) sent.set(entry.id, entry);
      }
      for (const id of [`picture_${life}0_0`, `embedding_${life}1_0`]) {
        expect((await call(server.url, 'DELETE', `${items()}/${id}`)).status).toBe(204);
        sent.delete(id);
      }
      if (life === 2) for (const [id, { picture }] of sent) {
        if (picture) thumbnails.set(id, Buffer.from(await (await fetch(`${server.url}${items()}/${id}/image?size=thumbnail`)).arrayBuffer()));
      }
      if (life === 1) expect(await server.stop()).toBe(0);
    } finally {
      if (life === 2) await server.kill();
    }
  }
  const copy = `${indexDir}-copy`;
  cpSync(indexDir, copy, { recursive: true });
  const store = await openStore(copy);
  for (const [id, { embedding: given }] of sent) {
    const embedding = Array.from(await store.getEmbedding('default', id));
    if (given) expect(embedding.every((value, i) => Math.abs(value - given[i]!) < 1e-4)).toBe(true);
    embeddings.set(id, embedding);
  }
  await store.close();
  rmSync(copy, { recursive: true });
  return { sent, embeddings, thumbnails, dimension };
}

/** Hash -> number of files, wherever they lie. */
export function originalsIn(indexDir: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(path.join(indexDir, 'originals'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const hash = sha256(readFileSync(path.join(entry.parentPath, entry.name)));
    found.set(hash, (found.get(hash) ?? 0) + 1);
  }
  return found;
}

export interface Judgement {
  /** The sentence of a start that was refused. */
  refused?: string;
  /** Answers that were refused by name: sentences. */
  named: string[];
  /** What was answered, and is not so. */
  wrong: string[];
  log: string[];
}

export async function openStore(directory: string, log: string[] = [], settings: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  return bothPorts(await openEmbeddedStore({ directory, settings, log: (level, message, fields) => log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) }));
}

/** Opens the directory and reads everything that was ever sent, and whatever else there is. */
export async function judge(directory: string, contents: Contents): Promise<Judgement> {
  const judgement: Judgement = { named: [], wrong: [], log: [] };
  const file = path.join(directory, 'mixspace');
  let store: BothPorts;
  try {
    store = await openStore(directory, judgement.log);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!['not_ready', 'conflict'].includes(code ?? '') || !message.includes(file) || !/restore|remove/i.test(message)) judgement.wrong.push(`start: ${code} ${message}`);
    return { ...judgement, refused: message };
  }
  try {
    await readAll(store, contents, judgement);
  } finally {
    await store.close();
  }
  return judgement;
}

async function readAll(store: BothPorts, { sent, embeddings, thumbnails, dimension }: Contents, { named, wrong }: Judgement): Promise<void> {
  /** Judged where there is an answer; a refusal must be one by name. */
  const check = async <T>(what: string, ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T | undefined> => {
    try {
      const answer = await ask();
      if (!isRight(answer)) wrong.push(`${what}: ${JSON.stringify(answer).slice(0, 300)}`);
      return answer;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (['not_ready', 'not_found', 'conflict'].includes(code ?? '') && /damaged|cannot be shown/.test(message) && /send|restore/i.test(message)) named.push(`${what}: ${message}`);
      else wrong.push(`${what}: ${code} ${message}`);
      return undefined;
    }
  };
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

  for (const [id, { metadata, text, picture }] of sent) {
    await check(`item ${id}`, () => store.getItem('default', id), (item) => item.id === id && same(item.metadata, metadata) && item.text === text && (picture === undefined || item.contentHash === sha256(picture)));
    await check(`embedding ${id}`, () => store.getEmbedding('default', id), (embedding) => same(Array.from(embedding), embeddings.get(id)));
    if (!picture) continue;
    await check(`original ${id}`, () => store.getPicture('default', id, 'original'), ({ bytes }) => picture.equals(bytes));
    await check(`thumbnail ${id}`, () => store.getPicture('default', id, 'thumbnail'), ({ bytes }) => thumbnails.get(id)!.equals(bytes));
  }
  const ids = [...sent.keys()].sort();
  await check('list', () => store.listItems('default', { limit: 1_000 }), ({ items }) => same(items.map(({ id }) => id), ids));
  await check('filtered list', () => store.listItems('default', { limit: 1_000, filter: { life: 1 } }), ({ items }) => same(items.map(({ id }) => id), ids.filter((id) => sent.get(id)!.metadata.life === 1)));
  await check('collection', () => store.describeCollection('default'), ({ counts, dimension: found }) => counts.image + counts.text === sent.size && found === dimension);

  const leftOut = new Set((await check('impossible', () => store.listImpossible('default', 1_000), () => true))?.map(({ id }) => id));
  const told = named.filter((each) => each.startsWith('item ') || each.startsWith('embedding ')).map((each) => each.split(' ')[1]!.replace(':', ''));
  for (const query of ['embedding_10_1', 'embedding_21_5']) {
    const embedding = embeddings.get(query)!;
    const expected = ids
      .map((id) => ({ id, score: embeddings.get(id)!.reduce((sum, value, i) => sum + value * embedding[i]!, 0) }))
      .filter(({ id }) => !leftOut.has(id) && !told.includes(id))
      .sort((a, b) => b.score - a.score)
      .slice(0, 20);
    await check(
      `search ${query}`,
      () => search(store, 'default', { embedding: Float32Array.from(embedding), limit: 20 }),
      ({ matches }) => matches.every(({ item, score }, i) => item.id === expected[i]?.id && Math.abs(score - expected[i].score) < 1e-5),
    );
  }
}
