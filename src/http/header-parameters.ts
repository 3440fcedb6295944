export interface HeaderParameters {
  /** What stands before the first semicolon, in lower case. */
  value: string;
  /** By their names in lower case. */
  parameters: Map<string, string>;
}

/**
 * `form-data; name="a"; filename="b"`. In quotes `\"` and `\\` are what follows the backslash; any other backslash is
 * itself, as browsers send it. Undefined where the text is nothing of the kind, or a parameter stands twice.
 */
export function headerParameters(text: string): HeaderParameters | undefined {
  const parameters = new Map<string, string>();
  let at = 0;
  const skipSpace = (): void => {
    while (text[at] === ' ' || text[at] === '\t') at++;
  };
  const until = (ends: string): string => {
    const start = at;
    while (at < text.length && !ends.includes(text[at]!)) at++;
    return text.slice(start, at);
  };
  const quoted = (): string | undefined => {
    let value = '';
    for (;;) {
      value += until('"\\');
      const end = text[at++];
      if (end === undefined) return undefined;
      if (end === '"') return value;
      value += text[at] === '"' || text[at] === '\\' ? text[at++]! : '\\';
    }
  };

  skipSpace();
  const value = until('; \t"=').toLowerCase();
  if (value === '') return undefined;
  for (;;) {
    skipSpace();
    if (at === text.length) return { value, parameters };
    if (text[at++] !== ';') return undefined;
    skipSpace();
    if (at === text.length) return { value, parameters };
    const name = until('=; \t"').toLowerCase();
    if (name === '' || parameters.has(name) || text[at++] !== '=') return undefined;
    const isQuoted = text[at] === '"';
    if (isQuoted) at++;
    const given = isQuoted ? quoted() : until('; \t"');
    if (given === undefined) return undefined;
    parameters.set(name, given);
  }
}
