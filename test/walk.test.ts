/** Folders as people have them: what is taken in, what is left out and told, and names of any bytes. */
import { execFileSync, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { absoluteName, nameBytes, toldName } from '../src/file-names.js';
import { call, items } from './api.js';
import { drawn } from './pictures.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

let server: RunningServer;
let folder: string;
/** What the service may read, and what has to be uploaded. */
let root: string;
let outside: string;
let seeds = 0;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'mixspace-walk-')));
  [root, outside] = [path.join(folder, 'root'), path.join(folder, 'outside')];
  await Promise.all([mkdir(root), mkdir(outside)]);
  await chmod(folder, 0o755);
  server = await startServer({ args: ['--roots', root] });
}, 60_000);
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const picture = (): Promise<Buffer> => drawn(900 + seeds++, 'jpeg', 32, 24);
async function put(at: string, names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(at, name)), { recursive: true });
    await writeFile(path.join(at, name), await picture());
  }
}
async function add(...args: string[]): Promise<{ code: number | null; summary: any; stderr: string }> {
  const { code, stdout, stderr } = await runMixspace(['add', ...args, '--json', '--url', server.url]);
  return { code, summary: stdout === '' ? undefined : JSON.parse(stdout), stderr };
}
const sourcesIn = async (collection: string): Promise<string[]> => (await call(server.url, 'GET', `${items(collection)}?limit=1000`)).body.items.flatMap((each: any) => each.sources).sort();

describe('What a folder holds', () => {
  it('is a picture by its content, whatever it is called, and what is none is told by its kind', async () => {
    const at = path.join(root, 'kinds');
    await put(at, ['a.jpg', 'b.jfif', 'c.jpe', 'bare', 'IMG.JPEG', 'disguised.txt', 'sub/d.jpg']);
    await copyFile(path.join(repository, 'test/fixtures/heic/house.heic'), path.join(at, 'phone'));
    await put(at, ['@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg', '#recycle/x.jpg', '$RECYCLE.BIN/y.jpg', 'System Volume Information/z.jpg', '.thumbnails/t.jpg', '__MACOSX/._a.jpg', 'lost+found/l.jpg', '.Trash-1000/files/w.jpg', '.hidden/h.jpg', '.dotted.jpg']);
    await writeFile(path.join(at, 'notes.txt'), 'no picture');
    await writeFile(path.join(at, 'clip.mp4'), Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'));
    await writeFile(path.join(at, 'paper.pdf'), '%PDF-1.7\n');
    await symlink('.', path.join(at, 'loop'));
    execFileSync('mkfifo', [path.join(at, 'pipe.jpg')]);

    const { code, summary } = await add(at, '--collection', 'kinds', '--verbose');
    expect(code).toBe(0);
    expect(summary).toMatchObject({ found: 8, created: 8, failures: [], leftOut: { other: 4, links: 1, hidden: 2, sideFolders: 8, excluded: 0, unreadable: [] } });
    expect(await sourcesIn('kinds')).toEqual(['IMG.JPEG', 'a.jpg', 'b.jfif', 'bare', 'c.jpe', 'disguised.txt', 'phone', 'sub/d.jpg'].map((name) => path.join(at, name)));
    expect(summary.left_out).toHaveLength(15);
    expect(summary.left_out).toContainEqual({ file: path.join(at, '@eaDir'), why: "another program's folder" });
    expect(summary.left_out.filter(({ reason }: any) => reason).map(({ file, reason }: any) => [path.basename(file), reason])).toEqual([['clip.mp4', expect.stringContaining('video')], ['paper.pdf', 'a PDF']]);
    expect(summary.leftOut.some.other).toEqual(['clip.mp4', 'notes.txt', 'paper.pdf', 'pipe.jpg'].map((name) => path.join(at, name)));

    const { stdout } = await runMixspace(['add', at, '--collection', 'kinds', '--url', server.url]);
    expect(stdout).toMatch(new RegExp(`8 already there\\.\n4 other files left out\\.\n  ${path.join(at, 'clip.mp4')}\n.*\n.*\n  \\.\\.\\.\n1 link not followed\\.\n  ${path.join(at, 'loop')}\n`));
    expect(stdout).toContain("8 other programs' folders left out.");
  });

  it('is left out by globs and .mixspaceignore files just as git leaves it out, and taken back', async () => {
    const [at, repo] = [path.join(root, 'rules'), path.join(folder, 'repo')];
    const names = ['top.png', 'keep.png', 'raw/a.jpg', 'raw/b.jpg', 'raw/keep/c.jpg', 'Old/x.JPG', 'old2/x.jpg', 'a/b/old/y.jpg', 'a/deep/x/y/z.jpg', 'a/b/z.jpg', 'sub/one.jpg', 'sub/two.jpg', 'sub/in/two.jpg', 'sub/in/three.jpg', 'odd [1].jpg', '#hash.jpg', '!bang.jpg', 'space .jpg'];
    const files = {
      '': ['# a comment', '', 'raw/*', '!raw/keep/', 'a/**/z.jpg', '/old2', 'odd \\[1\\].jpg', '\\#hash.jpg', '\\!bang.jpg', '*.png', '!keep.png', 'space .jpg   '].join('\r\n'),
      sub: '/two.jpg\nin/*\n!in/three.jpg\n',
    };
    await put(at, names);
    await put(repo, names);
    execFileSync('git', ['init', '-q', repo]);
    for (const [where, text] of Object.entries(files)) {
      await writeFile(path.join(at, where, '.mixspaceignore'), text);
      await writeFile(path.join(repo, where, '.gitignore'), text.replaceAll('\r', ''));
    }
    const byGit = execFileSync('git', ['-C', repo, '-c', 'core.ignorecase=true', '-c', 'core.quotepath=false', 'ls-files', '-o', '--exclude-standard', '-z'], { encoding: 'utf8' }).split('\0').filter((name) => name !== '' && !name.endsWith('.gitignore'));
    expect(byGit).toContain('raw/keep/c.jpg');
    const { code, summary } = await add(at, '--collection', 'rules');
    expect(code).toBe(0);
    expect(await sourcesIn('rules')).toEqual(byGit.map((name) => path.join(at, name)).sort());
    expect(summary.leftOut.excluded).toBeGreaterThan(5);

    await put(at, ['@eaDir/e.jpg', '.hidden/h.jpg', '.hidden/more.heic']);
    await add(at, '--collection', 'back', '--exclude', 'sub', '--exclude', 'a', '--exclude', '*.jpg', '--exclude', '!/@eaDir', '--exclude', '!e.jpg', '--include', 'sub/in/*ee.jpg', '--include', 'top.png');
    expect(await sourcesIn('back')).toEqual(['@eaDir/e.jpg', 'keep.png', 'sub/in/three.jpg', 'top.png'].map((name) => path.join(at, name)));
  });

  it('is refused or left alone where a glob would take for ever, or what is to be left out is not known', async () => {
    const refused = await add(root, '--exclude', '*a*a*a*a*a*b');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/glob "\*a\*a\*a\*a\*a\*b" to exclude has more than 3 `\*` in a name/)]);
    const served = await runMixspace(['serve', root, '--exclude', '*a*a*a*a*a*b', '--port', '1']);
    expect([served.code, served.stderr]).toEqual([2, expect.stringContaining('more than 3 `*`')]);
    const at = path.join(root, 'unsure');
    await put(at, ['fine/a.jpg', 'pipe/d.jpg', 'unknown/b.jpg', 'vast/c.jpg']);
    execFileSync('mkfifo', [path.join(at, 'pipe/.mixspaceignore')]);
    await writeFile(path.join(at, 'unknown/.mixspaceignore'), '*.png\n**/a/**/b/**/c\n');
    await writeFile(path.join(at, 'vast/.mixspaceignore'), 'x'.repeat(70_000));
    const { code, summary } = await add(at, '--collection', 'unsure');
    expect([code, summary.found]).toEqual([1, 1]);
    expect(summary.leftOut.unreadable).toEqual([path.join(at, 'pipe'), path.join(at, 'unknown'), path.join(at, 'vast')]);
    expect(summary.leftOut.reasons).toEqual(['Its .mixspaceignore is no file', expect.stringMatching(/^Line 2 of its \.mixspaceignore has more than 2 `\*\*`$/), 'Its .mixspaceignore is over 65536 bytes']);
  });
});

describe('What cannot be read', () => {
  const nobody = 65_534;
  const asNobody = async (...args: string[]): Promise<{ code: number | null; stdout: string }> => {
    const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'add', ...args, '--url', server.url], { uid: nobody, gid: nobody, stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], HOME: '/' } });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    return { code: await new Promise<number | null>((resolve) => child.once('close', resolve)), stdout };
  };

  it.skipIf(process.getuid?.() !== 0)('is named with its reason, folder, file and root, and the exit code says so', { timeout: 30_000 }, async () => {
    const at = path.join(outside, 'forbidden');
    await put(at, ['open/a.jpg', 'shut/b.jpg', 'c', 'd.jpg']);
    await chmod(path.join(at, 'shut'), 0);
    await chmod(path.join(at, 'c'), 0);
    await chmod(path.join(at, 'd.jpg'), 0);
    const { code, stdout } = await asNobody(at, '--collection', 'forbidden', '--json');
    const { created, failures, leftOut } = JSON.parse(stdout);
    expect([code, created]).toEqual([1, 1]);
    expect(leftOut.unreadable.map((file: string, i: number) => [path.relative(at, file), leftOut.reasons[i]])).toEqual([['c', 'permission is denied (EACCES)'], ['shut', 'permission is denied (EACCES)']]);
    expect(failures).toEqual([{ file: path.join(at, 'd.jpg'), reason: 'The file cannot be read (EACCES).' }]);
    // Under a folder that is shut, not even whether it is there is known.
    const alone = await asNobody(path.join(at, 'shut'), path.join(at, 'shut/b.jpg'), '--collection', 'forbidden');
    expect([alone.code, alone.stdout]).toEqual([1, expect.stringContaining(`Cannot be read, and so not looked into:\n  ${path.join(at, 'shut')}: permission is denied (EACCES)\n  ${path.join(at, 'shut/b.jpg')}: permission is denied (EACCES)\n`)]);
  });

  it('as when its path is too long for the system, does not hide the rest', async () => {
    const at = path.join(root, 'long');
    const name = 'n'.repeat(251);
    await put(at, [`${name}.jpg`, 'short.jpg']);
    execFileSync('bash', ['-c', `cd "$0" && for i in $(seq 17); do mkdir ${name} && cd ${name}; done`, at]);
    const { code, summary } = await add(at, '--collection', 'long');
    expect([code, summary.created, summary.leftOut.unreadable.length]).toEqual([1, 2, 1]);
    expect(summary.leftOut.reasons).toEqual(['its path is longer than the system takes (ENAMETOOLONG)']);
    expect(await sourcesIn('long')).toEqual([path.join(at, `${name}.jpg`), path.join(at, 'short.jpg')]);
    await rm(at, { recursive: true, force: true }).catch(() => execFileSync('rm', ['-rf', at]));
  });
});

describe('Names of any bytes', () => {
  const bytes = [Buffer.from('caf\xe9.jpg', 'latin1'), Buffer.from('caf\xe8.jpg', 'latin1'), Buffer.from('caf%E9.jpg'), Buffer.from('café.jpg'), Buffer.from('\xff \xfe#?%41\n.jpg', 'latin1'), Buffer.from('日本\x80.jpg'.slice(0, 2)), Buffer.concat([Buffer.from('日本'), Buffer.from([0x80]), Buffer.from('語.jpg')])];

  it.for([0, 1])('are told apart, and lead back to their files, by path and as uploads (%s)', async (place) => {
    const at = path.join([root, outside][place]!, 'bytes');
    const collection = `bytes-${place}`;
    const inner = Buffer.concat([Buffer.from(at), Buffer.from('/\xdcber', 'latin1')]);
    await mkdir(inner, { recursive: true });
    const files = [...bytes.map((name) => Buffer.concat([Buffer.from(`${at}/`), name])), Buffer.concat([inner, Buffer.from('/plain.jpg')])];
    for (const file of files) await writeFile(file, await picture());
    expect(await readdir(at, { encoding: 'buffer' })).toHaveLength(files.length);

    const first = await add(at, '--collection', collection);
    expect([first.code, first.summary.found, first.summary.created]).toEqual([0, files.length, files.length]);
    const sources = await sourcesIn(collection);
    expect(sources).toEqual([`${at}/caf%E9.jpg`, `${at}/café.jpg`, `${at}/日本`, `file://${at}/%DCber/plain.jpg`, `file://${at}/%FF%20%FE%23%3F%2541%0A.jpg`, `file://${at}/caf%E8.jpg`, `file://${at}/caf%E9.jpg`, `file://${at}/日本%80語.jpg`].sort());
    // A URL as any other reader of URLs takes it.
    expect(sources.map((told) => (told.startsWith('file:') ? Buffer.from(new URL(told).pathname.replace(/%([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1') : Buffer.from(told)).toString('hex')).sort()).toEqual(files.map((file) => file.toString('hex')).sort());

    const again = await add(at, '--collection', collection);
    expect(again.summary).toMatchObject({ created: 0, updated: 0, known: files.length });
    if (place === 1) return;
    expect((await add(`file://${at}/%DCber`, '--collection', collection)).summary).toMatchObject({ found: 1, known: 1 });
    // By their paths, and again where they lie.
    const named = await call(server.url, 'POST', items(`${collection}`), { items: sources.map((told, i) => ({ id: `named ${i}`, path: told })) });
    expect(named.body.items.map(({ status }: any) => status)).toEqual(sources.map(() => 'created'));
    expect((await call(server.url, 'GET', `${items(collection)}/named%20${sources.length - 1}`)).body.sources).toEqual([sources.at(-1)]);
    const found = await call(server.url, 'GET', `${items(collection)}?filter=${encodeURIComponent(JSON.stringify({ '$item.source': `file://${at}/caf%E8.jpg` }))}`);
    const original = await fetch(`${server.url}${items(collection)}/${found.body.items[0].id}/image?size=original`);
    expect([original.status, original.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    for (const wrong of [`file://elsewhere${at}/caf%E9.jpg`, `file://${at}/%2E%2E/%2e%2e/outside/bytes/caf%E9.jpg`, `file://${at}/caf%00.jpg`, 'file:caf.jpg']) {
      expect((await call(server.url, 'POST', items(collection), { items: [{ path: wrong }] })).body.items[0], wrong).toMatchObject({ status: 'failed', error: { code: 'unprocessable', param: 'path' } });
    }
  });

  it('come back the same from how they are told, whatever they are', () => {
    let state = 7;
    const random = (below: number): number => ((state = (state * 1_103_515_245 + 12_345) % 2 ** 31) >> 8) % below;
    const told = new Map<string, string>();
    for (let i = 0; i < 5_000; i++) {
      const alphabet = [...Buffer.from('aé%/ #日?\\41'), 0xff, 0xe9, 0xc3, 0xed, 0xa0, 0x80, 0xf5, 10];
      const name = Buffer.from([0x2f, ...Array.from({ length: 1 + random(9) }, () => alphabet[random(alphabet.length)]!)]);
      const as = toldName(name);
      if (!nameBytes(as)!.equals(name) || (told.get(as) ?? name.toString('hex')) !== name.toString('hex')) expect.fail(as);
      told.set(as, name.toString('hex'));
    }
    expect(absoluteName('file:///a/../%E9/b')).toBe('file:///%E9/b');
    expect(absoluteName('file:///a/b%20c')).toBe('/a/b c');
  });
});

it('A folder in the name of an upload is kept, and leads nowhere', async () => {
  const form = new FormData();
  for (const name of ['holiday/a.jpg', 'holiday/../../etc/b.jpg', '/home/me/c.jpg', 'C:\\Users\\me\\d.jpg', './e.jpg', 'holiday/rome/a.jpg']) form.append('file', new Blob([new Uint8Array(await picture())]), name);
  form.append('metadata', JSON.stringify({ 'holiday/rome/a.jpg': { city: 'Rome' }, 'b.jpg': { city: 'none' } }));
  await call(server.url, 'POST', '/v1/collections', { name: 'uploads' });
  const { body } = await call(server.url, 'POST', items('uploads'), form);
  expect(body.items.map(({ status }: any) => status)).toEqual(Array(6).fill('created'));
  expect(await sourcesIn('uploads')).toEqual(['holiday/a.jpg', 'holiday/etc/b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'holiday/rome/a.jpg'].sort());
  const { items: all } = (await call(server.url, 'GET', items('uploads'))).body;
  expect(all.map(({ sources, metadata }: any) => [sources[0], metadata.city]).filter(([, city]: any) => city).sort()).toEqual([['holiday/etc/b.jpg', 'none'], ['holiday/rome/a.jpg', 'Rome']]);
});

it('serve PATH leaves out what it is told to, and says what it left out', async () => {
  const at = path.join(folder, 'served');
  await put(at, ['a.jpg', 'b.jpg', 'raw/c.jpg', '@eaDir/d.jpg']);
  const served = await startServer({ args: [at, '--exclude', 'raw', '--exclude', 'b.*'] });
  try {
    await expect.poll(() => served.logs(), { timeout: 30_000 }).toContain('Pictures taken in.');
    const told = JSON.parse(served.logs().split('\n').find((line) => line.includes('Pictures taken in.'))!);
    expect(told).toMatchObject({ found: 1, created: 1, leftOut: { excluded: 2, sideFolders: 1, some: { excluded: [path.join(at, 'b.jpg'), path.join(at, 'raw')] } } });
  } finally {
    await served.remove();
  }
});
