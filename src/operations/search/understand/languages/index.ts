import { chinese, japanese, korean, thai } from './east-asian.js';
import { english } from './english.js';
import { dutch, german } from './germanic.js';
import type { Language } from './language.js';
import { french, italian, portuguese, spanish } from './romance.js';
import { polish, russian } from './slavic.js';
import { arabic, turkish } from './turkish-and-arabic.js';

export type { Language } from './language.js';

/** Chinese is both simplified and traditional. */
export const languages: Language[] = [english, german, french, spanish, italian, portuguese, dutch, polish, russian, turkish, arabic, chinese, japanese, korean, thai];
