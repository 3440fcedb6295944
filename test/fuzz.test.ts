import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call } from './api.js';
import { startServer, type RunningServer } from './server.js';

type Schema = Record<string, any>;

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1_500);
let server: RunningServer;
let document: Schema;
beforeAll(async () => {
  server = await startServer();
  document = (await call(server.url, 'GET', '/openapi.json')).body;
  await call(server.url, 'POST', '/v1/collections/default/items', { items: [{ id: 'a', text: 'a' }, { id: 'b', text: 'b', metadata: { n: 1 } }] });
});
afterAll(() => server.remove());

/** Values of a schema of the document, now and then of none. */
function valuesOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (schema.$ref) return valuesOf(document.components.schemas[schema.$ref.split('/').pop()], depth);
  if (depth > 5) return fc.constantFrom(null, 'deep', 1);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((each: Schema) => valuesOf(each, depth + 1)));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => valuesOf({ ...schema, type }, depth + 1)));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'string':
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('a', 'b', 'default', '', '\u0000', 'https://127.0.0.1/', 'data:image/png;base64,AAAA', '__proto__', 'AAAA', '{}'));
    case 'integer':
      return fc.oneof(fc.integer({ min: schema.minimum ?? -2, max: 50 }), fc.integer());
    case 'number':
      return fc.oneof(fc.double({ noNaN: true, min: -1, max: 1 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, depth + 1), { maxLength: 4 });
    case 'object': {
      const shape = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, each]) => [name, valuesOf(each as Schema, depth + 1)]));
      if (Object.keys(shape).length > 0) return fc.record(shape, { requiredKeys: (schema.required ?? []) as never[] });
      return fc.oneof(fc.dictionary(fc.oneof(fc.constantFrom('n', '$and', '$or', '$not', 'a.b', '__proto__', 'constructor'), fc.string({ maxLength: 8 })), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.record({ $gt: fc.integer() })), { maxKeys: 4 }));
    }
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

const sometimesWild = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) });

/** JSON that fits or does not, also where something else is asked for. */
const bodyOf = (requestBody: Schema | undefined): fc.Arbitrary<unknown> => (requestBody ? sometimesWild(valuesOf(requestBody.content['application/json']?.schema ?? { type: 'string' })) : fc.constant(undefined));

it(`answers ${requests} generated requests over the OpenAPI document without a 5xx, and lives`, { timeout: 600_000 }, async () => {
  const operations = Object.entries(document.paths as Schema).flatMap(([at, methods]) => Object.entries(methods as Schema).map(([method, operation]) => ({ at, method, operation: operation as Schema })));
  const request = fc.constantFrom(...operations).chain(({ at, method, operation }) =>
    fc.record({
      method: fc.constant(method.toUpperCase()),
      at: fc.constant(at),
      values: fc.record(Object.fromEntries((operation.parameters as Schema[]).map((each) => [`${each.in}:${each.name}`, fc.oneof(valuesOf(each.schema), fc.constantFrom('default', 'a', '{"n":1}', 'true'))]))),
      left: fc.array(fc.constantFrom(...(operation.parameters as Schema[]).filter((each) => !each.required).map((each) => `${each.in}:${each.name}`), 'none')),
      body: bodyOf(operation.requestBody),
    }),
  );
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 20, maxLength: 20 }), async (batch) => {
      await Promise.all(
        batch.map(async ({ method, at, values, left, body }) => {
          const query = new URLSearchParams();
          let target = at;
          for (const [key, value] of Object.entries(values)) {
            const [where, name] = key.split(':') as [string, string];
            // A lone surrogate cannot be written into a URL at all.
            const text = String(value).toWellFormed();
            if (where === 'path') target = target.replace(`{${name}}`, encodeURIComponent(text) || 'a');
            else if (!left.includes(key)) query.set(name, text);
          }
          const { status, body: answer } = await call(server.url, method, `${target}${query.size ? `?${query.toString()}` : ''}`, body);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status >= 500) throw new Error(`${method} ${target}?${query.toString()} ${JSON.stringify(body)} -> ${status} ${JSON.stringify(answer)}`);
          if (status >= 400) expect(answer.error).toMatchObject({ message: expect.any(String), type: expect.any(String), code: expect.any(String) });
        }),
      );
    }),
    { numRuns: requests / 20, seed: 20_261_124, endOnFailure: true },
  );
  expect([...statuses.values()].reduce((a, b) => a + b)).toBeGreaterThanOrEqual(requests);
  expect(statuses.get(200) ?? 0).toBeGreaterThan(requests / 20);
  expect((await call(server.url, 'GET', '/readyz')).status).toBe(200);
});
