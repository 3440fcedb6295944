import { useState } from 'preact/hooks';
import type { Failure } from './given-files.js';
import { useLanguage } from '../shell/language.js';
import { serviceSentence } from '../shell/service-sentences.js';
import { useNumbers, useWords } from './words.js';

/** More would only be slow. */
const mostShown = 100;

export function FailureList({ failures }: { failures: readonly Failure[] }) {
  const words = useWords();
  const language = useLanguage();
  const numbers = useNumbers();
  const [copied, setCopied] = useState(0);
  if (failures.length === 0) return null;
  const reasonOf = ({ reason }: Failure): string => (typeof reason === 'string' ? words.reasons[reason] : serviceSentence(reason, language));
  const more = failures.length - mostShown;
  const copy = async (): Promise<void> => {
    if (await copyText(failures.map((failure) => `${failure.source}\t${reasonOf(failure)}\n`).join(''))) setCopied(failures.length);
  };
  return (
    <details class="failures" open>
      <summary>
        {words.outcome.failed(failures.length, numbers(failures.length))}
      </summary>
      <ul>
        {failures.slice(0, mostShown).map((failure, index) => (
          <li key={index}>
            <b>
              <bdi>{failure.source}</bdi>
            </b>
            : {reasonOf(failure)}
          </li>
        ))}
        {more > 0 && <li>{words.more(more, numbers(more))}</li>}
      </ul>
      <button type="button" onClick={() => void copy()}>
        {copied === failures.length ? words.copied : words.copy}
      </button>
    </details>
  );
}

/** Browsers keep their clipboard to https and the loopback; elsewhere a selection is copied. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = Object.assign(document.createElement('textarea'), { value: text, className: 'visually-hidden' });
    document.body.append(box);
    box.select();
    const isCopied = document.execCommand('copy');
    box.remove();
    return isCopied;
  }
}
