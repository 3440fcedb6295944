/**
 * Writes each dependency that consists of many small files into dist/node_modules as one file, which is where what is
 * compiled finds it first: a start reads a quarter of the files. Without that folder everything runs as well, from
 * node_modules.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'vite';

/** JavaScript alone, which finds no files of its own by their path. */
const packed = ['commander', 'compression', 'csv-parse', 'express', 'ipaddr.js', 'prom-client', 'tar-stream', 'undici', 'yauzl', 'zod'];

const repository = path.resolve(import.meta.dirname, '..');
const outDir = path.join(repository, 'dist/node_modules');
const prefix = 'packed:';

/** A module by itself that gives on what Node finds in a package, whichever format that is in. */
const entries: Plugin = {
  name: 'packed-dependencies',
  resolveId: (id) => (id.startsWith(prefix) ? path.join(repository, `${id.slice(prefix.length)}.packed.mjs`) : undefined),
  load: async (id) => {
    const name = packed.find((each) => id === path.join(repository, `${each}.packed.mjs`));
    if (name === undefined) return undefined;
    const names = Object.keys((await import(name)) as object).filter((each) => /^[\p{L}_$][\p{L}\d_$]*$/u.test(each));
    return `export { ${names.join(', ')} } from '${name}';`;
  },
};

await rm(outDir, { recursive: true, force: true });
await build({
  configFile: false,
  root: repository,
  logLevel: 'warn',
  plugins: [entries],
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir,
    target: 'node20',
    minify: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      input: Object.fromEntries(packed.map((name) => [name, prefix + name])),
      output: { entryFileNames: '[name]/index.mjs', chunkFileNames: '.shared/[name].mjs' },
    },
  },
});
for (const name of packed) {
  const { version, license } = JSON.parse(await readFile(path.join(repository, 'node_modules', name, 'package.json'), 'utf8')) as { version: string; license: string };
  await writeFile(path.join(outDir, name, 'package.json'), `${JSON.stringify({ name, version, license, exports: './index.mjs' }, null, 2)}\n`);
}
