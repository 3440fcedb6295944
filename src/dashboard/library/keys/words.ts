import type { Scope } from '../../../contract/keys.js';
import { texts } from '../../shell/language.js';

interface KeyWords {
  columns: Record<'name' | 'scope' | 'collections' | 'rate' | 'calls' | 'lastUsed', string>;
  scopes: Record<Scope, string>;
  all: string;
  noBound: string;
  perMinute: (count: string) => string;
  never: string;
  open: string;
  /** What the caller may do, who may not see the others. */
  own: (name: string) => string;
  how: string;
}

export const useKeyTexts = texts<KeyWords>({
  en: {
    columns: { name: 'Who', scope: 'May', collections: 'In', rate: 'How often', calls: 'Calls', lastUsed: 'Last used' },
    scopes: { read: 'read', write: 'read and write', admin: 'do anything' },
    all: 'all collections',
    noBound: 'without bound',
    perMinute: (count) => `${count} a minute`,
    never: 'not since the service started',
    open: 'The service has no keys: whoever reaches it may do anything.',
    own: (name) => `Your key is called “${name}”. All keys are shown to one that may do anything.`,
    how: 'Keys stand in a file, one a line, that the service reads again when it changes: KEY scope=read collection=holidays rate=600/min name=phone. mixspace serve --api-keys-file names it; mixspace keys new makes a line.',
  },
  de: {
    columns: { name: 'Wer', scope: 'Darf', collections: 'In', rate: 'Wie oft', calls: 'Aufrufe', lastUsed: 'Zuletzt benutzt' },
    scopes: { read: 'lesen', write: 'lesen und ändern', admin: 'alles' },
    all: 'allen Sammlungen',
    noBound: 'unbegrenzt',
    perMinute: (count) => `${count} in der Minute`,
    never: 'nicht seit dem Start des Dienstes',
    open: 'Der Dienst hat keine Schlüssel: Wer ihn erreicht, darf alles.',
    own: (name) => `Ihr Schlüssel heißt „${name}“. Alle Schlüssel sieht, wer alles darf.`,
    how: 'Schlüssel stehen in einer Datei, einer je Zeile, die der Dienst neu liest, wenn sie sich ändert: KEY scope=read collection=holidays rate=600/min name=phone. mixspace serve --api-keys-file nennt sie; mixspace keys new macht eine Zeile.',
  },
  zh: {
    columns: { name: '名称', scope: '权限', collections: '范围', rate: '频率', calls: '调用次数', lastUsed: '最近使用' },
    scopes: { read: '读取', write: '读取和写入', admin: '一切操作' },
    all: '所有集合',
    noBound: '不限',
    perMinute: (count) => `每分钟 ${count} 次`,
    never: '服务启动后未使用',
    open: '服务未设置密钥：任何能访问它的人都可以执行一切操作。',
    own: (name) => `您的密钥名为“${name}”。只有可执行一切操作的密钥才能看到全部密钥。`,
    how: '密钥写在一个文件中，每行一个，文件更改后服务会重新读取：KEY scope=read collection=holidays rate=600/min name=phone。用 mixspace serve --api-keys-file 指定该文件；mixspace keys new 可生成一行。',
  },
});
