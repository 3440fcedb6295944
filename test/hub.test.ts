import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, items } from './api.js';
import { mountSmallDisk } from './crash/small-disk.js';
import { filesOf, gitHash, sha256, startHub, startProxy, type Files, type TestHub } from './hub-server.js';
import { repository, runMixspace, startServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');
const commitA = 'a'.repeat(40);
const commitB = 'b'.repeat(40);
const vision = 'onnx/vision_model.onnx';
const isPackageFile = (file: string): boolean => !file.startsWith('golden');

/** What a repository of this layout holds, variants and foreign weights among it. */
let clip: Files;
let hub: TestHub;
let models: string;

beforeAll(async () => {
  clip = await filesOf(path.join(fixtures, 'clip-tiny'), isPackageFile);
});

beforeEach(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-hub-'));
  const others: [string, Buffer][] = [
    ['README.md', Buffer.from('# A card')],
    ['LICENSE', Buffer.from('MIT')],
    ['pytorch_model.bin', Buffer.alloc(1000, 1)],
    ['onnx/model.onnx', Buffer.alloc(1000, 2)],
    ['onnx/vision_model_quantized.onnx', Buffer.concat([clip.get(vision)!])],
    ['onnx/text_model_quantized.onnx', clip.get('onnx/text_model.onnx')!],
    ['onnx/vision_model_fp16.onnx', clip.get(vision)!],
  ];
  hub = await startHub({ 'tests/clip-tiny': { branches: { main: commitA }, commits: { [commitA]: new Map([...clip, ...others]) }, card: { license: 'mit' } } });
});

afterEach(async () => {
  await hub.close();
  await rm(models, { recursive: true, force: true });
});

/** Without what whoever runs the tests has set. */
const quiet = { HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: '', HF_HOME: '', HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '', NO_PROXY: '', no_proxy: '' };
const environment = (): Record<string, string> => ({ ...quiet, HF_ENDPOINT: hub.url, MIXSPACE_MODELS_DIR: models, MIXSPACE_URL: 'http://127.0.0.1:9' });
const mixspace = (line: string, env: Record<string, string> = {}) => runMixspace(line.split(' '), { ...environment(), ...env });
const at = (...parts: string[]): string => path.join(models, ...parts);
const lockOf = async (name: string): Promise<any> => JSON.parse(await readFile(at(name, 'mixspace-lock.json'), 'utf8'));
const partSize = async (name: string): Promise<number> => {
  const entries = await readdir(at(`.pulling-${name}`, 'onnx')).catch(() => []);
  const part = entries.find((entry) => entry.startsWith('vision_model.onnx') && entry.endsWith('.part'));
  return part === undefined ? -1 : (await stat(at(`.pulling-${name}`, 'onnx', part))).size;
};

/** A pull that goes on by itself. */
function startPull(line: string, env: Record<string, string> = {}): { kill(signal: NodeJS.Signals): void; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), ...line.split(' ')], { env: { ...process.env, ...environment(), ...env } });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return { kill: (signal) => child.kill(signal), ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr }))) };
}

describe('mixspace models pull', () => {
  it('brings the towers of one variant and what belongs to them, byte for byte, and writes down what came', async () => {
    const { code, stdout, stderr } = await mixspace('models pull tests/clip-tiny');
    expect(stderr).toContain('License: mit, free to use for anything.');
    expect(stdout).toMatch(/^clip-tiny is there, .* every file as on the hub/);
    expect(stdout).toContain('A running service takes it when a request names it');
    expect(code).toBe(0);
    const expected = new Map([...clip, ['README.md', Buffer.from('# A card')], ['LICENSE', Buffer.from('MIT')]] as [string, Buffer][]);
    const pulled = await filesOf(at('clip-tiny'));
    expect([...pulled.keys()].toSorted()).toEqual([...expected.keys(), 'mixspace-lock.json', 'model.json'].toSorted());
    for (const [file, bytes] of expected) expect([file, sha256(pulled.get(file)!)]).toEqual([file, sha256(bytes)]);
    const lock = await lockOf('clip-tiny');
    expect(lock).toMatchObject({ id: 'tests/clip-tiny', commit: commitA, revision: 'main', variants: ['fp32'], license: 'mit' });
    expect(lock.files).toEqual(Object.fromEntries([...expected].map(([file, bytes]) => [file, { size: bytes.length, sha256: sha256(bytes) }])));
    expect(JSON.stringify(lock)).not.toContain('127.0.0.1');
    expect(JSON.parse(pulled.get('model.json')!.toString())).toEqual({ license: 'mit' });
    expect(await readdir(models)).toEqual(['clip-tiny']);
  });

  it('does nothing but say so when all of it is there, and mends what is not as it was', async () => {
    await mixspace('models pull tests/clip-tiny');
    hub.asked.length = 0;
    expect((await mixspace('models pull tests/clip-tiny')).stdout).toMatch(/^clip-tiny is complete: .* Nothing to do\.\n$/);
    expect(hub.asked.map(({ path: asked }) => asked)).toEqual(['/api/models/tests/clip-tiny/revision/main?blobs=true']);
    await writeFile(at('clip-tiny', 'config.json'), '{}');
    expect((await mixspace('models check')).stdout).toMatch(/^clip-tiny: config\.json is changed\./);
    const refused = await mixspace('models pull tests/clip-tiny');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/to be replaced: config\.json\.\n.*--yes/s)]);
    hub.asked.length = 0;
    expect((await mixspace('models pull tests/clip-tiny --yes')).code).toBe(0);
    expect(hub.asked.flatMap(({ file }) => file ?? [])).toEqual(['config.json']);
    expect(await mixspace('models check clip-tiny')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^clip-tiny: 8 files as pulled from tests\/clip-tiny at commit aaaaaaaaaaaa\.\n$/) });
  });

  it('goes on after a cut connection from the last byte that was there', async () => {
    hub.mischief = { cut: { file: vision, after: 300_000, times: 2 } };
    const { code, stderr } = await mixspace('models pull tests/clip-tiny');
    expect(code).toBe(0);
    const size = clip.get(vision)!.length;
    const reached = [...stderr.matchAll(/vision_model\.onnx: the connection was cut after (\d+) of/g)].map(([, bytes]) => Number(bytes));
    expect(reached).toHaveLength(2);
    expect(reached[0]).toBeGreaterThan(0);
    expect(reached[1]).toBeGreaterThan(reached[0]!);
    expect(hub.bytesAsked(vision).map(({ from, sent }) => [from, sent])).toEqual([[0, 300_000], [reached[0], 300_000], [reached[1], size - reached[1]!]]);
    expect(await mixspace('models check')).toMatchObject({ code: 0 });
  });

  it.for(['SIGKILL', 'SIGINT'] as const)('goes on from where %s ended it, and a service never saw it half there', async (signal) => {
    hub.mischief = { hold: { file: vision, after: 400_000 } };
    const pull = startPull('models pull tests/clip-tiny');
    await expect.poll(() => partSize('clip-tiny'), { timeout: 60_000 }).toBe(400_000);
    expect(await readdir(models)).not.toContain('clip-tiny');
    expect((await mixspace('models pull tests/clip-tiny')).stderr).toMatch(/^mixspace: Process \d+ is pulling or removing clip-tiny/);
    expect((await mixspace('models list --offline')).stdout).toBe('');
    pull.kill(signal);
    const { code, stderr } = await pull.ended;
    if (signal === 'SIGINT') expect([code, stderr]).toEqual([130, expect.stringContaining('Stopped; what came is kept. Run the same command again to go on.')]);
    const sizeLeft = clip.get(vision)!.length - 400_000;

    hub.mischief = {};
    hub.asked.length = 0;
    const second = await mixspace('models pull tests/clip-tiny');
    expect(second.code).toBe(0);
    expect(hub.bytesAsked(vision).map(({ from, sent }) => [from, sent])).toEqual([[400_000, sizeLeft]]);
    // Those that had come whole are not asked for again.
    expect(hub.bytesAsked('config.json')).toEqual([]);
    expect(await mixspace('models check')).toMatchObject({ code: 0 });
    expect(await readdir(models)).toEqual(['clip-tiny']);
  });

  it('starts a file over where the hub does not know ranges', async () => {
    hub.mischief = { cut: { file: vision, after: 300_000, times: 1 }, ignoreRange: 1 };
    expect((await mixspace('models pull tests/clip-tiny')).code).toBe(0);
    const [first, second, ...more] = hub.bytesAsked(vision);
    expect(more).toEqual([]);
    expect(first!.from).toBe(0);
    expect(second!.from).toBeGreaterThan(0);
    expect(second!.sent).toBe(clip.get(vision)!.length);
    expect(await mixspace('models check')).toMatchObject({ code: 0 });
  });

  it.for([vision, 'tokenizer.json'])('refuses %s when its hash is wrong twice, and leaves nothing that a start would take', async (file) => {
    hub.mischief = { lie: { file, times: 2 } };
    const { code, stderr } = await mixspace('models pull tests/clip-tiny');
    expect(code).toBe(1);
    const bytes = clip.get(file)!;
    const wrong = Buffer.from(bytes);
    wrong[wrong.length - 1]! ^= 1;
    const hash = file === vision ? sha256 : gitHash;
    expect(stderr).toMatch(new RegExp(`^mixspace: ${file} is not what the hub says it is: expected .*${hash(bytes)} of ${bytes.length} bytes, found ${hash(wrong)}\\. `, 'm'));
    expect(await partSize('clip-tiny')).toBe(-1);
    // Even a whole package is none while it is being made ready.
    await cp(path.join(fixtures, 'clip-tiny'), at('.pulling-other'), { recursive: true });
    expect((await readdir(models)).filter((name) => !name.startsWith('.'))).toEqual([]);
    const start = await startServer({ env: { ...environment() } }).catch((error: Error) => error.message);
    expect(start).toContain('no folder is a usable model package');
    expect(start).not.toContain('pulling');

    hub.mischief = { lie: { file, times: 1 } };
    expect((await mixspace('models pull tests/clip-tiny')).code).toBe(0);
    expect(await mixspace('models check')).toMatchObject({ code: 0 });
  });

  it('asks again when the hub is busy', async () => {
    hub.mischief = { refuse: { status: 429, times: 2, headers: { 'retry-after': '0' } } };
    const { code, stderr } = await mixspace('models pull tests/clip-tiny');
    expect(code).toBe(0);
    expect(stderr).toMatch(/answers 429 \(too many requests\)\. Trying again\./);
    await rm(at('clip-tiny'), { recursive: true });
    hub.mischief = { refuse: { status: 503, times: 99, headers: { 'retry-after': '0' } } };
    const refused = await mixspace('models pull tests/clip-tiny');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/^mixspace: 127\.0\.0\.1:\d+ answers 503\. It was tried 6 times; run the same command again later/m)]);
    hub.mischief = { refuse: { status: 429, times: 99, headers: { ratelimit: '"resolvers";r=0;t=3000' } } };
    expect((await mixspace('models pull tests/clip-tiny')).stderr).toMatch(/The hub asks to wait 3000 s/);
  });

  it('shows the token to the hub alone, and says what to do where a model is gated', async () => {
    hub.repositories['tests/clip-tiny']!.gate = 'hf_secret';
    const without = await mixspace('models pull tests/clip-tiny');
    expect([without.code, without.stderr]).toEqual([2, expect.stringMatching(/tests\/clip-tiny is not open to everyone .*accept its terms at .*HF_TOKEN/)]);
    const wrong = await mixspace('models pull tests/clip-tiny', { HF_TOKEN: 'hf_other' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/ask for access at/)]);
    hub.asked.length = 0;
    const { code, stdout, stderr } = await mixspace('models pull tests/clip-tiny', { HF_TOKEN: 'hf_secret' });
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain('hf_secret');
    const shown = (host: string): Set<string | undefined> => new Set(hub.asked.filter((each) => each.host === host).map(({ authorization }) => authorization));
    expect(shown('hub')).toEqual(new Set(['Bearer hf_secret']));
    expect(shown('storage')).toEqual(new Set([undefined]));
  });

  it('finds the token where the hub\'s own tools keep it', async () => {
    hub.repositories['tests/clip-tiny']!.gate = 'hf_saved';
    await writeFile(at('token'), 'hf_saved\n');
    expect((await mixspace('models pull tests/clip-tiny', { HF_HOME: models })).code).toBe(0);
  });

  it('goes through a proxy, but for the hosts that need none', async () => {
    const proxy = await startProxy();
    try {
      expect((await mixspace('models pull tests/clip-tiny', { HTTP_PROXY: proxy.url })).code).toBe(0);
      expect(proxy.passed).toHaveLength(hub.asked.length);
      expect(new Set(proxy.passed.map((url) => new URL(url).origin))).toEqual(new Set([hub.url, hub.storageUrl]));
      await rm(at('clip-tiny'), { recursive: true });
      proxy.passed.length = 0;
      expect((await mixspace('models pull tests/clip-tiny', { HTTP_PROXY: proxy.url, NO_PROXY: 'example.org,127.0.0.1' })).code).toBe(0);
      expect(proxy.passed).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it('keeps to the commit that the hub named, although its branch moves meanwhile', async () => {
    const repo = hub.repositories['tests/clip-tiny']!;
    repo.commits[commitB] = new Map(repo.commits[commitA]).set('config.json', Buffer.from('{"moved": true}'));
    hub.mischief = { afterListing: () => (repo.branches['main'] = commitB) };
    expect((await mixspace('models pull tests/clip-tiny')).code).toBe(0);
    expect((await lockOf('clip-tiny')).commit).toBe(commitA);
    expect(await readFile(at('clip-tiny', 'config.json'))).toEqual(clip.get('config.json'));
  });

  it('follows a branch that has moved when told to, brings only what differs, and keeps what the user put beside it', async () => {
    await mixspace('models pull tests/clip-tiny');
    await mkdir(at('clip-tiny', 'golden'));
    await writeFile(at('clip-tiny', 'golden/texts.json'), '[]');
    const before = await lockOf('clip-tiny');
    const repo = hub.repositories['tests/clip-tiny']!;
    const moved = Buffer.from(`${clip.get('tokenizer_config.json')!.toString()}\n`);
    repo.commits[commitB] = new Map(repo.commits[commitA]).set('tokenizer_config.json', moved);
    repo.branches['main'] = commitB;
    const refused = await mixspace('models pull tests/clip-tiny');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/have to be embedded again.*--yes says yes/s)]);
    expect(await lockOf('clip-tiny')).toEqual(before);

    hub.asked.length = 0;
    expect((await mixspace('models pull tests/clip-tiny --yes')).code).toBe(0);
    expect(hub.asked.flatMap(({ file }) => file ?? [])).toEqual(['tokenizer_config.json']);
    expect(await readFile(at('clip-tiny', 'tokenizer_config.json'))).toEqual(moved);
    expect(await readFile(at('clip-tiny', 'golden/texts.json'), 'utf8')).toBe('[]');
    expect((await lockOf('clip-tiny')).commit).toBe(commitB);
    expect(await readdir(models)).toEqual(['clip-tiny']);
    // And back, by its commit.
    expect((await mixspace(`models pull tests/clip-tiny@${commitA} --yes`)).code).toBe(0);
    expect(await mixspace('models check')).toMatchObject({ code: 0, stdout: expect.stringContaining('aaaaaaaaaaaa') });
  });

  it('takes a variant by its name, adds another of the same commit, and tells the service which', async () => {
    const absent = await mixspace('models pull tests/clip-tiny --variant q4');
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringMatching(/no variant q4; there are fp32 \(2\.1 MB\), q8 \(2\.1 MB\)\.\n/)]);
    expect((await mixspace('models pull tests/clip-tiny --variant fp16')).stderr).toContain('no variant fp16');
    expect((await mixspace('models pull tests/clip-tiny --variant better')).stderr).toContain('--variant takes fp32, fp16, q8');
    await mixspace('models pull tests/clip-tiny');
    hub.asked.length = 0;
    const { code, stdout } = await mixspace('models pull tests/clip-tiny --variant q8');
    expect(code).toBe(0);
    expect(stdout).toContain('The service uses q8 of it from now on');
    expect(hub.asked.flatMap(({ file, host }) => (host === 'storage' ? [file] : []))).toEqual(['onnx/vision_model_quantized.onnx', 'onnx/text_model_quantized.onnx']);
    expect(await lockOf('clip-tiny')).toMatchObject({ variants: ['fp32', 'q8'], variant: 'q8' });
    expect(JSON.parse(await readFile(at('clip-tiny', 'model.json'), 'utf8'))).toEqual({ license: 'mit', variant: 'q8' });
    expect((await mixspace('models pull tests/clip-tiny --variant q8')).stdout).toContain('Nothing to do.');
    expect((await mixspace('models list --offline')).stdout).toMatch(/^clip-tiny\s+\S+ MB\s+mit\s+fp32, q8 of tests\/clip-tiny at aaaaaaaaaaaa\n$/);

    const repo = hub.repositories['tests/clip-tiny']!;
    repo.commits[commitB] = new Map(repo.commits[commitA]);
    repo.branches['main'] = commitB;
    const mixed = await mixspace('models pull tests/clip-tiny --variant q8');
    expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringMatching(/variants of two commits do not go together\. `mixspace models pull tests\/clip-tiny@a{40} --variant q8`/)]);
  });

  it('leaves a model.json that came with the model as it is', async () => {
    const own = Buffer.from('{"license": "MIT", "templates": ["a {label}"]}');
    hub.repositories['tests/clip-tiny']!.commits[commitA]!.set('model.json', own);
    const { stdout } = await mixspace('models pull tests/clip-tiny --variant q8');
    expect(await readFile(at('clip-tiny', 'model.json'))).toEqual(own);
    expect(stdout).toContain('It brought its own clip-tiny/model.json');
    expect(await lockOf('clip-tiny')).toMatchObject({ variants: ['q8'], variant: 'q8' });
  });

  it.for([
    { card: { license: 'cc-by-nc-4.0' }, says: /License: cc-by-nc-4\.0; it forbids commercial use\. Read it at/ },
    { card: { license: 'other', license_name: 'apple-amlr', license_link: 'https://example.org/terms' }, says: /License: apple-amlr; it allows research only\. Read it at https:\/\/example\.org\/terms\./ },
    { card: { license: 'gemma' }, says: /License: gemma; it sets conditions\./ },
    { card: undefined, says: /License: none is named on .*clip-tiny, so what the model may be used for is not known\./ },
  ])('asks before it brings what a license restricts ($card.license)', async ({ card, says }) => {
    const repo = hub.repositories['tests/clip-tiny']!;
    delete repo.card;
    if (card) repo.card = card;
    const { code, stderr } = await mixspace('models pull tests/clip-tiny');
    expect(code).toBe(2);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^mixspace: There is no terminal to ask on; --accept-license \(or --yes\) says yes\.\n$/m);
    expect(hub.asked.filter(({ file }) => file !== undefined)).toEqual([]);
    expect(await readdir(models)).toEqual([]);
    expect((await mixspace('models pull tests/clip-tiny --accept-license')).code).toBe(0);
  });

  it('knows the license of a model on the curated list where the hub names none, and the stricter of two', async () => {
    hub.repositories['Xenova/clip-vit-base-patch32'] = { branches: { main: commitA }, commits: { [commitA]: clip } };
    expect((await mixspace('models pull Xenova/clip-vit-base-patch32 --as b32')).code).toBe(0);
    hub.repositories['Xenova/mobileclip_s0'] = { branches: { main: commitA }, commits: { [commitA]: clip }, card: { license: 'mit' } };
    const apple = await mixspace('models pull Xenova/mobileclip_s0');
    expect([apple.code, apple.stderr]).toEqual([2, expect.stringContaining('License: Apple, research only; it allows research only.')]);
  });

  it('reads the other layouts: one of several folders, with or without towers of their own folder', async () => {
    const towers = [clip.get(vision)!, clip.get('onnx/text_model.onnx')!] as const;
    const small = Buffer.from('{}');
    const many: Files = new Map([
      ['LICENSE', Buffer.from('MIT')],
      ['one/config.json', small], ['one/visual/model.onnx', towers[0]], ['one/visual/preprocess_cfg.json', small], ['one/visual/model.armnn', small],
      ['one/textual/model.onnx', towers[1]], ['one/textual/model.onnx_data', Buffer.alloc(5)], ['one/textual/tokenizer.json', small], ['one/textual/tokenizer_config.json', small],
      ['two/visual.onnx', towers[0]], ['two/textual.onnx', towers[1]], ['two/tokenizer.json', small],
    ]);
    hub.repositories['tests/many'] = { branches: { main: commitA }, commits: { [commitA]: many }, card: { license: 'mit' } };
    const which = await mixspace('models pull tests/many');
    expect([which.code, which.stderr]).toEqual([1, expect.stringMatching(/It has models in folders: --folder one, --folder two\./)]);
    expect((await mixspace('models pull tests/many --folder one')).code).toBe(0);
    expect([...(await filesOf(at('one'))).keys()].toSorted()).toEqual(
      ['LICENSE', 'config.json', 'mixspace-lock.json', 'model.json', 'textual/model.onnx', 'textual/model.onnx_data', 'textual/tokenizer.json', 'textual/tokenizer_config.json', 'visual/model.onnx', 'visual/preprocess_cfg.json'],
    );
    const flat = await mixspace('models pull tests/many --folder two --as flat');
    expect(flat.stdout).toContain('Its repository has no config.json');
    expect([...(await filesOf(at('flat'))).keys()].toSorted()).toEqual(['LICENSE', 'mixspace-lock.json', 'model.json', 'textual.onnx', 'tokenizer.json', 'visual.onnx']);
  });

  it('takes the file that holds both towers where they are not published apart', async () => {
    const small = Buffer.from('{}');
    const files: Files = new Map([
      ...['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'].map((name) => [name, small] as const),
      ['onnx/model.onnx', clip.get(vision)!], ['onnx/model_fp16.onnx', Buffer.alloc(9)], ['onnx/model_quantized.onnx', Buffer.alloc(10)],
      ['onnx/vision_model_quantized.onnx', Buffer.alloc(5)], ['onnx/text_model_quantized.onnx', Buffer.alloc(6)],
    ]);
    hub.repositories['tests/joint'] = { branches: { main: commitA }, commits: { [commitA]: files }, card: { license: 'mit' } };
    expect((await mixspace('models pull tests/joint --variant fp32,q8')).code).toBe(0);
    const pulled = [...(await filesOf(at('joint'))).keys()].filter((name) => name.startsWith('onnx/')).toSorted();
    expect(pulled).toEqual(['onnx/model.onnx', 'onnx/text_model_quantized.onnx', 'onnx/vision_model_quantized.onnx']);
  });

  it('asks for sizes and hashes where the list lacks them, and finds a model under the name that it had', async () => {
    hub.mischief = { bareListing: true };
    hub.repositories['tests/old-name'] = { movedTo: 'tests/clip-tiny', branches: {}, commits: {} };
    const { code } = await mixspace('models pull tests/old-name');
    expect(code).toBe(0);
    expect(hub.asked.filter(({ method, host }) => method === 'HEAD' && host === 'hub')).toHaveLength(8);
    expect(sha256(await readFile(at('old-name', vision)))).toBe(sha256(clip.get(vision)!));
    expect((await mixspace('models pull tests/old-name')).stdout).toContain('Nothing to do.');
    await rm(at('old-name'), { recursive: true });
    hub.mischief = { bareListing: true, lie: { file: vision, times: 2 } };
    expect((await mixspace('models pull tests/old-name')).stderr).toContain('is not what the hub says it is');
  });

  it.for([
    { line: 'models pull tests/nowhere', code: 2, says: /has no model tests\/nowhere, or it is private/ },
    { line: 'models pull tests/clip-tiny@v9', code: 2, says: /tests\/clip-tiny has no revision v9\./ },
    { line: 'models pull ../../etc', code: 2, says: /A model on the hub is named like/ },
    { line: 'models pull tests/clip-tiny --as ../out', code: 2, says: /--as: a model's name is/ },
    { line: 'models pull tests/clip-tiny --as .hidden', code: 2, says: /--as: a model's name is/ },
    { line: 'models pull tests/clip-tiny --folder ../x', code: 2, says: /--folder names a folder inside/ },
    { line: 'models pull tests/clip-tiny --folder onnx', code: 1, says: /There is no model for mixspace in onnx of tests\/clip-tiny/ },
    { line: 'models remove ../x', code: 2, says: /The name: a model's name is/ },
  ])('$line ends with $code and a sentence', async ({ line, code, says }) => {
    const run = await mixspace(line);
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(run.stderr).toMatch(says);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(await readdir(models)).toEqual([]);
  });

  it('says which hub cannot be reached, and by which proxy', async () => {
    const { code, stderr } = await mixspace('models pull tests/clip-tiny', { HF_ENDPOINT: 'http://127.0.0.1:9' });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^mixspace: 127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\)\. It was tried 6 times/m)]);
    expect((await mixspace('models pull tests/clip-tiny', { HF_ENDPOINT: 'nonsense' })).stderr).toMatch(/HF_ENDPOINT takes an address/);
  }, 60_000);

  it('does not take the name of a model that is another', async () => {
    await mkdir(at('mine'));
    await writeFile(at('mine', 'config.json'), '{}');
    expect(await mixspace('models pull tests/clip-tiny --as mine')).toMatchObject({ code: 2, stderr: expect.stringMatching(/mine is there already and was not pulled/) });
    await mixspace('models pull tests/clip-tiny');
    hub.repositories['others/clip-tiny'] = hub.repositories['tests/clip-tiny']!;
    expect(await mixspace('models pull others/clip-tiny')).toMatchObject({ code: 2, stderr: expect.stringMatching(/The model clip-tiny is tests\/clip-tiny: --as gives/) });
  });

  it('looks for room before it begins, and says so when the disk fills up nevertheless', async ({ skip }) => {
    const disk = await mountSmallDisk(2);
    if (typeof disk === 'string') return skip(disk);
    try {
      const env = { MIXSPACE_MODELS_DIR: disk.directory };
      const { code, stderr } = await mixspace('models pull tests/clip-tiny', env);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^mixspace: \d+ bytes are to come, and the disk of .* has room for \d+\. Nothing was downloaded/m)]);
      // The room is there when it begins, and taken before it ends.
      hub.repositories['tests/clip-tiny']!.commits[commitA]!.set(vision, Buffer.alloc(500_000, 3));
      hub.mischief = { hold: { file: 'onnx/text_model.onnx', after: 100_000 } };
      const pull = startPull('models pull tests/clip-tiny', env);
      await expect.poll(() => hub.bytesAsked('onnx/text_model.onnx').length, { timeout: 60_000 }).toBe(1);
      await writeFile(path.join(disk.directory, 'filler'), Buffer.alloc(8e6)).catch(() => undefined);
      hub.release();
      const ended = await pull.ended;
      expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(/^mixspace: The disk is full: onnx\/text_model\.onnx \(985885 bytes\) does not fit in .*What came is kept/m)]);
      hub.mischief = {};
      await rm(path.join(disk.directory, 'filler'));
      expect((await mixspace('models pull tests/clip-tiny', env)).code).toBe(0);
    } finally {
      await disk.remove();
    }
  });
});

describe('a pulled model', () => {
  it('is served without a hub', async () => {
    await mixspace('models pull tests/clip-tiny --as clip-tiny');
    await hub.close();
    const server = await startServer({ env: { ...environment() } });
    try {
      const [model] = (await call(server.url, 'GET', '/v1/models')).body.data;
      expect(model).toMatchObject({ id: 'clip-tiny', license: 'mit' });
      const { status, body } = await call(server.url, 'POST', '/v1/embeddings', { model: 'clip-tiny', input: 'a boat' });
      expect([status, body.data[0].embedding.length]).toEqual([200, model.dimensions]);
    } finally {
      await server.remove();
      hub = await startHub({});
    }
  });

  it('is removed with a question, but not while a service would not start without it', async () => {
    await mixspace('models pull tests/clip-tiny');
    const last = await mixspace('models remove clip-tiny --yes');
    expect([last.code, last.stderr]).toEqual([2, expect.stringMatching(/is the last model in .*Pull another first/)]);
    await mixspace('models pull tests/clip-tiny --as second');
    const named = await mixspace('models remove clip-tiny --yes', { MIXSPACE_MODEL: 'clip-tiny' });
    expect([named.code, named.stderr]).toEqual([2, expect.stringMatching(/MIXSPACE_MODEL names clip-tiny/)]);
    expect((await mixspace('models remove nothing --yes')).stderr).toMatch(/There is no model nothing in .*; there are clip-tiny, second\./);
    const unasked = await mixspace('models remove clip-tiny');
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringMatching(/There is no terminal to ask on; --yes says yes/)]);

    const server = await startServer({ env: { ...environment(), MIXSPACE_MODEL: 'second' } });
    try {
      await call(server.url, 'POST', '/v1/collections', { name: 'boats', model: 'clip-tiny' });
      await call(server.url, 'POST', items('boats'), { items: [{ text: 'a boat' }] });
      const used = await mixspace('models remove second --yes', { MIXSPACE_URL: server.url });
      expect([used.code, used.stderr]).toEqual([2, expect.stringMatching(/has second as its default model/)]);
      const removed = await mixspace('models remove clip-tiny --yes', { MIXSPACE_URL: server.url });
      expect(removed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^clip-tiny is deleted, 2\.\d MB\.\n$/) });
      expect(removed.stderr).toContain('Made with it, and kept: boats (1 item).');
      expect(await readdir(models)).toEqual(['second']);
    } finally {
      await server.remove();
    }
  });

  it('that is a link is unlinked, and one that is only begun is cleared away', async () => {
    await mixspace('models pull tests/clip-tiny');
    const elsewhere = await mkdtemp(path.join(tmpdir(), 'mixspace-linked-'));
    await writeFile(path.join(elsewhere, 'config.json'), '{}');
    await symlink(elsewhere, at('linked'));
    expect((await mixspace('models remove linked --yes')).code).toBe(0);
    expect(await readdir(elsewhere)).toEqual(['config.json']);
    await rm(elsewhere, { recursive: true });
    hub.mischief = { hold: { file: vision, after: 400_000 } };
    const pull = startPull('models pull tests/clip-tiny --as begun');
    await expect.poll(() => partSize('begun'), { timeout: 60_000 }).toBe(400_000);
    pull.kill('SIGKILL');
    await pull.ended;
    expect(await mixspace('models remove begun --yes')).toMatchObject({ code: 0, stderr: expect.stringContaining('begun is only begun') });
    expect(await readdir(models)).toEqual(['clip-tiny']);
  });
});

describe('mixspace models known', () => {
  it('lists models with license, figures and the command that pulls them, without any network', async () => {
    const { code, stdout } = await mixspace('models known');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^CLIP ViT-B\/32\s+mit\s+224\s+~0\.6 GB\s+63\.3\s+58\.8 /m);
    expect(stdout).toContain('mixspace models pull yurijmikhalevich/rclip-models --folder ViT-B-32-256-datacomp_s34b_b86k');
    expect((await mixspace('models list --known')).stdout).toBe(stdout);
    expect(JSON.parse((await mixspace('models known --json')).stdout).models).toHaveLength(10);
    expect(hub.asked).toEqual([]);
  });

  it('lists and removes what a service takes for a model, though it was not pulled and holds odd things', async () => {
    await mkdir(at('own', 'visual'), { recursive: true });
    await writeFile(at('own', 'open_clip_config.json'), '{}');
    execFileSync('mkfifo', [at('own', 'model.json')]);
    expect((await mixspace('models list --offline')).stdout).toMatch(/^own\s/);
    expect((await mixspace('models check')).stdout).toContain('own: was not pulled');
    await mkdir(at('another'));
    await writeFile(at('another', 'config.json'), '{}');
    expect(await mixspace('models remove own -y')).toMatchObject({ code: 0 });
    expect(await readdir(models)).toEqual(['another']);
  });

  it('and the list of a service that is not there names the way without one', async () => {
    expect(await mixspace('models list')).toMatchObject({ code: 2, stderr: expect.stringMatching(/No mixspace answers at .* --offline lists the models directory without one\.\n$/) });
  });
});
