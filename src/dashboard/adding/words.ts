import { texts, useLanguage } from '../shell/language.js';
import type { OwnReason } from './given-files.js';
import type { Pause } from './pauses.js';

interface Words {
  add: string;
  addTitle: string;
  pictures: string;
  folder: string;
  dropSearch: string;
  dropAdd: string;
  panel: string;
  looking: (found: string) => string;
  adding: (done: string, total: string) => string;
  waits: string;
  into: (collection: string) => string;
  /** Of a drop that is over, only what there is of it. */
  outcome: { added: (count: number, shown: string) => string; there: (count: number, shown: string) => string; failed: (count: number, shown: string) => string; unsent: (count: number, shown: string) => string };
  unsure: (count: number, shown: string) => string;
  of: (done: string, total: string) => string;
  between: string;
  end: string;
  stopped: (outcome: string) => string;
  leftOut: { all: (parts: string) => string; hidden: (count: number, shown: string) => string; noPictures: (count: number, shown: string) => string };
  nothing: string;
  left: (seconds: number) => string;
  pause: Record<Pause['why'], string>;
  nextTry: (seconds: number) => string;
  trying: string;
  tryNow: string;
  stop: string;
  goOn: string;
  done: string;
  copy: string;
  copied: string;
  more: (count: number, shown: string) => string;
  reasons: Record<OwnReason, string>;
}

const timeLeft = (seconds: number): [count: number, unit: 'seconds' | 'minutes' | 'hours'] => (seconds < 60 ? [0, 'seconds'] : seconds < 3600 ? [Math.round(seconds / 60), 'minutes'] : [Math.round(seconds / 3600), 'hours']);

export const useWords = texts<Words>({
  en: {
    add: 'Add',
    addTitle: 'Add pictures to this collection',
    pictures: 'Pictures…',
    folder: 'A folder…',
    dropSearch: 'Search by this picture',
    dropAdd: 'Add to the collection',
    panel: 'Adding pictures',
    looking: (found) => `Looking for pictures: ${found} so far`,
    adding: (done, total) => `Adding pictures: ${done} of ${total}`,
    waits: 'waiting',
    into: (collection) => `To ${collection}`,
    outcome: {
      added: (_, shown) => `${shown} added`,
      there: (_, shown) => `${shown} already there`,
      failed: (_, shown) => `${shown} failed`,
      unsent: (_, shown) => `${shown} not sent`,
    },
    unsure: (count, shown) => `${shown} of these ${count === 1 ? 'was' : 'were'} on the way, and may be there.`,
    of: (done, total) => `${done} of ${total}`,
    between: ', ',
    end: '.',
    stopped: (outcome) => `Stopped: ${outcome}`,
    leftOut: { all: (parts) => `Left out: ${parts}`, hidden: (count, shown) => `${shown} hidden ${count === 1 ? 'file' : 'files'}`, noPictures: (count, shown) => `${shown} ${count === 1 ? 'file that is no picture' : 'files that are no pictures'}` },
    nothing: 'There was no picture in what you gave',
    left: (seconds) => {
      const [count, unit] = timeLeft(seconds);
      return unit === 'seconds' ? 'less than a minute left' : `about ${count} ${unit === 'minutes' ? 'min' : 'h'} left`;
    },
    pause: { unreachable: 'The service does not answer. Nothing is lost: adding goes on when it is back.', busy: 'The service has too much to do. Adding goes on in a moment.', full: 'The disk of the service is full. Adding goes on when there is room.', key: 'The service asks for a key. Adding goes on with it.' },
    nextTry: (seconds) => `Next try in ${seconds} s`,
    trying: 'Trying again …',
    tryNow: 'Try now',
    stop: 'Stop',
    goOn: 'Go on',
    done: 'Done',
    copy: 'Copy list',
    copied: 'Copied',
    more: (_, shown) => `and ${shown} more, all of them in the copied list`,
    reasons: {
      gone: 'The file is not there any more.',
      unreadable: 'The file cannot be read: it has changed, or you may not open it.',
      empty: 'The file is empty.',
      'no-picture': 'The file is no picture.',
      'unreadable-folder': 'The folder cannot be read.',
      'broken-off': 'The upload broke off each time.',
    },
  },
  de: {
    add: 'Hinzufügen',
    addTitle: 'Bilder zu dieser Sammlung hinzufügen',
    pictures: 'Bilder …',
    folder: 'Einen Ordner …',
    dropSearch: 'Mit diesem Bild suchen',
    dropAdd: 'Zur Sammlung hinzufügen',
    panel: 'Bilder werden hinzugefügt',
    looking: (found) => `Bilder werden gesucht: bisher ${found}`,
    adding: (done, total) => `Bilder werden hinzugefügt: ${done} von ${total}`,
    waits: 'wartet',
    into: (collection) => `In ${collection}`,
    outcome: {
      added: (_, shown) => `${shown} hinzugefügt`,
      there: (_, shown) => `${shown} schon da`,
      failed: (_, shown) => `${shown} fehlgeschlagen`,
      unsent: (_, shown) => `${shown} nicht gesendet`,
    },
    unsure: (count, shown) => `${shown} davon ${count === 1 ? 'war' : 'waren'} unterwegs und ${count === 1 ? 'ist' : 'sind'} vielleicht schon da.`,
    of: (done, total) => `${done} von ${total}`,
    between: ', ',
    end: '.',
    stopped: (outcome) => `Angehalten: ${outcome}`,
    leftOut: { all: (parts) => `Ausgelassen: ${parts}`, hidden: (count, shown) => `${shown} versteckte ${count === 1 ? 'Datei' : 'Dateien'}`, noPictures: (count, shown) => `${shown} ${count === 1 ? 'Datei, die kein Bild ist' : 'Dateien, die keine Bilder sind'}` },
    nothing: 'Darin war kein Bild',
    left: (seconds) => {
      const [count, unit] = timeLeft(seconds);
      return unit === 'seconds' ? 'noch weniger als eine Minute' : `noch etwa ${count} ${unit === 'minutes' ? 'Min.' : 'Std.'}`;
    },
    pause: { unreachable: 'Der Dienst antwortet nicht. Nichts geht verloren: Es geht weiter, sobald er wieder da ist.', busy: 'Der Dienst hat zu viel zu tun. Es geht gleich weiter.', full: 'Die Festplatte des Dienstes ist voll. Es geht weiter, sobald Platz ist.', key: 'Der Dienst verlangt einen Schlüssel. Damit geht es weiter.' },
    nextTry: (seconds) => `Nächster Versuch in ${seconds} s`,
    trying: 'Neuer Versuch …',
    tryNow: 'Jetzt versuchen',
    stop: 'Anhalten',
    goOn: 'Fortsetzen',
    done: 'Fertig',
    copy: 'Liste kopieren',
    copied: 'Kopiert',
    more: (_, shown) => `und ${shown} weitere, alle in der kopierten Liste`,
    reasons: {
      gone: 'Die Datei ist nicht mehr da.',
      unreadable: 'Die Datei kann nicht gelesen werden: Sie hat sich geändert, oder Sie dürfen sie nicht öffnen.',
      empty: 'Die Datei ist leer.',
      'no-picture': 'Die Datei ist kein Bild.',
      'unreadable-folder': 'Der Ordner kann nicht gelesen werden.',
      'broken-off': 'Die Übertragung ist jedes Mal abgebrochen.',
    },
  },
  zh: {
    add: '添加',
    addTitle: '向此集合添加图片',
    pictures: '图片…',
    folder: '文件夹…',
    dropSearch: '以此图片搜索',
    dropAdd: '添加到集合',
    panel: '正在添加图片',
    looking: (found) => `正在查找图片：已找到 ${found} 张`,
    adding: (done, total) => `正在添加图片：${done} / ${total}`,
    waits: '等待中',
    into: (collection) => `到 ${collection}`,
    outcome: {
      added: (_, shown) => `已添加 ${shown} 张`,
      there: (_, shown) => `${shown} 张已存在`,
      failed: (_, shown) => `${shown} 张失败`,
      unsent: (_, shown) => `${shown} 张未发送`,
    },
    unsure: (_, shown) => `其中 ${shown} 张正在发送，可能已添加。`,
    of: (done, total) => `${done} / ${total}`,
    between: '，',
    end: '。',
    stopped: (outcome) => `已停止：${outcome}`,
    leftOut: { all: (parts) => `已略过：${parts}`, hidden: (_, shown) => `${shown} 个隐藏文件`, noPictures: (_, shown) => `${shown} 个非图片文件` },
    nothing: '其中没有图片',
    left: (seconds) => {
      const [count, unit] = timeLeft(seconds);
      return unit === 'seconds' ? '剩余不到一分钟' : `大约还需 ${count} ${unit === 'minutes' ? '分钟' : '小时'}`;
    },
    pause: { unreachable: '服务没有响应。不会丢失任何内容：服务恢复后将继续添加。', busy: '服务繁忙，稍后将继续添加。', full: '服务的磁盘已满，有空间后将继续添加。', key: '服务需要密钥，提供后将继续添加。' },
    nextTry: (seconds) => `${seconds} 秒后重试`,
    trying: '正在重试…',
    tryNow: '立即重试',
    stop: '停止',
    goOn: '继续',
    done: '完成',
    copy: '复制列表',
    copied: '已复制',
    more: (_, shown) => `还有 ${shown} 个，完整列表可复制`,
    reasons: {
      gone: '文件已不存在。',
      unreadable: '无法读取文件：文件已更改，或您无权打开。',
      empty: '文件为空。',
      'no-picture': '该文件不是图片。',
      'unreadable-folder': '无法读取文件夹。',
      'broken-off': '每次上传都中断了。',
    },
  },
});

/** How the language writes a number. */
export function useNumbers(): (value: number) => string {
  const language = useLanguage();
  return (value) => value.toLocaleString(language);
}
