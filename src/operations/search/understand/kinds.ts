import { languages, type Language } from './languages/index.js';
import { taken, type Span } from './spans.js';

interface KindRule {
  modality: 'image' | 'text';
  pattern: RegExp;
}

const rules = languages.flatMap(rulesOf);

function rulesOf({ kinds, kindStands: stands, filler, spaced }: Language): KindRule[] {
  return Object.entries(kinds).flatMap(([modality, kind]) => {
    const of = (source: string): KindRule => ({ modality: modality as KindRule['modality'], pattern: new RegExp(source, 'iu') });
    const fillers = `(?:(?:${filler})${spaced ? '\\s+' : '\\s*'})*`;
    const end = `[\\s${taken},.!?،]*$`;
    if (stands.at === 'first') {
      const close = spaced ? '(?![\\p{L}\\p{N}])' : '';
      return [
        of(`^[\\s${taken},]*${fillers}(?<kind>${kind})${close}(?=\\s*[,:]?\\s*(?:$|${taken}))`),
        of(`^[\\s${taken},]*${fillers}(?<kind>${kind})${close}(?=\\s*[,:]?\\s*(?:${stands.follows})${close})`),
        of(`${taken}\\s*${fillers}(?<kind>${kind})${end}`),
      ];
    }
    const behind = `(?:\\s*(?:${filler}))*`;
    return [of(`(?<kind>${stands.joint === '' ? (spaced ? '(?<=^|[\\s\u0001])' : '') : `(?:${stands.joint})?`}(?:${kind}))(?:을|를)?${behind}${end}`)];
  });
}

/** `text`: with marks in place of what is understood already. */
export function kindIn(text: string): Span[] {
  for (const { modality, pattern } of rules) {
    const found = pattern.exec(text);
    if (!found) continue;
    const kind = found.groups!['kind']!;
    const start = found.index + found[0].indexOf(kind);
    return [{ start, end: start + kind.length, text: kind.replace(/^[的の]/, ''), filter: { '$item.modality': modality } }];
  }
  return [];
}
