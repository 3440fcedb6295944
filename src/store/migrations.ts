import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The `NNNN_name.sql` files in order. */
export type Migrations = { name: string; sql: string }[];

export function readMigrations(directory: string): Migrations {
  const names = readdirSync(directory)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();
  return names.map((name, i) => {
    if (Number(name.slice(0, 4)) !== i + 1) throw new Error(`Migrations are numbered without gaps; ${name} stands at ${i + 1}.`);
    return { name, sql: readFileSync(join(directory, name), 'utf8') };
  });
}
