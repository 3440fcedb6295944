/** What a question describes: contrastive models know descriptions, not questions. */

export type Described = { description: string } | { refusal: string };

const asking = [
  /^(?:is|are|was|were)\s+there\s+(?:any\s+)?/i,
  /^(?:does|do|can|could)\s+(?:the|this|that)\s+(?:picture|image|photo|photograph|input|text)\s+(?:show|contain|depict|have|include|mention|describe)s?\s+(?:any\s+)?/i,
  /^(?:the|this|that)\s+(?:picture|image|photo|photograph|input|text)\s+(?:shows?|contains?|depicts?|has|includes?|mentions?|describes?|is)\s+/i,
  /^(?:is|are)\s+(?:this|that|it|these|the\s+(?:picture|image|photo|input|text))\s+(?:of\s+)?/i,
  /^(?:can|do)\s+you\s+see\s+(?:any\s+)?/i,
];
const ending = /\s+(?:in|on)\s+(?:the|this)\s+(?:picture|image|photo|photograph)$/i;
const negation = /\b(?:no|not|never|none|nobody|nothing|without|neither|nor|\w+n['’]t)\b/i;

/** @returns the text to embed, or why there is none. */
export function describedBy(text: string): Described {
  let description = text.normalize('NFC').replace(/\s+/g, ' ').trim().replace(/[?.!。？！]+$/u, '').trim();
  for (const pattern of asking) {
    const rest = description.replace(pattern, '');
    if (rest === description) continue;
    description = rest;
    break;
  }
  description = description.replace(ending, '').trim();
  if (!/\p{L}/u.test(description)) return { refusal: 'It holds no words that describe anything.' };
  if (negation.test(description)) return { refusal: 'This model does not understand negation. Ask for what would be there instead.' };
  return { description };
}

/** Few words are a name, and read best in a sentence. */
export function promptOf(description: string): string {
  return description.length <= 60 && /^(?:\p{Script=Latin}|[\s'’-])+$/u.test(description) && !/^(?:an?|the|some|two|three|several|many)\s/i.test(description) ? `a photo of a ${description}` : description;
}
