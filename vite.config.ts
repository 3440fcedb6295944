import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('src/dashboard'),
  // Relative, so that the page also works behind a proxy's path.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: at('dist/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Nothing inline: the service's content security policy refuses it.
    assetsInlineLimit: 0,
    // zod is told that it must not compile before the first schema is made: both stand in one chunk, which all others wait for.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'zod', test: /node_modules\/zod\/|\/no-eval\.ts$/ }] } } },
  },
  // For `vite` alone: the page from source, the service beside it.
  server: { proxy: { '/v1': process.env['MIXSPACE_URL'] ?? 'http://127.0.0.1:8080' } },
});
