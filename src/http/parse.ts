import { z } from 'zod';
import { MixspaceError } from '../errors.js';
import { shownPath, type PathPart } from './field-path.js';

/**
 * The value as its schema has it: a field that is null counts as absent. The value given may lose such fields.
 * @throws MixspaceError `invalid_request` that names the field, unknown ones included.
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, root = ''): z.output<S> {
  prepare(schema, value, [], root);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = deepest(result.error.issues[0]!);
  const path = issue.path as PathPart[];
  if (issue.code === 'unrecognized_keys') throw unknownField(path, issue.keys, root);
  const isMissing = path.length > 0 && issue.code !== 'custom' && valueAt(value, path) === undefined;
  throw faultAt(path, root, isMissing ? 'It is missing.' : sentence(issue.message));
}

function faultAt(path: PathPart[], root: string, message: string): MixspaceError {
  const param = shownPath(path, root);
  return new MixspaceError('invalid_request', param ? `${param}: ${message}` : message, param ? { param } : {});
}

function unknownField(path: PathPart[], keys: string[], root: string): MixspaceError {
  const shown = keys.slice(0, 5).map((key) => `"${key.slice(0, 100)}"`);
  return faultAt([...path, keys[0]!], root, `Unknown field ${shown.join(', ')}.`);
}

/** Takes fields out that are null, and refuses the one key that zod passes over, wherever the schema names the fields. */
function prepare(schema: z.core.$ZodType, value: unknown, path: PathPart[], root: string): void {
  if (typeof value !== 'object' || value === null) return;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return prepare(schema.unwrap(), value, path, root);
  if (schema instanceof z.ZodPipe) return prepare(schema.in, value, path, root);
  if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) prepare(option, value, path, root);
  } else if (Array.isArray(value)) {
    if (schema instanceof z.ZodArray) for (let i = 0; i < value.length; i++) if (typeof value[i] === 'object') prepare(schema.element, value[i], [...path, i], root);
  } else if (schema instanceof z.ZodObject) {
    const fields = value as Record<string, unknown>;
    if (Object.hasOwn(fields, '__proto__')) throw unknownField(path, ['__proto__'], root);
    for (const [name, field] of Object.entries(schema.shape)) {
      if (!Object.hasOwn(fields, name)) continue;
      if (fields[name] === null) delete fields[name];
      else prepare(field as z.core.$ZodType, fields[name], [...path, name], root);
    }
  }
}

function valueAt(value: unknown, path: PathPart[]): unknown {
  return path.reduce<unknown>((within, part) => (typeof within === 'object' && within !== null && Object.hasOwn(within, part) ? (within as Record<PathPart, unknown>)[part] : undefined), value);
}

/**
 * In a union, the alternative the value was meant for knows best what is wrong: of the right kind, with the fewest
 * problems, the deepest in. Where none stands out, the union's own sentence does.
 */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const ofAnotherKind = ['invalid_type', 'invalid_union', 'invalid_value', 'custom'];
  const candidates = issue.errors
    .filter((issues) => issues.length > 0)
    .map((issues) => ({ problems: issues.length, first: deepest(issues[0]!) }))
    .filter(({ first }) => first.path.length > 0 || !ofAnotherKind.includes(first.code))
    .sort((a, b) => Number(b.first.code === 'too_big') - Number(a.first.code === 'too_big') || a.problems - b.problems || b.first.path.length - a.first.path.length);
  const [best, second] = candidates;
  const isAlike = second !== undefined && best!.problems === second.problems;
  const undecided = isAlike && ((best!.first.path.length === 0 && second.first.path.length === 0) || (tellsMissing(best!.first) && tellsMissing(second.first)));
  if (best === undefined || undecided) return issue;
  return { ...best.first, path: [...issue.path, ...best.first.path] };
}

/** So zod says it of a field that is not there. */
const tellsMissing = ({ code, message }: z.core.$ZodIssue): boolean => code === 'invalid_type' && message.endsWith('received undefined');

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
