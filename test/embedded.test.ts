/** `import { openService } from 'mixspace'`: the service in a program's own process, in a program of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flat } from './small-service.js';
import { repository, tinyModels } from './server.js';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-embedded-'));
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(repository, path.join(folder, 'node_modules/mixspace'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const program = `
import { createServer } from 'node:net';
import { MixspaceApiError, openService } from 'mixspace';
const refused = await openService({ maxBody: 'much' }).catch((error) => error);
const unknown = await openService({ maxBodies: 1 }).catch((error) => error.message);
const listened = [];
const { listen } = Object.getPrototypeOf(createServer());
Object.getPrototypeOf(createServer()).listen = function (...all) { listened.push(all[0]); return listen.apply(this, all); };

const service = await openService({ indexDir: 'index', modelsDir: ${JSON.stringify(tinyModels)}, workers: 1, port: 0, apiKeys: ['one-key', 'another'], maxItems: 2 });
const { client } = service;
const added = await client.addItems('default', [{ id: 'a', text: 'a cat' }, { id: 'b', text: 'a ship' }]);
const { matches } = await client.search('default', 'a cat', { limit: 1 });
const picture = await fetch('data:image/png;base64,' + process.argv[2]).then((answer) => answer.blob());
const uploaded = await client.uploadItems('default', [{ name: 'red.png', blob: picture }]);
const many = await client.addItems('default', [{ text: '1' }, { text: '2' }, { text: '3' }]).catch((error) => error);
const events = [];
for await (const { type } of client.followJob((await client.makeMap('default')).id)) events.push(type);
const aborted = await client.search('default', 'a ship', { signal: AbortSignal.abort(new Error('no more')) }).catch((error) => error.message);
const before = [...listened];
const url = await service.listen();
const outside = [await fetch(url + '/v1/models'), await fetch(url + '/v1/models', { headers: { authorization: 'Bearer another' } })].map(({ status }) => status);
await service.close();
await service.close();
const after = await client.collections().catch((error) => error.constructor.name);
const again = await openService({ indexDir: 'index', modelsDir: ${JSON.stringify(tinyModels)}, workers: 1 });
const kept = await again.client.getItem('default', 'b');
await again.close();
console.log(JSON.stringify({ refused: refused.message, unknown: unknown.slice(0, 30), added: added.map(({ status }) => status), best: matches[0].id, uploaded: uploaded[0].status, many: many instanceof MixspaceApiError && many.status, last: events.at(-1), aborted, before, outside, after, kept: kept.text }));
`;

describe('A program that embeds the service', () => {
  it('searches in its own process without a port, listens when it is told to, and ends by itself when all is closed', async () => {
    await writeFile(path.join(folder, 'program.mjs'), program);
    const { stdout } = await run(process.execPath, ['program.mjs', await flat(220, 20, 30)], { cwd: folder, env: { PATH: process.env['PATH'], MIXSPACE_MAX_ITEMS: 'is not read' }, timeout: 200_000 });
    expect(JSON.parse(stdout)).toEqual({
      refused: 'maxBody takes a size such as 256MB, not "much".',
      unknown: 'maxBodies is no setting of mix',
      added: ['created', 'created'],
      best: 'a',
      uploaded: 'created',
      many: 413,
      last: 'end',
      aborted: 'no more',
      before: [],
      outside: [401, 200],
      after: 'MixspaceUnreachableError',
      kept: 'a ship',
    });
  });
});
