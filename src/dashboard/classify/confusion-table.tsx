import { useFigures } from '../items/figures.js';
import { useClassifyTexts } from './words.js';

/** As the job tells it: `rows` by the true label, `columns` by what was said; null: none of them. */
export interface Confusion {
  labels: string[];
  columns: (string | null)[];
  rows: number[][];
  unknown: number;
}

export function ConfusionTable({ confusion: { labels, columns, rows }, onCell }: { confusion: Confusion; onCell: (truth: string, said: string | null) => void }) {
  const words = useClassifyTexts();
  const { count } = useFigures();
  const nameOf = (label: string | null): string => label ?? words.noneOfThese;
  return (
    <div class="scrolled" role="region" aria-label={words.confusion} tabIndex={0}>
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">{words.truthRow}</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                <small>{words.said}</small> <bdi>{nameOf(column)}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels.map((label, i) => {
            const most = Math.max(1, ...rows[i]!);
            return (
              <tr key={label}>
                <th scope="row">
                  <bdi>{label}</bdi>
                </th>
                {columns.map((column, j) => {
                  const number = rows[i]![j]!;
                  return (
                    <td key={column} class={column === label ? 'right' : 'wrong'} style={{ '--strength': `${Math.round((50 * number) / most)}%` }}>
                      {number > 0 ? (
                        <button type="button" aria-label={words.cell(label, nameOf(column), count(number))} onClick={() => onCell(label, column)}>
                          {count(number)}
                        </button>
                      ) : (
                        <span class="quiet">0</span>
                      )}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
