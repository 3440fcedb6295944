import { useMemo } from 'preact/hooks';
import type { ValueCounts } from '../../contract/items.js';
import type { How } from '../shell/address.js';
import { texts, useLanguage } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import type { Result } from './results.js';
import { filterOf, isNarrowed, isSearch, orders, withoutNarrowing, type Order, type Scalar, type View, type Wanted } from './wanted.js';

const useTexts = texts({
  en: { label: 'Filters and order', order: 'Order', newest: 'Newest first', oldest: 'Oldest first', added: 'Added last', folder: 'By folder', dates: 'Dates', from: 'From', to: 'To', all: 'Remove all filters', without: (name: string) => `Remove the filter ${name}`, scores: 'Show scores', picture: 'Pictures', text: 'Texts', kind: 'Kind', since: (day: string) => `since ${day}`, until: (day: string) => `until ${day}` },
  de: { label: 'Filter und Reihenfolge', order: 'Reihenfolge', newest: 'Neueste zuerst', oldest: 'Älteste zuerst', added: 'Zuletzt hinzugefügt', folder: 'Nach Ordner', dates: 'Zeitraum', from: 'Von', to: 'Bis', all: 'Alle Filter entfernen', without: (name: string) => `Den Filter ${name} entfernen`, scores: 'Ähnlichkeiten zeigen', picture: 'Bilder', text: 'Texte', kind: 'Art', since: (day: string) => `ab ${day}`, until: (day: string) => `bis ${day}` },
  zh: { label: '筛选与排序', order: '排序', newest: '最新在前', oldest: '最早在前', added: '最近添加', folder: '按文件夹', dates: '日期', from: '从', to: '到', all: '移除全部筛选', without: (name: string) => `移除筛选 ${name}`, scores: '显示得分', picture: '图片', text: '文本', kind: '类型', since: (day: string) => `${day} 起`, until: (day: string) => `至 ${day}` },
});

interface FiltersProps {
  view: View;
  /** What the fields are told from. */
  found: Result[];
  showsScores: boolean;
  onScores: (showsScores: boolean) => void;
  onWant: (wanted: Wanted, how?: How) => void;
}

const modality = '$item.modality';

/** Among what is looked, and in which order. */
export function Filters({ view, found, showsScores, onScores, onWant }: FiltersProps) {
  const words = useTexts();
  const { wanted } = view;
  const { is = [], folder, from, to } = wanted;
  const without = (place: number): Wanted['is'] => (is.length > 1 ? is.filter((_, index) => index !== place) : undefined);
  const said = (field: string, value: Scalar): string => (field === modality ? (value === 'text' ? words.text : words.picture) : `${field}: ${String(value)}`);
  const chips: { name: string; rest: Wanted }[] = [
    ...is.map(([field, value], index) => ({ name: said(field, value), rest: { ...wanted, is: without(index) } })),
    ...(folder === undefined ? [] : [{ name: folder, rest: { ...wanted, folder: undefined } }]),
    ...(from === undefined ? [] : [{ name: words.since(from), rest: { ...wanted, from: undefined } }]),
    ...(to === undefined ? [] : [{ name: words.until(to), rest: { ...wanted, to: undefined } }]),
  ];
  return (
    <div class="filters" role="group" aria-label={words.label}>
      {!isSearch(wanted) && (
        <select aria-label={words.order} value={wanted.order ?? 'newest'} onChange={(event) => onWant({ ...wanted, order: orderFrom(event.currentTarget.value) })}>
          {orders.map((order) => (
            <option key={order} value={order}>
              {words[order]}
            </option>
          ))}
        </select>
      )}
      <Facets view={view} found={found} said={said} onChoose={(field, value) => onWant({ ...wanted, is: [...is.filter(([other]) => other !== field), [field, value]] })} />
      <details class="dates">
        <summary>{words.dates}</summary>
        <div>
          {(['from', 'to'] as const).map((end) => (
            <label key={end}>
              {words[end]}
              <input type="date" value={wanted[end] ?? ''} onChange={(event) => onWant({ ...wanted, [end]: event.currentTarget.value || undefined }, 'replace')} />
            </label>
          ))}
        </div>
      </details>
      {isSearch(wanted) && (
        <label class="scores">
          <input type="checkbox" checked={showsScores} onChange={(event) => onScores(event.currentTarget.checked)} />
          {words.scores}
        </label>
      )}
      {chips.length > 0 && (
        <ul class="chips">
          {chips.map(({ name, rest }) => (
            <li key={name}>
              <button type="button" aria-label={words.without(name)} onClick={() => onWant(rest)}>
                <span>{name}</span>
                <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
          {chips.length > 1 && isNarrowed(wanted) && (
            <li>
              <button type="button" onClick={() => onWant(withoutNarrowing(wanted))}>
                {words.all}
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

/** `newest` is what stands in no address. */
const orderFrom = (text: string): Order | undefined => (text === 'newest' ? undefined : orders.find((order) => order === text));

interface FacetsProps {
  view: View;
  found: Result[];
  said: (field: string, value: Scalar) => string;
  onChoose: (field: string, value: Scalar) => void;
}

const mostFields = 4;
const mostValues = 40;

/** A few fields of the metadata, and how many items have which value. */
function Facets({ view: { collection, wanted }, found, said, onChoose }: FacetsProps) {
  const words = useTexts();
  const language = useLanguage();
  const { client } = useSession();
  const known = useMemo(() => fieldsOf(found.slice(0, 200)), [found[0]]);
  const fields = useFields(collection, known);
  const filter = filterOf(wanted);
  const { value: facets } = useLoaded(
    (signal) => (fields.length === 0 ? Promise.resolve({}) : client.facets(collection, [...fields, modality], { limit: mostValues, ...(filter && { filter }) }, { signal })) as Promise<Record<string, ValueCounts>>,
    [client, collection, fields.join(), JSON.stringify(filter)],
  );
  const chosen = new Set((wanted.is ?? []).map(([field]) => field));
  const shown = Object.entries(facets ?? {}).filter(([field, { values }]) => !chosen.has(field) && values.length > 1 && values[0]!.count > 1).slice(0, mostFields + 1);
  return (
    <>
      {shown.map(([field, { values }]) => (
        <select key={field} aria-label={field === modality ? words.kind : field} value="" onChange={(event) => onChoose(field, values[Number(event.currentTarget.value)]!.value)}>
          <option value="" disabled hidden>
            {field === modality ? words.kind : field}
          </option>
          {values.map(({ value, count }, index) => (
            <option key={index} value={index}>
              {field === modality ? said(field, value) : String(value)} ({count.toLocaleString(language)})
            </option>
          ))}
        </select>
      ))}
    </>
  );
}

const lastFields = new Map<string, string[]>();

/** Those seen in the collection so far: a search's few results may lack some. */
function useFields(collection: string, seen: string[]): string[] {
  return useMemo(() => {
    const all = [...new Set([...(lastFields.get(collection) ?? []), ...seen])].slice(0, mostFields);
    lastFields.set(collection, all);
    return all;
  }, [collection, seen]);
}

/** They name one thing, and do not sort many. */
const names = new Set(['name', 'title', 'caption', 'description', 'alt', 'id', 'url']);
const longestValue = 60;

/** Fields that many have and whose values come again. */
function fieldsOf(found: Result[]): string[] {
  const values = new Map<string, Scalar[]>();
  for (const { metadata } of found) {
    for (const [field, value] of Object.entries(metadata)) {
      if (names.has(field) || /[.,$]/.test(field) || field === '') continue;
      for (const each of [value].flat()) if (isShort(each)) values.set(field, [...(values.get(field) ?? []), each]);
    }
  }
  const weights = [...values].map(([field, all]) => ({ field, count: all.length, different: new Set(all).size }));
  return weights.filter(({ count, different }) => count >= found.length / 8 && count > 1 && different <= count * 0.75).sort((a, b) => b.count - a.count).map(({ field }) => field);
}

const isShort = (value: unknown): value is Scalar => typeof value === 'boolean' || typeof value === 'number' || (typeof value === 'string' && value.length <= longestValue);
