/**
 * onnxruntime-node goes into the package as it is here, less its install script: that downloads CUDA libraries from a host
 * besides the registry, hundreds of megabytes that hardly anybody wants, and an install fails where it cannot be reached.
 * Who wants them calls its `script/install` by hand. `npm ci` brings back what is changed here.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';

const folder = new URL('../node_modules/onnxruntime-node/', import.meta.url);
const file = new URL('package.json', folder);
const { scripts: _scripts, devDependencies: _dev, ...rest } = JSON.parse(await readFile(file, 'utf8')) as { version: string; scripts?: object; devDependencies?: object };
const written = new URL('package.json.new', folder);
await writeFile(written, `${JSON.stringify(rest, null, 2)}\n`);
// By name: the folder is newer then than what npm remembers of it.
await rename(written, file);

// The same library under two names; the binding asks for the other one.
for (const darwin of await readdir(new URL('bin/napi-v6/darwin/', folder))) await rm(new URL(`bin/napi-v6/darwin/${darwin}/libonnxruntime.${rest.version}.dylib`, folder), { force: true });
