/** Files in which items were seen, while a transaction writes them: as `WorkingSet` has the items themselves. */
import { keptDays, keptDeparted, type ExampleTable, type Heritage, type SeenRow, type SeenTable } from '../writing/tables.js';
import type { StoredItem } from '../stored-item.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import type { Following } from './following-examples.js';
import type { WorkingSet } from './working-set.js';

export interface FileName {
  machine: string;
  path: string;
}

interface Found {
  rows: (SeenRow & { machine: string })[];
  departed: Map<string, Heritage>;
}

const dayMs = 86_400_000;

export class WorkingSightings {
  readonly seen: SeenTable;
  readonly examples: ExampleTable<StoredItem>;
  /** In their order. */
  readonly following: Following[] = [];
  /** By machine and path. */
  readonly #rows = new Map<string, (SeenRow & { machine: string }) | undefined>();
  readonly #written = new Set<string>();
  readonly #removed: { item: string; path: string }[] = [];
  readonly #departed: Map<string, Heritage>;
  readonly #returned = new Set<string>();
  readonly #leaving = new Set<string>();

  /** `elsewhere`: of items, by machine, other files than those that `found` is of. */
  constructor({ rows, departed }: Found, elsewhere: (item: string, machine: string) => string | undefined, set: WorkingSet) {
    for (const row of rows) this.#rows.set(nameOf(row.machine, row.path), row);
    this.#departed = departed;
    this.seen = {
      get: (_, machine, path) => this.#rows.get(nameOf(machine, path)),
      put: (_, machine, { path, stamp, item }, former) => this.#put(machine, path, { machine, path, stamp, item, former }),
      remove: (_, machine, path) => this.#put(machine, path, undefined),
      removeOfItem: (_, item, path) => this.#removeOfItem(item, path),
      anyOf: (_, item, machine) => elsewhere(item, machine) ?? this.#anyOf(item, machine),
      depart: (_, item, metadata, createdAt) => {
        this.#departed.set(item, { metadata, createdAt });
        this.#leaving.add(item);
      },
      departed: (_, item) => this.#departed.get(item),
      returned: (_, item) => {
        this.#returned.add(item);
        this.#leaving.delete(item);
        this.#departed.delete(item);
      },
    };
    this.examples = {
      follow: (_, before, now) => {
        const parts = set.byKey(now.key)?.parts;
        this.following.push({ before: before.content_hash, now: { key: now.key, modality: now.modality, hash: now.content_hash }, embedding: parts?.from === 0 ? parts.parts[0]?.embedding : undefined });
      },
    };
  }

  async write(session: Session, { key }: CollectionRow): Promise<void> {
    if (this.#removed.length > 0) {
      await session.write('DELETE FROM seen_files USING unnest($2::text[], $3::text[]) AS gone (item, path) WHERE collection = $1 AND seen_files.item = gone.item AND seen_files.path = gone.path', [
        key,
        this.#removed.map(({ item }) => item),
        this.#removed.map(({ path }) => path),
      ]);
    }
    const put = [...this.#written].flatMap((name) => this.#rows.get(name) ?? []);
    const gone = [...this.#written].filter((name) => !this.#rows.get(name)).map(partsOfName);
    if (gone.length > 0) {
      await session.write('DELETE FROM seen_files USING unnest($2::text[], $3::text[]) AS gone (machine, path) WHERE collection = $1 AND seen_files.machine = gone.machine AND md5(seen_files.path) = md5(gone.path)', [
        key,
        gone.map(({ machine }) => machine),
        gone.map(({ path }) => path),
      ]);
    }
    await putSeen(session, key, put);
    if (this.#returned.size > 0) await session.write('DELETE FROM departed_items WHERE collection = $1 AND item = ANY($2)', [key, [...this.#returned]]);
    await this.#depart(session, key);
  }

  #put(machine: string, path: string, row: (SeenRow & { machine: string }) | undefined): void {
    const name = nameOf(machine, path);
    this.#rows.set(name, row);
    this.#written.add(name);
  }

  #removeOfItem(item: string, path: string): void {
    this.#removed.push({ item, path });
    for (const row of this.#rows.values()) if (row?.item === item && row.path === path) this.#put(row.machine, path, undefined);
  }

  #anyOf(item: string, machine: string): string | undefined {
    for (const row of this.#rows.values()) if (row?.item === item && row.machine === machine) return row.path;
    return undefined;
  }

  async #depart(session: Session, collection: number): Promise<void> {
    const leaving = [...this.#leaving].map((item) => ({ item, ...this.#departed.get(item)! }));
    if (leaving.length === 0) return;
    const at = new Date();
    await session.write(
      `INSERT INTO departed_items (collection, item, metadata, created_at, gone_at) SELECT $1, item, metadata, created_at, $5 FROM unnest($2::text[], $3::text[], $4::text[]) AS gone (item, metadata, created_at)
         ON CONFLICT (collection, item) DO UPDATE SET metadata = excluded.metadata, created_at = excluded.created_at, gone_at = excluded.gone_at`,
      [collection, leaving.map(({ item }) => item), leaving.map(({ metadata }) => metadata), leaving.map(({ createdAt }) => createdAt), at.toISOString()],
    );
    await session.write(
      `DELETE FROM departed_items WHERE collection = $1 AND (gone_at < $2 OR gone_at < (SELECT gone_at FROM departed_items WHERE collection = $1 ORDER BY gone_at DESC LIMIT 1 OFFSET $3))`,
      [collection, new Date(at.getTime() - keptDays * dayMs).toISOString(), keptDeparted],
    );
  }
}

/** Of these files, the rows that are there; of these items, what was known when they went. */
export async function findSeen(session: Session, { key }: CollectionRow, files: FileName[], items: string[]): Promise<Found> {
  const machines = [...new Set(files.map(({ machine }) => machine))];
  const paths = [...new Set(files.map(({ path }) => path))];
  const rows = await session.rows<SeenRow & { machine: string }>(
    `SELECT machine, path, stamp, item, former FROM unnest($3::text[]) AS wanted
       JOIN seen_files ON collection = $1 AND machine = ANY($2) AND md5(path) = md5(wanted) AND path = wanted`,
    [key, machines, paths],
  );
  const departed = items.length === 0 ? [] : await session.rows<{ item: string; metadata: string; created_at: string }>('SELECT item, metadata, created_at FROM departed_items WHERE collection = $1 AND item = ANY($2)', [key, items]);
  return { rows, departed: new Map(departed.map(({ item, metadata, created_at }) => [item, { metadata, createdAt: created_at }])) };
}

/** Of these items, in which other files of these machines they were seen, one of each. */
export async function findElsewhere(session: Session, { key }: CollectionRow, items: string[], files: FileName[]): Promise<(item: string, machine: string) => string | undefined> {
  if (items.length === 0) return () => undefined;
  const rows = await session.rows<{ item: string; machine: string; path: string }>(
    'SELECT DISTINCT ON (item, machine) item, machine, path FROM seen_files WHERE collection = $1 AND item = ANY($2) AND machine = ANY($3) AND path <> ALL($4) ORDER BY item, machine, path',
    [key, items, [...new Set(files.map(({ machine }) => machine))], [...new Set(files.map(({ path }) => path))]],
  );
  const paths = new Map(rows.map(({ item, machine, path }) => [nameOf(machine, item), path]));
  return (item, machine) => paths.get(nameOf(machine, item));
}

/** Each once. */
export async function putSeen(session: Session, collection: number, rows: (SeenRow & { machine: string })[]): Promise<void> {
  if (rows.length === 0) return;
  await session.write(
    `INSERT INTO seen_files (collection, machine, path, stamp, item, former) SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       ON CONFLICT (collection, machine, md5(path)) DO UPDATE SET stamp = excluded.stamp, item = excluded.item, former = excluded.former`,
    [collection, rows.map(({ machine }) => machine), rows.map(({ path }) => path), rows.map(({ stamp }) => stamp), rows.map(({ item }) => item), rows.map(({ former }) => former)],
  );
}

const nameOf = (machine: string, path: string): string => JSON.stringify([machine, path]);
function partsOfName(name: string): FileName {
  const [machine, path] = JSON.parse(name) as [string, string];
  return { machine, path };
}
