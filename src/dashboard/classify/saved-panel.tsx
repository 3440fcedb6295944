/** A saved classifier: which, whether it is changed, and how good its examples make it. */
import { useState } from 'preact/hooks';
import type { Classifier, NewClassifier } from '../../contract/classifiers.js';
import { download } from '../items/csv.js';
import { useFigures } from '../items/figures.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { NameForm } from './name-form.js';
import type { Teaching } from './teaching.js';
import { useClassifyTexts } from './words.js';

interface SavedPanelProps {
  /** Names of those that there are. */
  names: string[];
  name: string | undefined;
  teaching: Teaching;
  /** As typed; undefined: there are none. */
  labels: NewClassifier | undefined;
  isChanged: boolean;
  /** Of the collection. */
  model: string | undefined;
  onChoose: (name: string | undefined) => void;
  onSaved: (name: string) => void;
  onBack: () => void;
  onDeleted: () => void;
}

export function SavedPanel({ names, name, teaching, labels, isChanged, model, onChoose, onSaved, onBack, onDeleted }: SavedPanelProps) {
  const words = useClassifyTexts();
  const { client } = useSession();
  const [isNaming, setNaming] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const [failed, setFailed] = useState<{ error: unknown; again: () => void }>();
  const { classifier } = teaching;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setFailed(undefined);
    try {
      await work();
    } catch (error) {
      setFailed({ error, again: () => void attempt(work) });
    }
  };
  const save = async (to: string): Promise<void> => {
    await teaching.save(to, labels!);
    setNaming(false);
    onSaved(to);
  };
  return (
    <div class="saved">
      {(names.length > 0 || name !== undefined) && (
        <label>
          <span>{words.saved}</span>
          <select value={name ?? ''} onChange={(event) => onChoose(event.currentTarget.value || undefined)}>
            <option value="">{words.none}</option>
            {[...new Set([...names, ...(name === undefined ? [] : [name])])].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
      {name !== undefined && <Problem error={teaching.error} onAgain={teaching.again} />}
      {name === undefined && labels && !isNaming && (
        <button type="button" onClick={() => setNaming(true)}>
          {words.saveAs}
        </button>
      )}
      {isNaming && labels && <NameForm question={words.saveAs} button={words.save} taken={names} onName={save} onCancel={() => setNaming(false)} />}
      {classifier && isChanged && (
        <div class="changed">
          <p>{words.changed(classifier.name)}</p>
          <div class="actions">
            <button type="button" class="primary" disabled={!labels} onClick={() => void attempt(() => save(classifier.name))}>
              {words.saveChanges}
            </button>
            <button type="button" onClick={onBack}>
              {words.back}
            </button>
          </div>
        </div>
      )}
      {classifier && model !== undefined && classifier.model !== model && <p class="quiet">{words.otherModel(classifier.model, model)}</p>}
      {classifier && <Accuracy classifier={classifier} before={teaching.before} />}
      {classifier && (
        <div class="actions">
          <button type="button" class="small" onClick={() => download(`${classifier.name}.json`, `${JSON.stringify(classifier, null, 2)}\n`, 'application/json')}>
            {words.export}
          </button>
          <button type="button" class="small" aria-expanded={isDeleting} onClick={() => setDeleting(!isDeleting)}>
            {words.delete}
          </button>
        </div>
      )}
      {classifier && isDeleting && (
        <div class="changed" role="alert">
          <p>{words.reallyDelete(classifier.name)}</p>
          <div class="actions">
            <button type="button" class="small" onClick={() => setDeleting(false)}>
              {words.keep}
            </button>
            <button
              type="button"
              class="small"
              onClick={() =>
                void attempt(async () => {
                  await client.deleteClassifier(classifier.name);
                  setDeleting(false);
                  onDeleted();
                })
              }
            >
              {words.delete}
            </button>
          </div>
        </div>
      )}
      <Problem error={failed?.error} onAgain={failed?.again} />
    </div>
  );
}

function Accuracy({ classifier: { accuracy }, before }: { classifier: Classifier; before: Classifier['accuracy'] }) {
  const words = useClassifyTexts();
  const { wholeShare } = useFigures();
  if (!accuracy) return <p class="quiet">{words.noExamples}</p>;
  const rows = [
    [words.zeroShot, accuracy.zero_shot, before?.zero_shot],
    [words.leaveOneOut, accuracy.leave_one_out, before?.leave_one_out],
  ] as const;
  return (
    <section class="accuracy" aria-live="polite">
      <h2>{words.accuracy}</h2>
      <dl>
      {rows.map(([title, value, earlier]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>
            <span class="meter" aria-hidden="true">
              <span class="fill" style={{ transform: `scaleX(${value})` }} />
            </span>
            <b>{wholeShare(value)}</b>
            {earlier !== undefined && earlier !== value && <small> {words.wasBefore(wholeShare(earlier))}</small>}
          </dd>
        </div>
      ))}
      </dl>
    </section>
  );
}
