/** The page's own words, in each of its languages. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

/** By tag, each in its own name. */
export const languages = { en: 'English', de: 'Deutsch', zh: '中文' } as const;
export type Language = keyof typeof languages;

const storedAs = 'mixspace-language';
const isKnown = (tag: string | null | undefined): tag is Language => tag !== null && tag !== undefined && tag in languages;

export const languageOf = (tag: string): Language => (isKnown(tag) ? tag : 'en');

/** The one chosen here before, else the first of the browser's that there is, else English. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storedAs);
  if (isKnown(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isKnown) ?? 'en';
}

export const keepLanguage = (language: Language): void => localStorage.setItem(storedAs, language);

const LanguageContext = createContext<Language>('en');
export const LanguageProvider = LanguageContext.Provider;
export const useLanguage = (): Language => useContext(LanguageContext);

/** A hook that gives a view's words in the language that is spoken; every language has all of the English ones. */
export function texts<T extends object>(table: { en: T } & Record<Exclude<Language, 'en'>, NoInfer<T>>): () => T {
  return () => table[useLanguage()];
}
