/**
 * Packs what processes and threads begin with into few files, dependencies among them: a start reads a tenth of the files
 * and takes half of the time. What `tsc` writes runs as well, and takes the place of what is packed when it writes again.
 */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'vite';
import { packedEntries } from './packed-entries.js';

/** They bring native code, or find files or packages of their own while they run. */
const external = ['@parcel/watcher', 'better-sqlite3', 'better-sqlite3-node-api', 'exifreader', 'libheif-js', 'onnxruntime-node', 'pino', 'sharp', 'swagger-ui-dist'];

const dist = path.resolve(import.meta.dirname, '../dist');
const outDir = path.join(dist, 'packed');
/** Tests set them in the module that everyone else has them from. */
const storeSettings = path.join(dist, 'store/embedded/settings.js');

const fromPacked = (file: string): string => path.relative(outDir, file).replaceAll(path.sep, '/');

/** A module goes on finding the files beside it. */
const ownPlace: Plugin = {
  name: 'own-place',
  transform(code, id) {
    if (!id.startsWith(dist + path.sep) || !code.includes('import.meta.url')) return undefined;
    return { code: code.replaceAll('import.meta.url', `new URL(${JSON.stringify(fromPacked(id))}, import.meta.url).href`), map: null };
  },
};

await rm(outDir, { recursive: true, force: true });
await build({
  configFile: false,
  root: dist,
  logLevel: 'warn',
  plugins: [{ ...ownPlace, enforce: 'pre' }],
  ssr: { noExternal: true, external },
  build: {
    ssr: true,
    outDir,
    target: 'node20',
    minify: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      input: Object.fromEntries(packedEntries.map((entry) => [entry.replaceAll('/', '-'), path.join(dist, `${entry}.js`)])),
      external: [storeSettings],
      output: {
        entryFileNames: '[name].mjs',
        chunkFileNames: '[name]-[hash].mjs',
        keepNames: true,
        paths: { [storeSettings]: fromPacked(storeSettings) },
      },
    },
  },
});
for (const entry of packedEntries) {
  const file = path.join(dist, `${entry}.js`);
  await writeFile(file, `export * from '${path.relative(path.dirname(file), path.join(outDir, `${entry.replaceAll('/', '-')}.mjs`))}';\n`);
}
