import { texts } from '../../shell/language.js';

interface PullWords {
  heading: string;
  hint: string;
  columns: Record<'model' | 'license' | 'pixels' | 'size' | 'imagenet' | 'flickr', string>;
  figures: string;
  about: (bytes: string) => string;
  asksAgreement: string;
  look: string;
  lookAt: (title: string) => string;
  other: string;
  variant: string;
  usual: string;
  looking: string;
  plan: (name: string, files: string, bytes: string) => string;
  toCome: (bytes: string) => string;
  complete: (name: string) => string;
  changes: (name: string) => string;
  mended: (files: string) => string;
  accept: string;
  replace: string;
  pull: string;
  dismiss: string;
  begun: (name: string) => string;
  there: (name: string) => string;
}

export const usePullTexts = texts<PullWords>({
  en: {
    heading: 'Pull a model',
    hint: 'The service brings it from the hub, checks each file, and offers it when all of it is there.',
    columns: { model: 'Model', license: 'License', pixels: 'Pixels', size: 'Size', imagenet: 'ImageNet', flickr: 'Flickr30k' },
    figures: 'ImageNet: zero-shot, top 1; Flickr30k: text to picture, first of the list right; per cent, as published.',
    about: (bytes) => `about ${bytes}`,
    asksAgreement: 'must be agreed to',
    look: 'Look at it',
    lookAt: (title) => `See what pulling ${title} means`,
    other: 'Another model of the hub, such as owner/name',
    variant: 'Weights',
    usual: 'usual',
    looking: 'Asking the hub …',
    plan: (name, files, bytes) => `${name}: ${files} files, ${bytes}.`,
    toCome: (bytes) => `${bytes} are still to come.`,
    complete: (name) => `${name} is there already, with every file as on the hub.`,
    changes: (name) => `Embeddings made with the present ${name} will not fit the new one: its collections have to be embedded again.`,
    mended: (files) => `These files are not as they were pulled, and are replaced: ${files}`,
    accept: 'I agree to this license',
    replace: 'Replace what is there',
    pull: 'Pull',
    dismiss: 'Never mind',
    begun: (name) => `${name} is being pulled.`,
    there: (name) => `${name} is there.`,
  },
  de: {
    heading: 'Ein Modell holen',
    hint: 'Der Dienst holt es vom Hub, prüft jede Datei und bietet es an, wenn alles da ist.',
    columns: { model: 'Modell', license: 'Lizenz', pixels: 'Pixel', size: 'Größe', imagenet: 'ImageNet', flickr: 'Flickr30k' },
    figures: 'ImageNet: ohne Training, erster Rang; Flickr30k: Text zu Bild, das erste der Liste richtig; Prozent, wie veröffentlicht.',
    about: (bytes) => `etwa ${bytes}`,
    asksAgreement: 'verlangt Zustimmung',
    look: 'Ansehen',
    lookAt: (title) => `Ansehen, was es heißt, ${title} zu holen`,
    other: 'Ein anderes Modell des Hubs, etwa owner/name',
    variant: 'Gewichte',
    usual: 'üblich',
    looking: 'Der Hub wird gefragt …',
    plan: (name, files, bytes) => `${name}: ${files} Dateien, ${bytes}.`,
    toCome: (bytes) => `${bytes} sind noch zu laden.`,
    complete: (name) => `${name} ist schon da, jede Datei wie auf dem Hub.`,
    changes: (name) => `Einbettungen des jetzigen ${name} passen nicht zum neuen: Seine Sammlungen müssen neu eingebettet werden.`,
    mended: (files) => `Diese Dateien sind nicht mehr, wie sie geholt wurden, und werden ersetzt: ${files}`,
    accept: 'Ich stimme dieser Lizenz zu',
    replace: 'Ersetzen, was da ist',
    pull: 'Holen',
    dismiss: 'Doch nicht',
    begun: (name) => `${name} wird geholt.`,
    there: (name) => `${name} ist da.`,
  },
  zh: {
    heading: '下载模型',
    hint: '服务从模型中心下载并校验每个文件，全部就绪后即可使用。',
    columns: { model: '模型', license: '许可证', pixels: '像素', size: '大小', imagenet: 'ImageNet', flickr: 'Flickr30k' },
    figures: 'ImageNet：零样本首位准确率；Flickr30k：以文搜图首位命中率；百分数，均为公布数据。',
    about: (bytes) => `约 ${bytes}`,
    asksAgreement: '需同意',
    look: '查看',
    lookAt: (title) => `查看下载 ${title} 的详情`,
    other: '模型中心的其他模型，如 owner/name',
    variant: '权重',
    usual: '默认',
    looking: '正在询问模型中心…',
    plan: (name, files, bytes) => `${name}：${files} 个文件，${bytes}。`,
    toCome: (bytes) => `还需下载 ${bytes}。`,
    complete: (name) => `${name} 已存在，所有文件与模型中心一致。`,
    changes: (name) => `用现有 ${name} 生成的向量与新版本不兼容：其集合需要重新嵌入。`,
    mended: (files) => `以下文件与下载时不同，将被替换：${files}`,
    accept: '我同意此许可证',
    replace: '替换现有内容',
    pull: '下载',
    dismiss: '取消',
    begun: (name) => `正在下载 ${name}。`,
    there: (name) => `${name} 已就绪。`,
  },
});
