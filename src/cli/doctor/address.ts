/** Where the service listens, who answers there, and whom it lets in. */
import { createServer } from 'node:net';
import { isLoopback, type Config } from '../../config.js';
import { fail, ok, warn, type Finding } from './finding.js';

type Address = Pick<Config, 'host' | 'port'>;

export interface Answering {
  isMixspace: boolean;
  isReady: boolean;
}

const answerWithinMs = 3_000;

/** Who answers; undefined where nobody listens. */
export async function whoAnswers({ host, port }: Address): Promise<Answering | undefined> {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  const ask = (at: string): Promise<Response> => fetch(`http://${reached}:${port}${at}`, { signal: AbortSignal.timeout(answerWithinMs) });
  try {
    const document = (await ask('/openapi.json').then((answer) => (answer.ok ? answer.json() : undefined)).catch((error: unknown) => nobody(error))) as { info?: { title?: string } } | undefined;
    if (document?.info?.title !== 'mixspace') return { isMixspace: false, isReady: false };
    return { isMixspace: true, isReady: (await ask('/readyz')).ok };
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

const shortKey = 20;

export function lookAtAccess({ host, apiKeys, allowOpen }: Pick<Config, 'host' | 'apiKeys' | 'allowOpen'>): Finding[] {
  const short = apiKeys.filter((key) => key.length < shortKey).length;
  const make = 'A key of enough letters: openssl rand -hex 24.';
  const weak = short === 0 ? [] : [warn('keys', `${short} of ${apiKeys.length} keys can be guessed: shorter than ${shortKey} letters.`, make)];
  if (isLoopback(host)) return [ok('access', `It listens for this machine alone, ${apiKeys.length === 0 ? 'and asks for no key' : 'and asks for a key'}.`), ...weak];
  if (apiKeys.length > 0) return [ok('access', `It listens on ${host} and asks for a key; over plain HTTP keys can be read on the way, so a proxy with HTTPS belongs in front.`), ...weak];
  const open = `It would listen on ${host} without keys: whoever reaches it reads and deletes everything.`;
  const mend = `Set MIXSPACE_API_KEYS (or --api-keys-file), or listen on 127.0.0.1. ${make}`;
  return [allowOpen ? warn('access', open, mend) : fail('access', `${open} It does not start.`, mend)];
}
