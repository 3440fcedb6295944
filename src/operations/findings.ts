import { findingKinds, type Finding, type FindingKind } from '../contract/collections.js';
import { MixspaceError } from '../errors.js';
import type { Context } from './context.js';
import type { FindingSummary } from './finding-summary.js';

/** What jobs have found out about a collection: none of one that is being deleted. */
export async function findingsOf({ catalog }: Context, collection: string): Promise<Finding[]> {
  try {
    const results = (await catalog.listResults(collection)).filter(({ kind }) => findingKinds.includes(kind as FindingKind));
    if (results.length === 0) return [];
    const now = await catalog.changesOf(collection);
    return findingKinds.flatMap((kind) =>
      results
        .filter((result) => result.kind === kind)
        .map(({ job, summary }) => {
          const { at, made_at: madeAt, changes } = summary as FindingSummary & { at?: string; made_at?: string };
          return { kind, job, made_at: madeAt ?? at ?? '', stale: changes !== now };
        }),
    );
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_found') return [];
    throw error;
  }
}
