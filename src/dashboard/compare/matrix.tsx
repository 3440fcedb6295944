/** Texts by pictures, the figure by which CLIP became known: a number in every cell, tinted by how high it is. */
import { useRef, useState } from 'preact/hooks';
import { ChosenPicture } from '../items/chosen-picture.js';
import { useChosenTexts } from '../items/chosen-words.js';
import type { Chosen } from '../items/chosen.js';
import { placeOfBest, type Scores } from './scores.js';
import { useCompareTexts } from './words.js';

/** A row or a column by its place as it was given. */
export type Sort = { by: 'text' | 'picture'; place: number } | undefined;
export interface Cell {
  text: number;
  picture: number;
}

interface MatrixProps {
  collection: string;
  model: string;
  texts: string[];
  isCut: (text: string) => boolean;
  chosen: Chosen[];
  problemOf: (one: Chosen) => unknown;
  values: Scores;
  /** Probabilities are tinted from 0 to 1, cosines from the lowest to the highest here. */
  isShare: boolean;
  told: (value: number) => string;
  /** Places in the order in which they are shown. */
  rows: number[];
  columns: number[];
  sort: Sort;
  opened: Cell | undefined;
  onSort: (sort: Sort) => void;
  onOpen: (cell: Cell) => void;
  onRemove?: ((key: string) => void) | undefined;
}

/** Per cent of the accent colour: above it the ink would not be read. */
const strongest = 50;

export function Matrix({ collection, model, texts, isCut, chosen, problemOf, values, isShare, told, rows, columns, sort, opened, onSort, onOpen, onRemove }: MatrixProps) {
  const words = useCompareTexts();
  const { remove } = useChosenTexts();
  const table = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState({ row: 0, column: 0 });
  const known = values.flat().filter((value) => value !== undefined);
  const [low, high] = isShare ? [0, 1] : [Math.min(...known), Math.max(...known)];
  const strength = (value: number): string => `${Math.round(strongest * (high > low ? (value - low) / (high - low) : 0))}%`;
  const bestOfRow = values.map(placeOfBest);
  const bestOfColumn = chosen.map((_, column) => placeOfBest(values.map((row) => row[column])));
  const isSorted = (by: 'text' | 'picture', place: number): boolean => sort?.by === by && sort.place === place;
  const toggled = (by: 'text' | 'picture', place: number): Sort => (isSorted(by, place) ? undefined : { by, place });
  const at = { row: Math.min(focused.row, rows.length - 1), column: Math.min(focused.column, columns.length - 1) };

  const onKeyDown = (event: KeyboardEvent): void => {
    const [down, right] = ({ ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] } as Record<string, [number, number]>)[event.key] ?? [0, 0];
    if (down === 0 && right === 0) return;
    event.preventDefault();
    const next = { row: Math.max(0, Math.min(rows.length - 1, at.row + down)), column: Math.max(0, Math.min(columns.length - 1, at.column + right)) };
    setFocused(next);
    table.current?.querySelector<HTMLElement>(`[data-cell="${next.row} ${next.column}"]`)?.focus();
  };

  return (
    <div class="scrolled">
      <table ref={table} class="matrix" aria-label={words.table(model)}>
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">{words.text}</span>
            </th>
            {columns.map((column) => {
              const one = chosen[column]!;
              return (
                <th key={one.key} scope="col" class={isSorted('picture', column) ? 'sorted' : ''}>
                  <button type="button" class="head" aria-pressed={isSorted('picture', column)} aria-label={words.sortByPicture(one.name)} title={words.sortByPicture(one.name)} onClick={() => onSort(toggled('picture', column))}>
                    <ChosenPicture collection={collection} one={one} />
                    <span class="name">{one.name}</span>
                  </button>
                  {onRemove && (
                    <button type="button" class="take-away" aria-label={remove(one.name)} title={remove(one.name)} onClick={() => onRemove(one.key)}>
                      ×
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody onKeyDown={onKeyDown}>
          {rows.map((row, r) => (
            <tr key={texts[row]}>
              <th scope="row" class={isSorted('text', row) ? 'sorted' : ''}>
                <button type="button" class="head" aria-pressed={isSorted('text', row)} aria-label={words.sortByText(texts[row]!)} title={words.sortByText(texts[row]!)} onClick={() => onSort(toggled('text', row))}>
                  <bdi>{texts[row]}</bdi>
                  {isCut(texts[row]!) && <small title={words.cut}>✂</small>}
                </button>
              </th>
              {columns.map((column, c) => {
                const value = values[row]?.[column];
                const one = chosen[column]!;
                const isBest = bestOfColumn[column] === row;
                const isBestPicture = bestOfRow[row] === column;
                if (value === undefined) return <td key={one.key} class="pending">{problemOf(one) === undefined ? '…' : '–'}</td>;
                return (
                  <td key={one.key} style={{ '--strength': strength(value) }} class={isBest ? 'best' : ''}>
                    <button
                      type="button"
                      data-cell={`${r} ${c}`}
                      tabIndex={at.row === r && at.column === c ? 0 : -1}
                      aria-label={[words.cell(texts[row]!, one.name, told(value)), ...(isBest ? [words.best] : []), ...(isBestPicture ? [words.bestRow] : [])].join(', ')}
                      aria-pressed={opened?.text === row && opened.picture === column}
                      onFocus={() => setFocused({ row: r, column: c })}
                      onClick={() => onOpen({ text: row, picture: column })}
                    >
                      {told(value)}
                      {isBestPicture && <span class="dot" aria-hidden="true" />}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
