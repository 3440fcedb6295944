/** Folders of pictures, and what a collection that equals them must hold: looked up here, by nothing of the service's. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import type { Item } from '../src/contract/items.js';
import type { Job } from '../src/contract/jobs.js';
import type { MixspaceClient } from '../src/client/index.js';

export const idOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Small, and like no other of another seed. */
export async function speckled(seed: number): Promise<Buffer> {
  let state = (seed * 2654435761) >>> 0 || 1;
  const pixels = Buffer.alloc(24 * 20 * 3);
  for (let i = 0; i < pixels.length; i++) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    pixels[i] = state & 255;
  }
  return sharp(pixels, { raw: { width: 24, height: 20, channels: 3 } }).png().toBuffer();
}

/** Paths of the pictures under a folder, by the id of their content. */
export function contentsOf(folder: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const inside = path.join(at, entry.name);
      if (entry.isDirectory()) walk(inside);
      else if (entry.isFile() && /\.(png|jpg)$/.test(entry.name) && !entry.name.startsWith('.')) {
        const id = idOf(readFileSync(inside));
        found.set(id, [...(found.get(id) ?? []), inside]);
      }
    }
  };
  walk(folder);
  return found;
}

export async function listed(client: MixspaceClient, collection: string): Promise<Map<string, Item>> {
  const all = new Map<string, Item>();
  for await (const item of client.listItems(collection)) all.set(item.id, item);
  return all;
}

/** Ids and their sorted paths, sorted: of the folder, and of the collection. */
export const ofFolder = (folder: string): [string, string[]][] => [...contentsOf(folder)].map(([id, paths]): [string, string[]] => [id, paths.sort()]).sort(([a], [b]) => (a < b ? -1 : 1));
export const ofItems = (items: Map<string, Item>): [string, string[]][] => [...items].map(([id, { sources }]): [string, string[]] => [id, [...sources].sort()]).sort(([a], [b]) => (a < b ? -1 : 1));

export async function ended(client: MixspaceClient, id: string): Promise<Job> {
  for (;;) {
    const job = await client.job(id);
    if (job.state === 'done' || job.state === 'failed' || job.state === 'cancelled') return job;
    await delay(50);
  }
}

/** The result of a job that must have been done. */
export async function synced(client: MixspaceClient, collection: string, body: { root: string; prune?: boolean; dry_run?: boolean; exclude?: string[] }): Promise<any> {
  const job = await ended(client, (await client.sync(collection, body)).id);
  if (job.state !== 'done') throw new Error(`The job is ${job.state}: ${job.problem}`);
  return job.result;
}

/** 0..1, and a pick of a list. */
export interface Chance {
  next: () => number;
  pick: <T>(of: readonly T[]) => T;
}

export function chance(seed: number): Chance {
  let state = seed >>> 0;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { next, pick: (of) => of[Math.floor(next() * of.length)]! };
}
