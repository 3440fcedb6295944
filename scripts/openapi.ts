/** Writes openapi.json; with `--check`, fails where the committed one is not what the code makes. */
import { readFile, writeFile } from 'node:fs/promises';
import { openApiDocument } from '../src/http/openapi.js';

const file = new URL('../openapi.json', import.meta.url);
const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  const committed = await readFile(file, 'utf8').catch(() => '');
  if (committed !== text) {
    console.error('openapi.json is not what the code makes: run `npm run openapi` and commit it.');
    process.exit(1);
  }
  console.log('openapi.json is current.');
} else await writeFile(file, text);
