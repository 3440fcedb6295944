/** What zod lacks for the schemas of requests. */
import { z } from 'zod';

/** A field that may be left out; null says the same. */
export function maybe<S extends z.ZodType>(schema: S) {
  return schema
    .nullable()
    .transform((value): z.output<S> | undefined => value ?? undefined)
    .optional();
}

type ListCheck = z.core.$ZodArray & { _zod: { parse: z.core.$ZodType['_zod']['parse']; def: z.core.$ZodArrayDef } };
type Inner = { value: unknown; issues: z.core.$ZodRawIssue[] };

/** As `z.array`, which would go on behind a wrong element and build an issue for each. */
const FirstFaultList = z.core.$constructor('FirstFaultList', (instance: ListCheck, definition: z.core.$ZodArrayDef) => {
  (z.ZodArray as unknown as { init(instance: ListCheck, definition: z.core.$ZodArrayDef): void }).init(instance, definition);
  instance._zod.parse = (payload, context) => {
    const given: unknown = payload.value;
    if (!Array.isArray(given)) {
      payload.issues.push({ expected: 'array', code: 'invalid_type', input: given, inst: instance });
      return payload;
    }
    const read: unknown[] = [];
    payload.value = read;
    for (let index = 0; index < given.length; index++) {
      const result = definition.element._zod.run({ value: given[index] as unknown, issues: [] }, context) as Inner;
      if (result.issues.length > 0) {
        payload.issues.push(...z.core.util.prefixIssues(index, result.issues));
        return payload;
      }
      read.push(result.value);
    }
    return payload;
  };
});

/** A list whose first wrong element is the only one told. */
export function list<E extends z.ZodType>(element: E): z.ZodArray<E> {
  return new FirstFaultList({ type: 'array', element, checks: [] }) as unknown as z.ZodArray<E>;
}

/** Any object, with every key it has: `z.record` drops `__proto__`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
