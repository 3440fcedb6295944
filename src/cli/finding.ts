/** What `map`, `clusters` and `duplicates` have in common: a job is started and followed, and what was found then told. */
import type { Command } from 'commander';
import type { MixspaceClient } from '../client/index.js';
import type { FindingKind } from '../contract/collections.js';
import type { Job } from '../contract/jobs.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, type ClientFlags } from './options.js';
import { printJson, say } from './print.js';

export interface FindingFlags extends ClientFlags {
  last?: true;
  detach?: true;
}

interface Parts {
  kind: FindingKind;
  description: string;
  /** What `--last` does. */
  last: string;
  /** Before the options that all have. */
  options: (command: Command) => Command;
}

export function findingCommand({ kind, description, last, options }: Parts): Command {
  return options(clientCommand(kind, description).argument('[collection]', 'the collection', 'default'))
    .option('--last', last)
    .option('--detach', 'begin, and do not wait for the end');
}

interface Finding {
  kind: FindingKind;
  collection: string;
  start: (client: MixspaceClient) => Promise<Job>;
  tell: (client: MixspaceClient) => Promise<void>;
}

/** With `--last` nothing is started, with `--detach` nothing waited for. */
export async function find({ kind, collection, start, tell }: Finding, { last, detach, ...flags }: FindingFlags): Promise<void> {
  const client = openClient(flags);
  if (!last) {
    const job = await start(client);
    if (detach) return flags.json ? printJson({ job }) : say(`The service works on it; mixspace jobs follow ${job.id} shows how far it is, mixspace ${kind} ${collection} --last what came of it.`);
    await follow(job.id, flags, { isSilent: true });
    if (process.exitCode !== undefined) return;
  }
  await tell(client);
}

/** Without what was left out. */
export const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
