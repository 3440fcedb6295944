/** A saved classifier, and what it is taught: pictures that are of a label, or are not. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Classifier, NewClassifier } from '../../contract/classifiers.js';
import { inputOf, type Chosen } from '../items/chosen.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';

export interface Lesson {
  label: string;
  /** The picture is not of it. */
  not: boolean;
}

/** What pictures were taught in this tab, by the classifier's name and the picture: the service tells counts alone. */
const lessons = new Map<string, Map<string, Lesson[]>>();

export interface Teaching {
  classifier?: Classifier | undefined;
  isLoading: boolean;
  error?: unknown;
  again: () => void;
  /** Accuracy before the last lesson. */
  before?: Classifier['accuracy'];
  /** A picture that waits, for an answer or for another try. */
  at?: { key: string; error?: unknown; again: () => void };
  lessonsOf: (one: Chosen) => Lesson[];
  /** Where it fails, `at` says why. `labels`: saved under the name before. */
  teach: (name: string, one: Chosen, lesson: Lesson, more?: { labels?: NewClassifier; onTaught?: () => void }) => Promise<void>;
  forget: (name: string, one: Chosen, lesson: Lesson) => Promise<void>;
  /** @throws what the service answers. */
  save: (name: string, labels: NewClassifier) => Promise<void>;
}

export function useTeaching(collection: string, model: string | undefined, name: string | undefined): Teaching {
  const { client } = useSession();
  const loaded = useLoaded<Classifier | undefined>((signal) => (name === undefined ? Promise.resolve(undefined) : client.classifier(name, { signal })), [client, name]);
  const [told, setTold] = useState<{ classifier: Classifier; before?: Classifier['accuracy'] }>();
  const [at, setAt] = useState<Teaching['at']>();
  const mine = told && told.classifier.name === name ? told : undefined;
  const classifier = mine?.classifier ?? (loaded.value?.name === name ? loaded.value : undefined);
  useEffect(() => setAt(undefined), [name]);

  /** By id where the collection is of the same model: then the picture itself need not travel. */
  const contentOf = async (one: Chosen, of: string | undefined): Promise<{ collection: string; ids: string[] } | { inputs: Awaited<ReturnType<typeof inputOf>>[] }> =>
    one.item && of === model ? { collection, ids: [one.item.id] } : { inputs: [await inputOf(client, collection, one)] };

  const during = async (one: Chosen, work: () => Promise<void>): Promise<void> => {
    const again = (): void => void during(one, work);
    setAt({ key: one.key, again });
    try {
      await work();
      setAt(undefined);
    } catch (error) {
      setAt({ key: one.key, error, again });
    }
  };
  const note = (to: string, one: Chosen, change: (before: Lesson[]) => Lesson[]): void => {
    const ofClassifier = lessons.get(to) ?? new Map<string, Lesson[]>();
    lessons.set(to, ofClassifier.set(one.key, change(ofClassifier.get(one.key) ?? [])));
  };

  return {
    classifier,
    isLoading: loaded.isLoading,
    error: mine ? undefined : loaded.error,
    again: loaded.again,
    ...(mine?.before ? { before: mine.before } : {}),
    ...(at ? { at } : {}),
    lessonsOf: (one) => (name === undefined ? [] : (lessons.get(name)?.get(one.key) ?? [])),
    teach: (to, one, lesson, { labels, onTaught } = {}) =>
      during(one, async () => {
        const saved = labels ? await client.putClassifier(to, labels) : classifier;
        const content = await contentOf(one, saved?.model);
        // It is of one label alone.
        const others = (lessons.get(to)?.get(one.key) ?? []).filter((each) => each.label === lesson.label || (!lesson.not && !each.not));
        for (const { label } of others.filter(({ label }) => label !== lesson.label)) await client.removeExamples(to, { label, ...content });
        const taught = await client.addExamples(to, { label: lesson.label, ...(lesson.not ? { not: true } : {}), ...content });
        note(to, one, (before) => [...before.filter((each) => !others.includes(each)), lesson]);
        setTold({ classifier: taught, ...(saved?.accuracy ? { before: saved.accuracy } : {}) });
        onTaught?.();
      }),
    forget: (to, one, lesson) =>
      during(one, async () => {
        const content = await contentOf(one, classifier?.model);
        const left = await client.removeExamples(to, { label: lesson.label, not: lesson.not, ...content });
        note(to, one, (before) => before.filter((each) => each.label !== lesson.label));
        setTold({ classifier: left, ...(classifier?.accuracy ? { before: classifier.accuracy } : {}) });
      }),
    save: useCallback(
      async (to: string, labels: NewClassifier) => {
        setTold({ classifier: await client.putClassifier(to, labels) });
      },
      [client],
    ),
  };
}
