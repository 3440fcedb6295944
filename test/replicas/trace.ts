/** What the database saw of jobs: who took each, who embedded, how each ended. Written by triggers, so no replica can forget it. */
import pg from 'pg';

export class Trace {
  readonly #url: string;
  readonly #schema: string;

  constructor(store: string) {
    const url = new URL(store);
    this.#schema = url.searchParams.get('schema')!;
    url.searchParams.delete('schema');
    this.#url = url.href;
  }

  /** Once the tables are there. */
  async install(): Promise<void> {
    const s = `"${this.#schema}"`;
    await this.#query(`
      CREATE TABLE ${s}.trace (n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp(), who text DEFAULT current_setting('application_name'), what text, job text, space integer);
      CREATE FUNCTION ${s}.trace_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.token <> OLD.token AND NEW.holder IS NOT NULL THEN INSERT INTO ${s}.trace (what, job) VALUES ('taken', NEW.id); END IF;
        IF NEW.state <> OLD.state THEN INSERT INTO ${s}.trace (what, job) VALUES (NEW.state, NEW.id); END IF;
        RETURN NULL; END $$;
      CREATE TRIGGER trace AFTER UPDATE ON ${s}.jobs FOR EACH ROW EXECUTE FUNCTION ${s}.trace_job();
      CREATE FUNCTION ${s}.trace_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.embeddings > OLD.embeddings AND EXISTS (SELECT FROM ${s}.spaces WHERE key = NEW.space AND since IS NULL) THEN INSERT INTO ${s}.trace (what, space) VALUES ('batch', NEW.space); END IF;
        RETURN NULL; END $$;
      CREATE TRIGGER trace AFTER UPDATE ON ${s}.space_tallies FOR EACH ROW EXECUTE FUNCTION ${s}.trace_batch();`);
  }

  /** `jobs`: ids of all that were begun, each of which must have ended, once. */
  async faults(jobs: string[]): Promise<{ faults: string[]; takenOver: number; batches: number }> {
    const faults: string[] = [];
    const rows = await this.#query<{ who: string; what: string; job: string | null }>(`SELECT who, what, job FROM "${this.#schema}".trace ORDER BY n`);
    const known = await this.#query<{ id: string; state: string }>(`SELECT id, state FROM "${this.#schema}".jobs WHERE kind = 'reembed'`);
    const ends = new Map<string, string[]>();
    const holders = new Map<string, string>();
    let running: string | undefined;
    let takenOver = 0;
    let batches = 0;
    for (const { who, what, job } of rows) {
      if (job !== null && !known.some(({ id }) => id === job)) continue;
      if (what === 'taken') {
        const before = holders.get(job!);
        if (before !== undefined && before !== who) takenOver++;
        holders.set(job!, who);
        running = job!;
      } else if (what === 'batch') {
        batches++;
        const holder = running === undefined ? undefined : holders.get(running);
        if (who !== holder) faults.push(`${who} embedded a batch of ${running ?? 'no job'}, which ${holder ?? 'nobody'} had.`);
      } else {
        const before = ends.get(job!);
        if (before && ['done', 'failed', 'cancelled'].includes(before.at(-1)!)) faults.push(`Job ${job} had ended (${before.join(', ')}) and became ${what} at ${who}.`);
        ends.set(job!, [...(before ?? []), what]);
      }
    }
    for (const id of new Set(jobs)) {
      const state = known.find((each) => each.id === id)?.state;
      if (state !== 'done') faults.push(`Job ${id} is ${state ?? 'lost'}.`);
      const done = ends.get(id)?.filter((each) => each === 'done').length ?? 0;
      if (done !== 1) faults.push(`Job ${id} ended ${done} times.`);
    }
    for (const { id } of known) if (!jobs.includes(id)) faults.push(`Job ${id} was begun by nobody.`);
    return { faults, takenOver, batches };
  }

  async drop(): Promise<void> {
    await this.#query(`DROP SCHEMA IF EXISTS "${this.#schema}" CASCADE`);
  }

  async #query<Row extends object>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}
