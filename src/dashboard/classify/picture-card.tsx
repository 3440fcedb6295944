/** A picture with what it is, by each label; pressing one teaches it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Chosen } from '../items/chosen.js';
import { useChosenTexts } from '../items/chosen-words.js';
import { ChosenPicture } from '../items/chosen-picture.js';
import { useFigures } from '../items/figures.js';
import type { Answer } from './answers.js';
import type { Lesson } from './teaching.js';
import { useClassifyTexts } from './words.js';

/** More labels than that are shown by rank, so many of them. */
const mostInOrder = 8;
const shownByRank = 6;

interface PictureCardProps {
  collection: string;
  one: Chosen;
  /** As they stand now. */
  labels: string[];
  answer: Answer | undefined;
  lessons: Lesson[];
  /** A lesson of it is on its way. */
  isBusy: boolean;
  onTeach: (lesson: Lesson) => void;
  onForget: (lesson: Lesson) => void;
  onRemove: () => void;
  /** What goes wrong, and what is asked. */
  children?: ComponentChildren;
}

export function PictureCard({ collection, one, labels, answer, lessons, isBusy, onTeach, onForget, onRemove, children }: PictureCardProps) {
  const words = useClassifyTexts();
  const { remove } = useChosenTexts();
  const { share } = useFigures();
  const [isAll, setAll] = useState(false);
  const scores = new Map(answer?.predictions.map(({ label, score }) => [label, score]));
  const isMany = labels.length > mostInOrder;
  const ordered = isMany && answer ? answer.predictions.map(({ label }) => label) : labels;
  const shown = isMany && !isAll ? ordered.slice(0, shownByRank) : ordered;
  const holding = answer === undefined ? [] : answer.labels ?? (answer.prediction === null ? [] : [answer.prediction]);
  const isWaiting = isBusy || answer === undefined;
  /** Pressed once more, it is taken back. */
  const toggle = (lesson: Lesson): void => {
    if (isWaiting) return;
    if (lessons.some(({ label, not }) => label === lesson.label && not === lesson.not)) onForget(lesson);
    else onTeach(lesson);
  };
  return (
    <li class="card" aria-busy={answer === undefined && children === undefined}>
      <figure>
        <ChosenPicture collection={collection} one={one} />
        <figcaption title={one.name}>{one.name}</figcaption>
        <button type="button" class="take-away" aria-label={remove(one.name)} title={remove(one.name)} onClick={onRemove}>
          ×
        </button>
      </figure>
      <div>
        {labels.length > 0 && (
          <ul class="bars" aria-label={one.name}>
            {shown.map((label) => {
              const score = scores.get(label);
              const lesson = lessons.find((each) => each.label === label);
              return (
                <li key={label} class={holding.includes(label) ? 'best' : ''}>
                  <button type="button" class="bar" aria-disabled={isWaiting} aria-label={words.itIs(label, score === undefined ? '…' : share(score))} aria-pressed={lesson !== undefined && !lesson.not} onClick={() => toggle({ label, not: false })}>
                    <span class="fill" style={{ transform: `scaleX(${score ?? 0})` }} />
                    <bdi>{label}</bdi>{' '}
                    <span class="value">{score === undefined ? '…' : share(score)}</span>
                  </button>
                  <button type="button" class="not" aria-disabled={isWaiting} aria-label={words.itIsNot(label)} title={words.itIsNot(label)} aria-pressed={lesson?.not === true} onClick={() => toggle({ label, not: true })}>
                    ×
                  </button>
                </li>
              );
            })}
            {answer?.none !== undefined && (
              <li class={answer.prediction === null ? 'none best' : 'none'}>
                <span class="bar">
                  <span class="fill" style={{ transform: `scaleX(${answer.none})` }} />
                  <span>{words.noneOfThese}</span>
                  <span class="value">{share(answer.none)}</span>
                </span>
              </li>
            )}
          </ul>
        )}
        {isMany && (
          <button type="button" class="small" onClick={() => setAll(!isAll)}>
            {isAll ? words.showFewer : words.showAll(labels.length)}
          </button>
        )}
        {lessons.map((lesson) => (
          <p key={lesson.label} class="lesson">
            <span>
              <span aria-hidden="true">✓ </span>
              {lesson.not ? words.learntIsNot(lesson.label) : words.learntIs(lesson.label)}
            </span>
            <button type="button" class="small" disabled={isBusy} onClick={() => onForget(lesson)}>
              {words.undo}
            </button>
          </p>
        ))}
        {children}
      </div>
    </li>
  );
}
