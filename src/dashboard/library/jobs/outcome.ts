import type { Job } from '../../../contract/jobs.js';
import { texts } from '../../shell/language.js';
import type { Figures } from '../figures.js';

type Result = NonNullable<Job['result']>;
/** Of one kind; `n` is a figure of the result, written. */
type Sentence = (result: Result, n: (field: string) => string, figures: Figures) => string;

const listed = (value: unknown): { name?: unknown; items?: unknown }[] => (Array.isArray(value) ? (value as { name?: unknown; items?: unknown }[]) : []);
const numberIn = (result: Result, field: string): number => (typeof result[field] === 'number' ? result[field] : Array.isArray(result[field]) ? result[field].length : 0);

/** What came of a job, in words, by its kind. */
const useSentences = texts<Record<string, Sentence>>({
  en: {
    reembed: (result, n) => `${n('embedded')} items are in the space of ${String(result['model'])}${numberIn(result, 'not_embedded') > 0 ? `, ${n('not_embedded')} could not be embedded` : ''}.`,
    restore: (result, _, { count }) => `Restored: ${listed(result['collections']).map(({ name, items }) => `${String(name)} (${count(Number(items))} items)`).join(', ') || 'no collection'}${numberIn(result, 'classifiers') > 0 ? `; classifiers: ${count(numberIn(result, 'classifiers'))}` : ''}.`,
    duplicates: (result, n) => `${n('groups')} ${numberIn(result, 'groups') === 1 ? 'group' : 'groups'}; ${n('superfluous')} could go; ${n('mirrored')} mirrored ${numberIn(result, 'mirrored') === 1 ? 'pair' : 'pairs'}.`,
    clusters: (_, n) => `${n('clusters')} clusters of ${n('items')} items.`,
    tiles: (result, n, { bytes }) => `Tiles ${String(result['tiles'])}: ${n('from_originals')} pictures from originals, ${n('from_thumbnails')} from thumbnails, ${n('unreachable')} out of reach; ${bytes(numberIn(result, 'bytes'))} more.`,
    pull: (result, _, { bytes }) => `${String(result['model'])} is there: ${bytes(numberIn(result, 'bytes'))}.`,
    classify: (result, n, { percent }) => `${n('classified')} classified into ${String(result['field'])}, ${n('none')} as none of them${typeof result['accuracy'] === 'number' ? `; accuracy ${percent(result['accuracy'])}` : ''}.`,
  },
  de: {
    reembed: (result, n) => `${n('embedded')} Einträge liegen im Raum von ${String(result['model'])}${numberIn(result, 'not_embedded') > 0 ? `, ${n('not_embedded')} ließen sich nicht einbetten` : ''}.`,
    restore: (result, _, { count }) => `Wiederhergestellt: ${listed(result['collections']).map(({ name, items }) => `${String(name)} (${count(Number(items))} Einträge)`).join(', ') || 'keine Sammlung'}${numberIn(result, 'classifiers') > 0 ? `; Klassifikatoren: ${count(numberIn(result, 'classifiers'))}` : ''}.`,
    duplicates: (result, n) => `${n('groups')} ${numberIn(result, 'groups') === 1 ? 'Gruppe' : 'Gruppen'}; ${n('superfluous')} überflüssig; ${n('mirrored')} ${numberIn(result, 'mirrored') === 1 ? 'gespiegeltes Paar' : 'gespiegelte Paare'}.`,
    clusters: (_, n) => `${n('clusters')} Cluster aus ${n('items')} Einträgen.`,
    tiles: (result, n, { bytes }) => `Kacheln ${String(result['tiles'])}: ${n('from_originals')} Bilder aus Originalen, ${n('from_thumbnails')} aus Vorschaubildern, ${n('unreachable')} unerreichbar; ${bytes(numberIn(result, 'bytes'))} mehr.`,
    pull: (result, _, { bytes }) => `${String(result['model'])} ist da: ${bytes(numberIn(result, 'bytes'))}.`,
    classify: (result, n, { percent }) => `${n('classified')} in ${String(result['field'])} eingeordnet, ${n('none')} als keines davon${typeof result['accuracy'] === 'number' ? `; Treffergenauigkeit ${percent(result['accuracy'])}` : ''}.`,
  },
  zh: {
    reembed: (result, n) => `${n('embedded')} 个项目已进入 ${String(result['model'])} 的向量空间${numberIn(result, 'not_embedded') > 0 ? `，${n('not_embedded')} 个无法嵌入` : ''}。`,
    restore: (result, _, { count }) => `已恢复：${listed(result['collections']).map(({ name, items }) => `${String(name)}（${count(Number(items))} 个项目）`).join('、') || '没有集合'}${numberIn(result, 'classifiers') > 0 ? `；分类器 ${count(numberIn(result, 'classifiers'))} 个` : ''}。`,
    duplicates: (_, n) => `${n('groups')} 组；可删除 ${n('superfluous')} 个；镜像 ${n('mirrored')} 对。`,
    clusters: (_, n) => `${n('items')} 个项目分为 ${n('clusters')} 个聚类。`,
    tiles: (result, n, { bytes }) => `图块 ${String(result['tiles'])}：${n('from_originals')} 张来自原图，${n('from_thumbnails')} 张来自缩略图，${n('unreachable')} 张无法读取；增加 ${bytes(numberIn(result, 'bytes'))}。`,
    pull: (result, _, { bytes }) => `${String(result['model'])} 已就绪：${bytes(numberIn(result, 'bytes'))}。`,
    classify: (result, n, { percent }) => `${n('classified')} 个已分类到 ${String(result['field'])}，${n('none')} 个不属于任何类别${typeof result['accuracy'] === 'number' ? `；准确率 ${percent(result['accuracy'])}` : ''}。`,
  },
});

/** Undefined where nothing came of it. Of a kind that has no sentence: its figures by name. */
export function useOutcome({ kind, result }: Pick<Job, 'kind' | 'result'>, figures: Figures): string | undefined {
  const sentence = useSentences()[kind];
  if (!result) return undefined;
  if (sentence) return sentence(result, (field) => figures.count(numberIn(result, field)), figures);
  return Object.entries(result).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ');
}
