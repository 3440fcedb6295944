/** Every example that a document shows does what it shows: TypeScript is type-checked and run, calls by curl are made, against one service. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled, repository, startServer, type RunningServer } from './server.js';

const run = promisify(execFile);
const folderOf = (folder: string): string[] => (existsSync(path.join(repository, folder)) ? readdirSync(path.join(repository, folder)) : []);
const documents = [
  ...folderOf('.').filter((name) => /^README.*\.md$/.test(name)),
  ...folderOf('docs').filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ...folderOf('packages').map((name) => `packages/${name}/README.md`),
].filter((file) => existsSync(path.join(repository, file)));

interface Example {
  /** As it is told: the document and its line. */
  at: string;
  code: string;
}
const blocksOf = (file: string, language: string): Example[] => {
  const text = readFileSync(path.join(repository, file), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => ({ at: `${file}:${text.slice(0, match.index).split('\n').length}`, code: match[1]! }));
};

/** An example that shows a few lines only is of a program that begins like this. */
const beginnings: [RegExp, string][] = [
  [/\bOpenAI\b/, "import OpenAI from 'openai';"],
  [/\bMixspaceClient\b/, "import { MixspaceClient } from '@mixspace/client';"],
  [/\bopenService\b/, "import { openService } from 'mixspace';"],
];
const wholeOf = (code: string): string => (/^import /m.test(code) ? code : `${beginnings.filter(([name]) => name.test(code)).map(([, line]) => line).join(' ')}${code}\nexport {};\n`);

/** Calls that a service without keys does not take. */
const needsKeys = /\/v1\/keys/;

/** Statements of a shell script that are calls of the service on its usual port; a pipe behind one only shows the answer otherwise. */
function callsOf({ at, code }: Example): Example[] {
  const statements: string[] = [];
  let open = '';
  for (const line of code.split('\n')) {
    if (open === '' && line.startsWith('#')) continue;
    open += `${line}\n`;
    const heredoc = /<<'?(\w+)'?/.exec(open)?.[1];
    const quotes = open.replace(/\\./g, '').match(/'[^']*'|"[^"]*"|['"]/g) ?? [];
    if (quotes.some((quote) => quote.length === 1) || /\\$/.test(line) || (heredoc !== undefined && line !== heredoc)) continue;
    statements.push(open.trim());
    open = '';
  }
  const calls = statements.filter((statement) => /^(?:[A-Z_]+=\S+ )*curl /.test(statement) && /(?:localhost|127\.0\.0\.1):8080/.test(statement) && !needsKeys.test(statement));
  return calls.map((statement) => ({ at, code: statement.replace(/ \| (?:jq|head|tail|less|python3? -m json\.tool)\b[^']*$/, '') }));
}

const scripts = documents.flatMap((file) => blocksOf(file, 'ts')).map(({ at, code }) => ({ at, code: wholeOf(code) }));
const calls = documents.flatMap((file) => blocksOf(file, 'sh')).flatMap(callsOf);

let service: RunningServer;
/** Where whoever follows the documents is: the sources' own pictures, some of theirs, the packages that they have installed. */
let folder: string;
let picture: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-examples-'));
  const links = { 'node_modules/openai': 'node_modules/openai', 'node_modules/@mixspace/client': 'packages/client', 'node_modules/mixspace': '.', docs: 'docs', models: 'models' };
  await mkdir(path.join(folder, 'node_modules/@mixspace'), { recursive: true });
  for (const [name, to] of Object.entries(links)) await symlink(path.join(repository, to), path.join(folder, name));
  const image = sharp({ create: { width: 32, height: 24, channels: 3, background: { r: 200, g: 30, b: 40 } } });
  picture = `data:image/png;base64,${(await image.clone().png().toBuffer()).toString('base64')}`;
  for (const { code } of calls) {
    for (const [, name] of code.matchAll(/=@([\w.-]+\.\w+)/g)) await writeFile(path.join(folder, name!), await image.clone().tint({ r: name!.length * 9, g: 90, b: 40 }).toFormat(name!.endsWith('png') ? 'png' : 'jpeg').toBuffer());
  }
  service = await startServer({ env: bundled });
});
afterAll(async () => {
  await service?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** The service of this test in place of the usual one; pictures of other hosts are not fetched. */
const here = (code: string): string => code.replace(/(?:localhost|127\.0\.0\.1):8080/g, `127.0.0.1:${service.port}`).replace(/https:\/\/[\w.-]*example[\w./-]*\.(?:jpg|jpeg|png|webp)/g, picture);

describe('An example of TypeScript', () => {
  it('has the types that it needs', () => {
    const names = new Map(scripts.map(({ code }, i) => [path.join(repository, `example-${i}.mts`), code]));
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: ['lib.es2023.d.ts'], types: ['node'],
      strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true,
      paths: { '@mixspace/client': [path.join(repository, 'packages/client/dist/esm/index.d.ts')], mixspace: [path.join(repository, 'dist/index.d.ts')] },
    };
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile } = host;
    host.fileExists = (file) => names.has(file) || fileExists(file);
    host.getSourceFile = (file, ...rest) => (names.has(file) ? ts.createSourceFile(file, names.get(file)!, ts.ScriptTarget.ES2023, true) : getSourceFile(file, ...rest));
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([...names.keys()], options, host)).map(({ file, start, messageText }) => {
      const { at } = scripts[[...names.keys()].indexOf(file?.fileName ?? '')] ?? { at: file?.fileName };
      return `${at} + ${file ? ts.getLineAndCharacterOfPosition(file, start!).line : 0}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(problems).toEqual([]);
  });

  it.each(scripts)('runs: $at', async ({ at, code }) => {
    const file = path.join(folder, `${at.replace(/\W/g, '-')}.mjs`);
    await writeFile(file, ts.transpileModule(here(code), { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext } }).outputText);
    await run(process.execPath, [file], { cwd: folder, timeout: 200_000 });
  });
});

describe('A call by curl', () => {
  it('is found in the documents', () => expect(calls.length).toBeGreaterThan(5));

  it.each(calls)('is answered: $at: $code', async ({ code }) => {
    const script = `curl() { command curl -sS --fail-with-body "$@"; }\n${here(code)}\n`;
    await run('bash', ['-c', script], { cwd: folder, env: { ...process.env, MIXSPACE_API_KEY: 'none' } }).catch((error: { stdout?: string; stderr?: string }) => expect.fail(`${error.stderr}${error.stdout}`));
  });
});
