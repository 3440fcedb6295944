import type { SelfTest } from '../../../contract/models.js';
import { texts } from '../../shell/language.js';

interface ModelWords {
  isDefault: string;
  /** By the state of its check. */
  states: Record<SelfTest['status'], string>;
  facts: Record<'modalities' | 'dimensions' | 'context' | 'imageSize' | 'languages' | 'license' | 'memory' | 'weights' | 'provider' | 'preprocessing' | 'calibrated' | 'matryoshka' | 'fingerprint', string>;
  modality: Record<'image' | 'text', string>;
  tokens: (count: string) => string;
  pixels: (count: string) => string;
  held: (bytes: string, workers: string) => string;
  notHeld: string;
  yes: string;
  no: string;
  verify: string;
  verifying: string;
  checked: (time: 'before' | 'now') => string;
  cosines: (kind: string, count: string, lowest: string) => string;
  otherTokens: (count: string) => string;
  must: (least: string) => string;
  noGolden: string;
  replacing: string;
  notReplaced: (reason: string) => string;
  pull: string;
}

export const useModelTexts = texts<ModelWords>({
  en: {
    isDefault: 'default',
    states: { passed: 'usable', unverified: 'usable, unverified', failed: 'usable, check failed', pending: 'check pending', unusable: 'unusable' },
    facts: { modalities: 'Encodes', dimensions: 'Dimensions', context: 'Context length', imageSize: 'Image size', languages: 'Languages', license: 'License', memory: 'Memory', weights: 'Weights', provider: 'Runs on', preprocessing: 'Preprocessing', calibrated: 'Calibrated', matryoshka: 'Can be cut to', fingerprint: 'Fingerprint' },
    modality: { image: 'pictures', text: 'texts' },
    tokens: (count) => `${count} tokens`,
    pixels: (count) => `${count} px`,
    held: (bytes, workers) => `${bytes} in ${workers} ${workers === '1' ? 'worker' : 'workers'}`,
    notHeld: 'not loaded: the first call that names it loads it',
    yes: 'yes',
    no: 'no',
    verify: 'Verify now',
    verifying: 'Verifying …',
    checked: (time) => (time === 'now' ? 'Verified just now against its golden vectors' : 'When it was checked last, against its golden vectors'),
    cosines: (kind, count, lowest) => `${count} ${kind}: lowest cosine ${lowest}`,
    otherTokens: (count) => `${count} came to other tokens`,
    must: (least) => `at least ${least} is asked for`,
    noGolden: 'Its package has no golden vectors: there is nothing to verify it by.',
    replacing: 'Its files have changed: they are being checked, and are used when they have passed.',
    notReplaced: (reason) => `Its files have changed and cannot be used; those before stay in use. ${reason}`,
    pull: 'Another model comes from the command line: mixspace models pull, or a folder put into the models directory. With MIXSPACE_HUB=yes the service pulls models from here.',
  },
  de: {
    isDefault: 'Standard',
    states: { passed: 'nutzbar', unverified: 'nutzbar, ungeprüft', failed: 'nutzbar, Prüfung gescheitert', pending: 'Prüfung steht aus', unusable: 'nicht nutzbar' },
    facts: { modalities: 'Kodiert', dimensions: 'Dimensionen', context: 'Kontextlänge', imageSize: 'Bildgröße', languages: 'Sprachen', license: 'Lizenz', memory: 'Speicher', weights: 'Gewichte', provider: 'Läuft auf', preprocessing: 'Vorverarbeitung', calibrated: 'Kalibriert', matryoshka: 'Kürzbar auf', fingerprint: 'Fingerabdruck' },
    modality: { image: 'Bilder', text: 'Texte' },
    tokens: (count) => `${count} Token`,
    pixels: (count) => `${count} px`,
    held: (bytes, workers) => `${bytes} in ${workers} ${workers === '1' ? 'Prozess' : 'Prozessen'}`,
    notHeld: 'nicht geladen: Der erste Aufruf, der es nennt, lädt es',
    yes: 'ja',
    no: 'nein',
    verify: 'Jetzt prüfen',
    verifying: 'Wird geprüft …',
    checked: (time) => (time === 'now' ? 'Soeben an seinen Referenzvektoren geprüft' : 'Bei der letzten Prüfung, an seinen Referenzvektoren'),
    cosines: (kind, count, lowest) => `${count} ${kind}: kleinster Kosinus ${lowest}`,
    otherTokens: (count) => `${count} wurden zu anderen Token`,
    must: (least) => `verlangt ist mindestens ${least}`,
    noGolden: 'Sein Paket hat keine Referenzvektoren: Es gibt nichts, woran es zu prüfen wäre.',
    replacing: 'Seine Dateien haben sich geändert: Sie werden geprüft und danach benutzt.',
    notReplaced: (reason) => `Seine Dateien haben sich geändert und sind nicht nutzbar; die vorigen bleiben in Gebrauch. ${reason}`,
    pull: 'Ein weiteres Modell kommt über die Kommandozeile: mixspace models pull, oder als Ordner im Modellverzeichnis. Mit MIXSPACE_HUB=yes holt der Dienst Modelle von hier aus.',
  },
  zh: {
    isDefault: '默认',
    states: { passed: '可用', unverified: '可用，未验证', failed: '可用，检验未通过', pending: '等待检验', unusable: '不可用' },
    facts: { modalities: '可编码', dimensions: '维数', context: '上下文长度', imageSize: '图像尺寸', languages: '语言', license: '许可证', memory: '内存', weights: '权重', provider: '运行于', preprocessing: '预处理', calibrated: '已校准', matryoshka: '可截短为', fingerprint: '指纹' },
    modality: { image: '图片', text: '文本' },
    tokens: (count) => `${count} 个词元`,
    pixels: (count) => `${count} 像素`,
    held: (bytes, workers) => `${bytes}，位于 ${workers} 个进程`,
    notHeld: '未加载：首次调用时加载',
    yes: '是',
    no: '否',
    verify: '立即验证',
    verifying: '正在验证…',
    checked: (time) => (time === 'now' ? '刚刚用参考向量验证' : '上次检验时，对照参考向量'),
    cosines: (kind, count, lowest) => `${count} 个${kind}：最低余弦 ${lowest}`,
    otherTokens: (count) => `${count} 个的分词不同`,
    must: (least) => `要求至少 ${least}`,
    noGolden: '其模型包没有参考向量，无从验证。',
    replacing: '其文件已更改：正在检验，通过后启用。',
    notReplaced: (reason) => `其文件已更改但无法使用，仍使用之前的版本。${reason}`,
    pull: '其他模型通过命令行获取：mixspace models pull，或将文件夹放入模型目录。设置 MIXSPACE_HUB=yes 后可在此处由服务下载。',
  },
});
