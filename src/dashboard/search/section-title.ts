import { texts, useLanguage } from '../shell/language.js';

const useTexts = texts({
  en: { unlikely: 'Probably not here. What comes near:', alone: 'Nothing here matches. Nearest anyway:', nearest: 'Nearest after these:', noFolder: 'Without a folder', noMonth: 'Without a date' },
  de: { unlikely: 'Wohl nicht dabei. Was dem nahe kommt:', alone: 'Nichts hier passt. Am nächsten kommt:', nearest: 'Am nächsten danach:', noFolder: 'Ohne Ordner', noMonth: 'Ohne Datum' },
  zh: { unlikely: '这里可能没有。较接近的是：', alone: '这里没有匹配的内容。最接近的是：', nearest: '其次最接近的：', noFolder: '不在文件夹中', noMonth: '无日期' },
});

/** What stands above a section of the results; undefined: nothing. */
export function useSectionTitle(): (section: string) => string | undefined {
  const words = useTexts();
  const language = useLanguage();
  return (section) => {
    if (section === 'nearest alone') return words.alone;
    if (section === 'unlikely') return words.unlikely;
    if (section === 'nearest') return words.nearest;
    const [kind, value] = [section.slice(0, section.indexOf(' ')), section.slice(section.indexOf(' ') + 1)];
    if (kind === 'folder') return value === '' ? words.noFolder : value;
    if (kind !== 'month') return undefined;
    const month = new Date(`${value}-01T00:00:00Z`);
    return Number.isNaN(month.getTime()) ? words.noMonth : month.toLocaleDateString(language, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  };
}
