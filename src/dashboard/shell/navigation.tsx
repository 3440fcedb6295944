import { useEffect, useRef } from 'preact/hooks';
import icon from '../icon.svg';
import { hrefOf, pages, type Address, type Go, type PageName } from './address.js';
import { languages, texts, useLanguage, type Language } from './language.js';

type PageTexts = Record<PageName, string> & { pages: string; language: string; collection: string };

export const usePageTexts = texts<PageTexts>({
  en: { search: 'Search', map: 'Map', classify: 'Classify', compare: 'Compare', library: 'Library', pages: 'Pages', language: 'Language', collection: 'Collection' },
  de: { search: 'Suche', map: 'Karte', classify: 'Einordnen', compare: 'Vergleich', library: 'Bestand', pages: 'Seiten', language: 'Sprache', collection: 'Sammlung' },
  zh: { search: '搜索', map: '地图', classify: '分类', compare: '比较', library: '资料库', pages: '页面', language: '语言', collection: '集合' },
});

interface NavigationProps {
  address: Address;
  /** Names of those that there are. */
  collections: string[];
  onGo: Go;
  onLanguage: (language: Language) => void;
}

/** Where one is, and where else one can go. */
export function Navigation({ address, collections, onGo, onLanguage }: NavigationProps) {
  const words = usePageTexts();
  const language = useLanguage();
  const { collection, page: current } = address;
  const list = useRef<HTMLUListElement>(null);
  // On a narrow screen the list is scrolled sideways.
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [current, language]);
  const follow = (event: MouseEvent, to: Parameters<Go>[0]): void => {
    // In another tab or window.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onGo(to);
    scrollTo({ top: 0 });
  };
  return (
    <nav class="pages" aria-label={words.pages}>
      <a class="brand" href={hrefOf({ page: 'search', collection })} onClick={(event) => follow(event, { page: 'search', query: {} })}>
        <img src={icon} alt="" width="28" height="28" />
        mixspace
      </a>
      <ul ref={list}>
        {pages.map((page) => (
          <li key={page}>
            <a href={hrefOf({ page, collection })} aria-current={page === current ? 'page' : undefined} onClick={(event) => follow(event, { page, query: {} })}>
              {words[page]}
            </a>
          </li>
        ))}
      </ul>
      {collections.length > 1 && (
        <select aria-label={words.collection} value={collection} onChange={(event) => onGo({ collection: event.currentTarget.value, query: {} })}>
          {collections.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      <select aria-label={words.language} value={language} onChange={(event) => onLanguage(event.currentTarget.value as Language)}>
        {Object.entries(languages).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </nav>
  );
}
