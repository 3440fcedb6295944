/** The built client in Deno and in Bun, both from npm, against a service of this checkout. `npx tsx test/clients/runtimes/run.ts` */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository, startServer } from '../../server.js';

const runtimes = { deno: { version: '2.9.6', args: ['run', '--allow-net', '--node-modules-dir=manual', 'search.mjs'] }, bun: { version: '1.4.5', args: ['run', 'search.mjs'] } };

const folder = mkdtempSync(path.join(tmpdir(), 'mixspace-runtimes-'));
const server = await startServer();
try {
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: path.join(repository, 'packages/client'), encoding: 'utf8' }).trim().split('\n').at(-1)!;
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ allowScripts: { deno: true, bun: true } }));
  cpSync(path.join(import.meta.dirname, 'search.mjs'), path.join(folder, 'search.mjs'));
  execFileSync('npm', ['install', '--silent', `./${packed}`, ...Object.entries(runtimes).map(([name, { version }]) => `${name}@${version}`)], { cwd: folder, stdio: 'inherit' });
  for (const [name, { args }] of Object.entries(runtimes)) {
    const bin = path.join(folder, 'node_modules/.bin', name);
    console.log(execFileSync(bin, ['--version'], { encoding: 'utf8' }).split('\n')[0]!.padEnd(50), execFileSync(bin, [...args, server.url, name], { cwd: folder, encoding: 'utf8' }).trim());
  }
} finally {
  await server.stop();
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
}
