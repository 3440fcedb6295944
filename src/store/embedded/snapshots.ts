import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Modality } from '../../domain/modality.js';
import { hashFile, isMissing, publish, removedOnFailure, writeDurably } from '../../files.js';
import type { Log } from '../../telemetry.js';
import { Graph, headerFits, headerLength } from './graph.js';

/** Whose graph it is, and of which space. */
export interface GraphOwner {
  collection: number;
  name: string;
  modality: Modality;
  fingerprint: string;
  dimension: number;
  /** The space's key. */
  space: number;
  /** The sequence number with which the collection went over to the space. */
  since: number;
}

/** Lies beside the graph's file, written after it: without it the file counts for nothing. */
export interface Sidecar {
  file: string;
  bytes: number;
  sha256: string;
  fingerprint: string;
  dimension: number;
  count: number;
  /** The collection's sequence number when the saving began. */
  seq: number;
}

/** Saved graphs. Each can be deleted at any time: the graph is then built again from the stored embeddings. */
export class Snapshots {
  readonly #directory: string;
  readonly #log: Log;

  constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
    mkdirSync(directory, { recursive: true });
  }

  /** The saved graph, or `undefined`, told in the log, when there is none that can be trusted. `seq` is the collection's own. */
  async load(owner: GraphOwner, seq: number, storedKeys: () => number[]): Promise<Graph | undefined> {
    let file = this.#path(`${stem(owner)}.json`);
    try {
      const sidecar = JSON.parse(await readFile(file, 'utf8')) as Sidecar;
      if (sidecar.file !== graphName(owner, sidecar.seq, sidecar.count)) throw new Error('It names another file.');
      if (sidecar.dimension !== owner.dimension || sidecar.fingerprint !== owner.fingerprint || sidecar.seq < owner.since) throw new Error('It belongs to another space.');
      if (sidecar.seq > seq) throw new Error('It is newer than the database.');
      file = this.#path(sidecar.file);
      await check(file, sidecar);
      return await Graph.read(file, owner.dimension, storedKeys);
    } catch (error) {
      const reason = isMissing(error) ? 'It is missing.' : error instanceof Error ? error.message : String(error);
      this.#log('warn', `The graph's snapshot ${file} cannot be used; it is built again, and searches are exact meanwhile.`, {
        collection: owner.name,
        modality: owner.modality,
        reason,
      });
      await this.remove(owner.collection, owner.modality);
      return undefined;
    }
  }

  async save(owner: GraphOwner, seq: number, graph: Graph): Promise<void> {
    const { count, changes } = graph;
    const name = graphName(owner, seq, count);
    const file = this.#path(name);
    const { size, sha256 } = await removedOnFailure(`${file}.tmp`, async () => {
      await graph.write(`${file}.tmp`);
      const { size } = await stat(`${file}.tmp`);
      // The library does not notice when the disk is full.
      if (!headerFits(await readHeader(`${file}.tmp`), size, owner.dimension, count)) {
        throw Object.assign(new Error('The file came out short, as on a full disk.'), { code: 'ENOSPC' });
      }
      const sha256 = await hashFile(`${file}.tmp`);
      await publish(file);
      return { size, sha256 };
    });
    const sidecar: Sidecar = { file: name, bytes: size, sha256, fingerprint: owner.fingerprint, dimension: owner.dimension, count, seq };
    await writeDurably(this.#path(`${stem(owner)}.json`), JSON.stringify(sidecar));
    graph.changes -= changes;
    await this.#removeWhere((other) => other.startsWith(`${stem(owner)}.`) && other !== name && !other.endsWith('.json'));
  }

  async remove(collection: number, modality: Modality): Promise<void> {
    await this.#removeWhere((name) => name.startsWith(`${stem({ collection, modality })}.`));
  }

  /** Removes what belongs to no graph that `isWanted` knows by its stem, and what a crash left unfinished. To be called before anything is saved. */
  sweep(isWanted: (stem: string) => boolean): void {
    for (const name of readdirSync(this.#directory)) {
      if (name.endsWith('.tmp') || !isWanted(name.slice(0, name.indexOf('.')))) rmSync(this.#path(name), { force: true, recursive: true });
    }
  }

  async #removeWhere(unwanted: (name: string) => boolean): Promise<void> {
    for (const name of await readdir(this.#directory)) if (unwanted(name)) await rm(this.#path(name), { force: true, recursive: true });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

export const stem = ({ collection, modality }: Pick<GraphOwner, 'collection' | 'modality'>): string => `${collection}-${modality}`;
/** Where the graph lies of which a sidecar tells; a name that is none of a graph leads nowhere. */
export const graphFileOf = (directory: string, { file }: Partial<Sidecar>): string => join(directory, /^\d+-\w+\.\d+-\d+\.hnsw$/.test(file ?? '') ? file! : 'none');
/** No two states of a graph share a name: a deletion raises `seq`, an addition `count`. */
const graphName = (owner: GraphOwner, seq: number, count: number): string => `${stem(owner)}.${seq}-${count}.hnsw`;

async function check(file: string, sidecar: Sidecar): Promise<void> {
  const { size } = await stat(file);
  if (size !== sidecar.bytes) throw new Error(`It has ${size} bytes instead of ${sidecar.bytes}.`);
  if (!headerFits(await readHeader(file), size, sidecar.dimension, sidecar.count)) throw new Error('Its header does not fit.');
  if ((await hashFile(file)) !== sidecar.sha256) throw new Error('Its checksum does not match.');
}

async function readHeader(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(headerLength);
    const { bytesRead } = await handle.read(header, 0, headerLength, 0);
    return header.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
