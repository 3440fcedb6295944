/** What `import 'mixspace'` gives: the whole service in a program's own process. */
import { MixspaceClient } from './client/index.js';
import { readSettings, requireKeys, type Settings } from './config.js';
import { KeyRing } from './http/access/key-ring.js';
import { listen, makeServer, type HttpServer } from './http/server.js';
import { openService as open } from './service.js';

export { MixspaceApiError, MixspaceClient } from './client/index.js';
export { MixspaceError } from './errors.js';
export type { Settings };

export interface MixspaceService {
  /** All operations, as over HTTP, but by memory: no port is open. */
  readonly client: MixspaceClient;
  /** Opens the port that `host` and `port` say: API, page and documentation. Its address. @throws MixspaceError */
  listen(): Promise<string>;
  /** What is under way ends, workers stop, files are closed. */
  close(): Promise<void>;
}

/** Milliseconds that calls from outside get when the service is closed. */
const graceMs = 4_000;

/**
 * The settings are those of `mixspace serve`, by the names in the manual's table without their dashes (`indexDir`, `maxBody`),
 * each as its flag takes it; the environment is not read. The log says warnings and errors alone, unless `logLevel` asks for more.
 * @throws MixspaceError: a setting that cannot be, another process on the index directory, no usable model.
 */
export async function openService(settings: Settings = {}): Promise<MixspaceService> {
  const config = readSettings({ logLevel: 'warn', ...settings });
  const keys = await KeyRing.open(config);
  const apiKey = keys.isOpen ? undefined : keys.admit('this program');
  const service = await open(config);
  const parts = { config, keys, ...service };
  const made = makeServer(parts);
  const { memory } = made;
  let listening: Promise<HttpServer> | undefined;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    made.streams.end();
    await (await listening?.catch(() => undefined))?.close(graceMs);
    memory.close();
    keys.close();
    await service.close();
  };
  return {
    client: new MixspaceClient({ url: 'http://localhost', fetch: memory.fetch, ...(apiKey === undefined ? {} : { apiKey }) }),
    listen: async () => {
      requireKeys(config);
      listening ??= listen(parts, made);
      return (await listening).url;
    },
    close: () => (closing ??= close()),
  };
}
