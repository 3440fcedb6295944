/** What the library is divided into; another (imports, folders) is a line here, its words, and its component in library-page.tsx. */
import { texts } from '../shell/language.js';

export const sections = ['collections', 'jobs', 'models', 'keys'] as const;
export type Section = (typeof sections)[number];

/** Of the collection that one has chosen. */
export const parts = ['overview', 'duplicates', 'clusters'] as const;
export type Part = (typeof parts)[number];

export const sectionFrom = (query: URLSearchParams): Section => sections.find((each) => each === query.get('section')) ?? 'collections';
export const partFrom = (query: URLSearchParams): Part => parts.find((each) => each === query.get('part')) ?? 'overview';

type Words = Record<Section | Part, string> & { sections: string; parts: string };

export const useSectionTexts = texts<Words>({
  en: { collections: 'Collections', jobs: 'Jobs', models: 'Models', keys: 'Keys', overview: 'Overview', duplicates: 'Duplicates', clusters: 'Clusters', sections: 'Sections', parts: 'Of this collection' },
  de: { collections: 'Sammlungen', jobs: 'Aufträge', models: 'Modelle', keys: 'Schlüssel', overview: 'Überblick', duplicates: 'Duplikate', clusters: 'Cluster', sections: 'Abschnitte', parts: 'Von dieser Sammlung' },
  zh: { collections: '集合', jobs: '任务', models: '模型', keys: '密钥', overview: '概览', duplicates: '重复项', clusters: '聚类', sections: '栏目', parts: '此集合' },
});
