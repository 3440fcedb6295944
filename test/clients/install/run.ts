/**
 * Packs mixspace, installs it in an empty folder as anybody does, and uses it: version, a service, a search, a program that
 * embeds it, its types. `npx tsx test/clients/install/run.ts [--npm CLI.js] [--node FOLDER]` (another npm, another Node's folder).
 * What `prepack` takes from this checkout's onnxruntime-node, `npm ci` brings back.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { reservePort } from '../../free-ports.js';
import { repository } from '../../server.js';

const { values } = parseArgs({ options: { npm: { type: 'string' }, node: { type: 'string' } } });
const node = values.node === undefined ? process.execPath : path.join(values.node, 'node');
const root = mkdtempSync(path.join(tmpdir(), 'mixspace-install-'));
const folder = path.join(root, 'project');
mkdirSync(folder);
const env = { ...process.env, PATH: `${path.dirname(node)}:${process.env['PATH']}` };
const npm = (args: string[], cwd: string): string => (values.npm === undefined ? execFileSync('npm', args, { cwd, env, encoding: 'utf8' }) : execFileSync(node, [values.npm, ...args], { cwd, env, encoding: 'utf8' }));
const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(0)} s`;
const expectSame = (what: string, is: string, expected: string): void => {
  if (is !== expected) throw new Error(`${what}: ${is}, not ${expected}`);
  console.log(`${what}: ${is}`);
};

try {
  console.log(`Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}, npm ${npm(['--version'], folder).trim()}`);
  npm(['pack', '--silent', '--pack-destination', root], repository);
  const tarball = path.join(root, readdirSync(root).find((name) => name.endsWith('.tgz'))!);
  console.log(`the tarball: ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
  const files = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8', maxBuffer: 1e8 }).split('\n').filter(Boolean).map((file) => file.replace('package/', ''));
  expectSame('in it', [...new Set(files.map((file) => file.split('/')[0]!))].sort().join(' '), 'LICENSE NOTICE README.md README.zh-CN.md dist migrations models node_modules openapi.json package.json');
  expectSame('recipes and source maps of ours', String(files.filter((file) => !file.startsWith('node_modules/') && /\/recipe\/|\.map$/.test(file)).length), '0');
  const since = Date.now();
  writeFileSync(path.join(folder, 'package.json'), '{}');
  npm(['install', '--no-audit', '--no-fund', tarball], folder);
  console.log(`installed in ${seconds(since)}`);

  const mixspace = path.join(folder, 'node_modules/.bin/mixspace');
  const run = (args: string[], more: Record<string, string> = {}): string => execFileSync(node, [mixspace, ...args], { cwd: folder, env: { ...env, ...more }, encoding: 'utf8' });
  expectSame('mixspace --version', run(['--version']).trim(), (JSON.parse(execFileSync('npm', ['pkg', 'get', 'version'], { cwd: repository, encoding: 'utf8' })) as string));
  const { port, release } = await reservePort();
  const url = `http://127.0.0.1:${port}`;
  const service = spawn(node, [mixspace, 'serve'], { cwd: folder, env: { ...env, PORT: String(port) }, stdio: 'ignore' });
  try {
    for (let tries = 0; !(await fetch(`${url}/readyz`).then(({ ok }) => ok, () => false)); tries++) {
      if (tries > 600 || service.exitCode !== null) throw new Error('The service was not ready.');
      await delay(500);
    }
    run(['add', path.join(repository, 'models/mixspace-graft-0.3/golden/images')], { MIXSPACE_URL: url });
    expectSame('the best match', path.basename(run(['search', '--all', 'a house with a red roof'], { MIXSPACE_URL: url }).split('\n')[0]!), 'house.png');
    for (const page of ['/', '/docs/', '/openapi.json']) expectSame(page, String((await fetch(url + page)).status), '200');
  } finally {
    service.kill('SIGTERM');
    release();
  }
  for (const name of ['program.mjs', 'program.mts']) copyFileSync(path.join(import.meta.dirname, name), path.join(folder, name));
  expectSame('embedded', execFileSync(node, ['program.mjs'], { cwd: folder, env, encoding: 'utf8' }).trim(), 'cat,ship');
  execFileSync(process.execPath, [path.join(repository, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom', 'program.mts'], { cwd: folder, stdio: 'inherit' });
  console.log('its types: right');
} finally {
  rmSync(root, { recursive: true, force: true });
}
