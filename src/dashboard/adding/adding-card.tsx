import { useEffect, useRef, useState } from 'preact/hooks';
import { useAnnouncements } from '../shell/announcements.js';
import { useCollections } from '../shell/collections.js';
import { sentenceOf } from '../shell/errors.js';
import { useLanguage } from '../shell/language.js';
import { useAdding, useUploads } from './adding-context.js';
import { FailureList } from './failure-list.js';
import type { Pause } from './pauses.js';
import type { Drop } from './upload-queue.js';
import { useNumbers, useWords } from './words.js';
import '../styles/adding.css';

/** How far uploads are, whatever page is looked at; what became of them, until that was read. */
export function AddingCard() {
  const queue = useAdding();
  const { drops, isRunning, pause, secondsLeft } = useUploads();
  const words = useWords();
  const sentence = useSentence();
  const numbers = useNumbers();
  const language = useLanguage();
  const isStopped = drops.some(({ phase }) => phase === 'stopped');
  const [total, done] = [sum(drops, 'total'), sum(drops, 'done')];
  const isLooking = drops.some(({ phase }) => phase === 'looking');
  const headline = !isRunning ? sentence(drops) : isLooking && done === 0 ? words.looking(numbers(total)) : words.adding(numbers(done), numbers(total));
  useHeard({ isShown: drops.length > 0, isRunning, pause, headline });

  if (drops.length === 0) return null;
  const unsure = isRunning ? 0 : sum(drops, 'unsure');
  const notes = [...(secondsLeft !== undefined && !pause ? [words.left(secondsLeft)] : []), ...(unsure > 0 ? [words.unsure(unsure, numbers(unsure))] : []), ...leftOut(drops, words, numbers)];
  return (
    <section class="panel adding-card" aria-label={words.panel}>
      <p class="headline">{headline}</p>
      {isRunning && <progress aria-label={words.panel} {...(total > 0 && !isLooking ? { max: total, value: done } : {})} />}
      {pause && <Waiting pause={pause} onTryNow={queue.tryNow} />}
      {drops.length === 1 ? <p class="quiet">{words.into(drops[0]!.collection)}</p> : <DropList drops={drops} />}
      {notes.map((note) => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
      {drops.map(({ id, problem }) => problem !== undefined && <p key={id}>{sentenceOf(problem, language)}</p>)}
      <FailureList failures={drops.flatMap(({ failures }) => failures)} />
      <div class="actions">
        {isRunning && (
          <button type="button" onClick={queue.stop}>
            {words.stop}
          </button>
        )}
        {!isRunning && isStopped && (
          <button type="button" onClick={queue.goOn}>
            {words.goOn}
          </button>
        )}
        {!isRunning && (
          <button type="button" onClick={queue.dismiss}>
            {words.done}
          </button>
        )}
      </div>
    </section>
  );
}

function DropList({ drops }: { drops: readonly Drop[] }) {
  const words = useWords();
  const sentence = useSentence();
  const numbers = useNumbers();
  const state = (drop: Drop): string => {
    if (drop.phase === 'waiting' && drop.done === 0) return words.waits;
    if (drop.phase === 'looking') return words.looking(numbers(drop.total));
    return drop.phase === 'sending' || drop.phase === 'waiting' ? words.of(numbers(drop.done), numbers(drop.total)) : sentence([drop]);
  };
  return (
    <ul class="drops">
      {drops.map((drop) => (
        <li key={drop.id}>
          <b>{drop.collection}</b> <span class="quiet">{state(drop)}</span>
        </li>
      ))}
    </ul>
  );
}

/** In whole seconds, as they pass. */
function Waiting({ pause: { why, until }, onTryNow }: { pause: Pause; onTryNow: () => void }) {
  const words = useWords();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = until === undefined ? undefined : Math.ceil((until - now) / 1000);
  return (
    <div class="waiting">
      <p>{words.pause[why]}</p>
      {seconds !== undefined && (
        <p>
          <span>{seconds > 0 ? words.nextTry(seconds) : words.trying}</span>
          <button type="button" onClick={onTryNow} disabled={seconds <= 0}>
            {words.tryNow}
          </button>
        </p>
      )}
    </div>
  );
}

const sum = (drops: readonly Drop[], field: 'total' | 'done' | 'added' | 'unsure'): number => drops.reduce((before, drop) => before + drop[field], 0);

/** What became of drops that are over. */
function useSentence(): (drops: readonly Drop[]) => string {
  const { outcome, between, end, stopped, nothing } = useWords();
  const numbers = useNumbers();
  return (drops) => {
    const [total, done, added] = [sum(drops, 'total'), sum(drops, 'done'), sum(drops, 'added')];
    const failed = drops.reduce((before, { failures }) => before + failures.length, 0);
    const isStopped = drops.some(({ phase }) => phase === 'stopped');
    if (total === 0 && !isStopped) return `${nothing}${end}`;
    const counts = [
      ['added', added],
      ['there', done - added - failed],
      ['failed', failed],
      ['unsent', isStopped ? total - done : 0],
    ] as const;
    const parts = counts.filter(([name, count]) => count > 0 || name === 'added').map(([name, count]) => outcome[name](count, numbers(count)));
    const whole = `${parts.join(between)}${end}`;
    return isStopped ? stopped(whole) : whole;
  };
}

function leftOut(drops: readonly Drop[], words: ReturnType<typeof useWords>, numbers: (value: number) => string): string[] {
  const parts = (['hidden', 'noPictures'] as const).flatMap((kind) => {
    const count = drops.reduce((before, drop) => before + drop.leftOut[kind], 0);
    return count > 0 ? [words.leftOut[kind](count, numbers(count))] : [];
  });
  return parts.length > 0 ? [words.leftOut.all(parts.join(words.between))] : [];
}

/** A beginning, a pause and an end are heard; each step would be too much. What is over is counted anew elsewhere. */
function useHeard({ isShown, isRunning, pause, headline }: { isShown: boolean; isRunning: boolean; pause: Pause | undefined; headline: string }): void {
  const { say } = useAnnouncements();
  const words = useWords();
  const collections = useCollections();
  const wasRunning = useRef(false);
  useEffect(() => {
    if (isShown && (isRunning || wasRunning.current)) say(headline);
    if (!isRunning && wasRunning.current) collections.again();
    wasRunning.current = isRunning;
  }, [isRunning]);
  useEffect(() => {
    if (pause) say(words.pause[pause.why]);
  }, [pause?.why]);
}
