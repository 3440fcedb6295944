import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSetting, settings, type SettingName } from '../src/config.js';
import { get } from './behind-nginx.js';
import { quick, repository, runMixspace, startServer } from './server.js';

let folder: string;
const at = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-starts-'));
  await mkdir(at('folder'));
  await writeFile(at('file'), '');
  await symlink('/nowhere', at('dangling'));
  execFileSync('mkfifo', [at('pipe')]);
  await writeFile(at('spaces'), 'first\nsecond key\n');
  await writeFile(at('commas'), 'one,two\n');
  await writeFile(at('twice'), 'one\n# of nobody\none scope=read\n');
  await writeFile(at('rates'), 'one rate=often\n');
  await writeFile(at('empty'), '\n\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A start that fails is one line on stderr, and exit code 2. */
async function refusal(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stderr } = await runMixspace(['serve', ...args], { ...quick, PORT: '0', MIXSPACE_INDEX_DIR: at('index'), ...env });
  expect(stderr).toMatch(/^mixspace: [^\n]+\n$/);
  expect([stderr, code]).toEqual([stderr, 2]);
  return stderr.slice('mixspace: '.length).trim();
}

it('refuses each flag that is given without a value, by its name', async () => {
  expect(Object.keys(settings)).toContain('indexDir');
  for (const [name, { flag }] of Object.entries(settings)) {
    if (flag !== undefined) for (const blank of ['', ' ']) expect(() => readSetting(name as SettingName, blank, {})).toThrow(`${flag.split(' ')[0]!} is given without a value`);
    expect(() => readSetting(name as SettingName, undefined, { [settings[name as SettingName].env]: '' })).not.toThrow();
  }
  expect(await refusal(['--index-dir', ''])).toBe('--index-dir is given without a value; without it the default holds: ./index.');
  expect(await refusal(['--api-keys-file', ''])).toMatch(/^--api-keys-file is given without a value/);
});

it.for<[name: SettingName, value: string, says: RegExp]>([
  ['host', '127.0.0.1:80', /^--host takes an address or a name of this machine.*"127\.0\.0\.1:80"\.$/],
  ['host', 'http://localhost', /^--host takes an address/],
  ['hosts', 'photos.example:8080', /^--hosts takes host names/],
  ['maxBody', '99999999999999GB', /^--max-body takes a size/],
  ['corsOrigins', ',', /^--cors-origins takes at least one/],
])('refuses a value of another kind, by the name of its flag: %s %s', ([name, value, says]) => {
  expect(() => readSetting(name, value, {})).toThrow(says);
});

it.for<{ args?: string[]; env?: Record<string, string>; says: RegExp }>([
  { args: ['--models-dir', 'FOLDER/file'], says: /^The models directory .*\/file is no folder\.$/ },
  { args: ['--models-dir', 'FOLDER/file/models'], says: /^The models directory .*\/file\/models cannot be read \(ENOTDIR\)\.$/ },
  { args: ['--models-dir', 'FOLDER/dangling'], says: /^The models directory .*\/dangling is a link that leads nowhere\.$/ },
  { args: ['--models-dir', 'FOLDER/none'], says: /^The models directory .*\/none is not there\.$/ },
  { args: ['--models-dir', 'FOLDER/folder'], says: /\/folder there is no model to start with/ },
  { args: ['--roots', 'FOLDER/folder,FOLDER/file'], says: /^The folder .*\/file is no folder\.$/ },
  { env: { MIXSPACE_ROOTS: 'FOLDER/dangling' }, says: /^The folder .*\/dangling is a link that leads nowhere\.$/ },
  { env: { MIXSPACE_ROOTS: ' , ' }, says: /^MIXSPACE_ROOTS takes at least one/ },
  { args: ['FOLDER/none'], says: /^The folder .*\/none is not there\.$/ },
  { args: ['FOLDER/pipe'], says: /\/pipe is neither a folder nor a file\.$/ },
  { args: [''], says: /^The folder {2}is not there\.$/ },
  { args: ['--api-keys-file', 'FOLDER/folder'], says: /^The keys file .*\/folder cannot be read \(EISDIR\)\.$/ },
  { args: ['--api-keys-file', 'FOLDER/none'], says: /^The keys file .*\/none cannot be read \(ENOENT\)\.$/ },
  { args: ['--api-keys-file', '/dev/zero'], says: /^The keys file \/dev\/zero is over 1 MB\.$/ },
  { args: ['--api-keys-file', 'FOLDER/empty'], says: /^The keys file .*\/empty holds no key\.$/ },
  { args: ['--api-keys-file', 'FOLDER/spaces'], says: /^The keys file .*\/spaces cannot be read in line 2: behind a key stand scope=, collection=, rate= and name=\.$/ },
  { args: ['--api-keys-file', 'FOLDER/twice'], says: /^The keys file .*\/twice has the same key in lines 1 and 3\.$/ },
  { args: ['--api-keys-file', 'FOLDER/rates'], says: /^The keys file .*\/rates cannot be read in line 1: rate= takes calls a minute, such as 600\/min/ },
  { args: ['--base-path', 'photos'], says: /^--base-path takes a path such as \/photos, not "photos"\.$/ },
  { args: ['--trusted-proxies', 'somewhere'], says: /^--trusted-proxies takes address ranges/ },
  { args: ['--api-keys-file', 'FOLDER/commas'], says: /^The keys file .*\/commas holds no key in line 1: (?!.*one)/ },
  { env: { MIXSPACE_API_KEYS: ',' }, says: /^MIXSPACE_API_KEYS takes at least one/ },
  { args: ['--port', '70000'], says: /^--port takes a whole number from 0 to 65535, not "70000"\.$/ },
])('stops with one line that names what is wrong: $args $env', async ({ args = [], env = {}, says }) => {
  const here = (text: string): string => text.replaceAll('FOLDER', folder);
  expect(await refusal(args.map(here), Object.fromEntries(Object.entries(env).map(([name, text]) => [name, here(text)])))).toMatch(says);
});

it.skipIf(process.getuid?.() !== 0)('names a models directory that this user may not read', async () => {
  const closed = at('closed');
  await mkdir(closed, { mode: 0o700 });
  execFileSync('chmod', ['755', folder]);
  const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'serve', '--models-dir', closed], { uid: 65_534, gid: 65_534, env: { PATH: process.env['PATH'] ?? '', PORT: '0', MIXSPACE_INDEX_DIR: at('index') }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([stderr, code]).toEqual([`mixspace: The models directory ${closed} cannot be read (EACCES).\n`, 2]);
});

it('refuses an address that is not of this machine, and a port in use, with exit code 2', async () => {
  const server = await startServer();
  try {
    expect(await refusal([], { HOST: '192.0.2.7', MIXSPACE_ALLOW_OPEN: 'yes' })).toMatch(/192\.0\.2\.7.*\(EADDRNOTAVAIL\)\.$/);
    expect(await refusal([], { PORT: String(server.port) })).toMatch(/^Port \d+ on 127\.0\.0\.1 is in use by another process/);
  } finally {
    await server.remove();
  }
});

it('takes keys from a pipe, and names of hosts as they are typed', async () => {
  const pipe = at('keys');
  execFileSync('mkfifo', [pipe]);
  const writing = spawn('sh', ['-c', `printf 'first\\nsecond\\n' > '${pipe}'`]);
  const server = await startServer({ args: ['--api-keys-file', pipe, '--hosts', 'B\u00fccher.example'] });
  try {
    const status = (key: string): Promise<number> =>
      new Promise((resolve, reject) => {
        get(`${server.url}/v1/collections`, { headers: { host: 'xn--bcher-kva.example', authorization: `Bearer ${key}` } }, (response) => resolve(response.resume().statusCode!)).on('error', reject);
      });
    expect([await status('second'), await status('third')]).toEqual([200, 401]);
  } finally {
    writing.kill();
    await server.remove();
  }
});
