/** The index directory, and the folders of pictures. */
import { accessSync, constants, opendirSync, readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config.js';
import { lookAt } from '../../store/embedded/look.js';
import { plural, sizeOf } from '../print.js';
import { fail, ok, warn, type Finding } from './finding.js';

const elsewhere = 'or choose another folder with --index-dir (MIXSPACE_INDEX_DIR)';
const me = `this user (${process.getuid?.() ?? 'unknown'})`;
const littleDisk = 1e9;
const noDisk = 100e6;

export async function lookAtIndex(directory: string): Promise<Finding[]> {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) return [fail('index', `${directory} is no folder.`, `Move it away, ${elsewhere}.`)];
  const there = found ? directory : nearest(directory);
  if (!mayUse(there, constants.R_OK | constants.W_OK | constants.X_OK)) {
    return [fail('index', `${there} cannot be read and written by ${me}.`, `Give it to the user that runs the service (chown -R USER ${there}), ${elsewhere}.`)];
  }
  return [...(found ? lookAtDatabase(directory) : [ok('index', `${directory} is not there yet; the first start makes it.`)]), await lookAtDisk(there)];
}

function lookAtDatabase(directory: string): Finding[] {
  const { databaseBytes, held, problem, holders } = lookAt(directory);
  const database = path.join(directory, 'mixspace.db');
  const restore = 'Restore a backup: mixspace restore BACKUP.tar --index-dir FOLDER.';
  if (problem !== undefined) return [fail('index', problem, `${restore} mixspace check tells more.`)];
  if (databaseBytes === 0) {
    return [held ? fail('index', `The database is gone from ${directory}, which held ${plural(held.items, 'item')}.`, restore) : ok('index', `${directory} is empty.`)];
  }
  if (!mayUse(database, constants.R_OK | constants.W_OK)) return [fail('index', `${database} cannot be read and written by ${me}.`, `Give it to the user that runs the service: chown -R USER ${directory}.`)];
  const size = `${directory}: a database of ${sizeOf(databaseBytes)}`;
  const user = holders?.length ? `; process ${holders.join(' and ')} (${holders.map(commandOf).join(', ')}) uses it, and no second one can` : holders ? '; no process uses it' : '';
  return [
    held
      ? ok('index', `${size}, ${plural(held.items, 'item')}${user}.`)
      : warn('index', `${size}, without a mixspace.mark: nothing tells whether it is all that was there${user}.`, 'Run mixspace check while no service uses it; the next start makes the mark.'),
  ];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'of another user';
  }
}

async function lookAtDisk(directory: string): Promise<Finding> {
  const { bavail, bsize, type } = await statfs(directory);
  const free = bavail * bsize;
  const found = `${sizeOf(free)} free where ${directory} lies.`;
  const mend = 'Make room, or move the index directory to a larger disk while the service is stopped.';
  if (networkFileSystems.has(type)) return warn('disk', `${found} It is a network file system, on which a database's locks and flushes may not hold.`, 'Keep the index directory on a local disk; pictures may lie anywhere.');
  if (free < noDisk) return fail('disk', found, mend);
  return free < littleDisk ? warn('disk', found, mend) : ok('disk', found);
}

/** statfs(2): NFS, SMB, SMB2, CIFS. */
const networkFileSystems = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42]);

/** The folder that is there, of those a path goes through. */
function nearest(directory: string): string {
  const parent = path.dirname(directory);
  return statSync(directory, { throwIfNoEntry: false }) || parent === directory ? directory : nearest(parent);
}

function mayUse(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

export function lookAtRoots(roots: string[]): Finding[] {
  if (roots.length === 0) return [ok('roots', 'None: pictures come by upload alone.')];
  return roots.map((root) => {
    const found = statSync(root, { throwIfNoEntry: false });
    if (!found) return fail('roots', `${root} is not there.`, 'Mount or make it, or leave it out of the paths and of MIXSPACE_ROOTS.');
    if (!mayUse(root, found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK)) return fail('roots', `${root} cannot be read by ${me}.`, 'Let the user that runs the service read it: its permissions, or a group that both are in.');
    if (path.dirname(root) === root) return warn('roots', `${root} is all of this machine: every picture on it may be read over the API.`, 'Name the folders of pictures alone.');
    return ok('roots', `${root} can be read.`);
  });
}

/** A folder takes one watch of the user's. */
export function lookAtWatch({ watch }: Pick<Config, 'watch'>, paths: string[]): Finding[] {
  if (!watch || process.platform !== 'linux') return [];
  if (paths.length === 0) return [warn('watch', 'Nothing is followed: --watch is of the paths that are given.', 'Name the folders: mixspace serve --watch PATH.')];
  const limit = Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'));
  const folders = paths.reduce((sum, each) => sum + foldersUnder(each, limit), 0);
  const found = `${folders > limit ? `More than ${limit} folders` : plural(folders, 'folder')} to follow; this user may follow ${limit}, all programs together.`;
  if (folders < limit / 2) return [ok('watch', found)];
  return [(folders > limit ? fail : warn)('watch', found, `As root: echo fs.inotify.max_user_watches=${2 ** Math.ceil(Math.log2(4 * folders))} > /etc/sysctl.d/60-mixspace.conf && sysctl --system. Until then a look each --watch-look seconds finds what changes.`)];
}

/** With itself; counted no further than `most`. */
function foldersUnder(root: string, most: number): number {
  const waiting = [root];
  let count = 0;
  for (let each = waiting.pop(); each !== undefined && count <= most; each = waiting.pop()) {
    try {
      const open = opendirSync(each);
      count++;
      for (let entry = open.readSync(); entry; entry = open.readSync()) if (entry.isDirectory()) waiting.push(path.join(each, entry.name));
      open.closeSync();
    } catch {
      // What cannot be read is not followed.
    }
  }
  return count;
}
