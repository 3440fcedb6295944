/**
 * Generates a Python client from openapi.json, installs it, and runs the example for notebooks and more with it against a
 * service of this checkout. Needs python3 with venv, and the Python registry. `npx tsx test/clients/generated/run.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository, startServer } from '../../server.js';

const here = import.meta.dirname;
const folder = mkdtempSync(path.join(tmpdir(), 'mixspace-python-'));
const bin = path.join(folder, 'venv/bin');
let url = '';
const run = (command: string, args: string[]): void => void execFileSync(command, args, { cwd: folder, stdio: 'inherit', env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, MIXSPACE_URL: url } });

const server = await startServer();
url = server.url;
try {
  run('python3', ['-m', 'venv', 'venv']);
  run(`${bin}/pip`, ['--quiet', 'install', 'openapi-python-client==0.29.1', 'ruff', 'pandas', 'hatchling', 'poetry-core']);
  run(`${bin}/openapi-python-client`, ['generate', '--path', path.join(repository, 'openapi.json'), '--output-path', 'client', '--config', path.join(here, 'openapi-python-client.yaml'), '--fail-on-warning']);
  run(`${bin}/pip`, ['--quiet', 'install', './client']);
  const pictures = path.join(repository, 'models/mixspace-graft-0.3/golden/images');
  run(`${bin}/python`, [path.join(here, 'notebook.py'), pictures]);
  run(`${bin}/python`, [path.join(here, 'forms.py'), pictures]);
} finally {
  await server.stop();
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
}
