/**
 * How the sixteen languages say that something is not there, as far as it can be told without grammar. Patterns are
 * matched ignoring case against text in NFC whose white space is folded.
 */

/** Languages that say "without" before what is missing, which then goes on up to the end of its phrase. */
export interface Before {
  /** Wherever they stand. */
  markers: string[];
  /** Only where a phrase begins: at the start, behind a comma, or behind a conjunction. */
  atPhraseStart?: string[];
  /** Words before what is missing that are no part of it. */
  articles: string[];
  /** Where what is missing ends, and what is there goes on. */
  ends: string[];
  /** Between several that are missing. */
  and: string[];
  /** What is left hanging at the end of what is there, once what is missing is taken out. */
  hanging: string[];
  /** What only says that a picture is meant. */
  inPicture: string[];
}

export const before: Record<string, Before> = {
  en: {
    markers: ['without', 'with no', 'with zero', 'free of', 'excluding', 'minus', 'there (?:is|are) no', "(?:that|which|who) (?:has|have) no", "(?:that|which|who) (?:does|do)(?: not|n't) have", 'and no', 'but no', 'but not', 'and not', 'lacking', 'devoid of', 'empty of', "(?:not|isn't|aren't) (?:wearing|holding|carrying|riding|using|having|showing|including|containing)", "(?:that|which|who) (?:does|do)(?: not|n't) (?:include|show|contain|wear|hold|carry|ride)", 'other than', 'except(?: for)?'],
    atPhraseStart: ['no', 'not'],
    articles: ['any', 'an?', 'the', 'some', 'with'],
    ends: ['at', 'in', 'on', 'near', 'during', 'next to', 'by', 'under', 'but', 'with', 'while', 'from'],
    and: ['and', 'or', 'nor'],
    hanging: ['and', 'but', 'with', 'or', 'just', 'only', 'definitely', '(?:that|which|who) (?:is|are)', 'alone'],
    inPicture: ['in (?:the |this |a )?(?:picture|photo|photograph|image|shot|frame|scene|background|foreground|view)', 'in (?:it|sight|view)', 'around', 'nearby', 'visible', 'whatsoever', 'at all', 'anywhere'],
  },
  de: {
    markers: ['ohne', 'kein(?:e|en|er|em|es)?', 'außer', 'aber nicht', 'und nicht', 'frei von', 'ausgenommen'],
    atPhraseStart: ['nicht'],
    articles: ['eine?[nmrs]?', 'die', 'den', 'das', 'der', 'dem', 'irgendwelche', 'jegliche[nrs]?', 'einzige[nrs]?', 'mit'],
    ends: ['am', 'im', 'in', 'an', 'auf', 'bei', 'beim', 'vor', 'unter', 'während', 'aber', 'mit', 'neben', 'aus'],
    and: ['und', 'oder', 'noch'],
    hanging: ['und', 'aber', 'mit', 'oder', 'es (?:gibt|sind|ist)', 'da (?:ist|sind)'],
    inPicture: ['(?:im|auf dem) (?:bild|foto|vordergrund|hintergrund)', 'zu sehen', 'dabei', 'in sicht', 'drauf', 'darauf'],
  },
  fr: {
    markers: ['sans', "pas d(?:e |'|u )", 'aucune?', 'mais pas', 'et pas', 'hors', 'sauf', 'ni', "dépourvue?s? d(?:e |')", 'excepté'],
    articles: ['aucune?', 'une?', 'les?', 'la', "l'", 'des?', "d'", 'du', 'pas', 'avec'],
    ends: ['à', 'au', 'aux', 'dans', 'sur', 'en', 'près', 'pendant', 'mais', 'avec', 'sous', 'devant'],
    and: ['et', 'ou', 'ni'],
    hanging: ['et', 'mais', 'avec', 'ou', "il n'y a", 'qui n(?:e |\')(?:a|ont)', 'sans'],
    inPicture: ["(?:sur|dans) (?:la |l')?(?:photo|image|cadre|fond)", 'autour', "à l'image", 'en vue', 'visibles?'],
  },
  es: {
    markers: ['sin', 'ning[úu]n[ao]?', 'pero no', 'y no', 'no hay', 'que no (?:tienen?|hay|llevan?|haya|tengan?|lleven?)', 'excepto', 'menos', 'libre de', 'salvo'],
    atPhraseStart: ['no', 'nada de'],
    articles: ['ning[úu]n[ao]?', 'un[ao]?s?', 'el', 'l[ao]s?', 'nada de', 'con', 'hay'],
    ends: ['en', 'a', 'al', 'con', 'sobre', 'junto', 'durante', 'pero', 'bajo', 'cerca'],
    and: ['y', 'o', 'ni'],
    hanging: ['y', 'pero', 'con', 'o'],
    inPicture: ['en (?:la |el )?(?:foto|imagen|fotograf[íi]a|fondo)', 'a la vista', 'alrededor', 'visibles?'],
  },
  pt: {
    markers: ['sem', 'nenhum[a]?', 'mas não', 'e não', 'não há', 'exceto'],
    articles: ['nenhum[a]?', 'uma?', 'o', 'a', 'os', 'as', 'com'],
    ends: ['em', 'no', 'na', 'nos', 'nas', 'com', 'sobre', 'durante', 'mas', 'perto'],
    and: ['e', 'ou', 'nem'],
    hanging: ['e', 'mas', 'com', 'ou'],
    inPicture: ['na (?:foto|imagem|fotografia)', 'à vista', 'por perto'],
  },
  it: {
    markers: ['senza', 'nessun(?:a|o)?', 'ma non', 'e non', 'non ci sono', "non c'è", 'tranne', 'eccetto'],
    articles: ['alcun[aoei]?', 'nessun(?:a|o)?', "un[ao]?", "un'", 'il', 'lo', 'la', 'i', 'gli', 'le', "l'", 'con'],
    ends: ['in', 'a', 'al', 'alla', 'nel', 'nella', 'su', 'sul', 'sulla', 'con', 'durante', 'ma', 'vicino', 'sotto'],
    and: ['e', 'o', 'né'],
    hanging: ['e', 'ma', 'con', 'o'],
    inPicture: ["nell(?:a|')\\s?(?:foto|immagine)", 'intorno', 'in vista'],
  },
  nl: {
    markers: ['zonder', 'geen', 'maar niet', 'en niet', 'behalve'],
    articles: ['een', 'de', 'het', 'enige?', 'met'],
    ends: ['op', 'in', 'aan', 'bij', 'onder', 'tijdens', 'maar', 'met', 'naast'],
    and: ['en', 'of', 'noch'],
    hanging: ['en', 'maar', 'met', 'of', 'er (?:is|zijn)'],
    inPicture: ['op de (?:foto|afbeelding)', 'in (?:beeld|zicht)', 'erop', 'te zien'],
  },
  pl: {
    markers: ['bez', 'żadn(?:ego|ej|ych)', 'ale nie', 'i nie', 'nie ma', 'oprócz'],
    articles: ['żadn(?:ego|ej|ych)', 'z'],
    ends: ['na', 'w', 'we', 'przy', 'pod', 'podczas', 'ale', 'z', 'obok'],
    and: ['i', 'lub', 'ani'],
    hanging: ['i', 'ale', 'z', 'lub'],
    inPicture: ['na (?:zdjęciu|obrazie|obrazku)', 'w pobliżu', 'w tle'],
  },
  ru: {
    markers: ['без', 'но не', 'и не', 'кроме', 'где нет', 'нет'],
    articles: ['никак(?:ого|ой|их)', 'с'],
    ends: ['на', 'в', 'во', 'у', 'под', 'при', 'но', 'с', 'рядом', 'около'],
    and: ['и', 'или', 'ни'],
    hanging: ['и', 'но', 'с', 'или', 'а'],
    inPicture: ['на (?:фото|фотографии|картинке|снимке)', 'в кадре', 'рядом', 'вокруг'],
  },
  ar: {
    markers: ['بدون', 'بلا', 'دون', 'من غير', 'لا يوجد', 'لا توجد', 'ليس فيه[ا]?'],
    articles: ['أي', 'وجود'],
    ends: ['في', 'على', 'عند', 'مع', 'تحت', 'لكن'],
    and: ['و', 'أو'],
    hanging: ['و', 'لكن', 'من', 'مع'],
    inPicture: ['في الصورة'],
  },
};

/** Names and set phrases in which what looks like a marker means something else, in whatever language it would be one. */
export const noMarkers = [
  /\bnot (?:only|just)\b/i,
  /\bno[- ](?:smoking|parking|entry|trespassing|swimming|fishing|dogs)\b.*\bsigns?\b/i,
  /\b(?:sans[- ]serif|(?:comic|open|noto) sans)\b/i,
  // English, where Spanish would be without.
  /\bsin city\b|\b(?:original|deadly|mortal|cardinal|the|of|an|and)\b.*\bsins?\b|\bsins?\b.*\b(?:the|of|and|is)\b/i,
];

/** Languages that say so behind what is missing, or write without spaces. Groups: `missing`; what is there before and behind it. */
export const around: RegExp[] = [
  // Chinese. Behind a comma or "but" up to the end; else up to 的, behind which comes what is there.
  /^(?<there>.+?)(?:[，,、；; ]|而且|而|但是?|且)(?:里面?|上|中|旁边)?(?:没有|沒有|不要|不含|不带|不帶|不戴|不穿|不拿|不骑|不是|没|無|无)(?:任何)?(?<missing>[^，,的]+)$/u,
  /^(?<there>(?:一张|一張)?(?:[^，,没沒不无無]*?))(?:画面[里中]|畫面[裡中]|旁边|旁邊|里面|照片[里中]|身边|周围|背景)?(?:没有|沒有|不带|不帶|不含|不戴|不穿|不拿|不骑|没戴|没穿|没拿|没骑|没带|没|無|无)(?:任何)?(?<missing>[^，,的]+)的(?<behind>.+)$/u,
  /^(?<there>.+?)(?:上|里|中|旁边)?(?:没有|沒有|不带|不帶|不含)(?:任何)?(?<missing>[^，,的]+)$/u,
  // Japanese.
  /^(?<there>.+?)[、,，。 ]\s*(?<missing>[^、,，。 ]+?)(?:の|が|は|も)?(?:なし|無し|いない|ない|抜き)$/u,
  /^(?<there>.*?[、,，])?(?<missing>[^、,，]+?)(?:が|の|は|も|を)?(?:写って|入って|映って|乗って|着けて|つけて|かぶって|被って|着て|持って)?(?:いない|ない|なし|無し|抜き)(?:の)?(?<behind>[^、,，]+)$/u,
  // Korean.
  /^(?<there>.*[, ])?(?<missing>\S+?)(?:가|은|는|도)?\s?(?:없는|없이|제외한|빠진|안 보이는)\s?(?<behind>.+)$/u,
  /^(?<there>.+?)[, ]\s*(?<missing>\S+?)(?:가|은|는)?\s?(?:없음|없이|제외)$/u,
  // Turkish.
  /^(?<there>.*,\s*)?(?<missing>[^,]+?)\s(?:olmayan|olmadan|bulunmayan|hariç)\s(?<behind>.+)$/iu,
  /^(?<there>.+?),?\s(?<missing>\S+)\s(?:yok|olmadan|hariç)$/iu,
  // Thai.
  /^(?<there>.+?)\s?(?:ที่)?(?:ไม่มี|ไม่ใส่|ปราศจาก|ยกเว้น)\s?(?<missing>\S+?)(?:ใน(?:ภาพ|รูป).*)?$/u,
];
/** What in these languages only says that a picture is meant. */
export const pictureWords = /(?:的照片|的图片|的圖片|の写真|の画像|的画面|사진|ในภาพ|ในรูป)$/u;
