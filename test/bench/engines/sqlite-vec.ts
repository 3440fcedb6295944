import path from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { countOf, limit, vectorAt, type Build } from './engine.js';

const name: string = 'sqlite-vec';
/** As the service chooses it. */
const sqlite: string = Number(process.versions.node.split('.')[0]) >= 22 ? 'better-sqlite3-node-api' : 'better-sqlite3';

const blob = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer => Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

export const build: Build = async (contents) => {
  const { getLoadablePath } = (await import(name)) as { getLoadablePath(): string };
  const { default: Database } = (await import(sqlite)) as { default: typeof BetterSqlite3 };
  const database = new Database(path.join(contents.directory, 'items.db'));
  database.loadExtension(getLoadablePath());
  database.pragma('journal_mode = wal');
  database.pragma(`mmap_size = ${2 ** 40}`);
  database.exec(`CREATE VIRTUAL TABLE items USING vec0(row INTEGER PRIMARY KEY, group_number INTEGER PARTITION KEY, embedding FLOAT[${contents.dimension}] DISTANCE_METRIC=L2)`);
  const insert = database.prepare('INSERT INTO items (row, group_number, embedding) VALUES (?, ?, ?)');
  database.transaction(() => {
    for (let row = 0; row < countOf(contents); row++) insert.run(BigInt(row), BigInt(contents.groups[row]!), blob(vectorAt(contents, row)));
  })();
  const nearest = database.prepare('SELECT row FROM items WHERE embedding MATCH ? AND k = ?').pluck();
  const nearestOfGroup = database.prepare('SELECT row FROM items WHERE embedding MATCH ? AND k = ? AND group_number = ?').pluck();
  return {
    settings: 'exact, L2 of float32, a file (better-sqlite3, WAL, memory-mapped); the group is its partition key',
    hasFilters: true,
    isConcurrent: false,
    find: (query, _effort, group) => (group === undefined ? nearest.all(blob(query), limit) : nearestOfGroup.all(blob(query), limit, BigInt(group))) as number[],
  };
};
