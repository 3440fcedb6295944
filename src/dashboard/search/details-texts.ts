import { texts } from '../shell/language.js';

export const useDetailsTexts = texts({
  en: {
    more: 'More like this', unlike: 'Not like this', why: 'Why?', open: 'Open original', save: 'Save original', close: 'Close', previous: 'Previous', next: 'Next',
    first: 'This is the first.', last: 'This is the last.', loading: 'Loading more …', place: (place: string, of: string) => `${place} of ${of}`, near: 'Near this', part: 'What matched best', gone: 'This item is not there any more.',
    score: 'Score', relevance: 'Relevance', size: 'Size', taken: 'Taken', added: 'Added', notSearched: 'Not searched', source: 'Source', id: 'Id',
  },
  de: {
    more: 'Mehr davon', unlike: 'Nicht so etwas', why: 'Warum?', open: 'Original öffnen', save: 'Original sichern', close: 'Schließen', previous: 'Zurück', next: 'Weiter',
    first: 'Das ist das erste.', last: 'Das ist das letzte.', loading: 'Weitere werden geladen …', place: (place: string, of: string) => `${place} von ${of}`, near: 'Ähnliches', part: 'Was am besten passt', gone: 'Dieser Eintrag ist nicht mehr da.',
    score: 'Ähnlichkeit', relevance: 'Relevanz', size: 'Größe', taken: 'Aufgenommen', added: 'Hinzugefügt', notSearched: 'Nicht durchsucht', source: 'Herkunft', id: 'Kennung',
  },
  zh: {
    more: '更多类似', unlike: '不要这样的', why: '为什么？', open: '打开原图', save: '保存原图', close: '关闭', previous: '上一个', next: '下一个',
    first: '这是第一个。', last: '这是最后一个。', loading: '正在加载更多……', place: (place: string, of: string) => `第 ${place} 个，共 ${of} 个`, near: '相近的内容', part: '最匹配的部分', gone: '此条目已不存在。',
    score: '相似度', relevance: '相关度', size: '尺寸', taken: '拍摄时间', added: '添加时间', notSearched: '未被搜索', source: '来源', id: '标识',
  },
});
