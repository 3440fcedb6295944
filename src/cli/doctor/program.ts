/** Node, and the libraries of native code that the service loads. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cHeapSettings } from '../../c-heap.js';
import type { Config } from '../../config.js';
import { engines } from '../../program-facts.js';
import { fail, ok, warn, type Finding } from './finding.js';

const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));

export function lookAtNode(): Finding[] {
  const found = `${process.version}, ABI ${process.versions.modules}, ${process.platform} ${process.arch}.`;
  const least = engines.node.replace('>=', '');
  if (isBefore(process.versions.node, least)) return [fail('node', `${found} mixspace needs ${least} or newer.`, `Install Node ${least} or newer, and then mixspace anew: its native parts belong to one Node.`)];
  const [[variable, value]] = Object.entries(cHeapSettings) as [[string, string]];
  const isSet = 'execve' in process || process.platform !== 'linux' || variable in process.env;
  return [isSet ? ok('node', found) : warn('node', `${found} On this Node the service may keep some hundred MB of large bodies.`, `Start it with ${variable}=${value} in its environment, or on Node 24, where it sees to that itself.`)];
}

function isBefore(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const at = b.findIndex((part, index) => (a[index] ?? 0) !== part);
  return at >= 0 && (a[at] ?? 0) < b[at]!;
}

interface Library {
  topic: string;
  what: string;
  /** Prints what is told of it. */
  script: string;
}

const sqlite = Number.parseInt(process.versions.node, 10) >= 22 ? 'better-sqlite3-node-api' : 'better-sqlite3';

const libraries: Library[] = [
  { topic: 'database', what: 'SQLite', script: `const {default: Sqlite} = await import('${sqlite}'); console.log(new Sqlite(':memory:').prepare('select sqlite_version()').pluck().get())` },
  { topic: 'pictures', what: 'libvips (sharp)', script: "const {default: sharp} = await import('sharp'); await sharp({create: {width: 2, height: 2, channels: 3, background: 'red'}}).jpeg().toBuffer(); console.log(sharp.versions.vips)" },
  { topic: 'heic', what: 'libheif', script: "const {default: libheif} = await import('libheif-js/wasm-bundle.js'); console.log(libheif.heif_get_version())" },
];
const runtime: Library = { topic: 'runtime', what: 'ONNX Runtime', script: "const {env, listSupportedBackends} = await import('onnxruntime-node'); console.log(JSON.stringify({version: env.versions.common, backends: listSupportedBackends().map(({name}) => name)}))" };

/** Each in a process of its own: some end theirs where the machine does not suit them. */
export async function lookAtLibraries({ executionProviders }: Pick<Config, 'executionProviders'>): Promise<Finding[]> {
  const [loaded, ...others] = await Promise.all([runtime, ...libraries].map(load));
  const { version, backends } = loaded!.text === undefined ? { version: undefined, backends: [] } : (JSON.parse(loaded!.text) as { version: string; backends: string[] });
  return [
    ...others.map(({ library: { topic, what }, text, problem }) => (text === undefined ? broken(topic, what, problem!) : ok(topic, `${what} ${text} loads.`))),
    version === undefined ? broken(runtime.topic, runtime.what, loaded!.problem!) : ok(runtime.topic, `ONNX Runtime ${version} loads; it knows ${backends.join(', ')}.`),
    ...(version === undefined ? [] : executionProviders.map((name) => lookAtProvider(name, backends))),
  ];
}

function lookAtProvider(name: string, backends: string[]): Finding {
  if (backends.includes(name)) return ok('providers', name === 'cpu' ? 'Models run on the processor.' : `${name} is known; --selftest tells whether a model runs on it.`);
  return warn('providers', `${name} is not in this build of ONNX Runtime: models run on what is named after it, at last on the processor.`, 'Leave it out of --execution-providers (MIXSPACE_EXECUTION_PROVIDERS), or install an onnxruntime-node that has it.');
}

async function load(library: Library): Promise<{ library: Library; text?: string; problem?: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', library.script], { cwd: packageRoot, timeout: 60_000, env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } });
    return { library, text: stdout.trim() };
  } catch (error) {
    const { stderr = '', signal, message } = error as { stderr?: string; signal?: string; message: string };
    const told = stderr.split('\n').find((line) => /^\w*Error\b/.test(line));
    return { library, problem: told ?? (signal ? `it ends its process (${signal})` : message.split('\n')[0]!) };
  }
}

const broken = (topic: string, what: string, problem: string): Finding =>
  fail(topic, `${what} does not load: ${problem}`, 'Install mixspace anew with the Node that runs it, on the machine that runs it: npm ci in a checkout, npm i -g mixspace elsewhere.');
