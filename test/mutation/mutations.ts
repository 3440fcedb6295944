import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../server.js';
import { foundByReview } from './found-by-review.js';
import type { Mutation } from './mutation.js';
import { ofDoors } from './of-attacks.js';
import { ofHttp } from './of-http.js';
import { ofOperations } from './of-operations.js';
import { ofPicture } from './of-picture.js';
import { ofStore } from './of-store.js';
import { mutated } from './scratch.js';

export const mutations: Mutation[] = [...foundByReview, ...ofOperations, ...ofStore, ...ofPicture, ...ofHttp, ...ofDoors];

/** Sentences: of those that no longer stand in the source, and of names that stand twice. */
export async function faultsOf(all: Mutation[]): Promise<string[]> {
  const faults: string[] = [];
  const names = new Set<string>();
  for (const mutation of all) {
    if (names.has(mutation.name)) faults.push(`Two mutations are called ${mutation.name}.`);
    names.add(mutation.name);
    try {
      mutated(await readFile(path.join(repository, mutation.file), 'utf8'), mutation);
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  return faults;
}
