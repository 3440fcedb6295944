import type { Job } from '../../../contract/jobs.js';
import { texts } from '../../shell/language.js';

type State = Job['state'];

interface JobWords {
  /** By kind; one that is not here is told by its own name. */
  kinds: Record<string, string>;
  states: Record<State, string>;
  pause: string;
  resume: string;
  cancel: string;
  progress: string;
  done: (done: string, total: string | undefined) => string;
  failed: (count: string) => string;
  left: (time: string) => string;
  failures: string;
  noFailures: string;
  more: string;
  loading: string;
  none: string;
  began: string;
  ended: string;
  all: string;
  ofState: string;
  isNow: (kind: string, state: string) => string;
}

export const useJobTexts = texts<JobWords>({
  en: {
    kinds: { reembed: 'Embedding again', restore: 'Restore', sync: 'Keeping equal to a folder', import: 'Import', duplicates: 'Search for duplicates', clusters: 'Clusters', classify: 'Classification', tiles: 'Cutting into tiles', map: 'Map', pull: 'Pulling a model' },
    states: { waiting: 'waiting', running: 'running', paused: 'paused', done: 'done', failed: 'failed', cancelled: 'cancelled' },
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel',
    progress: 'Progress',
    done: (done, total) => (total === undefined ? `${done} done` : `${done} of ${total} done`),
    failed: (count) => `${count} failed`,
    left: (time) => `${time} left`,
    failures: 'What failed, and why',
    noFailures: 'Nothing is listed.',
    more: 'Show more',
    loading: 'Loading …',
    none: 'There are no jobs: nothing long has been asked for yet.',
    began: 'Asked for',
    ended: 'ended',
    all: 'All',
    ofState: 'Show',
    isNow: (kind, state) => `${kind}: ${state}`,
  },
  de: {
    kinds: { reembed: 'Neu einbetten', restore: 'Wiederherstellung', sync: 'Abgleich mit einem Ordner', import: 'Import', duplicates: 'Suche nach Duplikaten', clusters: 'Cluster', classify: 'Einordnung', tiles: 'In Kacheln schneiden', map: 'Karte', pull: 'Modell holen' },
    states: { waiting: 'wartet', running: 'läuft', paused: 'angehalten', done: 'fertig', failed: 'gescheitert', cancelled: 'abgebrochen' },
    pause: 'Anhalten',
    resume: 'Fortsetzen',
    cancel: 'Abbrechen',
    progress: 'Fortschritt',
    done: (done, total) => (total === undefined ? `${done} fertig` : `${done} von ${total} fertig`),
    failed: (count) => `${count} gescheitert`,
    left: (time) => `noch ${time}`,
    failures: 'Was gescheitert ist, und warum',
    noFailures: 'Nichts ist verzeichnet.',
    more: 'Mehr zeigen',
    loading: 'Lädt …',
    none: 'Es gibt keine Aufträge: Noch wurde nichts Langes verlangt.',
    began: 'Verlangt',
    ended: 'beendet',
    all: 'Alle',
    ofState: 'Zeigen',
    isNow: (kind, state) => `${kind}: ${state}`,
  },
  zh: {
    kinds: { reembed: '重新嵌入', restore: '恢复', sync: '与文件夹同步', import: '导入', duplicates: '查找重复项', clusters: '聚类', classify: '分类', tiles: '切分图块', map: '地图', pull: '下载模型' },
    states: { waiting: '等待中', running: '运行中', paused: '已暂停', done: '已完成', failed: '失败', cancelled: '已取消' },
    pause: '暂停',
    resume: '继续',
    cancel: '取消',
    progress: '进度',
    done: (done, total) => (total === undefined ? `已完成 ${done}` : `已完成 ${done} / ${total}`),
    failed: (count) => `失败 ${count}`,
    left: (time) => `剩余 ${time}`,
    failures: '失败的项目及原因',
    noFailures: '没有记录。',
    more: '显示更多',
    loading: '加载中…',
    none: '没有任务：还没有请求过耗时的操作。',
    began: '提交于',
    ended: '结束于',
    all: '全部',
    ofState: '显示',
    isNow: (kind, state) => `${kind}：${state}`,
  },
});
