import { compareCodePoints } from '../../domain/code-point-order.js';
import type { Modality } from '../../domain/modality.js';
import type { WordMatch, WordMatches, WordsRequest } from '../full-text.js';
import { toItem } from '../stored-item.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { toBox } from './embeddings.js';
import { compileFilter } from './filter.js';
import { itemColumns, toStoredItem } from './items.js';
import { nearestPart, type Row } from './leaf-statements.js';
import { compilePhrase } from './phrases.js';
import { embeddingsOf, itemsOf } from './tables.js';
import { toVector } from './vectors.js';

/** Items of one modality of which scores are reckoned, the heaviest first. */
const mostCompared = 2_000;

type Request = Omit<WordsRequest, 'fingerprint'>;
interface WeighedRow extends Row {
  weight: number;
  /** Of each phrase, whether it stands in the item. */
  standing: boolean[];
  /** How many items were there to be compared. */
  weighed: number;
}

/** See the port. */
export async function withWords(session: Session, collection: CollectionRow, request: Request): Promise<WordMatches> {
  const { modalities, limit, phrases } = request;
  if (phrases.length === 0) return { matches: [], complete: true };
  const found: WeighedRow[] = [];
  let isComplete = true;
  for (const modality of modalities) {
    const rows = await ofModality(session, { collection, modality }, request);
    isComplete &&= rows[0]!.weighed <= mostCompared;
    found.push(...rows.filter(({ weight }) => weight !== null) as WeighedRow[]);
  }
  found.sort((a, b) => b.weight - a.weight || b.score - a.score || compareCodePoints(a.id, b.id));
  return { matches: found.slice(0, limit).map(toMatch), complete: isComplete && found.length <= limit };
}

/** One more than asked for, where there are so many; where there is none, a row without weight. */
function ofModality(session: Session, { collection, modality }: { collection: CollectionRow; modality: Modality }, request: Request): Promise<(WeighedRow | (Pick<WeighedRow, 'weighed'> & { weight: null }))[]> {
  const { embedding, phrases, required = [], filter, excludeIds = [], minScore, limit } = request;
  const { key, space } = collection;
  const table = embeddingsOf(space, modality);
  const values: unknown[] = [toVector(embedding)];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const standing = phrases.map(({ phrase }) => compilePhrase(phrase, values));
  const weight = phrases.map((each, i) => `CASE WHEN ${standing[i]} THEN ${add(each.weight)}::float8 ELSE 0 END`).join(' + ');
  const conditions = [
    `(${standing.join(' OR ')})`,
    ...required.map((phrase) => compilePhrase(phrase, values)),
    ...(filter ? [compileFilter(filter, values)] : []),
    ...(excludeIds.length > 0 ? [`id <> ALL(${add(excludeIds)}::text[])`] : []),
    `EXISTS (SELECT FROM ${table} AS rows WHERE rows.item = items.key)`,
  ];
  const least = minScore === undefined ? '' : `WHERE nearest.score >= ${add(minScore)}`;
  return session.rows(
    `WITH weighed AS MATERIALIZED (SELECT key, id, ${weight} AS weight, ARRAY[${standing.join(', ')}] AS standing FROM ${itemsOf(key)} AS items WHERE ${conditions.join(' AND ')}),
          heaviest AS (SELECT * FROM weighed ORDER BY weight DESC, key LIMIT ${mostCompared}),
          best AS (SELECT heaviest.key AS item, weight, standing, nearest.* FROM heaviest CROSS JOIN ${nearestPart(table, 'heaviest.key')} ${least} ORDER BY weight DESC, nearest.score DESC, id LIMIT ${add(limit + 1)})
     SELECT counted.weighed, best.weight, best.standing, best.score, best.part, best.box, ${itemColumns(space)}
       FROM (SELECT count(*) AS weighed FROM weighed) AS counted LEFT JOIN (best JOIN ${itemsOf(key)} AS items ON items.key = best.item) ON true`,
    values,
  );
}

function toMatch({ weight: _weight, standing, weighed: _weighed, score, part, box, ...row }: WeighedRow): WordMatch {
  const phrases = standing.flatMap((stands, place) => (stands ? [place] : []));
  return { id: row.id, score, ...(part > 0 && box !== null && { box: toBox(box) }), phrases, item: toItem(toStoredItem(row)) };
}
