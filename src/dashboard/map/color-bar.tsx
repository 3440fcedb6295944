import { useEffect, useRef, useState } from 'preact/hooks';
import { useLanguage } from '../shell/language.js';
import { cssOf, type Legend } from './colors.js';
import { clusterField } from '../../contract/map.js';
import { isRange, type Range } from './range.js';
import { counted, useMapTexts } from './words.js';

const typingMs = 250;

interface ColorBarProps {
  fields: readonly string[];
  field: string | undefined;
  words: string;
  isLooking: boolean;
  onField: (field: string | undefined) => void;
  onWords: (words: string) => void;
}

/** What the colors are to say: a field's values, or how like the typed words a point is. */
export function ColorBar({ fields, field, words: asked, isLooking, onField, onWords }: ColorBarProps) {
  const words = useMapTexts();
  const [typed, setTyped] = useState(asked);
  const timer = useRef(0);
  const sent = useRef(asked);
  useEffect(() => {
    if (asked === sent.current) return;
    sent.current = asked;
    setTyped(asked);
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const send = (text: string): void => {
    clearTimeout(timer.current);
    sent.current = text.trim();
    onWords(sent.current);
  };
  const names: Record<string, string> = { [clusterField]: words.cluster, '$item.taken_at': words.taken, '$item.created_at': words.added };
  return (
    <form
      class="map-colors"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        send(typed);
      }}
    >
      <label class="light-up">
        <span class="visually-hidden">{words.lightUp}</span>
        <input
          type="search"
          value={typed}
          placeholder={words.lightUpHint}
          aria-busy={isLooking}
          onInput={({ currentTarget: { value } }) => {
            setTyped(value);
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => send(value), typingMs);
          }}
        />
      </label>
      <label class="color-by">
        <span>{words.colorBy}</span>
        <select
          value={field ?? ''}
          onChange={({ currentTarget: { value } }) => {
            setTyped('');
            clearTimeout(timer.current);
            sent.current = '';
            onField(value === '' ? undefined : value);
          }}
        >
          <option value="">{words.oneColor}</option>
          {[...new Set(field === undefined ? fields : [...fields, field])].map((name) => (
            <option key={name} value={name}>
              {names[name] ?? name}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

interface LegendProps {
  legend: Legend;
  /** Names of categories that alone are shown; none: all. */
  only: readonly string[];
  onOnly: (only: string[]) => void;
  range: Range;
  onRange: (range: Range) => void;
}

/** What the colors say; a category that is pressed is shown alone, several together. */
export function LegendPanel({ legend, only, onOnly, range, onRange }: LegendProps) {
  const words = useMapTexts();
  const language = useLanguage();
  if (legend.kind === 'range') {
    const { from, to, unit, ramp, missing } = legend;
    const said = (value: number): string =>
      unit === 'score' ? value.toFixed(2) : unit === 'time' ? new Date(value * 1000).toLocaleDateString(language, { timeZone: 'UTC' }) : value.toLocaleString(language, { maximumSignificantDigits: 4, useGrouping: 'min2' });
    return (
      <section class="map-legend range" aria-label={words.legend}>
        {unit === 'score' && <p>{words.similarity}</p>}
        <div class="ramp" style={{ backgroundImage: `linear-gradient(to right, ${ramp.map(cssOf).join()})` }} />
        <p class="ends">
          <span>{said(from)}</span>
          <span>{said(to)}</span>
        </p>
        {missing > 0 && <p class="quiet">{words.missing(counted(language, missing))}</p>}
        {unit !== 'score' && <RangeFields unit={unit} range={range} onRange={onRange} />}
      </section>
    );
  }
  const toggle = (name: string): void => onOnly(only.includes(name) ? only.filter((other) => other !== name) : [...only, name]);
  return (
    <section class="map-legend" aria-label={words.legend}>
      <ul>
        {legend.entries.map(({ name, count, color, byte }) => (
          <li key={byte}>
            <button type="button" aria-pressed={only.includes(name)} title={words.only(name)} onClick={() => toggle(name)}>
              <i style={{ backgroundColor: cssOf(color) }} />
              <span dir="auto">{name}</span>
              <small>{counted(language, count)}</small>
            </button>
          </li>
        ))}
        {legend.rest > 0 && (
          <li class="rest">
            <i />
            <span>{words.otherValues}</span>
            <small>{counted(language, legend.rest)}</small>
          </li>
        )}
      </ul>
      {only.length > 0 && (
        <button type="button" class="clear" onClick={() => onOnly([])}>
          {words.clear}
        </button>
      )}
    </section>
  );
}

/** Between which values points alone are shown. */
function RangeFields({ unit, range, onRange }: { unit: 'number' | 'time'; range: Range; onRange: (range: Range) => void }) {
  const words = useMapTexts();
  return (
    <fieldset class="range-fields">
      <legend>{words.onlyBetween}</legend>
      {(['from', 'to'] as const).map((end) => (
        <label key={end}>
          <span>{words[end]}</span>
          <input {...(unit === 'time' ? { type: 'date' } : { type: 'number', step: 'any' })} value={range[end] ?? ''} onInput={({ currentTarget: { value, validity } }) => validity.badInput || onRange({ ...range, [end]: value === '' ? undefined : value })} />
        </label>
      ))}
      {isRange(range) && (
        <button type="button" class="clear" onClick={() => onRange({})}>
          {words.clear}
        </button>
      )}
    </fieldset>
  );
}
