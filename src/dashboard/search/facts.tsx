import { useLanguage } from '../shell/language.js';
import { useDetailsTexts } from './details-texts.js';
import type { Result } from './results.js';
import { usePercent } from './tile.js';

/** All that is known of an item. */
export function Facts({ item }: { item: Result }) {
  const words = useDetailsTexts();
  const language = useLanguage();
  const percent = usePercent();
  const facts: [string, string][] = [];
  if (item.relevance !== undefined) facts.push([words.relevance, percent(item.relevance)]);
  if (item.score !== undefined) facts.push([words.score, item.score.toFixed(4)]);
  for (const [key, value] of Object.entries(item.metadata)) facts.push([key, typeof value === 'string' ? value : JSON.stringify(value)]);
  if (item.width !== undefined && item.height !== undefined) facts.push([words.size, `${item.width} × ${item.height}`]);
  // A camera's own time, in no zone: as it stands.
  if (item.taken_at !== undefined) facts.push([words.taken, dated(item.taken_at, language, 'UTC')]);
  if (item.created_at !== undefined) facts.push([words.added, dated(item.created_at, language)]);
  if (item.not_embedded !== undefined) facts.push([words.notSearched, item.not_embedded]);
  for (const source of item.sources) facts.push([words.source, source]);
  facts.push([words.id, item.id]);
  return (
    <dl>
      {facts.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function dated(text: string, language: string, timeZone?: string): string {
  const time = new Date(timeZone === undefined || /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(time.getTime()) ? text : time.toLocaleString(language, { dateStyle: 'long', timeStyle: 'short', ...(timeZone !== undefined && { timeZone }) });
}
