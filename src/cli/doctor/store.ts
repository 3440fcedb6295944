import { toMixspaceError } from '../../errors.js';
import { fail, ok, type Finding } from './finding.js';

const topic = 'store';

/** A PostgreSQL database in which collections are to live. */
export async function lookAtStore(url: string): Promise<Finding[]> {
  // Who has an index directory needs none of it.
  const { lookAtDatabase } = await import('../../store/postgres/check.js');
  try {
    const { server, vector, version, known } = await lookAtDatabase(url);
    const what = `PostgreSQL ${server}`;
    if (vector === undefined && version === 0) return [fail(topic, `${what}, without pgvector, unless this user may install it.`, 'Let its administrator run CREATE EXTENSION vector in the database.')];
    if (version > known) return [fail(topic, `${what}: its collections are of a newer mixspace.`, 'Run that version, or give another schema with ?schema=NAME.')];
    const state = version === 0 ? 'nothing of mixspace is in it yet; the first start makes it' : version < known ? 'the next start brings its schema up to date' : 'its schema is of this version';
    return [ok(topic, `${what}, pgvector ${vector ?? 'missing'}: ${state}.`)];
  } catch (error) {
    return [fail(topic, toMixspaceError(error).message, 'Check the address in MIXSPACE_STORE or its file, and that the database lets this machine in.')];
  }
}
