/** `doctor`, `completion`, and paths for pipes, as a shell sees them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawn } from './pictures.js';
import { repository, runMixspace, startServer, tinyModels, type RunningServer } from './server.js';

interface Finding {
  topic: string;
  status: string;
  found: string;
  mend?: string;
}

let folder: string;
let pictures: string;
let server: RunningServer;
/** Another program. */
let other: Server;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-doctor-'));
  pictures = path.join(folder, 'pictures');
  await mkdir(path.join(pictures, 'deep'), { recursive: true });
  await writeFile(path.join(pictures, 'one.png'), await drawn(901));
  await writeFile(path.join(pictures, 'deep', 'two\nlines.png'), await drawn(902));
  server = await startServer({ args: ['--roots', pictures] });
  other = createServer((_request, response) => void response.end('hello'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  other.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

async function doctor(args: string[], env: Record<string, string> = {}): Promise<{ code: number | null; status: string; checks: Finding[] }> {
  const { code, stdout, stderr } = await runMixspace(['doctor', '--json', ...args], { MIXSPACE_MODELS_DIR: tinyModels, ...env });
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as { status: string; checks: Finding[] }) };
}
const of = (checks: Finding[], topic: string, status?: string): Finding[] => checks.filter((each) => each.topic === topic && (status === undefined || each.status === status));

describe('mixspace doctor', () => {
  it('finds nothing that keeps a service from running where one runs, and says which process uses the index', async () => {
    const { code, checks } = await doctor(['--selftest', pictures], { PORT: String(server.port), MIXSPACE_INDEX_DIR: server.indexDir });
    expect(of(checks, 'models', 'ok')).toEqual([expect.objectContaining({ found: expect.stringMatching(/^clip-tiny: image and text, fp32, 2\.1 MB, .*; 64 dimensions, runs on cpu; it has no golden vectors to compare with\.$/) })]);
    expect(of(checks, 'index')[0]!.found).toContain(`process ${server.process.pid} (`);
    expect(of(checks, 'port')).toEqual([{ topic: 'port', status: 'ok', found: `A mixspace answers on port ${server.port}, and is ready.` }]);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(code).toBe(0);
  });

  it('names each thing that is wrong, with a way to mend it, and leaves all as it was', async () => {
    const index = path.join(folder, 'lost');
    await mkdir(index);
    await writeFile(path.join(index, 'mixspace.mark'), 'no mark');
    const models = path.join(folder, 'models');
    await mkdir(path.join(models, 'broken'), { recursive: true });
    await writeFile(path.join(models, 'broken', 'config.json'), '{');
    await symlink(path.join(tinyModels, 'clip-tiny'), path.join(models, 'whole'));
    const keys = path.join(folder, 'keys');
    await writeFile(keys, '0123456789abcdef0123456789abcdef scope=read name=somebody\n');
    await chmod(keys, 0o644);
    const before = execFileSync('find', [folder, '-printf', '%p %s %T@\n'], { encoding: 'utf8' });

    const { code, status, checks } = await doctor(['--watch', '--api-keys-file', keys, path.join(folder, 'gone'), pictures], {
      PORT: String((other.address() as AddressInfo).port),
      MIXSPACE_API_KEYS: 'short',
      MIXSPACE_WORKERS: 'many',
      MIXSPACE_MODELS_DIR: models,
      MIXSPACE_INDEX_DIR: index,
      MIXSPACE_EXECUTION_PROVIDERS: 'dml,cpu',
    });
    expect({ code, status }).toEqual({ code: 1, status: 'fail' });
    expect(of(checks, 'settings')).toEqual([expect.objectContaining({ status: 'fail', found: 'MIXSPACE_WORKERS takes a whole number from 1 to 64, not "many".' })]);
    expect(of(checks, 'models').map(({ status: each, found }) => [each, found.split(/[ :]/)[0]])).toEqual([['warn', 'broken'], ['ok', 'whole']]);
    expect(of(checks, 'index', 'fail')[0]!.found).toContain('mixspace.mark is damaged');
    expect(of(checks, 'port', 'fail')[0]!.found).toMatch(/^Another program answers on port/);
    expect(of(checks, 'roots').map((each) => each.status)).toEqual(['fail', 'ok']);
    expect(of(checks, 'keys', 'warn').map(({ found }) => found)).toEqual(['1 of the 1 keys of MIXSPACE_API_KEYS can be guessed: shorter than 20 letters.', `${keys} holds 1 key, and can be read by other users of this machine.`]);
    expect(of(checks, 'providers').map((each) => each.status)).toEqual(['warn', 'ok']);
    if (process.platform === 'linux') expect(of(checks, 'watch')[0]!.found).toMatch(/^2 folders to follow/);
    for (const { status: each, mend } of checks) expect(mend === undefined).toBe(each === 'ok');
    expect(execFileSync('find', [folder, '-printf', '%p %s %T@\n'], { encoding: 'utf8' })).toBe(before);
  });

  it('warns of an address that lets everyone in, refuses it without leave, and colors nothing where no terminal is', async () => {
    const env = { MIXSPACE_MODELS_DIR: tinyModels, MIXSPACE_INDEX_DIR: path.join(folder, 'new'), PORT: '0', HOST: '0.0.0.0' };
    const refused = await runMixspace(['doctor'], env);
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/^fail  access      It would listen on 0\.0\.0\.0 without keys: .* It does not start\.\n +-> Set MIXSPACE_API_KEYS_FILE/m) });
    expect(refused.stdout).not.toContain('\u001b');
    const warned = await runMixspace(['doctor'], { ...env, MIXSPACE_ALLOW_OPEN: 'yes' });
    expect(warned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^warn  access /m) });
  });
});

describe('mixspace search --files', () => {
  it('prints paths alone, a line each, or as they are with NULs behind them', async () => {
    const env = { MIXSPACE_URL: server.url };
    expect((await runMixspace(['add', pictures], env)).code).toBe(0);
    await fetch(`${server.url}/v1/collections/default/items`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ items: [{ id: 'a text', text: 'a text' }] }) });
    const lines = await runMixspace(['search', 'x', '--plain', '--all', '-f'], env);
    expect(lines.stdout.split('\n').filter(Boolean).sort()).toEqual([path.join(pictures, 'deep', String.raw`two\nlines.png`), path.join(pictures, 'one.png')]);
    expect(lines.stderr).toBe('1 match left out: no path is known of it.\n');
    const exact = await runMixspace(['search', 'x', '--plain', '--all', '--modality', 'image', '-f', '-0'], env);
    expect(exact.stdout.split('\0').sort()).toEqual(['', path.join(pictures, 'deep', 'two\nlines.png'), path.join(pictures, 'one.png')]);
  });
});

describe('docs/grafana/mixspace.json', () => {
  it('asks for metrics and labels that a running service exports', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const exported = new Set([...metrics.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) => (type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name! + end) : [name!])));
    const labels = new Set([...metrics.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!));
    const { panels } = JSON.parse(readFileSync(path.join(repository, 'docs/grafana/mixspace.json'), 'utf8')) as { panels: { targets?: { expr: string; legendFormat: string }[] }[] };
    const targets = panels.flatMap((panel) => panel.targets ?? []);
    expect(targets.length).toBeGreaterThan(20);
    const names = targets.flatMap(({ expr }) => [...expr.matchAll(/\b(?:mixspace|process|nodejs)_\w+/g)].map(([name]) => name));
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
    // Recall is told of large collections alone.
    const used = targets.filter(({ expr }) => !expr.includes('mixspace_search_recall')).flatMap(({ expr, legendFormat }) => [...expr.matchAll(/by \(([\w, ]+)\)/g), ...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, list]) => list!.split(', ')));
    expect(used.filter((label) => !labels.has(label) && label !== 'le')).toEqual([]);
    const asked = targets.flatMap(({ expr }) => [...expr.matchAll(/[{,](\w+)=/g)].map(([, label]) => label!));
    expect(asked.filter((label) => !labels.has(label) && !['job', 'instance'].includes(label))).toEqual([]);
  });
});

describe('mixspace completion', () => {
  it('offers in bash what may stand there', async () => {
    const { stdout } = await runMixspace(['completion', 'bash']);
    const offered = (...typed: string[]): string[] => {
      const words = ['mixspace', ...typed].map((word) => `'${word}'`).join(' ');
      return execFileSync('bash', ['-c', `${stdout}\nCOMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _mixspace; printf '%s\\n' "\${COMPREPLY[@]}"`], { encoding: 'utf8', cwd: repository }).split('\n').filter(Boolean);
    };
    expect(offered('se')).toEqual(['serve', 'search']);
    expect(offered('models', 'pu')).toEqual(['pull']);
    expect(offered('search', '--modality', '')).toEqual(['image', 'text']);
    expect(offered('models', 'check', '--j')).toEqual(['--json']);
    expect(offered('search', '--image', '')).toEqual([]);
    expect(offered('completion', 'f')).toEqual(['fish']);
  });

  it('names every command and flag for zsh and fish', async () => {
    expect((await runMixspace(['completion', 'zsh'])).stdout).toMatch(/'search:--modality'\) compadd -- 'image' 'text'/);
    expect((await runMixspace(['completion', 'fish'])).stdout).toContain(String.raw`complete -c mixspace -n '__fish_seen_subcommand_from models; and __fish_seen_subcommand_from pull' -l as -r -d 'the model\'s name here'`);
    expect((await runMixspace(['completion', 'tcsh'])).code).toBe(2);
  });
});
