import type { Classifier } from '../../contract/classifiers.js';
import type { KeptText } from '../shell/kept-text.js';
import { textOf } from './labels.js';
import { useClassifyTexts } from './words.js';

interface LabelBoxProps {
  text: KeptText;
  templates: KeptText;
  labels: string[];
  examples: Classifier['examples'];
  /** Whether the model can say yes or no to a label alone. */
  canEach: boolean;
  isEach: boolean;
  onEach: (isEach: boolean) => void;
}

/** As many as there are, within reason. */
const linesOf = (text: string): number => Math.max(5, Math.min(14, text.split('\n').length + 1));

export function LabelBox({ text, templates, labels, examples, canEach, isEach, onEach }: LabelBoxProps) {
  const words = useClassifyTexts();
  const countOf = (label: string): number => examples.find((each) => each.label === label)?.count ?? 0;
  return (
    <div class="label-box">
      <label>
        <span>{words.labels}</span>
        <textarea rows={linesOf(text.typed)} value={text.typed} placeholder={words.labelsExample} spellcheck={false} aria-describedby="labels-hint" onInput={(event) => text.type(event.currentTarget.value)} onBlur={text.settle} />
      </label>
      <p id="labels-hint" class="quiet">
        {words.labelsHint}
      </p>
      {labels.length > 0 && (
        <ul class="chips">
          {labels.map((label) => (
            <li key={label}>
              <bdi title={words.examplesOf(label, countOf(label))}>{label}</bdi>
              {countOf(label) > 0 && <small>{countOf(label)}</small>}
              <button
                type="button"
                aria-label={words.takeAway(label)}
                onClick={() => {
                  text.type(textOf(labels.filter((each) => each !== label)));
                  text.settle();
                }}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {canEach && (
        <label class="check">
          <input type="checkbox" checked={isEach} onChange={(event) => onEach(event.currentTarget.checked)} />
          <span>{words.each}</span>
        </label>
      )}
      <details open={templates.typed !== ''}>
        <summary>{words.templates}</summary>
        <textarea rows={3} value={templates.typed} placeholder="a photo of a {}" spellcheck={false} aria-label={words.templates} aria-describedby="templates-hint" onInput={(event) => templates.type(event.currentTarget.value)} onBlur={templates.settle} />
        <p id="templates-hint" class="quiet">
          {words.templatesHint}
        </p>
      </details>
    </div>
  );
}
