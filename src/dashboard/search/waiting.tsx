import { useEffect, useState } from 'preact/hooks';
import { texts } from '../shell/language.js';
import { useSession } from '../shell/session.js';

const useTexts = texts({
  en: { searching: 'Still searching …', model: (name: string) => `The model ${name} is being loaded. The first search takes a little longer.` },
  de: { searching: 'Es wird noch gesucht …', model: (name: string) => `Das Modell ${name} wird geladen. Die erste Suche dauert etwas länger.` },
  zh: { searching: '仍在搜索……', model: (name: string) => `正在加载模型 ${name}，首次搜索需要稍长时间。` },
});

const patienceMs = 2_000;

/** Says why nothing comes yet, once that takes long. */
export function Waiting({ model }: { model: string | undefined }) {
  const words = useTexts();
  const { client } = useSession();
  const [reason, setReason] = useState<'searching' | 'model'>();
  useEffect(() => {
    const leaving = new AbortController();
    const waiting = setTimeout(() => {
      setReason('searching');
      client.models({ signal: leaving.signal }).then(
        (models) => {
          const used = models.find(({ id }) => id === model);
          if (used && !used.loaded) setReason('model');
        },
        () => {},
      );
    }, patienceMs);
    return () => {
      leaving.abort();
      clearTimeout(waiting);
    };
  }, [client, model]);
  return (
    <p class="waiting quiet" role="status">
      {reason === 'model' ? words.model(model ?? '') : reason && words.searching}
    </p>
  );
}
