/**
 * Clients that exist, each as the registry has it, against one running service: a table of name, version, what was run and
 * the result. `npx tsx test/clients/run.ts [--only NAME]...`; needs the npm and PyPI registries, npm, and Python 3 with pip.
 *
 * A client is a script of its own: npm/NAME.mjs, whose first line lists its packages (`// packages: openai@6.49.0`, and
 * `node@24.21.0` among them where it needs a newer Node), or python/NAME.py, whose block says them as PEP 723 has it (`# of:` where it fetches its client itself). It
 * throws where an answer is not what it should be, and tells by `ran()` what it has done.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { base64, call } from '../api.js';
import { drawn } from '../pictures.js';
import { bundled, startServer } from '../server.js';

const run = promisify(execFile);
const patience = { timeout: 600_000, maxBuffer: 64e6 };
const here = import.meta.dirname;
const collection = 'gallery';
const key = 'a-key-that-nobody-asks-for';
/** Of models, in clients that let nobody choose, or choose by them what they send. */
const fixedNames = ['text-embedding-3-small', 'text-embedding-ada-002', 'jina-clip-v2', 'nomic-embed-text', 'embed-v4.0', 'voyage-multimodal-3'];

interface Client {
  name: string;
  /** `openai@6.49.0` */
  packages: string[];
  start(folder: string, expected: string): Promise<string>;
}

interface Row {
  client: Client;
  ran: string[];
  problem?: string;
}

const { only } = parseArgs({ options: { only: { type: 'string', multiple: true } } }).values;
const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-clients-'));
const model = (await readdir(bundled.MIXSPACE_MODELS_DIR)).find((name) => !name.startsWith('.'))!;
const server = await startServer({ env: { ...bundled, MIXSPACE_ALIASES: fixedNames.map((name) => `${name}=${model}`).join(',') } });
const rows: Row[] = [];
try {
  const expected = path.join(folder, 'expected.json');
  await writeFile(expected, JSON.stringify(await expectations()));
  for (const client of [...(await npmClients()), ...(await pythonClients())]) {
    if (only && !only.includes(client.name)) continue;
    const row = await tried(client, expected);
    rows.push(row);
    console.log(line(row));
  }
} finally {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
}
const passed = rows.filter(({ problem }) => problem === undefined).length;
console.log(`\n${passed} of ${rows.length} clients passed, Node ${process.versions.node}.`);
process.exitCode = passed === rows.length && rows.length > 0 ? 0 : 1;

/** What /v1/embeddings says, for the clients to compare with. */
async function expectations(): Promise<object> {
  const texts = ['a photo of a cat', 'ein Hund am Strand'];
  const picture = base64(await drawn(7));
  const pictureFile = path.join(folder, 'picture.png');
  await writeFile(pictureFile, Buffer.from(picture, 'base64'));
  const { body } = await call(server.url, 'POST', '/v1/embeddings', { input: [...texts, { image: picture }] });
  const [first, second, pictureVector] = body.data.map(({ embedding }: { embedding: number[] }) => embedding);
  await call(server.url, 'POST', '/v1/collections', { name: collection });
  await call(server.url, 'POST', `/v1/collections/${collection}/items`, { items: [{ id: 'sunset', image: picture, metadata: { caption: 'a sunset' }, source: 'https://example.com/sunset.png' }, { id: 'cat', text: texts[0] }] });
  return { url: server.url, key, model, collection, texts, textVectors: [first, second], picture, pictureFile, pictureVector };
}

async function npmClients(): Promise<Client[]> {
  return scripts('npm', '.mjs', (name, source) => {
    const packages = /^\/\/ packages: (.+)$/m.exec(source)![1]!.split(' ');
    return {
      name,
      packages,
      start: async (at, expected) => {
        await writeFile(path.join(at, 'package.json'), '{"private": true, "type": "module"}');
        await run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--no-progress', ...packages], { cwd: at, ...patience });
        for (const file of [`${name}.mjs`, 'expected.mjs']) await copyFile(path.join(here, 'npm', file), path.join(at, file));
        const node = packages.some((each) => each.startsWith('node@')) ? path.join(at, 'node_modules/node/bin/node') : process.execPath;
        return (await run(node, [`${name}.mjs`], { cwd: at, env: { ...process.env, EXPECTED: expected }, ...patience })).stdout;
      },
    };
  });
}

async function pythonClients(): Promise<Client[]> {
  let uv: Promise<string> | undefined;
  return scripts('python', '.py', (name, source) => ({
    name,
    packages: (/^# of: (.+)$/m.exec(source)?.[1]?.split(' ') ?? [.../^# dependencies = (\[.*\])$/m.exec(source)![1]!.matchAll(/"([^"]+)"/g)].map(([, each]) => each!)).map((each) => each.replace(/\[.*\]/, '').replace('==', '@')),
    start: async (at, expected) => {
      // Under its own name it would stand in its package's place.
      await copyFile(path.join(here, 'python', `${name}.py`), path.join(at, 'main.py'));
      await copyFile(path.join(here, 'python/expected.py'), path.join(at, 'expected.py'));
      return (await run(await (uv ??= uvIn(path.join(folder, 'uv'))), ['run', '--no-project', 'main.py'], { cwd: at, env: { ...process.env, EXPECTED: expected }, ...patience })).stdout;
    },
  }));
}

/** What reads the packages out of a script, and runs it with them. */
async function uvIn(at: string): Promise<string> {
  await run('python3', ['-m', 'venv', at], patience);
  await run(path.join(at, 'bin/pip'), ['install', '--quiet', 'uv==0.13.9'], patience);
  return path.join(at, 'bin/uv');
}

async function scripts(of: string, end: string, clientOf: (name: string, source: string) => Client): Promise<Client[]> {
  const files = (await readdir(path.join(here, of))).filter((file) => file.endsWith(end) && !file.startsWith('expected')).sort();
  return Promise.all(files.map(async (file) => clientOf(path.basename(file, end), await readFile(path.join(here, of, file), 'utf8'))));
}

async function tried(client: Client, expected: string): Promise<Row> {
  const at = path.join(folder, `${client.name}-${rows.length}`);
  await mkdir(at);
  try {
    const ran = (await client.start(at, expected)).split('\n').filter((said) => said.startsWith('ran: ')).map((said) => said.slice(5));
    return { client, ran, ...(ran.length === 0 ? { problem: 'It ran nothing.' } : {}) };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    const ran = stdout.split('\n').filter((said) => said.startsWith('ran: ')).map((said) => said.slice(5));
    const told = stderr.trim().split('\n').filter((each) => /Error|error/.test(each)).at(-1) ?? message.split('\n')[0]!;
    return { client, ran, problem: told.trim().slice(0, 300) };
  } finally {
    await rm(at, { recursive: true, force: true });
  }
}

function line({ client, ran, problem }: Row): string {
  const [first, ...others] = client.packages.filter((each) => !each.startsWith('node@'));
  const at = first!.lastIndexOf('@');
  return `| ${first!.slice(0, at)} | ${first!.slice(at + 1)} | ${[...ran, ...(others.length > 0 ? [`with ${others.join(', ')}`] : [])].join('; ')} | ${problem === undefined ? 'passed' : `failed: ${problem}`} |`;
}
