import type { DuplicateGroup, DuplicateItem, KeepRule } from '../../../contract/duplicates.js';
import { texts } from '../../shell/language.js';

interface DuplicateWords {
  what: string;
  rule: string;
  rules: Record<KeepRule, string>;
  threshold: string;
  thresholdWhat: string;
  look: string;
  notYet: string;
  found: (fields: { groups: number; said: string; items: string; superfluous: string; mirrored: number }) => string;
  none: (items: string) => string;
  when: string;
  stale: string;
  group: (size: string) => string;
  mirror: string;
  reason: Record<DuplicateGroup['reason'], string>;
  keep: string;
  keepItem: (title: string) => string;
  size: (width: number, height: number) => string;
  alike: (percent: string) => string;
  evidence: Record<DuplicateItem['evidence'], string>;
  deleteOthers: (count: number) => string;
  deleteAll: (count: number) => string;
  confirmTitle: (count: number) => string;
  confirmWhat: (count: number) => string;
  action: string;
  deleting: (done: number, total: number) => string;
  deleted: (count: number) => string;
  failed: (count: number) => string;
  more: string;
  allItems: (size: string) => string;
  nothingLeft: string;
}

export const useDuplicateTexts = texts<DuplicateWords>({
  en: {
    what: 'Pictures and texts that are nearly the same: encoded again, resized, cut a little. Nothing is deleted unless you say so.',
    rule: 'Of a group, keep',
    rules: { largest: 'the largest', sharpest: 'the sharpest', oldest: 'the oldest', newest: 'the newest' },
    threshold: 'How alike, 0.5 to 1',
    thresholdWhat: 'Left empty: 0.9 for pictures, 0.98 for texts.',
    look: 'Look for duplicates',
    notYet: 'Nobody has looked for duplicates yet.',
    found: ({ groups, said, items, superfluous, mirrored }) => `${said} ${groups === 1 ? 'group' : 'groups'} among ${items} items: ${superfluous} could go.${mirrored > 0 ? ` ${mirrored} ${mirrored === 1 ? 'pair' : 'pairs'} of mirror images.` : ''}`,
    none: (items) => `No duplicates among ${items} items.`,
    when: 'Found',
    stale: 'Something has changed since.',
    group: (size) => `${size} nearly the same`,
    mirror: 'Mirror images of each other',
    reason: { size: 'The first is kept: it is larger.', sharpness: 'The first is kept: it is sharper.', age: 'The first is kept by age: all else is equal.', mirrored: 'Nothing of it is superfluous.' },
    keep: 'Keep',
    keepItem: (title) => `Keep ${title}`,
    size: (width, height) => `${width} × ${height}`,
    alike: (percent) => `${percent} alike`,
    evidence: { content: 'by the same bytes', pixels: 'by pixels', embedding: 'by embedding' },
    deleteOthers: (count) => (count === 1 ? 'Delete the other' : `Delete the ${count} others`),
    deleteAll: (count) => `Delete all ${count} not kept in these groups`,
    confirmTitle: (count) => (count === 1 ? 'Delete 1 item?' : `Delete ${count} items?`),
    confirmWhat: (count) => (count === 1 ? 'It goes with all that is kept of it. This cannot be undone.' : 'They go with all that is kept of them. This cannot be undone.'),
    action: 'Delete',
    deleting: (done, total) => `Deleted ${done} of ${total}`,
    deleted: (count) => (count === 1 ? '1 item is deleted.' : `${count} items are deleted.`),
    failed: (count) => `${count} could not be deleted:`,
    more: 'Show more groups',
    allItems: (size) => `Show all ${size}`,
    nothingLeft: 'Nothing is left of what was found.',
  },
  de: {
    what: 'Bilder und Texte, die fast gleich sind: neu kodiert, verkleinert, etwas beschnitten. Gelöscht wird nur, was Sie sagen.',
    rule: 'Von einer Gruppe behalten',
    rules: { largest: 'das größte', sharpest: 'das schärfste', oldest: 'das älteste', newest: 'das neueste' },
    threshold: 'Wie ähnlich, 0,5 bis 1',
    thresholdWhat: 'Leer: 0,9 für Bilder, 0,98 für Texte.',
    look: 'Duplikate suchen',
    notYet: 'Nach Duplikaten hat noch niemand gesucht.',
    found: ({ groups, said, items, superfluous, mirrored }) => `${said} ${groups === 1 ? 'Gruppe' : 'Gruppen'} unter ${items} Einträgen: ${superfluous} überflüssig.${mirrored > 0 ? ` ${mirrored} ${mirrored === 1 ? 'gespiegeltes Paar' : 'gespiegelte Paare'}.` : ''}`,
    none: (items) => `Keine Duplikate unter ${items} Einträgen.`,
    when: 'Gefunden',
    stale: 'Seither hat sich etwas geändert.',
    group: (size) => `${size} fast gleiche`,
    mirror: 'Spiegelbilder voneinander',
    reason: { size: 'Das erste bleibt: Es ist größer.', sharpness: 'Das erste bleibt: Es ist schärfer.', age: 'Das erste bleibt nach dem Alter: Sonst ist alles gleich.', mirrored: 'Nichts davon ist überflüssig.' },
    keep: 'Behalten',
    keepItem: (title) => `${title} behalten`,
    size: (width, height) => `${width} × ${height}`,
    alike: (percent) => `zu ${percent} gleich`,
    evidence: { content: 'nach Bytes', pixels: 'nach Pixeln', embedding: 'nach Einbettung' },
    deleteOthers: (count) => (count === 1 ? 'Das andere löschen' : `Die ${count} anderen löschen`),
    deleteAll: (count) => `Alle ${count} nicht behaltenen dieser Gruppen löschen`,
    confirmTitle: (count) => (count === 1 ? '1 Eintrag löschen?' : `${count} Einträge löschen?`),
    confirmWhat: (count) => (count === 1 ? 'Er verschwindet mit allem, was von ihm aufgehoben ist. Das lässt sich nicht rückgängig machen.' : 'Sie verschwinden mit allem, was von ihnen aufgehoben ist. Das lässt sich nicht rückgängig machen.'),
    action: 'Löschen',
    deleting: (done, total) => `${done} von ${total} gelöscht`,
    deleted: (count) => (count === 1 ? '1 Eintrag ist gelöscht.' : `${count} Einträge sind gelöscht.`),
    failed: (count) => `${count} ließen sich nicht löschen:`,
    more: 'Mehr Gruppen zeigen',
    allItems: (size) => `Alle ${size} zeigen`,
    nothingLeft: 'Von dem, was gefunden wurde, ist nichts mehr da.',
  },
  zh: {
    what: '几乎相同的图片和文本：重新编码、缩放或略有裁剪。未经您确认不会删除任何内容。',
    rule: '每组保留',
    rules: { largest: '最大的', sharpest: '最清晰的', oldest: '最早的', newest: '最新的' },
    threshold: '相似程度，0.5 到 1',
    thresholdWhat: '留空：图片 0.9，文本 0.98。',
    look: '查找重复项',
    notYet: '还没有查找过重复项。',
    found: ({ said, items, superfluous, mirrored }) => `${items} 个项目中有 ${said} 组重复：可删除 ${superfluous} 个。${mirrored > 0 ? `镜像 ${mirrored} 对。` : ''}`,
    none: (items) => `${items} 个项目中没有重复项。`,
    when: '查找于',
    stale: '此后有更改。',
    group: (size) => `${size} 个几乎相同`,
    mirror: '互为镜像',
    reason: { size: '保留第一个：尺寸更大。', sharpness: '保留第一个：更清晰。', age: '按时间保留第一个：其余都相同。', mirrored: '都不是多余的。' },
    keep: '保留',
    keepItem: (title) => `保留 ${title}`,
    size: (width, height) => `${width} × ${height}`,
    alike: (percent) => `相似度 ${percent}`,
    evidence: { content: '内容相同', pixels: '按像素', embedding: '按向量' },
    deleteOthers: (count) => `删除其余 ${count} 个`,
    deleteAll: (count) => `删除这些组中未保留的全部 ${count} 个`,
    confirmTitle: (count) => `删除 ${count} 个项目？`,
    confirmWhat: () => '项目及其全部内容将被删除，无法撤销。',
    action: '删除',
    deleting: (done, total) => `已删除 ${done} / ${total}`,
    deleted: (count) => `已删除 ${count} 个项目。`,
    failed: (count) => `${count} 个无法删除：`,
    more: '显示更多组',
    allItems: (size) => `显示全部 ${size} 个`,
    nothingLeft: '找到的重复项已全部处理。',
  },
});
