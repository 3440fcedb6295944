import type { Collection } from '../../contract/collections.js';
import { texts, useLanguage } from '../shell/language.js';

type Reembedding = NonNullable<Collection['reembedding']>;

const useTexts = texts({
  en: { pictures: (count: string, one: boolean) => `${count} ${one ? 'picture' : 'pictures'}`, texts: (count: string, one: boolean) => `${count} ${one ? 'text' : 'texts'}`, gone: (model: string) => `${model} (not there: searching by words or pictures is off)`, running: (model: string, far: string) => `on its way to ${model}: ${far}`, stopped: (model: string, far: string) => `stopped on its way to ${model}: ${far}`, of: 'of' },
  de: { pictures: (count: string, one: boolean) => `${count} ${one ? 'Bild' : 'Bilder'}`, texts: (count: string, one: boolean) => `${count} ${one ? 'Text' : 'Texte'}`, gone: (model: string) => `${model} (nicht da: mit Worten oder Bildern kann nicht gesucht werden)`, running: (model: string, far: string) => `auf dem Weg zu ${model}: ${far}`, stopped: (model: string, far: string) => `auf dem Weg zu ${model} angehalten: ${far}`, of: 'von' },
  zh: { pictures: (count: string, _: boolean) => `${count} 张图片`, texts: (count: string, _: boolean) => `${count} 段文本`, gone: (model: string) => `${model}（不存在：无法用文字或图片搜索）`, running: (model: string, far: string) => `正在迁移到 ${model}：${far}`, stopped: (model: string, far: string) => `迁移到 ${model} 已停止：${far}`, of: '/' },
});

export function StatusLine({ collection, tookMs }: { collection: Collection | undefined; tookMs: number | undefined }) {
  const words = useTexts();
  const language = useLanguage();
  if (!collection) return null;
  const { image, text } = collection.counts;
  const far = ({ done, total }: Reembedding): string => `${done.toLocaleString(language)} ${words.of} ${total.toLocaleString(language)}`;
  const { reembedding } = collection;
  const parts = [
    words.pictures(image.toLocaleString(language), image === 1),
    ...(text > 0 ? [words.texts(text.toLocaleString(language), text === 1)] : []),
    collection.model_available ? collection.model : words.gone(collection.model),
    ...(reembedding ? [words[reembedding.state === 'running' ? 'running' : 'stopped'](reembedding.model, far(reembedding))] : []),
    ...(tookMs === undefined ? [] : [`${tookMs.toLocaleString(language, { maximumFractionDigits: tookMs < 10 ? 1 : 0 })} ms`]),
  ];
  return (
    <footer>
      <span>{parts.join(' · ')}</span>
      <a href="./docs/">API</a>
    </footer>
  );
}
