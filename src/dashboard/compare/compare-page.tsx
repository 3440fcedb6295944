import { useEffect, useMemo } from 'preact/hooks';
import type { Model } from '../../contract/models.js';
import { ChosenBar } from '../items/chosen-bar.js';
import { useChosen } from '../items/chosen.js';
import { csvOf, download, type CsvCell } from '../items/csv.js';
import { useFigures } from '../items/figures.js';
import { useChangeQuery } from '../shell/change-query.js';
import { useCollections } from '../shell/collections.js';
import { isUnauthorized } from '../shell/errors.js';
import { useKeptText } from '../shell/kept-text.js';
import { usePageTexts } from '../shell/navigation.js';
import type { PageProps } from '../shell/page-props.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import '../styles/chosen.css';
import '../styles/compare.css';
import { Background } from './background.js';
import { Matrix, type Cell, type Sort } from './matrix.js';
import { cosine, isSigmoid, probabilities, ranked, type Scores } from './scores.js';
import { useVectors, type Vectors } from './vectors.js';
import { useCompareTexts } from './words.js';

const sampleSize = 6;
const mostTexts = 60;

export default function ComparePage({ address, go, onLocked }: PageProps) {
  const titles = usePageTexts();
  const words = useCompareTexts();
  const { client } = useSession();
  const figures = useFigures();
  const collections = useCollections();
  const { collection, query } = address;
  const current = collections.value?.find(({ name }) => name === collection);
  const change = useChangeQuery(go);
  const models = useLoaded((signal) => client.models({ signal }), [client]);
  const usable = models.value?.filter(({ modalities, self_test: { status } }) => modalities.includes('image') && modalities.includes('text') && status !== 'unusable' && status !== 'failed') ?? [];

  const text = useKeptText(query, change, { name: 'texts' });
  const all = useMemo(() => linesIn(text.text), [text.text]);
  const texts = useMemo(() => all.slice(0, mostTexts), [all]);
  const pictures = useChosen(collection, query, change);
  const { chosen } = pictures;

  const model = query.get('model') ?? current?.model;
  const beside = query.get('beside') ?? undefined;
  const first = useVectors(model, current, texts, chosen);
  const second = useVectors(beside, current, texts, chosen);

  const isShare = query.get('show') === 'probability';
  const sort = sortFrom(query.get('sort'));
  const opened = cellFrom(query.get('cell'));
  const tables = [{ id: model, vectors: first }, ...(beside === undefined ? [] : [{ id: beside, vectors: second }])].flatMap(({ id, vectors }) => {
    if (id === undefined) return [];
    const described = usable.find((each) => each.id === id);
    const cosines = cosinesOf(texts, chosen.map((one) => vectors.ofPicture(one)?.values), vectors);
    return [{ id, vectors, described, cosines, shares: described && probabilities(cosines, described) }];
  });
  // The order is the first model's, so that two tables can be read side by side.
  const lead = tables[0];
  const leading = lead && ((isShare ? lead.shares : undefined) ?? lead.cosines);
  const rows = sort?.by === 'picture' && leading ? ranked(texts.map((_, row) => leading[row]?.[sort.place])) : texts.map((_, row) => row);
  const columns = sort?.by === 'text' && leading ? ranked(chosen.map((_, column) => leading[sort.place]?.[column])) : chosen.map((_, column) => column);

  const errors = [first.error, second.error, models.error];
  useEffect(() => {
    if (errors.some(isUnauthorized)) onLocked();
  }, errors);

  // Places are told in the address: they would be another's.
  const remove = (key: string): void => {
    pictures.remove(key);
    change({ sort: undefined, cell: undefined }, 'replace');
  };
  const isShown = texts.length > 0 && chosen.length > 0;
  const openedText = opened && texts[opened.text];
  const openedPicture = opened && chosen[opened.picture];
  const openedVector = openedText === undefined ? undefined : first.ofText(openedText)?.values;
  const openedScore = opened && lead?.cosines[opened.text]?.[opened.picture];
  const exported = (): void => {
    const out: CsvCell[][] = [['model', 'text', 'picture', 'id', 'cosine', 'probability']];
    for (const { id, cosines, shares } of tables) texts.forEach((each, row) => chosen.forEach((one, column) => out.push([id, each, one.name, one.item?.id, cosines[row]![column], shares?.[row]?.[column]])));
    download('compared.csv', csvOf(out), 'text/csv');
  };
  return (
    <main class="compare">
      <h1>{titles.compare}</h1>
      <ChosenBar collection={collection} pictures={pictures} sampleSize={sampleSize} />
      <div class="asked">
        <label>
          <span>{words.texts}</span>
          <textarea rows={Math.max(4, Math.min(12, text.typed.split('\n').length + 1))} value={text.typed} placeholder={words.textsExample} spellcheck={false} onInput={(event) => text.type(event.currentTarget.value)} onBlur={text.settle} />
        </label>
        <div class="choices">
          <fieldset>
            <legend>{words.shown}</legend>
            {(['cosine', 'probability'] as const).map((each) => (
              <label key={each} class="check">
                <input type="radio" name="show" checked={isShare === (each === 'probability')} onChange={() => change({ show: each === 'cosine' ? undefined : each })} />
                <span>{words[each]}</span>
              </label>
            ))}
          </fieldset>
          {usable.length > 1 && (
            <div class="models">
              <label>
                <span>{words.model}</span>
                <select value={model ?? ''} onChange={(event) => change({ model: event.currentTarget.value === current?.model ? undefined : event.currentTarget.value, ...(event.currentTarget.value === beside ? { beside: undefined } : {}) })}>
                  {usable.map(({ id }) => (
                    <option key={id}>{id}</option>
                  ))}
                </select>
              </label>
              <label>
                <span>{words.second}</span>
                <select value={beside ?? ''} onChange={(event) => change({ beside: event.currentTarget.value || undefined })}>
                  <option value="">{words.noSecond}</option>
                  {usable.filter(({ id }) => id !== model).map(({ id }) => (
                    <option key={id}>{id}</option>
                  ))}
                </select>
              </label>
            </div>
          )}
        </div>
      </div>
      {all.length > mostTexts && <p class="quiet">{words.most(mostTexts)}</p>}
      <Problem error={models.error} onAgain={models.again} />
      <Problem error={first.error} onAgain={first.again} />
      <Problem error={second.error} onAgain={second.again} />
      {chosen.map((one) => {
        const problem = first.ofPicture(one)?.problem ?? second.ofPicture(one)?.problem;
        return problem === undefined ? null : (
          <div key={one.key} class="of-one">
            <b>{one.name}</b>
            <Problem
              error={problem}
              onAgain={() => {
                if (one.problem !== undefined) return pictures.again();
                first.again();
                second.again();
              }}
            />
          </div>
        );
      })}
      {!isShown && <p class="nothing">{texts.length > 0 ? words.needPictures : chosen.length > 0 ? words.needTexts : words.need}</p>}
      {isShown && (
        <>
          <p class="quiet legend">
            <span class="key best" /> {words.marks} <span class="key">
              <span class="dot" />
            </span> {words.marksRow}
            {sort && (
              <button type="button" class="small" onClick={() => change({ sort: undefined })}>
                {words.unsorted}
              </button>
            )}
          </p>
          <div class="tables" data-count={tables.length}>
            {tables.map(({ id, vectors, described, cosines, shares }, index) => (
              <section key={id} aria-label={words.table(id)} aria-busy={vectors.isLoading}>
                {tables.length > 1 && <h2>{id}</h2>}
                <Matrix
                  collection={collection}
                  model={id}
                  texts={texts}
                  isCut={(each) => vectors.ofText(each)?.isCut === true}
                  chosen={chosen}
                  problemOf={(one) => vectors.ofPicture(one)?.problem}
                  values={(isShare ? shares : undefined) ?? cosines}
                  isShare={isShare && shares !== undefined}
                  told={isShare && shares ? figures.share : figures.cosine}
                  rows={rows}
                  columns={columns}
                  sort={sort}
                  opened={index === 0 ? opened : undefined}
                  onSort={(next) => change({ sort: next && `${next.by}.${next.place}` })}
                  onOpen={(cell) => change({ cell: `${cell.text}.${cell.picture}` }, 'replace')}
                  onRemove={index === 0 ? remove : undefined}
                />
                <p class="quiet">
                  {isShare ? scaleOf(described, words, figures.cosine) : words.cosineHint}
                  {current && id !== current.model && chosen.some(({ item }) => item) && ` ${words.fromThumbnails(id)}`}
                </p>
              </section>
            ))}
          </div>
          {current && model !== undefined && openedText !== undefined && openedPicture && openedVector && openedScore !== undefined && <Background collection={current} model={model} text={openedText} embedding={openedVector} name={openedPicture.name} score={openedScore} onClose={() => change({ cell: undefined }, 'replace')} />}
          <p>
            <button type="button" onClick={exported}>
              {words.csv}
            </button>
          </p>
        </>
      )}
    </main>
  );
}

const linesIn = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim()).filter((line) => line !== ''))];

function cosinesOf(texts: string[], columns: (Float32Array | undefined)[], vectors: Vectors): Scores {
  return texts.map((text) => {
    const row = vectors.ofText(text)?.values;
    return columns.map((column) => (row && column ? cosine(row, column) : undefined));
  });
}

function scaleOf(model: Model | undefined, words: ReturnType<typeof useCompareTexts>, told: (value: number) => string): string {
  if (!model || model.logit_scale === null) return words.noProbability;
  const { logit_bias: bias } = model;
  return isSigmoid(model) && bias !== undefined ? words.sigmoidHint(told(model.logit_scale), `${bias < 0 ? '−' : '+'} ${told(Math.abs(bias))}`) : words.softmaxHint(told(model.logit_scale));
}

function sortFrom(said: string | null): Sort {
  const parts = /^(text|picture)\.(\d{1,4})$/.exec(said ?? '');
  return parts ? { by: parts[1] as 'text' | 'picture', place: Number(parts[2]) } : undefined;
}

function cellFrom(said: string | null): Cell | undefined {
  const parts = /^(\d{1,4})\.(\d{1,4})$/.exec(said ?? '');
  return parts ? { text: Number(parts[1]), picture: Number(parts[2]) } : undefined;
}
