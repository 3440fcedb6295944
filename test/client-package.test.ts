/** The package @mixspace/client as it is published: built, packed, and used where its users use it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inBrowser, withBrowser } from './page-browser.js';
import { repository, startServer, type RunningServer } from './server.js';

const run = promisify(execFile);
const packageFolder = path.join(repository, 'packages/client');
const script = path.join(repository, 'test/clients/runtimes/search.mjs');

let service: RunningServer;
let site: Server;
let origin: string;
let page = '';
/** With the package in it and nothing else, outside this repository. */
let folder: string;
beforeAll(async () => {
  if (!(await stat(path.join(packageFolder, 'dist')).catch(() => undefined))) throw new Error('packages/client is not built: npm run build:client');
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-client-'));
  const installed = path.join(folder, 'node_modules/@mixspace/client');
  await mkdir(installed, { recursive: true });
  for (const each of ['dist', 'package.json']) await cp(path.join(packageFolder, each), path.join(installed, each), { recursive: true });
  await cp(script, path.join(folder, 'search.mjs'));
  site = createServer((_request, response) => void response.setHeader('content-type', 'text/html').end(page));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  service = await startServer({ env: { MIXSPACE_CORS_ORIGINS: origin } });
});
afterAll(async () => {
  await service?.remove();
  site?.close();
  await rm(folder, { recursive: true, force: true });
});

const right = { outcomes: ['created', 'created'], best: 'cat', score: expect.closeTo(1, 5), length: expect.closeTo(1, 5), listed: ['cat', 'ship'], last: 'end', refused: 'not_found', decodes: 'function' };

describe('@mixspace/client', () => {
  it('searches, pages, follows jobs and tells errors in Node, as an ECMAScript module and as a CommonJS one', async () => {
    const esm = await run(process.execPath, ['search.mjs', service.url, 'esm'], { cwd: folder });
    expect(JSON.parse(esm.stdout)).toEqual(right);
    const text = await readFile(script, 'utf8');
    const [head, body] = [text.slice(0, text.indexOf('const client')), text.slice(text.indexOf('const client'))];
    expect(head).toContain("from '@mixspace/client'");
    await writeFile(path.join(folder, 'search.cjs'), `const { argv } = require('node:process');\nconst { MixspaceApiError, MixspaceClient, decodeEmbedding } = require('@mixspace/client');\n(async () => {\n${body}})();\n`);
    const cjs = await run(process.execPath, ['search.cjs', service.url, 'cjs'], { cwd: folder });
    expect(JSON.parse(cjs.stdout)).toEqual(right);
  });

  it('is at most 30 kB, knows neither zod nor Node, depends on nothing, and has the version of the service', async () => {
    const manifest = JSON.parse(await readFile(path.join(packageFolder, 'package.json'), 'utf8'));
    expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining([expect.stringMatching(/ependencies/)]));
    expect(manifest.version).toBe(JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8')).version);
    for (const format of ['esm', 'cjs']) {
      const code = await readFile(path.join(packageFolder, 'dist', format, 'index.js'), 'utf8');
      expect(Buffer.byteLength(code)).toBeLessThan(30_000);
      expect(code).not.toMatch(/\b(import|require)\b ?\(|from ?["']|ZodType|safeParse/);
      expect(await readFile(path.join(packageFolder, 'dist', format, 'contract.d.ts'), 'utf8')).not.toMatch(/zod/);
    }
  });

  describe('in a browser', () => {
    const visit = inBrowser(() => [origin, service.url]);

    it.runIf(withBrowser)('works in a bundle on a page of another origin that the service allows', async () => {
      const entry = path.join(folder, 'entry.mjs');
      const body = (await readFile(script, 'utf8')).replace("import { argv } from 'node:process';", `const argv = ['', '', '${service.url}', 'browser'];`).replace('console.log(', 'globalThis.told = (');
      await writeFile(entry, body);
      await build({ configFile: false, logLevel: 'error', root: folder, build: { outDir: 'bundle', target: 'es2022', lib: { entry, formats: ['es'], fileName: () => 'bundle.js' } } });
      page = `<!doctype html><link rel="icon" href="data:,"><script type="module">${await readFile(path.join(folder, 'bundle/bundle.js'), 'utf8')}</script>`;
      visit.allow(/404/);
      await visit.page.goto(origin);
      const told = await visit.page.waitForFunction(() => (globalThis as { told?: string }).told);
      expect(JSON.parse((await told.jsonValue())!)).toEqual(right);
    });
  });
});
