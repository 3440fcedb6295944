import type { SearchResponse, Why } from '../contract/search.js';
import { plural, say } from './print.js';

/** From no fall to the greatest. */
const shades = [' ', '.', ':', '+', '*', '#'];

/** Each match with what it owes its place to, then what was left out. */
export function printWhy({ matches, explained, cut }: SearchResponse): void {
  for (const { score, relevance, text, sources, id, group, why } of matches) {
    say([score?.toFixed(3) ?? '', text ?? sources[0] ?? id, ...(group ? [`(${String(group.value)}, ${group.more} more)`] : [])].join('  '));
    for (const line of why ? linesOf(why, relevance) : []) say(`       ${line}`);
  }
  if (!explained) return;
  const { items, let_through: through, left_out: left } = explained;
  say(`Looked at ${through === items ? plural(items, 'item') : `${through} of ${plural(items, 'item')}`}.`);
  if (cut && left && left.count > 0) say(`Left out as not relevant: ${left.count}${left.best ? `, the best at ${left.best.score.toFixed(3)} (${left.best.id})` : ''}.`);
}

function linesOf({ words, heat, relevance: judged, terms, ranks }: Why, relevance: number | undefined): string[] {
  const standing = terms?.filter((term) => term.in.length > 0) ?? [];
  return [
    ...(words ? [`words: ${words.map(({ text, weight }) => `${text} ${signed(weight)}`).join(', ')}`] : []),
    ...(standing.length > 0 ? [`stands there: ${standing.map((term) => `${term.text} (${term.in.join(', ')})`).join(', ')}`] : []),
    ...(ranks ? [`places: ${[ranks.near && `${ranks.near} by nearness`, ranks.words && `${ranks.words} by words`].filter(Boolean).join(', ')}`] : []),
    ...(judged ? [`relevance ${(relevance ?? 0).toFixed(2)}: ${judged.list.toFixed(1)} deviations above ${plural(judged.count, 'score')}${judged.texts === undefined ? '' : `, ${judged.texts.toFixed(1)} above unrelated texts`}${judged.least_score === undefined ? '' : `; relevant from ${judged.least_score.toFixed(3)}`}`] : []),
    ...(heat ? ['where in the picture:', ...heat.falls.map((row) => `|${row.map((fall) => shadeOf(fall, Math.max(...heat.falls.flat()))).join('')}|`)] : []),
  ];
}

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;

function shadeOf(fall: number, greatest: number): string {
  const share = greatest > 0 ? Math.max(0, fall) / greatest : 0;
  return shades[Math.round(share * (shades.length - 1))]!.repeat(2);
}
