import { close, inLowerCase, letters, lowered } from './boundary.js';
import { languages, type Language } from './languages/index.js';
import { taken, type Span } from './spans.js';

interface KindRule {
  modality: 'image' | 'text';
  pattern: RegExp;
}

const rules = languages.flatMap((language) => rulesOf(language).map((rule) => ({ ...rule, script: language.script })));

function rulesOf({ kinds, kindStands: stands, filler, spaced }: Language): KindRule[] {
  return Object.entries(kinds).flatMap(([modality, kind]) => {
    const of = (source: string): KindRule => ({ modality: modality as KindRule['modality'], pattern: new RegExp(lowered(source), 'u') });
    const fillers = `(?:(?:${filler})${spaced ? '\\s+' : '\\s*'})*`;
    const end = `[\\s${taken},.!?،]*$`;
    if (stands.at === 'first') {
      const behind = spaced ? close : '';
      return [
        of(`^[\\s${taken},]*${fillers}(?<kind>${kind})${behind}(?=\\s*[,:]?\\s*(?:$|${taken}))`),
        of(`^[\\s${taken},]*${fillers}(?<kind>${kind})${behind}(?=\\s*[,:]?\\s*(?:${stands.follows})${behind})`),
        of(`${taken}\\s*${fillers}(?<kind>${kind})${end}`),
        ...(stands.compound === undefined ? [] : [of(`(?:^|${taken})\\s*(?:(?!(?:${stands.compound})${close})[${letters}'’-]+\\s+){1,5}(?<kind>${kind})${end}`)]),
      ];
    }
    const trailing = `(?:\\s*(?:${filler}))*`;
    return [of(`(?<kind>${stands.joint === '' ? (spaced ? '(?<=^|[\\s\u0001])' : '') : `(?:${stands.joint})?`}(?:${kind}))(?:을|를)?${trailing}${end}`)];
  });
}

/** `text`: with marks in place of what is understood already. */
export function kindIn(text: string): Span[] {
  const lower = inLowerCase(text);
  for (const { modality, pattern, script } of rules) {
    const found = script && !script.test(text) ? undefined : pattern.exec(lower);
    if (!found) continue;
    const kind = found.groups!['kind']!;
    const start = found.index + found[0].lastIndexOf(kind);
    return [{ start, end: start + kind.length, text: text.slice(start, start + kind.length).replace(/^[的の]/, ''), filter: { '$item.modality': modality } }];
  }
  return [];
}
