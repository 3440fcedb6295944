/**
 * Builds the package from src/client: one file of JavaScript, as an ECMAScript and as a CommonJS module, and declarations.
 * Of the contract it holds what calls need, as plain values and types: zod stays with the service. `tsc` has run before.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'vite';
import { int8Scale } from '../../../src/contract/embeddings.js';
import { routes, type Route } from '../../../src/contract/routes.js';
import { writeDeclarations } from './declarations.js';

const repository = path.resolve(import.meta.dirname, '../../..');
const dist = path.resolve(import.meta.dirname, '../dist');

/** What a call reads of its route; a schema only says that something comes. */
const wireOf = ({ method, path: at, upload, uploads, bytes, formats, events, response }: Route): object => ({ method, path: at, upload, uploads, bytes, formats: formats && {}, events: events && {}, response: response && {} });

const values: Record<string, Record<string, unknown>> = {
  routes: { routes: Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, wireOf(route)])) },
  embeddings: { int8Scale },
};

const contractAsValues: Plugin = {
  name: 'contract-as-values',
  enforce: 'pre',
  load(id) {
    const file = path.relative(path.join(repository, 'src/contract'), id);
    if (file.startsWith('..')) return undefined;
    const known = values[path.basename(file, '.ts')];
    if (!known) throw new Error(`src/client imports a value from src/contract/${file}: say in ${import.meta.filename} what it is without zod.`);
    return Object.entries(known).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join('\n');
  },
};

await rm(dist, { recursive: true, force: true });
for (const [folder, format, type] of [['esm', 'es', 'module'], ['cjs', 'cjs', 'commonjs']] as const) {
  await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [contractAsValues],
    build: {
      outDir: path.join(dist, folder),
      target: 'es2022',
      minify: 'oxc',
      lib: { entry: path.join(repository, 'src/client/index.ts'), formats: [format], fileName: () => 'index.js' },
    },
  });
  await mkdir(path.join(dist, folder), { recursive: true });
  await writeFile(path.join(dist, folder, 'package.json'), `${JSON.stringify({ type })}\n`);
  writeDeclarations(repository, path.join(dist, folder));
}
await cp(path.join(repository, 'LICENSE'), path.resolve(dist, '../LICENSE'));
