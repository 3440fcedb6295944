import { useEffect, useRef, useState } from 'preact/hooks';
import type { Why } from '../../contract/search.js';
import { sentenceOf } from '../shell/errors.js';
import { texts } from '../shell/language.js';
import type { Result } from './results.js';

const useTexts = texts({
  en: { heat: 'Where in the picture the score lies', looking: 'Looking closer …', stands: (words: string) => `Stands there: ${words}.`, above: (deviations: string) => `${deviations} deviations above what is usual here.` },
  de: { heat: 'Wo im Bild die Ähnlichkeit liegt', looking: 'Wird genauer betrachtet …', stands: (words: string) => `Steht dort: ${words}.`, above: (deviations: string) => `${deviations} Standardabweichungen über dem hier Üblichen.` },
  zh: { heat: '得分在图片中的位置', looking: '正在仔细查看……', stands: (words: string) => `其中出现：${words}。`, above: (deviations: string) => `比这里的通常水平高 ${deviations} 个标准差。` },
});

interface Explanation {
  why?: Why | undefined;
  isAsking: boolean;
  problem?: string;
  ask: () => void;
}

/** Why an item stands where it does, once that is asked for. */
export function useWhy({ id, why_of: whyOf }: Result): Explanation {
  const [state, setState] = useState<Omit<Explanation, 'ask'>>({ isAsking: false });
  const asking = useRef<AbortController>();
  useEffect(() => {
    setState({ isAsking: false });
    return () => asking.current?.abort();
  }, [id]);
  const ask = async (): Promise<void> => {
    asking.current?.abort();
    const { signal } = (asking.current = new AbortController());
    setState({ isAsking: true });
    try {
      setState({ why: await whyOf!(signal), isAsking: false });
    } catch (error) {
      if (!signal.aborted) setState({ isAsking: false, problem: sentenceOf(error) });
    }
  };
  return { ...state, ask: () => void ask() };
}

/** Laid over the picture. */
export function Heat({ png }: { png: string }) {
  const { heat } = useTexts();
  return <img class="heat" src={`data:image/png;base64,${png}`} alt={heat} />;
}

export function Reasons({ why, isAsking, problem }: Explanation) {
  const texts = useTexts();
  if (problem !== undefined) return <p role="alert">{problem}</p>;
  if (isAsking) return <p role="status">{texts.looking}</p>;
  if (!why) return null;
  const { words = [], terms = [], relevance: judged } = why;
  const most = Math.max(...words.map(({ weight }) => Math.abs(weight)));
  const standing = terms.filter((term) => term.in.length > 0);
  return (
    <div class="why" role="status">
      {words.map(({ text, weight }, index) => (
        <div key={index} title={weight.toFixed(3)}>
          <span>{text}</span>
          <meter min={0} max={1} value={most > 0 ? Math.max(0, weight) / most : 0} />
        </div>
      ))}
      {standing.length > 0 && <p>{texts.stands(standing.map(({ text }) => text).join(', '))}</p>}
      {judged && <p>{texts.above(judged.list.toFixed(1))}</p>}
    </div>
  );
}
