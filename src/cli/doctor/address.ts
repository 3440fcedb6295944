/** Where the service listens, who answers there, and whom it lets in. */
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { isLoopback, type Config } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { KeyRing } from '../../http/access/key-ring.js';
import { plural } from '../print.js';
import { fail, ok, warn, type Finding } from './finding.js';

type Address = Pick<Config, 'host' | 'port'>;

export interface Answering {
  isMixspace: boolean;
  isReady: boolean;
}

/** A busy one, or one that starts, takes its time. */
const answerWithinMs = 10_000;

/** Who answers; undefined where nobody listens. */
export async function whoAnswers({ host, port }: Address): Promise<Answering | undefined> {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  const ask = (at: string): Promise<Response> => fetch(`http://${reached}:${port}${at}`, { signal: AbortSignal.timeout(answerWithinMs) });
  try {
    const document = (await ask('/openapi.json').then((answer) => (answer.ok ? answer.json() : undefined)).catch((error: unknown) => nobody(error))) as { info?: { title?: string } } | undefined;
    if (document?.info?.title !== 'mixspace') return { isMixspace: false, isReady: false };
    return { isMixspace: true, isReady: await ask('/readyz').then(({ ok: isReady }) => isReady, () => false) };
  } catch {
    return undefined;
  }
}

/** Whoever answers otherwise is another program. @throws whatever says that nobody does */
function nobody(error: unknown): undefined {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  if (code === 'ECONNREFUSED' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH') throw error;
  return undefined;
}

const other = 'Stop it, or choose another port with --port (PORT); 0 takes a free one.';

export async function lookAtPort(address: Address, answering: Answering | undefined): Promise<Finding> {
  const { host, port } = address;
  if (port === 0) return ok('port', 'A free one is taken at the start.');
  if (answering?.isMixspace) {
    return answering.isReady
      ? ok('port', `A mixspace answers on port ${port}, and is ready.`)
      : warn('port', `A mixspace answers on port ${port}, and is not ready.`, `GET /readyz says why: curl http://127.0.0.1:${port}/readyz`);
  }
  if (answering) return fail('port', `Another program answers on port ${port}.`, other);
  const code = await tryToListen(address);
  if (code === undefined) return ok('port', `${port} is free on ${host}.`);
  if (code === 'EADDRINUSE') return fail('port', `Another program listens on port ${port}.`, other);
  if (code === 'EACCES') return fail('port', `This user may not listen on port ${port}.`, 'Take one from 1024 up, and let a proxy stand on the lower one.');
  return fail('port', `${host} is no address of this machine (${code}).`, 'HOST (--host) takes one of its own, 127.0.0.1 for itself alone, or 0.0.0.0 for all of them.');
}

function tryToListen({ host, port }: Address): Promise<string | undefined> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}

const make = 'mixspace keys new --scope admin >> FILE && chmod 600 FILE makes one.';

export async function lookAtAccess({ host, apiKeys, apiKeysFile, allowOpen }: Pick<Config, 'host' | 'apiKeys' | 'apiKeysFile' | 'allowOpen'>): Promise<Finding[]> {
  const { findings, hasKeys } = await lookAtKeys({ apiKeys, apiKeysFile });
  if (isLoopback(host)) return [ok('access', `It listens for this machine alone, ${hasKeys ? 'and asks for a key' : 'and asks for no key'}.`), ...findings];
  if (hasKeys) return [ok('access', `It listens on ${host} and asks for a key; over plain HTTP keys can be read on the way, so a proxy with HTTPS belongs in front.`), ...findings];
  const open = `It would listen on ${host} without keys: whoever reaches it reads and deletes everything.`;
  const mend = `Set MIXSPACE_API_KEYS_FILE (--api-keys-file), or listen on 127.0.0.1. ${make}`;
  return [allowOpen ? warn('access', open, mend) : fail('access', `${open} It does not start.`, mend), ...findings];
}

const shortKey = 20;

/** Keys whose file cannot be read are keys all the same: it does not start, and so lets nobody in. */
async function lookAtKeys({ apiKeys, apiKeysFile }: Pick<Config, 'apiKeys' | 'apiKeysFile'>): Promise<{ findings: Finding[]; hasKeys: boolean }> {
  const short = apiKeys.filter((key) => key.length < shortKey).length;
  const findings = short === 0 ? [] : [warn('keys', `${short} of the ${apiKeys.length} keys of MIXSPACE_API_KEYS can be guessed: shorter than ${shortKey} letters.`, make)];
  if (apiKeysFile === undefined) return { findings, hasKeys: apiKeys.length > 0 };
  try {
    const ring = await KeyRing.open({ apiKeys, apiKeysFile });
    const isSeen = process.platform !== 'win32' && (statSync(apiKeysFile).mode & 0o077) !== 0;
    const found = `${apiKeysFile} holds ${plural(ring.list().length - apiKeys.length, 'key')}`;
    findings.push(isSeen ? warn('keys', `${found}, and can be read by other users of this machine.`, `chmod 600 ${apiKeysFile}`) : ok('keys', `${found}.`));
    ring.close();
  } catch (error) {
    if (!(error instanceof MixspaceError)) throw error;
    findings.push(fail('keys', error.message, make));
  }
  return { findings, hasKeys: true };
}
