/** What a leaf's search asks of the database. */
import type { Filter } from '../../domain/filter.js';
import type { Phrase } from '../../domain/words.js';
import type { StoredItem } from '../stored-item.js';
import { compileFilter } from './filter.js';
import { itemColumns } from './items.js';
import type { List } from './lists.js';
import { compilePhrase } from './phrases.js';
import { itemsOf } from './tables.js';
import { toVector } from './vectors.js';

export interface Wanted {
  embedding: Float32Array;
  filter?: Filter | undefined;
  required?: Phrase[] | undefined;
  /** Keys of items. */
  excluded: number[];
  after?: { score: number; id: string } | undefined;
}

/** An item, how its nearest part scores and, of a tile, where that lies. */
export interface Row extends StoredItem {
  score: number;
  box: string | null;
  part: number;
  /** The score of the part by which the graph came to it. */
  seen?: number;
}

export interface Statement {
  sql: string;
  values: unknown[];
}

/** The embedding that is searched for is `$1` everywhere. A function: no index is in its way. */
const scoreOf = (table: string): string => `least(1::float8, greatest(-1::float8, inner_product(${table}.vector, $1::vector)))`;
/** Of an item's parts the one that scores highest. */
export const nearestPart = (table: string, item: string): string => `LATERAL (SELECT part, box, ${scoreOf('parts')} AS score FROM ${table} AS parts WHERE parts.item = ${item} ORDER BY score DESC, part LIMIT 1) AS nearest`;

class Values {
  readonly list: unknown[];

  constructor(embedding: Float32Array) {
    this.list = [toVector(embedding)];
  }

  add(value: unknown): string {
    return `$${this.list.push(value)}`;
  }

  /** What an item must be like. */
  conditions({ filter, required = [] }: Wanted): string[] {
    return [...(filter ? [compileFilter(filter, this.list)] : []), ...required.map((phrase) => compilePhrase(phrase, this.list))];
  }

  notExcluded({ excluded }: Wanted, item: string): string[] {
    return excluded.length === 0 ? [] : [`${item} <> ALL(${this.add(excluded)}::bigint[])`];
  }
}

const where = (conditions: string[], word = 'WHERE'): string => (conditions.length === 0 ? '' : `${word} ${conditions.join(' AND ')}`);

/** Of all items those with the highest scores, `count` of them; which of equals, chance decides. Behind the place, those at its score among them. */
export function comparingAll({ collection, table, hasParts }: List, wanted: Wanted, count: number): Statement {
  const values = new Values(wanted.embedding);
  const score = hasParts ? `max(${scoreOf('rows')})` : scoreOf('rows');
  const excluded = values.notExcluded(wanted, 'rows.item');
  const behind = wanted.after ? [`${score} <= ${values.add(wanted.after.score)}`] : [];
  const top = `SELECT rows.item, ${score} AS score FROM ${table} AS rows ${hasParts ? `${where(excluded)} GROUP BY rows.item ${where(behind, 'HAVING')}` : where([...excluded, ...behind])} ORDER BY score DESC LIMIT ${values.add(count)}`;
  return { sql: ofItems({ collection, table, hasParts }, top), values: values.list };
}

/** Of the items that match those that come first, in full order: strictly behind the place. `least`: score. */
export function comparingMatching({ collection, table, hasParts }: List, wanted: Wanted, count: number, least?: number): Statement {
  const values = new Values(wanted.embedding);
  const score = hasParts ? `max(${scoreOf('rows')})` : scoreOf('rows');
  const matching = `SELECT key AS item, id FROM ${itemsOf(collection.key)} ${where(values.conditions(wanted))}`;
  const excluded = values.notExcluded(wanted, 'rows.item');
  const bounds: string[] = [];
  if (least !== undefined) bounds.push(`${score} >= ${values.add(least)}`);
  if (wanted.after) {
    const at = values.add(wanted.after.score);
    bounds.push(`(${score} < ${at} OR (${score} = ${at} AND matching.id > ${values.add(wanted.after.id)}))`);
  }
  const top = `SELECT rows.item, ${score} AS score FROM (${matching}) AS matching JOIN ${table} AS rows ON rows.item = matching.item
    ${hasParts ? `${where(excluded)} GROUP BY rows.item, matching.id ${where(bounds, 'HAVING')}` : where([...excluded, ...bounds])} ORDER BY score DESC, matching.id LIMIT ${values.add(count)}`;
  return { sql: ofItems({ collection, table, hasParts }, top), values: values.list };
}

function ofItems({ collection, table, hasParts }: Pick<List, 'collection' | 'table' | 'hasParts'>, top: string): string {
  return `SELECT top.score, ${hasParts ? 'nearest.part, nearest.box' : '0 AS part, NULL AS box'}, ${itemColumns(collection.space)}
    FROM (${top}) AS top JOIN ${itemsOf(collection.key)} AS items ON items.key = top.item ${hasParts ? `CROSS JOIN ${nearestPart(table, 'top.item')}` : ''}`;
}

/**
 * Of the items that match, by the index, roughly the nearest in the order of their embeddings, `count` embeddings: each
 * with its item's score. From the place's score on. `most`: embeddings that the index gives.
 */
export function byGraph({ collection, table, hasParts, graph }: List, wanted: Wanted, count: number, most: number): Statement {
  const values = new Values(wanted.embedding);
  const { dimension, key, space } = collection;
  const order = graph === 'half' ? `(vector::halfvec(${dimension})) <#> $1::vector::halfvec(${dimension})` : 'vector <#> $1::vector';
  const near = `SELECT item, ${scoreOf('rows')} AS score FROM ${table} AS rows ORDER BY ${order} LIMIT ${values.add(most)}`;
  const score = hasParts ? 'nearest.score' : 'near.score';
  const behind = wanted.after ? [`${score} <= ${values.add(wanted.after.score)}`] : [];
  const conditions = [...values.notExcluded(wanted, 'near.item'), ...behind];
  // OFFSET 0: the items stay where they are, one looked up for each embedding in its order.
  const items = `LATERAL (SELECT ${itemColumns(space)} FROM ${itemsOf(key)} AS items ${where(['items.key = near.item', ...values.conditions(wanted)])} OFFSET 0) AS items`;
  return {
    sql: `SELECT ${score} AS score, near.score AS seen, ${hasParts ? 'nearest.part, nearest.box' : '0 AS part, NULL AS box'}, items.*
      FROM (${near}) AS near CROSS JOIN ${items} ${hasParts ? `CROSS JOIN ${nearestPart(table, 'near.item')}` : ''} ${where(conditions)} LIMIT ${values.add(count)}`,
    values: values.list,
  };
}
