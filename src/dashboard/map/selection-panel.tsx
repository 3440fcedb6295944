import { useEffect, useRef, useState } from 'preact/hooks';
import type { Go } from '../shell/address.js';
import { useAnnouncements } from '../shell/announcements.js';
import { sentenceOf } from '../shell/errors.js';
import { useLanguage } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import { AskDialog, type Question } from './ask-dialog.js';
import { DuplicatesPanel } from './duplicates-panel.js';
import type { ItemCache } from './item-cache.js';
import { SelectionGrid } from './selection-grid.js';
import { deleteItems, exportIds, labelItems, makeClassifier, mostExamples, mostLinked, save, type Outcome, type Work } from './selection-work.js';
import { counted, useMapTexts } from './words.js';

interface SelectionPanelProps {
  cache: ItemCache;
  numbers: Uint32Array;
  /** Of what is in an outline; else of what alone is shown. */
  isSelected: boolean;
  go: Go;
  onOpen: (number: number) => void;
  onClose: () => void;
  /** Another one where something else was chosen. */
  selectionKey: string;
  /** They are not there any more. */
  onDeleted: (numbers: readonly number[]) => void;
  onLabelled: (numbers: readonly number[]) => void;
}

/** What was chosen on the map, and what can be done with it. */
export function SelectionPanel({ cache, numbers, isSelected, go, onOpen, onClose, selectionKey, onDeleted, onLabelled }: SelectionPanelProps) {
  const words = useMapTexts();
  const language = useLanguage();
  const { client } = useSession();
  const { show, say } = useAnnouncements();
  const { source } = cache;
  const { collection } = source;
  const [asked, setAsked] = useState<'label' | 'delete' | 'classifier'>();
  const [doing, setDoing] = useState<{ done: number; stop: () => void }>();
  const [problem, setProblem] = useState('');
  const [showsDuplicates, setShowsDuplicates] = useState(false);
  const running = useRef<AbortController>();
  useEffect(() => () => running.current?.abort(), []);
  const shown = counted(language, numbers.length);
  const said = isSelected ? words.selected(numbers.length, shown) : words.shown(numbers.length, shown);
  useEffect(() => say(said), [said]);

  const work = async (what: (work: Work) => Promise<void>): Promise<void> => {
    const leaving = (running.current = new AbortController());
    setAsked(undefined);
    setProblem('');
    setDoing({ done: 0, stop: () => leaving.abort() });
    try {
      await what({ source, client, numbers, signal: leaving.signal, onProgress: (done) => setDoing((before) => before && { ...before, done }) });
    } catch (error) {
      if (!leaving.signal.aborted) setProblem(sentenceOf(error));
    } finally {
      setDoing(undefined);
    }
  };
  const tell = ({ done, failed, problem: why }: Outcome, sentence: (count: number, shown: string) => string): void => {
    if (done.length > 0) show({ text: sentence(done.length, counted(language, done.length)) });
    if (why !== undefined) setProblem(`${failed > 0 ? `${words.someFailed(failed)}: ` : ''}${sentenceOf(why)}`);
  };
  const questions: Record<'label' | 'delete' | 'classifier', Question> = {
    label: {
      title: words.label,
      fields: [
        { name: 'field', label: words.field, value: 'label' },
        { name: 'value', label: words.value, value: '' },
      ],
      action: words.save,
      onAnswer: ({ field = '', value = '' }) =>
        work(async (on) => {
          const outcome = await labelItems(on, field, value);
          tell(outcome, words.labelled);
          onLabelled(outcome.done);
        }),
    },
    delete: {
      title: words.deleteQuestion(numbers.length, shown),
      fields: [],
      action: words.delete,
      onAnswer: () =>
        work(async (on) => {
          const outcome = await deleteItems(on);
          tell(outcome, words.deleted);
          onDeleted(outcome.done);
        }),
    },
    classifier: {
      title: words.classifier,
      note: numbers.length > mostExamples ? words.classifierLimit(counted(language, mostExamples)) : '',
      fields: [
        { name: 'name', label: words.classifierName, value: '' },
        { name: 'label', label: words.classifierLabel, value: '' },
        { name: 'other', label: words.classifierOther, value: words.otherLabel },
      ],
      action: words.save,
      onAnswer: ({ name = '', label = '', other = '' }) =>
        work(async (on) => {
          await makeClassifier(on, { name, label, other });
          show({ text: words.classifierMade(name) });
        }),
    },
  };
  const classify = (): Promise<void> =>
    work(async ({ signal }) => {
      const items = await source.items([...numbers.subarray(0, mostLinked)], { signal });
      go({ page: 'classify', query: { ids: items.map(({ id }) => id) } });
    });

  return (
    <section class="map-selection" aria-label={words.selection}>
      <div class="selection-head">
        <h2>{said}</h2>
        <button type="button" class="quiet-close" aria-label={words.closeSelection} title={words.closeSelection} onClick={onClose}>
          ×
        </button>
      </div>
      {numbers.length === 0 ? (
        <p class="quiet">{words.nothingInside}</p>
      ) : doing ? (
        <div class="doing" role="status">
          <progress max={numbers.length} value={doing.done} aria-label={words.selection} />
          <span>{words.working(counted(language, doing.done), shown)}</span>
          <button type="button" onClick={doing.stop}>
            {words.cancel}
          </button>
        </div>
      ) : (
        <div class="actions">
          <button type="button" onClick={() => void classify()}>
            {numbers.length > mostLinked ? words.classifyFirst(mostLinked) : words.classify}
          </button>
          <button type="button" onClick={() => setAsked('classifier')}>
            {words.classifier}
          </button>
          <button type="button" onClick={() => setAsked('label')}>
            {words.label}
          </button>
          <button type="button" aria-expanded={showsDuplicates} onClick={() => setShowsDuplicates(!showsDuplicates)}>
            {words.duplicates}
          </button>
          <button
            type="button"
            onClick={() =>
              void work(async (on) => {
                const blob = await exportIds(on);
                save(blob, `${collection}-selection.jsonl`);
                show({ text: words.exported(numbers.length, shown) });
              })
            }
          >
            {words.export}
          </button>
          <button type="button" class="danger" onClick={() => setAsked('delete')}>
            {words.delete}
          </button>
        </div>
      )}
      {problem !== '' && (
        <p class="problem-line" role="alert">
          {problem}
        </p>
      )}
      {showsDuplicates && numbers.length > 0 && <DuplicatesPanel key={selectionKey} source={source} numbers={numbers} onOpen={onOpen} />}
      {numbers.length > 0 && <SelectionGrid cache={cache} numbers={numbers} label={words.selection} onOpen={onOpen} />}
      {asked && <AskDialog {...questions[asked]} cancel={words.cancel} isDanger={asked === 'delete'} onClose={() => setAsked(undefined)} />}
    </section>
  );
}
