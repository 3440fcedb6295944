import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentId, listPictures, readPictureFile } from '../src/picture-files.js';
import { call, items } from './api.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
let folder: string;
/** What the server may read, and what it may not. */
let root: string;
let outside: string;
let seeds = 0;
const idOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const add = async (...paths: string[]): Promise<any[]> => (await call(server.url, 'POST', items(), { items: paths.map((each) => ({ path: each })) })).body.items;
const isThere = async (bytes: Buffer): Promise<boolean> => (await call(server.url, 'POST', `${items()}/exists`, { ids: [idOf(bytes)] })).body.missing.length === 0;
async function picture(...names: string[]): Promise<{ file: string; bytes: Buffer }> {
  const file = path.join(...names);
  const bytes = await drawn(500 + seeds++, 'png', 32, 24);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return { file, bytes };
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'mixspace-roots-')));
  root = path.join(folder, 'root');
  outside = path.join(folder, 'outside');
  await Promise.all([mkdir(root), mkdir(outside)]);
  server = await startServer({ args: ['--roots', `${root},/dev,/proc`], env: { MIXSPACE_MAX_PICTURE: '1MB' } });
});
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('files named by path', () => {
  it('are never taken in from outside, however often a folder is exchanged for a link between check and reading', async () => {
    const inner = await picture(root, 'swapped/a.png');
    const secret = await picture(outside, 'a.png');
    await symlink(outside, path.join(root, 'link'));
    // Exchanges `swapped` and a link to `outside` under one name, as fast as it can.
    const swapper = spawn(process.execPath, ['-e', `
      const fs = require('fs'); const [dir, away, link] = process.argv.slice(1); let count = 0;
      const round = () => {
        for (let i = 0; i < 500; i++, count++) { fs.renameSync(dir, away); fs.renameSync(link, dir); fs.renameSync(dir, link); fs.renameSync(away, dir); }
        process.send(count); setImmediate(round);
      };
      round();`, path.join(root, 'swapped'), path.join(root, 'away'), path.join(root, 'link')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let swaps = 0;
    swapper.on('message', (count: number) => (swaps = count));
    const outcomes: any[] = [];
    const taken = (): number => outcomes.filter(({ status }) => status !== 'failed').length;
    const refused = (): number => outcomes.filter(({ error }) => error?.message === "The path is outside the server's folders.").length;
    try {
      // Until it was met often in either state, so that the exchanges came in between.
      while (outcomes.length < 1_024 || swaps < 2_000 || taken() <= 50 || refused() <= 50) {
        const before = swaps;
        outcomes.push(...(await add(...Array<string>(128).fill(inner.file))));
        while (swaps === before) await new Promise((resolve) => swapper.once('message', resolve));
      }
    } finally {
      swapper.kill('SIGKILL');
    }
    const ids = new Set(outcomes.map(({ id }) => id).filter((id) => id !== null));
    expect(ids).toEqual(new Set([idOf(inner.bytes)]));
    expect(await isThere(secret.bytes)).toBe(false);
  });

  it('are read through links that stay inside, and refused through those that lead out', async () => {
    const inner = await picture(root, 'deep/inner.png');
    const secret = await picture(outside, 'secret.png');
    await symlink(inner.file, path.join(root, 'to-inner.png'));
    await symlink(secret.file, path.join(root, 'to-secret.png'));
    await symlink(outside, path.join(root, 'to-outside'));
    await symlink(path.join(root, 'to-inner.png'), path.join(outside, 'back.png'));
    await symlink('/nowhere', path.join(root, 'dangling.png'));
    const [through, ...others] = await add(
      path.join(root, 'to-inner.png'),
      path.join(root, 'to-secret.png'),
      path.join(root, 'to-outside/secret.png'),
      path.join(root, '../outside/secret.png'),
      secret.file,
      path.join(outside, 'nothing.png'),
      path.join(root, 'dangling.png'),
      path.join(root, 'nothing.png'),
      'deep/inner.png',
    );
    expect(through).toMatchObject({ id: idOf(inner.bytes), status: 'created' });
    const out = "The path is outside the server's folders.";
    expect(others.map(({ error }) => error.message)).toEqual([out, out, out, out, out, 'There is no file at this path.', 'There is no file at this path.', "A path is absolute, as the server's machine writes it."]);
    expect((await add(path.join(outside, 'back.png')))[0]).toMatchObject({ id: idOf(inner.bytes), status: 'updated' });
  });

  it('may be a second name of a file elsewhere, which no path tells', async () => {
    const elsewhere = await picture(outside, 'linked.png');
    await link(elsewhere.file, path.join(root, 'linked.png'));
    expect((await add(path.join(root, 'linked.png')))[0]).toMatchObject({ id: idOf(elsewhere.bytes), status: 'created' });
  });

  it('are files: folders, pipes, sockets and devices are refused at once', async () => {
    const pipe = path.join(root, 'pipe.png');
    execFileSync('mkfifo', [pipe]);
    const at = path.join(root, 'socket.png');
    const listener: Server = createServer();
    await new Promise<void>((resolve) => listener.listen(at, resolve));
    try {
      const outcomes = await add(root, pipe, at, '/dev/zero', '/dev/null');
      expect(outcomes.map(({ status, error }) => [status, error.code, error.param])).toEqual(Array(5).fill(['failed', 'unprocessable', 'path']));
      expect(outcomes.map(({ error }) => error.message)).toEqual(['The path is not a file.', 'The path is not a file.', 'The file cannot be opened (ENXIO).', 'The path is not a file.', 'The path is not a file.']);
    } finally {
      listener.close();
    }
  });

  it('are read up to the size that they had when they were opened, and refused where they hold more', async () => {
    // The kernel's files have no size, and many bytes.
    const [status, symbols] = await add(`/proc/${server.process.pid}/status`, '/proc/kallsyms');
    for (const { error } of [status, symbols]) expect(error).toMatchObject({ code: 'unprocessable', param: 'path', message: 'The file is being written to; send it again when it is whole.' });
    const large = path.join(root, 'large.png');
    await writeFile(large, Buffer.alloc(1_000_001));
    expect((await add(large))[0].error).toMatchObject({ code: 'too_large', param: 'path' });
  });

  it('keep their folder, and what has come to lie at their path is given to nobody', async () => {
    const inner = await picture(root, 'later/a.png');
    await picture(outside, 'a.png');
    const [{ id }] = await add(inner.file);
    const original = (): Promise<any> => call(server.url, 'GET', `${items()}/${id}/image?size=original`);
    expect((await original()).status).toBe(200);
    await rename(path.join(root, 'later'), path.join(root, 'later-away'));
    await symlink(outside, path.join(root, 'later'));
    const answer = await original();
    expect([answer.status, answer.body.error.code]).toEqual([404, 'not_found']);
  });
});

describe('folders that are walked', () => {
  it('give what lay in them when they were listed: nothing is read through a link put in its place', async () => {
    const at = path.join(folder, 'walked');
    const inner = await picture(at, 'deep/a.png');
    const second = await picture(at, 'b.png');
    const secret = await picture(outside, 'a.png');
    const { pictures } = await listPictures([at]);
    expect(pictures.map(({ file }) => file)).toEqual([second.file, inner.file]);
    expect(await Promise.all(pictures.map(contentId))).toEqual([idOf(second.bytes), idOf(inner.bytes)]);
    expect(await readPictureFile(pictures[1]!)).toEqual(inner.bytes);

    await rename(path.join(at, 'deep'), path.join(at, 'away'));
    await symlink(outside, path.join(at, 'deep'));
    await rm(second.file);
    await symlink(secret.file, second.file);
    for (const each of pictures) {
      await expect(contentId(each)).rejects.toThrow('no file of this folder any more');
      await expect(readPictureFile(each)).rejects.toThrow('no file of this folder any more');
    }
  });

  it('may be reached by a link themselves, and pipes in them or in their place are not waited for', async () => {
    const at = path.join(folder, 'real');
    const inner = await picture(at, 'a.png');
    await symlink(at, path.join(folder, 'by-link'));
    execFileSync('mkfifo', [path.join(at, 'pipe.png')]);
    const { pictures, leftOut } = await listPictures([path.join(folder, 'by-link'), path.join(at, 'pipe.png')]);
    expect(pictures.map(({ file }) => file)).toEqual([path.join(folder, 'by-link/a.png')]);
    expect(leftOut.other).toBe(2);
    expect(await readPictureFile(pictures[0]!)).toEqual(inner.bytes);
    await rm(inner.file);
    execFileSync('mkfifo', [inner.file]);
    await expect(contentId(pictures[0]!)).rejects.toThrow('no file of this folder any more');
  });

  it('are taken in by path at the start, links left alone, and their originals are not copied', async () => {
    const at = path.join(folder, 'served');
    const inner = await picture(at, 'a.png');
    const secret = await picture(outside, 'served.png');
    await symlink(secret.file, path.join(at, 'b.png'));
    const serving = await startServer({ args: [at], env: { HOST: '0.0.0.0', MIXSPACE_ALLOW_OPEN: 'yes' } });
    try {
      await expect.poll(() => serving.logs(), { timeout: 60_000 }).toContain('Pictures taken in.');
      const { body } = await call(serving.url, 'GET', items());
      expect(body.items.map((each: any) => [each.id, each.sources])).toEqual([[idOf(inner.bytes), [inner.file]]]);
      const original = (): Promise<any> => call(serving.url, 'GET', `${items()}/${idOf(inner.bytes)}/image?size=original`);
      expect((await original()).status).toBe(200);
      expect(await readFile(inner.file)).toEqual(inner.bytes);
      await rm(inner.file);
      expect((await original()).status).toBe(404);
    } finally {
      await serving.remove();
    }
  });
});
