/**
 * Twenty tasks by the official MCP clients: two generations of the TypeScript one over HTTP, one over stdio, and the
 * Python one over both. `npx tsx test/clients/mcp/run.ts`; PYTHON names a Python that has the package mcp.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import sharp from 'sharp';
import { renderGallery } from '../../../demo/gallery.js';
import { call, items } from '../../api.js';
import { bundled, repository, startServer } from '../../server.js';
import { rightOf, type Caller, type Task } from './tasks.js';

const key = 'a-key-of-the-tasks';
const names = ['balloon', 'red apple', 'dog face', 'bicycle', 'sailboat', 'snowman', 'pizza', 'guitar', 'cat', 'umbrella', 'airplane', 'rocket', 'key', 'house', 'fish', 'horse', 'bus'];
const placeOf: Record<string, string> = { sailboat: 'sea', fish: 'sea', airplane: 'sky', balloon: 'sky', rocket: 'sky' };
const main = path.join(repository, 'dist/main.js');

const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-mcp-tasks-'));
const [server, without] = await Promise.all([startServer({ env: { ...bundled, MIXSPACE_API_KEYS: key, MIXSPACE_MCP_WRITES: 'yes' } }), startServer({ env: { ...bundled, MIXSPACE_API_KEYS: key } })]);
try {
  const authorization = { Authorization: `Bearer ${key}` };
  const post = async (at: string, body: unknown): Promise<void> => {
    const { status, body: told } = await call(server.url, 'POST', at, body, authorization);
    if (status >= 300) throw new Error(JSON.stringify(told));
  };
  const drawn = async (style: string): Promise<Map<string, Buffer>> => new Map(await Promise.all((await renderGallery(folder, { styles: [style], names: new Set(names) })).map(async ({ name, file }) => [name, await readFile(file)] as const)));
  // What is asked with was drawn by others than what is there.
  const [stored, asked] = [await drawn('fluent-emoji-flat'), await drawn('noto')];
  await post(items(), {
    items: [
      ...[...stored].map(([name, bytes]) => ({ id: name.replaceAll(' ', '-'), image: bytes.toString('base64'), source: `${name}.png`, metadata: { place: placeOf[name] ?? 'land' } })),
      { id: 'a note/1', text: 'A sailboat is moved by the wind.' },
    ],
  });
  await post('/v1/collections', { name: 'twice' });
  const small = await sharp(stored.get('bicycle')).resize(120).jpeg().toBuffer();
  await post(items('twice'), { items: [['large', stored.get('bicycle')!], ['small', small], ['other', stored.get('snowman')!]].map(([id, bytes]) => ({ id, image: (bytes as Buffer).toString('base64') })) });
  const pictures = Object.fromEntries([...asked].map(([name, bytes]) => [name, bytes.toString('base64')]));
  const tasks = JSON.parse(await readFile(path.join(import.meta.dirname, 'tasks.json'), 'utf8')) as Task[];

  const again = async (): Promise<void> => {
    await call(server.url, 'DELETE', '/v1/collections/added', undefined, authorization);
    await post('/v1/collections', { name: 'added' });
  };
  const stdio = (url: string, writes: boolean): { command: string; args: string[]; env: Record<string, string> } => ({ command: process.execPath, args: [main, 'mcp', '--url', url, ...(writes ? ['--writes'] : [])], env: { MIXSPACE_API_KEY: key, PATH: process.env['PATH'] ?? '' } });
  const clients: Record<string, (url: string, writes: boolean) => Promise<Caller>> = {
    'TypeScript 2.4.0, 2026-07-28, HTTP': async (url) => {
      const client = new Client({ name: 'tasks', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: authorization } }));
      return client;
    },
    'TypeScript 1.32.2, 2025-11-25, HTTP': async (url) => {
      const client = new OlderClient({ name: 'tasks', version: '1' });
      await client.connect(new OlderTransport(new URL(`${url}/mcp`), { requestInit: { headers: authorization } }));
      return client;
    },
    'TypeScript 2.4.0, stdio': async (url, writes) => {
      const client = new Client({ name: 'tasks', version: '1' });
      await client.connect(new StdioClientTransport(stdio(url, writes)));
      return client;
    },
  };
  let worst = tasks.length;
  for (const [name, connect] of Object.entries(clients)) {
    await again();
    const callers = { main: await connect(server.url, true), 'without writes': await connect(without.url, false) };
    const right = await rightOf(tasks, callers, pictures);
    worst = Math.min(worst, right);
    console.log(`${name}: ${right} of ${tasks.length} right`);
    for (const each of Object.values(callers)) await each.close();
  }

  const python = process.env['PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import mcp'], { stdio: 'ignore' }).status !== 0) console.warn(`!!! ${python} has no package mcp: THE PYTHON CLIENT IS NOT RUN. Name one that has it in PYTHON.`);
  else {
    const given = path.join(folder, 'given.json');
    for (const transport of ['http', 'stdio']) {
      await again();
      const servers = transport === 'http' ? { main: `${server.url}/mcp`, 'without writes': `${without.url}/mcp` } : { main: stdio(server.url, true), 'without writes': stdio(without.url, false) };
      await writeFile(given, JSON.stringify({ tasks, pictures, servers, key }));
      const told = execFileSync(python, [path.join(import.meta.dirname, 'tasks.py'), given], { encoding: 'utf8' });
      process.stdout.write(told);
      worst = Math.min(worst, Number(/(\d+) of/.exec(told)?.[1] ?? 0));
    }
  }
  process.exitCode = worst >= tasks.length - 1 ? 0 : 1;
} finally {
  await Promise.all([server, without].map((each) => each.remove()));
  await rm(folder, { recursive: true, force: true });
}
