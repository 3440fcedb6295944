/** What the service's errors are called in the page's other languages, by their code and, where that says more, their field. English is what the service itself speaks. */
import type { Language } from './language.js';

interface Sentences {
  unreachable: string;
  /** By code, or by code and field. What is not here is told in the service's own words, behind `others`. */
  known: Record<string, string>;
  /** Of a code that says little by itself. */
  others: (message: string) => string;
}

const sentences: Record<Exclude<Language, 'en'>, Sentences> = {
  de: {
    unreachable: 'Unter dieser Adresse antwortet kein mixspace. Läuft der Dienst?',
    known: {
      unauthorized: 'Ein API-Schlüssel ist nötig, oder der gegebene ist unbekannt.',
      forbidden: 'Das ist von hier aus, oder mit diesem API-Schlüssel, nicht erlaubt.',
      method_not_allowed: 'Das kennt dieser Dienst nicht. Ist die Seite neuer als er?',
      timeout: 'Die Daten kamen nicht rechtzeitig an.',
      too_large: 'Das ist größer, als der Dienst annimmt.',
      headers_too_large: 'Die Anfrage ist länger, als der Dienst annimmt.',
      unsupported_media: 'Das ist kein Bild eines Formats, das gelesen wird.',
      damaged_media: 'Das Bild ist beschädigt oder unvollständig.',
      overloaded: 'Der Dienst hat zu viel zu tun. Versuchen Sie es gleich noch einmal.',
      not_ready: 'Der Dienst ist noch nicht bereit, oder ein Teil davon fällt aus.',
      disk_full: 'Der Speicherplatz des Dienstes ist voll. Lesen und Suchen gehen weiter.',
      internal: 'Im Dienst ist ein Fehler geschehen; sein Protokoll sagt, welcher.',
      not_found: 'Das gibt es nicht, oder nicht mehr.',
      'not_found model': 'Dieses Modell gibt es hier nicht.',
      'not_found job': 'Diese Karte gibt es nicht mehr: Inzwischen wurde eine neue gemacht.',
      'not_found id': 'Auf dem Hub gibt es dieses Modell nicht, oder es ist nicht öffentlich.',
      'conflict name': 'Dieser Name ist schon vergeben.',
      'conflict place': 'Die Karte ist aus einem anderen Vektorraum als die Sammlung. Machen Sie eine neue.',
      'conflict replace': 'Ein Modell dieses Namens ist da und würde ein anderes.',
      'conflict as': 'Ein Modell dieses Namens ist schon da. Geben Sie diesem einen anderen.',
      'invalid_request id': 'So heißt kein Modell auf dem Hub. Es heißt etwa Xenova/clip-vit-base-patch32.',
      'not_found variant': 'Diese Gewichte hat das Modell nicht.',
      'unprocessable id': 'Dort liegt kein Modell, das mixspace lesen kann.',
      'unauthorized HF_TOKEN': 'Dieses Modell ist nicht für alle offen: HF_TOKEN des Dienstes muss Zugang haben.',
      'conflict classifier': 'Der Klassifikator ist für ein anderes Modell als die Sammlung.',
      'unprocessable query': 'Die Teile der Suche heben einander auf: Es bleibt nichts, wonach zu suchen wäre.',
      'unprocessable filter': 'So viele Einträge auf einmal sind zu viele. Grenzen Sie sie ein.',
      'invalid_request name': 'Dieser Name ist so nicht möglich.',
      'unprocessable accept_license': 'Die Lizenz dieses Modells schränkt ein, wozu es benutzt werden darf. Stimmen Sie ihr zu, um es zu laden.',
    },
    others: (message) => `Das geht so nicht. Der Dienst sagt dazu: ${message}`,
  },
  zh: {
    unreachable: '此地址没有 mixspace 响应。服务是否正在运行？',
    known: {
      unauthorized: '需要 API 密钥，或所给的密钥无效。',
      forbidden: '不允许从此处、或用此 API 密钥执行该操作。',
      method_not_allowed: '此服务不支持该操作。页面是否比服务更新？',
      timeout: '数据未能及时送达。',
      too_large: '内容超过服务允许的大小。',
      headers_too_large: '请求超过服务允许的长度。',
      unsupported_media: '不是可读取格式的图片。',
      damaged_media: '图片已损坏或不完整。',
      overloaded: '服务过于繁忙，请稍后再试。',
      not_ready: '服务尚未就绪，或其中一部分出现故障。',
      disk_full: '服务的磁盘已满。读取和搜索不受影响。',
      internal: '服务内部出错；详情见其日志。',
      not_found: '不存在，或已不再存在。',
      'not_found model': '这里没有该模型。',
      'not_found job': '该地图已不存在：期间生成了新的地图。',
      'not_found id': '模型中心没有该模型，或其不公开。',
      'conflict name': '该名称已被使用。',
      'conflict place': '该地图与集合不在同一向量空间，请重新生成。',
      'conflict replace': '已有同名模型，且会被替换为不同的内容。',
      'conflict as': '已有同名模型，请另取名称。',
      'invalid_request id': '模型名称无效，应类似 Xenova/clip-vit-base-patch32。',
      'not_found variant': '该模型没有这种权重。',
      'unprocessable id': '那里没有 mixspace 可读取的模型。',
      'unauthorized HF_TOKEN': '该模型并非对所有人开放：服务的 HF_TOKEN 需要有访问权限。',
      'conflict classifier': '该分类器与集合使用的模型不同。',
      'unprocessable query': '各部分相互抵消，没有可搜索的内容。',
      'unprocessable filter': '一次的项目太多，请缩小范围。',
      'invalid_request name': '该名称不可用。',
      'unprocessable accept_license': '该模型的许可证限制用途。同意后方可下载。',
    },
    others: (message) => `无法这样做。服务的说明：${message}`,
  },
};

/** What an answer says of an error. */
export interface ToldError {
  code: string;
  param?: string | null | undefined;
  message: string;
}

export function serviceSentence({ code, param, message }: ToldError, language: Language): string {
  if (language === 'en') return message;
  const { known, others } = sentences[language];
  return known[`${code} ${param ?? ''}`] ?? known[code] ?? others(message);
}

export const unreachableSentence = (language: Language, message: string): string => (language === 'en' ? message : sentences[language].unreachable);
