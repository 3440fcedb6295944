import { limits } from '../../contract/limits.js';

/** @throws Error: no JSON, or nested deeper than any JSON may be. */
export function boundedJson(text: string): unknown {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const each = text.charCodeAt(at);
    if (isInString) {
      if (each === 0x5c) at++;
      else if (each === 0x22) isInString = false;
    } else if (each === 0x22) isInString = true;
    else if (each === 0x7b || each === 0x5b) {
      if (++depth > limits.depth) throw new Error(`it is nested deeper than ${limits.depth} levels`);
    } else if (each === 0x7d || each === 0x5d) depth--;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('it is no JSON');
  }
}
