/**
 * Every setting: its name, flag, default and meaning. The only reader of the environment; `--help` and
 * the README's table are made from the descriptions here.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ipaddr from 'ipaddr.js';
import { variantNames, type Variant } from './encoder/package/variants.js';
import { preprocessSpeeds, type PreprocessSpeed } from './encoder/picture/speed.js';
import { keylessWires, wireNames, type WireName } from './domain/wires.js';
import { MixspaceError } from './errors.js';
import { shownAddress } from './secrets.js';
import { defaultSettings } from './store/embedded/settings.js';
import { defaultSettings as postgresSettings } from './store/postgres/settings.js';

const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Its message says what a setting takes. */
class Expected extends Error {}

interface Setting<T> {
  env: string;
  /** As commander writes it. */
  flag: string;
  description: string;
  /** As `--help` shows it. */
  shown: string;
  fallback: () => T;
  /** @throws Expected */
  parse: (text: string) => T;
  /** What was given is not repeated in a message. */
  isSecret: boolean;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new Expected(`a whole number from ${min} to ${max}`);
    return value;
  };
}

const units: Record<string, number> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };
function bytes(text: string): number {
  const match = /^(\d+)\s*([kmg]?b?)$/i.exec(text.trim());
  const unit = match ? units[match[2]!.toLowerCase()] : undefined;
  const size = match && unit !== undefined ? Number(match[1]) * unit : NaN;
  if (!Number.isSafeInteger(size)) throw new Expected('a size such as 256MB');
  return size;
}

const knownProviders = ['cpu', 'cuda', 'tensorrt', 'coreml', 'dml', 'webgpu'];
function executionProviders(text: string): string[] {
  const names = list(text).map((name) => (name.toLowerCase() === 'directml' ? 'dml' : name.toLowerCase()));
  if (names.length === 0 || names.some((name) => !knownProviders.includes(name))) throw new Expected(`some of ${knownProviders.join(', ')}, separated by commas`);
  return names;
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100)) throw new Expected('a number from 0 to 100');
  return value / 100;
}

function truth(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new Expected('yes or no');
}

function list(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim()).filter(Boolean);
  if (parts.length === 0) throw new Expected('at least one, separated by commas');
  return parts;
}

function host(text: string): string {
  const bare = text.trim().replace(/^\[(.*)\]$/, '$1');
  if (!ipaddr.isValid(bare) && !isHostName(bare)) throw new Expected('an address or a name of this machine, such as 127.0.0.1 or localhost');
  return bare;
}

const isHostName = (text: string): boolean => URL.canParse(`http://${text}`) && /^[^\s/\\?#@:[\]]+$/.test(text);

/** As browsers send them: in lower case, other scripts as ASCII. */
function hostNames(text: string): string[] {
  return list(text).map((name) => {
    const bare = name.replace(/^\[(.*)\]$/, '$1');
    if (ipaddr.IPv6.isValid(bare)) return bare;
    if (!isHostName(name)) throw new Expected('host names such as photos.example, without scheme and port, separated by commas');
    return new URL(`http://${name}`).hostname;
  });
}

/** What an Authorization header can carry. */
function keys(text: string): string[] {
  const given = list(text);
  if (given.some((key) => !/^[\x21-\x7e]+$/.test(key))) throw new Expected('keys of letters, digits and signs of ASCII without spaces, separated by commas');
  return given;
}

function addressRanges(text: string): string[] {
  return list(text).map((range) => {
    const cidr = range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(cidr)) throw new Expected('address ranges such as 10.1.0.0/16, separated by commas');
    return cidr;
  });
}

function origins(text: string): string[] {
  return list(text).map((origin) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) throw new Expected('origins such as https://photos.example, separated by commas');
    return origin;
  });
}

function aliases(text: string): ReadonlyMap<string, string> {
  return new Map(
    list(text).map((pair) => {
      const [name, model, ...more] = pair.split('=').map((part) => part.trim());
      if (!name || !model || more.length > 0) throw new Expected('pairs such as text-embedding-3-small=mixspace-graft-0.3, separated by commas');
      return [name, model] as const;
    }),
  );
}

function wires(text: string): WireName[] {
  if (text.trim() === 'none') return [];
  return list(text).map((name) => {
    const wire = wireNames.find((each) => each === name);
    if (!wire) throw new Expected(`none, or some of ${wireNames.join(', ')}, separated by commas`);
    return wire;
  });
}

/** '' or `/photos`: with a slash before it, none behind. */
function basePath(text: string): string {
  const bare = text.trim().replace(/\/+$/, '');
  const url = `http://host${bare}`;
  if (bare !== '' && (!/^(\/[\w.~%!$&'()*+,;=:@-]+)+$/.test(bare) || !URL.canParse(url) || new URL(url).pathname !== bare)) throw new Expected('a path such as /photos');
  return bare;
}

/** As Express takes them. */
function proxies(text: string): string[] {
  const names = ['loopback', 'linklocal', 'uniquelocal'];
  const given = list(text);
  return [...given.filter((each) => names.includes(each)), ...(given.every((each) => names.includes(each)) ? [] : addressRanges(given.filter((each) => !names.includes(each)).join(',')))];
}

function setting<T>(env: string, flag: string, value: Pick<Setting<T>, 'shown' | 'fallback' | 'parse'>, description: string): Setting<T> {
  return { env, flag, ...value, description, isSecret: false };
}

/** A secret that no flag takes: others see a command line. */
function environmentSecret<T>(env: string, value: Pick<Setting<T>, 'shown' | 'fallback' | 'parse'>, description: string): Omit<Setting<T>, 'flag'> & { flag?: undefined } {
  return { env, ...value, description, isSecret: true };
}

function secretSetting<T>(...parts: Parameters<typeof setting<T>>): Setting<T> {
  return { ...setting(...parts), isSecret: true };
}

function variants(text: string): Variant[] {
  return list(text).map((name) => {
    const variant = variantNames.find((each) => each === name);
    if (!variant) throw new Expected(`${variantNames.join(', ')}, by preference, separated by commas`);
    return variant;
  });
}

function preprocessSpeed(text: string): PreprocessSpeed {
  const speed = preprocessSpeeds.find((each) => each === text);
  if (!speed) throw new Expected(preprocessSpeeds.join(' or '));
  return speed;
}

/** The store's address where collections lie in the index directory. */
export const embedded = 'embedded';

const absolute = (text: string): string => path.resolve(text);

function storeAddress(text: string): string {
  if (text !== embedded && !(/^postgres(ql)?:\/\//.test(text) && URL.canParse(text))) throw new Expected(`${embedded}, or a PostgreSQL database such as postgres://user:password@host:5432/database`);
  return text;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
function logLevel(text: string): string {
  if (!logLevels.includes(text)) throw new Expected(`one of ${logLevels.join(', ')}`);
  return text;
}

export const settings = {
  port: setting('PORT', '--port <number>', { shown: '8080', fallback: () => 8080, parse: whole(0, 65_535) }, 'port to listen on; 0 takes a free one'),
  host: setting('HOST', '--host <address>', { shown: '127.0.0.1', fallback: () => '127.0.0.1', parse: host }, 'address to listen on'),
  indexDir: setting('MIXSPACE_INDEX_DIR', '--index-dir <folder>', { shown: './index', fallback: () => absolute('index'), parse: absolute }, 'database, originals, thumbnails'),
  modelsDir: setting('MIXSPACE_MODELS_DIR', '--models-dir <folder>', { shown: './models', fallback: () => path.join(packageRoot, 'models'), parse: absolute }, 'model packages'),
  model: setting<string | undefined>('MIXSPACE_MODEL', '--model <id>', { shown: 'the bundled one', fallback: () => undefined, parse: (text) => text }, 'model of a new collection, and of a call without model'),
  aliases: setting<ReadonlyMap<string, string>>('MIXSPACE_ALIASES', '--aliases <pairs>', { shown: 'none', fallback: () => new Map(), parse: aliases }, 'other names of models, NAME=MODEL, separated by commas, for clients whose model names are fixed'),
  preload: setting<string[]>('MIXSPACE_PRELOAD', '--preload <ids>', { shown: 'none', fallback: () => [], parse: list }, 'models, separated by commas, that are loaded at the start and stay loaded, as the default one always is; any other is loaded on first use'),
  modelIdle: setting('MIXSPACE_MODEL_IDLE', '--model-idle <seconds>', { shown: '600', fallback: () => 600, parse: whole(0, 31_536_000) }, 'seconds after which a model that nobody used is unloaded; 0: never'),
  modelMemory: setting('MIXSPACE_MODEL_MEMORY', '--model-memory <size>', { shown: 'no bound', fallback: () => Infinity, parse: bytes }, 'memory of all loaded models; beyond it the least recently used one is unloaded'),
  variant: setting<Variant[] | undefined>('MIXSPACE_VARIANT', '--variant <names>', { shown: 'the nearest to fp32', fallback: () => undefined, parse: variants }, `which of a model's weights, by preference: ${variantNames.join(', ')}; a package's model.json may name its own`),
  preprocessSpeed: setting<PreprocessSpeed>('MIXSPACE_PREPROCESS_SPEED', '--preprocess-speed <exact|fast>', { shown: 'exact', fallback: () => 'exact', parse: preprocessSpeed }, "pixels as the models' reference makes them, or, for pictures at least twice as large as the model's input, faster and near them; embeddings of one kind are not compared with those of the other; a package's model.json may name its own"),
  apiKeys: environmentSecret<string[]>('MIXSPACE_API_KEYS', { shown: 'none', fallback: () => [], parse: keys }, 'keys that may do anything, separated by commas; where there are keys, every call under /v1 needs one as Authorization: Bearer'),
  apiKeysFile: setting<string | undefined>('MIXSPACE_API_KEYS_FILE', '--api-keys-file <file>', { shown: 'none', fallback: () => undefined, parse: (text) => text }, 'a file of keys, one a line, each with what it may do: KEY [scope=read|write|admin] [collection=A,B] [rate=N/min] [name=WHO]; it is read again when it changes'),
  roots: setting<string[]>('MIXSPACE_ROOTS', '--roots <folders>', { shown: 'none', fallback: () => [], parse: (text) => list(text).map(absolute) }, 'folders, separated by commas, whose files may be named by path'),
  fetchAllow: setting<string[]>('MIXSPACE_FETCH_ALLOW', '--fetch-allow <ranges>', { shown: 'none', fallback: () => [], parse: addressRanges }, 'address ranges that may be fetched although they are private'),
  corsOrigins: setting<string[]>('MIXSPACE_CORS_ORIGINS', '--cors-origins <origins>', { shown: 'none', fallback: () => [], parse: origins }, 'origins that may call from a browser'),
  hosts: setting<string[]>('MIXSPACE_HOSTS', '--hosts <names>', { shown: 'none', fallback: () => [], parse: hostNames }, 'further host names, separated by commas, by which browsers may call'),
  basePath: setting('MIXSPACE_BASE_PATH', '--base-path <path>', { shown: 'none', fallback: () => '', parse: basePath }, 'path under which a proxy shows the service, such as /photos; requests are taken with it and without'),
  trustedProxies: setting<string[]>('MIXSPACE_TRUSTED_PROXIES', '--trusted-proxies <ranges>', { shown: 'none', fallback: () => [], parse: proxies }, "address ranges of proxies, or loopback, linklocal, uniquelocal, whose X-Forwarded-Host, X-Forwarded-For and X-Forwarded-Prefix are believed"),
  wires: setting<WireName[]>('MIXSPACE_WIRES', '--wires <names>', { shown: 'all', fallback: () => [...wireNames], parse: wires }, `protocols of other services that are spoken too, separated by commas: ${wireNames.join(', ')}; or none`),
  openWires: setting<WireName[]>('MIXSPACE_OPEN_WIRES', '--open-wires <names>', { shown: 'none', fallback: () => [], parse: wires }, `of ${keylessWires.join(' and ')}, whose clients can send no key and which are off where keys are set: those that may be used without, to read`),
  allowOpen: setting('MIXSPACE_ALLOW_OPEN', '--allow-open <yes|no>', { shown: 'no', fallback: () => false, parse: truth }, 'allows listening beyond the loopback without keys'),
  hub: setting('MIXSPACE_HUB', '--hub <yes|no>', { shown: 'no', fallback: () => false, parse: truth }, 'lets models be pulled from the Hugging Face hub, or HF_ENDPOINT, by the page and the API: by who has a key or, without keys, from this machine'),
  mcpWrites: setting('MIXSPACE_MCP_WRITES', '--mcp-writes <yes|no>', { shown: 'no', fallback: () => false, parse: truth }, 'lets assistants that call /mcp add pictures and texts; without it they only read'),
  store: secretSetting('MIXSPACE_STORE', '--store <address>', { shown: embedded, fallback: () => embedded, parse: storeAddress }, 'where collections live: in the index directory, or in a PostgreSQL database with pgvector that several services may share, postgres://user:password@host/database'),
  storeFile: setting<string | undefined>('MIXSPACE_STORE_FILE', '--store-file <file>', { shown: 'none', fallback: () => undefined, parse: (text) => text }, 'a file that holds what --store takes, so that no password stands in the environment or the list of processes'),
  storeConnections: setting('MIXSPACE_STORE_CONNECTIONS', '--store-connections <number>', { shown: String(postgresSettings.connections), fallback: () => postgresSettings.connections, parse: whole(1, 1_000) }, 'connections at once to a PostgreSQL database'),
  logLevel: setting('LOG_LEVEL', '--log-level <level>', { shown: 'info', fallback: () => 'info', parse: logLevel }, 'how much the log says'),
  workers: setting('MIXSPACE_WORKERS', '--workers <number>', { shown: 'one a core, at most 8', fallback: () => Math.min(8, availableParallelism()), parse: whole(1, 64) }, 'encoder workers'),
  threads: setting('MIXSPACE_THREADS', '--threads <number>', { shown: '1', fallback: () => 1, parse: whole(1, 64) }, 'threads of one inference; workers times threads should not exceed the cores'),
  executionProviders: setting<string[]>('MIXSPACE_EXECUTION_PROVIDERS', '--execution-providers <names>', { shown: 'cpu', fallback: () => ['cpu'], parse: executionProviders }, 'what models run on, by preference, separated by commas: cuda, tensorrt, coreml, dml, webgpu, cpu; what cannot be used is told in the log and passed over'),
  encodeTimeout: setting('MIXSPACE_ENCODE_TIMEOUT', '--encode-timeout <seconds>', { shown: '60', fallback: () => 60, parse: whole(1, 86_400) }, 'seconds a batch may take in a worker; then the worker is replaced and each input tried once more, alone'),
  queueLimit: setting('MIXSPACE_QUEUE_LIMIT', '--queue-limit <number>', { shown: '4096', fallback: () => 4096, parse: whole(1, 1_000_000) }, 'texts and pictures that may wait for an encoder, of each rank (one text, few texts, one picture, few pictures, bulk) by itself; beyond it 429'),
  cache: setting('MIXSPACE_CACHE', '--cache <size>', { shown: '64MB', fallback: () => 64e6, parse: bytes }, 'memory for the embeddings of texts and pictures asked for last, so that they are not encoded again; 0 keeps none'),
  vectorMemory: setting('MIXSPACE_VECTOR_MEMORY', '--vector-memory <size>', { shown: '512MB', fallback: () => defaultSettings.vectorCacheBytes, parse: bytes }, 'memory for the embeddings that searches compare with, about a byte for each number; those beyond are read from the disk by each search'),
  fieldMemory: setting('MIXSPACE_FIELD_MEMORY', '--field-memory <size>', { shown: '256MB', fallback: () => defaultSettings.columnBytes, parse: bytes }, 'memory for the fields that filters, facets and orders go by; those beyond are looked up on the disk'),
  watch: setting('MIXSPACE_WATCH', '--watch', { shown: 'no', fallback: () => false, parse: truth }, 'follows the folders of serve as they change; as a flag without a value, in the environment yes or no'),
  watchLook: setting('MIXSPACE_WATCH_LOOK', '--watch-look <seconds>', { shown: '3600', fallback: () => 3600, parse: whole(0, 2_000_000) }, 'seconds after which all of a watched folder is looked at, as nobody tells of changes on a network mount; 0: never'),
  syncQuiet: setting('MIXSPACE_SYNC_QUIET', '--sync-quiet <ms>', { shown: '2000', fallback: () => 2000, parse: whole(0, 600_000) }, 'milliseconds in which a file must not have changed before it is taken in: it may still be written'),
  syncGoneShare: setting('MIXSPACE_SYNC_GONE_SHARE', '--sync-gone-share <percent>', { shown: 'a third', fallback: () => 1 / 3, parse: percent }, "if more than so many percent of a folder's files have gone at one look, and more than --sync-gone-files, nothing is removed without --prune"),
  syncGoneFiles: setting('MIXSPACE_SYNC_GONE_FILES', '--sync-gone-files <number>', { shown: '10', fallback: () => 10, parse: whole(0, 1_000_000_000) }, 'files that may have gone at one look, whatever share they are'),
  machine: setting<string | undefined>('MIXSPACE_MACHINE', '--machine <name>', { shown: "the machine's own id; in a container: container", fallback: () => undefined, parse: (text) => text }, "name of the machine whose folders these are: what was seen on another one's is not touched"),
  maxBody: setting('MIXSPACE_MAX_BODY', '--max-body <size>', { shown: '256MB', fallback: () => 256e6, parse: bytes }, 'a request body'),
  maxBackup: setting('MIXSPACE_MAX_BACKUP', '--max-backup <size>', { shown: 'no bound', fallback: () => Infinity, parse: bytes }, 'a backup that is sent to be restored; it goes to the disk as it comes'),
  maxImport: setting('MIXSPACE_MAX_IMPORT', '--max-import <size>', { shown: '50GB', fallback: () => 50e9, parse: bytes }, 'an archive or a list that is sent to be imported; it goes to the disk as it comes, and is removed when it has been taken in'),
  importEntries: setting('MIXSPACE_IMPORT_ENTRIES', '--import-entries <number>', { shown: '500000', fallback: () => 500_000, parse: whole(1, 10_000_000) }, 'entries of an archive, or of a list of URLs, that is imported'),
  importBytes: setting('MIXSPACE_IMPORT_BYTES', '--import-bytes <size>', { shown: '1000GB', fallback: () => 1e12, parse: bytes }, 'bytes of all entries of an archive that is imported, decompressed'),
  maxUploads: setting('MIXSPACE_MAX_UPLOADS', '--max-uploads <size>', { shown: '512MB', fallback: () => 512e6, parse: bytes }, 'request bodies that are read or held at once, all together; beyond it 429. A sixteenth is kept for bodies up to 64 kB, an eighth for those up to 1 MB; one body always fits'),
  uploadTimeout: setting('MIXSPACE_UPLOAD_TIMEOUT', '--upload-timeout <seconds>', { shown: '30', fallback: () => 30, parse: whole(1, 86_400) }, 'seconds in which a body must bring 64 kB or its end; then 408'),
  maxValues: setting('MIXSPACE_MAX_VALUES', '--max-values <number>', { shown: '4000000', fallback: () => 4_000_000, parse: whole(1, 1_000_000_000) }, 'values in a JSON body; a key, a list and an object count four each'),
  maxPicture: setting('MIXSPACE_MAX_PICTURE', '--max-picture <size>', { shown: '50MB', fallback: () => 50e6, parse: bytes }, 'a picture, in bytes'),
  maxPixels: setting('MIXSPACE_MAX_PIXELS', '--max-pixels <number>', { shown: '100000000', fallback: () => 100_000_000, parse: whole(1, 1_000_000_000) }, 'a picture, in pixels'),
  maxText: setting('MIXSPACE_MAX_TEXT', '--max-text <size>', { shown: '1MB', fallback: () => 1e6, parse: bytes }, 'a text, in bytes of UTF-8'),
  maxInputs: setting('MIXSPACE_MAX_INPUTS', '--max-inputs <number>', { shown: '2048', fallback: () => 2048, parse: whole(1, 1_000_000) }, 'inputs of one embeddings or classify request'),
  maxItems: setting('MIXSPACE_MAX_ITEMS', '--max-items <number>', { shown: '1000', fallback: () => 1000, parse: whole(1, 1_000_000) }, 'items or files of one request'),
  maxLabels: setting('MIXSPACE_MAX_LABELS', '--max-labels <number>', { shown: '1000', fallback: () => 1000, parse: whole(1, 1_000_000) }, 'labels of one classify request'),
  maxMetadata: setting('MIXSPACE_MAX_METADATA', '--max-metadata <size>', { shown: '64kB', fallback: () => 64 * 1024, parse: bytes }, "an item's metadata, as JSON"),
  fetchTimeout: setting('MIXSPACE_FETCH_TIMEOUT', '--fetch-timeout <ms>', { shown: '10000', fallback: () => 10_000, parse: whole(1, 600_000) }, 'milliseconds a URL may take, redirects included'),
};

export type Config = { [K in keyof typeof settings]: (typeof settings)[K] extends Pick<Setting<infer T>, 'parse'> ? T : never };
export type SettingName = keyof Config;

/** Read by the CLI's client commands from the same environment, so they are no mistake here. */
const clientSettings = ['MIXSPACE_URL', 'MIXSPACE_API_KEY'];
/** Kubernetes injects these for a Service named mixspace. */
const injected = /^MIXSPACE_(PORT|PORT_.*|SERVICE_.*)$/;

/**
 * Flags first, then the environment, then defaults.
 * @throws MixspaceError `invalid_request`, one line that names the setting and what it takes.
 */
export function readConfig(flags: Partial<Record<SettingName, string>> = {}, env: NodeJS.ProcessEnv = process.env): Config {
  const known = new Set([...Object.values(settings).map((each) => each.env), ...clientSettings]);
  for (const name of Object.keys(env)) {
    if (name.startsWith('MIXSPACE_') && !known.has(name) && !injected.test(name)) {
      throw new MixspaceError('invalid_request', `${name} is no setting of mixspace; \`mixspace serve --help\` lists them.`, { param: name });
    }
  }
  const config: Record<string, unknown> = {};
  for (const name of Object.keys(settings) as SettingName[]) config[name] = readSetting(name, flags[name], env);
  const read = config as Config;
  requireKeys(read);
  return read;
}

/** @throws MixspaceError `invalid_request`: others could come in, and no key is asked for. */
export function requireKeys({ host, apiKeys, apiKeysFile, allowOpen }: Config): void {
  if (isLoopback(host) || apiKeys.length > 0 || apiKeysFile !== undefined || allowOpen) return;
  throw new MixspaceError('invalid_request', `Listening on ${host} lets others in: set MIXSPACE_API_KEYS or MIXSPACE_API_KEYS_FILE, or MIXSPACE_ALLOW_OPEN=yes to do without keys.`, { param: 'HOST' });
}

/** As a program gives them: each as its flag takes it, numbers, truth values and lists as such. */
export type Settings = { [K in SettingName]?: string | number | boolean | readonly string[] };

/**
 * What is left out has its default; the environment is not read.
 * @throws MixspaceError `invalid_request`, one line that names the setting and what it takes.
 */
export function readSettings(given: Settings): Config {
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(settings, name)) throw new MixspaceError('invalid_request', `${name.slice(0, 100)} is no setting of mixspace; known are ${Object.keys(settings).join(', ')}.`, { param: name });
    if (value === undefined) continue;
    const text = typeof value === 'object' ? value.join() : typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
    // An empty list is as good as none.
    if (typeof value !== 'object' || value.length > 0) config[name] = readSetting(name as SettingName, text, {}, name);
  }
  for (const name of Object.keys(settings) as SettingName[]) config[name] ??= settings[name].fallback();
  return config as Config;
}

/**
 * One setting, for commands that need no more: its flag first, then the environment, then its default.
 * @throws MixspaceError `invalid_request`, one line that names the setting and what it takes.
 */
export function readSetting<N extends SettingName>(name: N, flag?: string, env: NodeJS.ProcessEnv = process.env, called?: string): Config[N] {
  const each = settings[name] as unknown as Setting<Config[N]>;
  const text = flag ?? env[each.env];
  if (text === undefined || (flag === undefined && text === '')) return each.fallback();
  const given = called ?? (flag === undefined ? each.env : each.flag.split(' ')[0]!);
  if (text.trim() === '') throw new MixspaceError('invalid_request', `${given} is given without a value; without it the default holds: ${each.shown}.`, { param: given });
  try {
    return each.parse(text);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    throw new MixspaceError('invalid_request', `${given} takes ${error.message}${each.isSecret ? '' : `, not "${text}"`}.`, { param: given });
  }
}

/**
 * Where collections live: `embedded`, or a database's URL, which no message shows.
 * @throws MixspaceError `invalid_request`: the file cannot be read, or holds something else.
 */
export function readStoreAddress({ store, storeFile }: Pick<Config, 'store' | 'storeFile'>): string {
  if (storeFile === undefined) return store;
  const { env } = settings.storeFile;
  let text: string;
  try {
    text = readFileSync(storeFile, 'utf8').trim();
  } catch (error) {
    throw new MixspaceError('invalid_request', `${env}: ${storeFile} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`, { param: env });
  }
  try {
    return storeAddress(text);
  } catch (error) {
    if (!(error instanceof Expected)) throw error;
    throw new MixspaceError('invalid_request', `${env}: ${storeFile} is to hold ${error.message}, alone.`, { param: env });
  }
}

/** Where models are pulled from and how it is reached, by the environment's names that the hub's own tools read. */
export interface HubSettings {
  /** Without a slash at its end. */
  endpoint: string;
  token?: string;
  /** Proxies' addresses, and the hosts that are reached without one, as curl writes them; empty where there is none. */
  proxy: { http: string; https: string; none: string };
}

/** @throws MixspaceError `invalid_request` for an endpoint or a proxy that is no http(s) address. */
export function readHubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const endpoint = (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
  requireAddress('HF_ENDPOINT', endpoint);
  const { username, password, search, hash } = new URL(endpoint);
  if (username || password || search || hash) throw new MixspaceError('invalid_request', 'HF_ENDPOINT takes an address without user name, password and query; HF_TOKEN holds the token.', { param: 'HF_ENDPOINT' });
  const token = env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'] || savedToken(env['HF_HOME']);
  return { endpoint, ...(token ? { token: token.trim() } : {}), proxy: { http: proxyFrom(env, 'http_proxy'), https: proxyFrom(env, 'https_proxy'), none: env['no_proxy'] || env['NO_PROXY'] || '' } };
}

function proxyFrom(env: NodeJS.ProcessEnv, name: string): string {
  const given = env[name] || env[name.toUpperCase()] || '';
  const proxy = given === '' || given.includes('://') ? given : `http://${given}`;
  if (proxy !== '') requireAddress(name.toUpperCase(), proxy, 'something else');
  return proxy;
}

function requireAddress(name: string, text: string, shown = `"${shownAddress(text)}"`): void {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) throw new MixspaceError('invalid_request', `${name} takes an address such as https://host.example, not ${shown}.`, { param: name });
}

/** Where the hub's own tools keep the token of who has logged in. */
function savedToken(home: string | undefined): string | undefined {
  if (!home) return undefined;
  try {
    return readFileSync(path.join(home, 'token'), 'utf8');
  } catch {
    return undefined;
  }
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const bare = host.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() === 'loopback';
}
