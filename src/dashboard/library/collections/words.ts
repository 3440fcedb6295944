import type { Collection } from '../../../contract/collections.js';
import { texts } from '../../shell/language.js';

type Recall = Collection['recall'][number];
type Names<K extends string> = Record<K, string>;

interface CollectionWords {
  create: string;
  counts: (total: number, written: string) => string;
  unknown: (name: string) => string;
  facts: Names<'pictures' | 'texts' | 'parts' | 'notEmbedded' | 'model' | 'dimensions' | 'originals' | 'bytes' | 'created' | 'fingerprint'>;
  modelGone: string;
  notEmbeddedWhy: string;
  originals: Record<Collection['originals'], string>;

  searches: string;
  cells: string;
  graph: Record<Collection['graph']['state'], (indexed: string) => string>;
  fullText: string;
  fullTextIs: (waiting: number, written: string) => string;
  recall: string;
  recallWhat: string;
  among: Record<Recall['modality'], string>;
  recallState: Record<Recall['state'], string>;
  modality: Record<Recall['modality'], string>;
  query: Record<Recall['bands'][number]['query'], string>;
  columns: Names<'kind' | 'query' | 'selectivity' | 'recall' | 'interval' | 'queries' | 'age'>;
  share: (percent: string) => string;
  measure: string;
  measuring: string;
  measured: string;
  nothingToMeasure: string;
  exact: string;

  settings: string;
  tiles: string;
  tilesWhat: string;
  tileChoices: Record<Collection['tiles'], string>;
  textFields: string;
  textFieldsWhat: string;
  save: string;
  saved: string;
  cutting: string;

  reembed: string;
  reembedWhat: string;
  toModel: string;
  fromThumbnails: string;
  skipImpossible: string;
  showPlan: string;
  plan: (fields: { items: string; model: string; kept: string; thumbnails: string; impossible: string }) => string;
  begin: string;
  underWay: (model: string, done: string, total: string) => string;
  stopped: (model: string, done: string, total: string) => string;
  stop: string;
  goOn: string;
  discard: string;

  takeAway: string;
  exportWhat: string;
  withThumbnails: string;
  exportAs: (format: string) => string;
  backup: string;
  backupWhat: string;
  sofar: (bytes: string) => string;
  cancel: string;

  remove: string;
  removeTitle: (name: string) => string;
  removeWhat: (items: string) => string;
  removed: (name: string) => string;

  newTitle: string;
  make: string;
  name: string;
  nameWhat: string;
  description: string;
  keepOriginals: string;
  created: (name: string) => string;
  dismiss: string;
}

export const useCollectionTexts = texts<CollectionWords>({
  en: {
    create: 'New collection',
    counts: (total, written) => `${written} ${total === 1 ? 'item' : 'items'}`,
    unknown: (name) => `There is no collection ${name}. Choose one, or create it.`,
    facts: { pictures: 'Pictures', texts: 'Texts', parts: 'Embeddings', notEmbedded: 'Not embedded', model: 'Model', dimensions: 'Dimensions', originals: 'Originals', bytes: 'Storage', created: 'Created', fingerprint: 'Fingerprint' },
    modelGone: 'gone or changed: searches by words or pictures are off until it is back, or the collection is embedded again',
    notEmbeddedWhy: 'searches do not find them; adding them again or embedding again mends it',
    originals: { keep: 'kept', thumbnail: 'thumbnails alone' },
    searches: 'Searches',
    cells: 'Cells',
    graph: { ready: (indexed) => `ready, ${indexed} embeddings`, building: (indexed) => `being built, ${indexed} embeddings so far; searches are right and slower until then`, none: () => 'none: searches compare with everything' },
    fullText: 'Full text',
    fullTextIs: (waiting, written) => (waiting === 0 ? 'ready' : `being built: ${written} still to be read`),
    recall: 'Recall audit',
    recallWhat: 'How many of the ten nearest a search finds, measured beside exact answers.',
    among: { image: 'Searches among pictures', text: 'Searches among texts' },
    recallState: { exact: 'exact: searches compare with everything', measured: 'measured', unknown: 'not measured yet' },
    modality: { image: 'Pictures', text: 'Texts' },
    query: { item: 'by an item', text: 'by words', image: 'by a picture', embedding: 'by an embedding', mixed: 'by several' },
    columns: { kind: 'Kind', query: 'Query', selectivity: 'Filter lets through', recall: 'Recall', interval: '95 % interval', queries: 'Queries', age: 'Measured' },
    share: (percent) => `compares with at most ${percent}`,
    measure: 'Measure now',
    measuring: 'Measuring …',
    measured: 'Measured.',
    nothingToMeasure: 'There is nothing to measure: too few embeddings.',
    exact: 'exact',
    settings: 'Settings',
    tiles: 'Tiles',
    tilesWhat: 'Parts of pictures get embeddings of their own, so that small things are found.',
    tileChoices: { none: 'none', '2x2': '2 × 2', '3x3': '3 × 3', auto: 'by the picture’s size' },
    textFields: 'Text fields',
    textFieldsWhat: 'Fields of the metadata whose words searches find, separated by commas.',
    save: 'Save',
    saved: 'Saved.',
    cutting: 'Pictures that are there are being cut.',
    reembed: 'Embed again',
    reembedWhat: 'With another model, or with this one where it has changed. Searches answer from what there is until all is done.',
    toModel: 'Model',
    fromThumbnails: 'Use the thumbnail where there is no original',
    skipImpossible: 'Go over although some items cannot be embedded',
    showPlan: 'Show the plan',
    plan: ({ items, model, kept, thumbnails, impossible }) => `${items} items are to be embedded with ${model}, ${thumbnails} of them from thumbnails; ${kept} have an embedding already; ${impossible} cannot be embedded.`,
    begin: 'Embed again',
    underWay: (model, done, total) => `On its way to ${model}: ${done} of ${total}.`,
    stopped: (model, done, total) => `Stopped on its way to ${model}: ${done} of ${total}.`,
    stop: 'Stop',
    goOn: 'Go on',
    discard: 'Discard what was done',
    takeAway: 'Export and backup',
    exportWhat: 'Every item with its metadata and embeddings.',
    withThumbnails: 'with thumbnails',
    exportAs: (format) => `Export as ${format}`,
    backup: 'Backup of all collections',
    backupWhat: 'From the command line, straight to a file:',
    sofar: (bytes) => `${bytes} so far`,
    cancel: 'Cancel',
    remove: 'Delete collection',
    removeTitle: (name) => `Delete ${name}?`,
    removeWhat: (items) => `${items} items go with all that is kept of them. This cannot be undone.`,
    removed: (name) => `${name} is deleted.`,
    newTitle: 'New collection',
    make: 'Create',
    name: 'Name',
    nameWhat: '1 to 64 letters, digits, “.”, “_” or “-”; begins with a letter or digit.',
    description: 'Description',
    keepOriginals: 'Originals of pictures',
    created: (name) => `${name} is created.`,
    dismiss: 'Cancel',
  },
  de: {
    create: 'Neue Sammlung',
    counts: (total, written) => `${written} ${total === 1 ? 'Eintrag' : 'Einträge'}`,
    unknown: (name) => `Eine Sammlung ${name} gibt es nicht. Wählen Sie eine, oder legen Sie sie an.`,
    facts: { pictures: 'Bilder', texts: 'Texte', parts: 'Einbettungen', notEmbedded: 'Nicht eingebettet', model: 'Modell', dimensions: 'Dimensionen', originals: 'Originale', bytes: 'Speicherplatz', created: 'Angelegt', fingerprint: 'Fingerabdruck' },
    modelGone: 'fehlt oder hat sich geändert: Suchen mit Wörtern oder Bildern gehen erst wieder, wenn es zurück oder die Sammlung neu eingebettet ist',
    notEmbeddedWhy: 'Suchen finden sie nicht; neues Hinzufügen oder neues Einbetten behebt das',
    originals: { keep: 'aufgehoben', thumbnail: 'nur Vorschaubilder' },
    searches: 'Suchen',
    cells: 'Zellen',
    graph: { ready: (indexed) => `bereit, ${indexed} Einbettungen`, building: (indexed) => `im Aufbau, bisher ${indexed} Einbettungen; bis dahin sind Suchen richtig und langsamer`, none: () => 'keine: Suchen vergleichen mit allem' },
    fullText: 'Volltext',
    fullTextIs: (waiting, written) => (waiting === 0 ? 'bereit' : `im Aufbau: ${written} noch zu lesen`),
    recall: 'Prüfung der Trefferquote',
    recallWhat: 'Wie viele der zehn nächsten eine Suche findet, gemessen neben exakten Antworten.',
    among: { image: 'Suchen unter Bildern', text: 'Suchen unter Texten' },
    recallState: { exact: 'exakt: Suchen vergleichen mit allem', measured: 'gemessen', unknown: 'noch nicht gemessen' },
    modality: { image: 'Bilder', text: 'Texte' },
    query: { item: 'mit einem Eintrag', text: 'mit Wörtern', image: 'mit einem Bild', embedding: 'mit einer Einbettung', mixed: 'mit mehreren' },
    columns: { kind: 'Art', query: 'Anfrage', selectivity: 'Filter lässt durch', recall: 'Trefferquote', interval: '95-%-Intervall', queries: 'Anfragen', age: 'Gemessen' },
    share: (percent) => `vergleicht mit höchstens ${percent}`,
    measure: 'Jetzt messen',
    measuring: 'Wird gemessen …',
    measured: 'Gemessen.',
    nothingToMeasure: 'Es gibt nichts zu messen: zu wenige Einbettungen.',
    exact: 'exakt',
    settings: 'Einstellungen',
    tiles: 'Kacheln',
    tilesWhat: 'Teile der Bilder bekommen eigene Einbettungen, damit auch Kleines gefunden wird.',
    tileChoices: { none: 'keine', '2x2': '2 × 2', '3x3': '3 × 3', auto: 'nach Größe des Bildes' },
    textFields: 'Textfelder',
    textFieldsWhat: 'Felder der Metadaten, deren Wörter Suchen finden, durch Kommas getrennt.',
    save: 'Speichern',
    saved: 'Gespeichert.',
    cutting: 'Vorhandene Bilder werden geschnitten.',
    reembed: 'Neu einbetten',
    reembedWhat: 'Mit einem anderen Modell, oder mit diesem, wo es sich geändert hat. Bis alles fertig ist, antworten Suchen aus dem Vorhandenen.',
    toModel: 'Modell',
    fromThumbnails: 'Das Vorschaubild nehmen, wo es kein Original gibt',
    skipImpossible: 'Auch wechseln, wenn sich manche Einträge nicht einbetten lassen',
    showPlan: 'Plan zeigen',
    plan: ({ items, model, kept, thumbnails, impossible }) => `${items} Einträge sind mit ${model} einzubetten, ${thumbnails} davon aus Vorschaubildern; ${kept} haben schon eine Einbettung; ${impossible} lassen sich nicht einbetten.`,
    begin: 'Neu einbetten',
    underWay: (model, done, total) => `Auf dem Weg zu ${model}: ${done} von ${total}.`,
    stopped: (model, done, total) => `Auf dem Weg zu ${model} angehalten: ${done} von ${total}.`,
    stop: 'Anhalten',
    goOn: 'Fortsetzen',
    discard: 'Bisheriges verwerfen',
    takeAway: 'Export und Sicherung',
    exportWhat: 'Jeder Eintrag mit Metadaten und Einbettungen.',
    withThumbnails: 'mit Vorschaubildern',
    exportAs: (format) => `Als ${format} exportieren`,
    backup: 'Sicherung aller Sammlungen',
    backupWhat: 'Über die Kommandozeile, gleich in eine Datei:',
    sofar: (bytes) => `bisher ${bytes}`,
    cancel: 'Abbrechen',
    remove: 'Sammlung löschen',
    removeTitle: (name) => `${name} löschen?`,
    removeWhat: (items) => `${items} Einträge verschwinden mit allem, was von ihnen aufgehoben ist. Das lässt sich nicht rückgängig machen.`,
    removed: (name) => `${name} ist gelöscht.`,
    newTitle: 'Neue Sammlung',
    make: 'Anlegen',
    name: 'Name',
    nameWhat: '1 bis 64 Buchstaben (A–Z), Ziffern, „.“, „_“ oder „-“; beginnt mit Buchstabe oder Ziffer.',
    description: 'Beschreibung',
    keepOriginals: 'Originale der Bilder',
    created: (name) => `${name} ist angelegt.`,
    dismiss: 'Abbrechen',
  },
  zh: {
    create: '新建集合',
    counts: (_, written) => `${written} 个项目`,
    unknown: (name) => `没有名为 ${name} 的集合。请选择一个，或新建。`,
    facts: { pictures: '图片', texts: '文本', parts: '嵌入向量', notEmbedded: '未嵌入', model: '模型', dimensions: '维数', originals: '原图', bytes: '存储', created: '创建于', fingerprint: '指纹' },
    modelGone: '已丢失或更改：恢复或重新嵌入之前，无法按文字或图片搜索',
    notEmbeddedWhy: '搜索找不到这些项目；重新添加或重新嵌入即可修复',
    originals: { keep: '保留', thumbnail: '仅缩略图' },
    searches: '搜索',
    cells: '单元',
    graph: { ready: (indexed) => `就绪，${indexed} 个向量`, building: (indexed) => `构建中，已有 ${indexed} 个向量；期间搜索结果正确但较慢`, none: () => '无：搜索与全部向量比较' },
    fullText: '全文索引',
    fullTextIs: (waiting, written) => (waiting === 0 ? '就绪' : `构建中：还有 ${written} 个待读取`),
    recall: '召回率审计',
    recallWhat: '搜索能找到十个最近邻中的多少个，与精确结果对照测得。',
    among: { image: '图片搜索', text: '文本搜索' },
    recallState: { exact: '精确：搜索与全部向量比较', measured: '已测量', unknown: '尚未测量' },
    modality: { image: '图片', text: '文本' },
    query: { item: '按项目', text: '按文字', image: '按图片', embedding: '按向量', mixed: '按多种' },
    columns: { kind: '类型', query: '查询', selectivity: '过滤器通过率', recall: '召回率', interval: '95% 区间', queries: '查询数', age: '测量于' },
    share: (percent) => `最多与 ${percent} 比较`,
    measure: '立即测量',
    measuring: '正在测量…',
    measured: '测量完成。',
    nothingToMeasure: '无可测量：向量太少。',
    exact: '精确',
    settings: '设置',
    tiles: '图块',
    tilesWhat: '图片的各部分有自己的向量，便于找到小物体。',
    tileChoices: { none: '无', '2x2': '2 × 2', '3x3': '3 × 3', auto: '按图片大小' },
    textFields: '文本字段',
    textFieldsWhat: '可被搜索到其文字的元数据字段，以逗号分隔。',
    save: '保存',
    saved: '已保存。',
    cutting: '正在切分已有的图片。',
    reembed: '重新嵌入',
    reembedWhat: '换用另一个模型，或在此模型更改后使用。全部完成之前，搜索仍按现有内容回答。',
    toModel: '模型',
    fromThumbnails: '没有原图时使用缩略图',
    skipImpossible: '即使有些项目无法嵌入也切换',
    showPlan: '显示计划',
    plan: ({ items, model, kept, thumbnails, impossible }) => `${items} 个项目将用 ${model} 嵌入，其中 ${thumbnails} 个使用缩略图；${kept} 个已有向量；${impossible} 个无法嵌入。`,
    begin: '重新嵌入',
    underWay: (model, done, total) => `正在转到 ${model}：${done} / ${total}。`,
    stopped: (model, done, total) => `转到 ${model} 的过程已停止：${done} / ${total}。`,
    stop: '停止',
    goOn: '继续',
    discard: '放弃已完成的部分',
    takeAway: '导出与备份',
    exportWhat: '每个项目及其元数据和向量。',
    withThumbnails: '包含缩略图',
    exportAs: (format) => `导出为 ${format}`,
    backup: '备份所有集合',
    backupWhat: '用命令行直接写入文件：',
    sofar: (bytes) => `已接收 ${bytes}`,
    cancel: '取消',
    remove: '删除集合',
    removeTitle: (name) => `删除 ${name}？`,
    removeWhat: (items) => `${items} 个项目及其全部内容将被删除，无法撤销。`,
    removed: (name) => `${name} 已删除。`,
    newTitle: '新建集合',
    make: '创建',
    name: '名称',
    nameWhat: '1 到 64 个英文字母、数字、“.”、“_”或“-”，以字母或数字开头。',
    description: '说明',
    keepOriginals: '图片原图',
    created: (name) => `${name} 已创建。`,
    dismiss: '取消',
  },
});
