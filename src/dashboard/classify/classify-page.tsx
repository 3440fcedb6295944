import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { NewClassifier } from '../../contract/classifiers.js';
import { ChosenBar } from '../items/chosen-bar.js';
import { useChosen, type Chosen } from '../items/chosen.js';
import { csvOf, download } from '../items/csv.js';
import { useAnnouncements } from '../shell/announcements.js';
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
import '../styles/classify.css';
import { useAnswers, type Question } from './answers.js';
import { LabelBox } from './label-box.js';
import { labelsIn, nameOf, templatesIn, textOf, withPrompts } from './labels.js';
import { NameForm } from './name-form.js';
import { PictureCard } from './picture-card.js';
import { SavedPanel } from './saved-panel.js';
import { useTeaching, type Lesson } from './teaching.js';
import { WholeCollection } from './whole-collection.js';
import { useClassifyTexts } from './words.js';

const sampleSize = 8;

export default function ClassifyPage({ address, go, onLocked }: PageProps) {
  const titles = usePageTexts();
  const words = useClassifyTexts();
  const { client } = useSession();
  const { show } = useAnnouncements();
  const collections = useCollections();
  const { collection, query } = address;
  const current = collections.value?.find((each) => each.name === collection);
  const change = useChangeQuery(go);

  const name = query.get('classifier') ?? undefined;
  const classifiers = useLoaded((signal) => client.classifiers({ signal }), [client]);
  const models = useLoaded((signal) => client.models({ signal }), [client]);
  const teaching = useTeaching(collection, current?.model, name);
  const { classifier } = teaching;
  // A notice's Undo is pressed later.
  const latest = useRef(teaching);
  latest.current = teaching;
  const noticed = useRef<() => void>();
  const text = useKeptText(query, change, { name: 'labels', otherwise: classifier ? textOf(classifier.labels) : '' });
  const templates = useKeptText(query, change, { name: 'templates', otherwise: classifier?.templates?.join('\n') ?? '' });
  const isEach = query.has('each');
  const pictures = useChosen(collection, query, change);

  const typed = useMemo(() => labelsIn(text.typed), [text.typed]);
  const names = useMemo(() => labelsIn(text.text), [text.text]);
  const labels = useMemo<NewClassifier | undefined>(() => {
    if (names.length === 0) return undefined;
    const sentences = templatesIn(templates.text);
    return { labels: withPrompts(names, classifier?.labels), ...(sentences.length === 0 ? {} : { templates: sentences }), ...(current ? { model: classifier?.model ?? current.model } : {}) };
  }, [names, templates.text, classifier, current?.model]);
  const isChanged = classifier !== undefined && (names.join('\n') !== classifier.labels.map(nameOf).join('\n') || templatesIn(templates.text).join('\n') !== (classifier.templates ?? []).join('\n'));
  const isSaved = name !== undefined && classifier !== undefined && !isChanged;

  const question = useMemo<Question | undefined>(() => {
    if (!labels || (name !== undefined && !classifier) || !(current ?? collections.error)) return undefined;
    const how = isEach ? { multi_label: true } : { abstain: 'auto' as const };
    const body = isSaved ? { classifier: classifier.name, ...how } : { ...labels, ...how };
    return { key: JSON.stringify([body, isSaved ? classifier.updated_at : '']), body };
  }, [labels, name, classifier, isSaved, isEach, current?.model]);
  const answers = useAnswers(collection, question, pictures.chosen);
  // What is being typed has no answers yet.
  const isSettled = typed.join('\n') === names.join('\n');

  /** Waits for a name to save it under. */
  const [asked, setAsked] = useState<{ one: Chosen; lesson: Lesson }>();
  const saved = (to: string): void => {
    classifiers.again();
    change({ classifier: to, labels: undefined, templates: undefined });
  };
  const teach = (one: Chosen, lesson: Lesson, to = name): Promise<void> | void => {
    if (to === undefined) return setAsked({ one, lesson });
    const mustSave = !isSaved || to !== name;
    return teaching.teach(to, one, lesson, {
      ...(mustSave ? { labels: labels! } : {}),
      onTaught: () => {
        setAsked(undefined);
        if (mustSave) saved(to);
        noticed.current?.();
        noticed.current = show({ text: words.learns(to), action: { label: words.undo, run: () => void latest.current.forget(to, one, lesson) } });
      },
    });
  };

  const errors = [answers.error, teaching.error, teaching.at?.error, classifiers.error, models.error];
  useEffect(() => {
    if (errors.some(isUnauthorized)) onLocked();
  }, errors);

  const model = models.value?.find(({ id }) => id === (classifier?.model ?? current?.model));
  const first = pictures.chosen.map(answers.of).find((answer) => answer !== undefined);
  const savedNames = classifiers.value?.map((each) => each.name) ?? [];
  return (
    <main class="classify">
      <h1>{titles.classify}</h1>
      <div class="columns">
        <section class="asked" aria-label={words.labels}>
          <SavedPanel
            names={savedNames}
            name={name}
            teaching={teaching}
            labels={labels}
            isChanged={isChanged}
            model={current?.model}
            onChoose={(chosen) => change({ classifier: chosen, labels: chosen === undefined ? text.typed : undefined, templates: chosen === undefined ? templates.typed || undefined : undefined })}
            onSaved={saved}
            onBack={() => change({ labels: undefined, templates: undefined })}
            onDeleted={() => {
              classifiers.again();
              change({ classifier: undefined, labels: text.typed, templates: templates.typed || undefined });
            }}
          />
          <Problem error={classifiers.error} onAgain={classifiers.again} />
          <LabelBox text={text} templates={templates} labels={typed} examples={classifier?.examples ?? []} canEach={isEach || model?.calibrated === true || model?.logit_bias !== undefined} isEach={isEach} onEach={(each) => change({ each: each ? '1' : undefined })} />
        </section>
        <section class="answered" aria-label={words.pictures} aria-busy={answers.isLoading}>
          <ChosenBar collection={collection} pictures={pictures} sampleSize={sampleSize} />
          <Problem error={answers.error} onAgain={answers.again} />
          {pictures.chosen.length === 0 ? <p class="nothing">{words.needPictures}</p> : <p class="quiet">{typed.length === 0 ? words.needLabels : words.hint}</p>}
          <ul class="cards">
            {pictures.chosen.map((one) => {
              const problem = answers.problemOf(one);
              const at = teaching.at?.key === one.key ? teaching.at : undefined;
              return (
                <PictureCard
                  key={one.key}
                  collection={collection}
                  one={one}
                  labels={typed}
                  answer={isSettled ? answers.of(one) : undefined}
                  lessons={teaching.lessonsOf(one)}
                  isBusy={at !== undefined && at.error === undefined}
                  onTeach={(lesson) => void teach(one, lesson)}
                  onForget={(lesson) => void teaching.forget(name!, one, lesson)}
                  onRemove={() => pictures.remove(one.key)}
                >
                  {problem !== undefined && <Problem error={problem} onAgain={one.problem === undefined ? answers.again : pictures.again} />}
                  {asked?.one.key === one.key && <NameForm question={words.nameForLesson} button={words.saveAndLearn} taken={savedNames} isBusy={at !== undefined && at.error === undefined} onName={(to) => teach(one, asked.lesson, to)} onCancel={() => setAsked(undefined)} />}
                  <Problem error={at?.error} onAgain={at?.again} />
                </PictureCard>
              );
            })}
          </ul>
          {first && (
            <p class="under">
              <span class="quiet">
                {first.calibrated ? words.calibrated : words.ownScale} {first.none === undefined && !isEach && words.noNone}
              </span>
              <button type="button" onClick={() => download('classified.csv', csvOf(rowsOf(pictures.chosen, answers.of)), 'text/csv')}>
                {words.csv}
              </button>
            </p>
          )}
        </section>
      </div>
      {current && current.counts.total > 0 && <WholeCollection collection={current} query={query} change={change} by={question && (isSaved ? { classifier: classifier.name } : { labels: labels!.labels, templates: labels!.templates })} onTake={pictures.addItems} />}
    </main>
  );
}

/** A column for each label, in the order of the first picture's best. */
function rowsOf(chosen: Chosen[], answerOf: (one: Chosen) => ReturnType<ReturnType<typeof useAnswers>['of']>): (string | number | null | undefined)[][] {
  const answered = chosen.flatMap((one) => (answerOf(one) ? [{ one, answer: answerOf(one)! }] : []));
  const labels = [...new Set(answered.flatMap(({ answer }) => answer.predictions.map(({ label }) => label)))];
  const head = ['picture', 'id', 'prediction', 'none of these', ...labels];
  return [
    head,
    ...answered.map(({ one, answer }) => {
      const scores = new Map(answer.predictions.map(({ label, score }) => [label, score]));
      return [one.name, one.item?.id, answer.labels ? answer.labels.join('; ') : answer.prediction, answer.none, ...labels.map((label) => scores.get(label))];
    }),
  ];
}
