/** Labels as one types them: one a line, or between commas; one that holds a comma stands in quotes. */
import type { Label } from '../../contract/classify.js';

export const nameOf = (label: Label): string => (typeof label === 'string' ? label : label.name);

/** Each once. */
export function labelsIn(text: string): string[] {
  const found = [...text.matchAll(/"((?:[^"]|"")*)"|[^\n,，、]+/g)].map(([all, quoted]) => (quoted === undefined ? all : quoted.replaceAll('""', '"')).trim());
  return [...new Set(found.filter((label) => label !== ''))];
}

export function textOf(labels: Label[]): string {
  return labels.map((label) => (/[\n,，、"]/.test(nameOf(label)) ? `"${nameOf(label).replaceAll('"', '""')}"` : nameOf(label))).join('\n');
}

/** A label of the saved ones keeps its prompts and its parent, where that is still there. */
export function withPrompts(names: string[], saved: Label[] = []): Label[] {
  const known = new Map(saved.map((label) => [nameOf(label), label]));
  return names.map((name) => {
    const label = known.get(name) ?? name;
    if (typeof label === 'string' || label.parent === undefined || names.includes(label.parent)) return label;
    const { parent: _, ...rest } = label;
    return rest;
  });
}

/** One a line. */
export const templatesIn = (text: string): string[] => [...new Set(text.split('\n').map((line) => line.trim()).filter((line) => line !== ''))];
