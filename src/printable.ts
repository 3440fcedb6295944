/** Texts from elsewhere, made safe to show on a terminal: what would move its cursor, color it or turn the direction of writing is shown, not done. */

const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const hex = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0');

/** With `\n`, `\x1b`, `\u202e` for control characters (C0, DEL, C1), line separators and what overrides the direction of writing. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (each) => short[each] ?? (each < '\u0100' ? `\\x${hex(each, 2)}` : `\\u${hex(each, 4)}`));
}

/** JSON that says the same: its own rules leave DEL, C1 and what overrides the direction of writing as they are. */
export function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (each) => `\\u${hex(each, 4)}`);
}
