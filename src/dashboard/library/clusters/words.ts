import { texts } from '../../shell/language.js';

interface ClusterWords {
  what: string;
  count: string;
  countWhat: string;
  make: string;
  notYet: string;
  made: (clusters: string, items: string) => string;
  when: string;
  stale: string;
  items: (size: string) => string;
  rename: (name: string) => string;
  newName: (name: string) => string;
  save: string;
  cancel: string;
  renamed: (name: string) => string;
}

export const useClusterTexts = texts<ClusterWords>({
  en: {
    what: 'Items that are alike, put together, each cluster named by what it shows.',
    count: 'How many clusters',
    countWhat: 'Left empty: by how many items there are.',
    make: 'Make clusters',
    notYet: 'There are no clusters yet.',
    made: (clusters, items) => `${clusters} clusters of ${items} items.`,
    when: 'Made',
    stale: 'Something has changed since.',
    items: (size) => `${size} items`,
    rename: (name) => `Rename ${name}`,
    newName: (name) => `New name of ${name}`,
    save: 'Save',
    cancel: 'Cancel',
    renamed: (name) => `It is called ${name}.`,
  },
  de: {
    what: 'Einträge, die sich ähneln, beieinander; jeder Cluster heißt nach dem, was er zeigt.',
    count: 'Wie viele Cluster',
    countWhat: 'Leer: nach der Zahl der Einträge.',
    make: 'Cluster bilden',
    notYet: 'Es gibt noch keine Cluster.',
    made: (clusters, items) => `${clusters} Cluster aus ${items} Einträgen.`,
    when: 'Gebildet',
    stale: 'Seither hat sich etwas geändert.',
    items: (size) => `${size} Einträge`,
    rename: (name) => `${name} umbenennen`,
    newName: (name) => `Neuer Name von ${name}`,
    save: 'Speichern',
    cancel: 'Abbrechen',
    renamed: (name) => `Er heißt ${name}.`,
  },
  zh: {
    what: '把相似的项目归在一起，每个聚类按其内容命名。',
    count: '聚类数量',
    countWhat: '留空：按项目数量决定。',
    make: '生成聚类',
    notYet: '还没有聚类。',
    made: (clusters, items) => `${items} 个项目分为 ${clusters} 个聚类。`,
    when: '生成于',
    stale: '此后有更改。',
    items: (size) => `${size} 个项目`,
    rename: (name) => `重命名 ${name}`,
    newName: (name) => `${name} 的新名称`,
    save: '保存',
    cancel: '取消',
    renamed: (name) => `现名为 ${name}。`,
  },
});
