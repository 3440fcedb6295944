/** The declarations of src/client, and beside them what they know of the contract, spelled out: no schema and no zod. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { routes } from '../../../src/contract/routes.js';

const whole = ts.NodeBuilderFlags.NoTruncation | ts.NodeBuilderFlags.InTypeAlias | ts.NodeBuilderFlags.MultilineObjectLiterals | ts.NodeBuilderFlags.UseAliasDefinedOutsideCurrentScope;
const isType = ({ flags }: ts.Symbol): boolean => (flags & (ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Interface)) !== 0;

/** `call.ts` derives these from the schemas. */
const calls = `import type { Calls } from './contract.js';
export type RouteName = keyof Calls;
/** What a call of a route takes: its path's parameters, its query string, its body; more headers. */
export type CallParts<N extends RouteName> = Calls[N]['parts'];
/** Nothing to give: the argument may be left out. */
export type CallArguments<N extends RouteName> = object extends CallParts<N> ? [parts?: CallParts<N>] : [parts: CallParts<N>];
export type Answer<N extends RouteName> = Calls[N]['answer'];
`;
/** Of a route callers see no more. */
const known: Record<string, string> = {
  Route: 'export interface Route { readonly method: string; readonly path: string }',
  RouteName: "export type { RouteName } from './call.js';",
};

let spelled: string | undefined;

export function writeDeclarations(repository: string, to: string): void {
  const from = path.join(repository, 'dist/client');
  const asked = new Set<string>();
  for (const file of readdirSync(from).filter((name) => name.endsWith('.d.ts') && name !== 'call.d.ts')) {
    const text = readFileSync(path.join(from, file), 'utf8');
    for (const [, names] of text.matchAll(/^import (?:type )?\{([^}]*)\} from '\.\.\/contract\/[^']*';/gm)) for (const name of names!.split(',')) asked.add(name.replace('type ', '').trim());
    writeFileSync(path.join(to, file), text.replace(/'\.\.\/contract\/[^']*'/g, "'./contract.js'").replace(/export \{ namesPicture \} from '[^']*';/, 'export declare const namesPicture: (file: string) => boolean;').replace(/\n\/\/# sourceMappingURL=.*/, ''));
  }
  writeFileSync(path.join(to, 'call.d.ts'), calls);
  writeFileSync(path.join(to, 'contract.d.ts'), (spelled ??= spellOut(repository, asked)));
}

function spellOut(repository: string, asked: Set<string>): string {
  const probe = path.join(repository, 'src/client/probe.ts');
  const names = Object.keys(routes);
  const probed = `import type { Answer, CallParts } from './call.js';\n${names.map((name) => `export type Parts_${name} = CallParts<'${name}'>; export type Answer_${name} = Answer<'${name}'>;`).join('\n')}\n`;
  const { config } = ts.readConfigFile(path.join(repository, 'tsconfig.json'), (file) => readFileSync(file, 'utf8')) as { config: { compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, noErrorTruncation: true }, repository);
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => file === probe || disk.fileExists(file),
    getSourceFile: (file, ...rest) => (file === probe ? ts.createSourceFile(file, probed, ts.ScriptTarget.ES2023, true) : disk.getSourceFile(file, ...rest)),
  };
  const program = ts.createProgram([probe, ...['contract', 'domain'].flatMap((folder) => readdirSync(path.join(repository, 'src', folder)).map((file) => path.join(repository, 'src', folder, file)))], options, host);
  const checker = program.getTypeChecker();

  const symbols = new Map<string, ts.Symbol>();
  for (const source of program.getSourceFiles().filter(({ fileName }) => /\/src\/(contract|domain)\/[^/]+\.ts$/.test(fileName) || fileName === probe)) {
    const module = checker.getSymbolAtLocation(source);
    for (const each of module ? checker.getExportsOfModule(module) : []) symbols.set(each.name, each);
  }
  const printer = ts.createPrinter();
  const empty = ts.createSourceFile('contract.d.ts', '', ts.ScriptTarget.ES2023);
  const textOf = (name: string): string => {
    const symbol = symbols.get(name)!;
    const type = isType(symbol) ? checker.getDeclaredTypeOfSymbol(symbol) : checker.getTypeOfSymbol(symbol);
    // Before TypeScript 5.7 arrays of numbers were not generic.
    return printer.printNode(ts.EmitHint.Unspecified, checker.typeToTypeNode(type, undefined, whole)!, empty).replaceAll('Array<ArrayBufferLike>', 'Array');
  };

  const lines = [`export interface Calls {\n${names.map((name) => `  ${name}: { parts: ${textOf(`Parts_${name}`)}; answer: ${textOf(`Answer_${name}`)} };`).join('\n')}\n}`];
  const told = new Set<string>();
  const waiting = [...asked];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (told.has(name)) continue;
    told.add(name);
    const symbol = symbols.get(name);
    if (!symbol) throw new Error(`${name} stands neither in src/contract nor in src/domain.`);
    lines.push(known[name] ?? (isType(symbol) ? `export type ${name} = ${textOf(name)};` : `export declare const ${name}: ${textOf(name)};`));
    for (const missing of missingNames(lines.join('\n'))) if (!told.has(missing)) waiting.push(missing);
  }
  const all = `${lines.join('\n')}\n`;
  if (/\bz\.|zod/i.test(all)) throw new Error('A type of the contract still names zod.');
  return all;
}

/** Types that are named and not there. */
function missingNames(text: string): string[] {
  const file = ts.createSourceFile('contract.d.ts', text, ts.ScriptTarget.ES2023, true);
  const globals = ['Record', 'Partial', 'Blob', 'FormData', 'ReadableStream', 'Uint8Array', 'ArrayBufferLike', 'ArrayBuffer', 'AbortSignal', 'Float32Array', 'Omit', 'Pick', 'Readonly', 'ReadonlyArray', 'Array', 'Exclude', 'NonNullable'];
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) found.add(node.typeName.getText());
    node.forEachChild(visit);
  };
  visit(file);
  return [...found].filter((name) => !globals.includes(name));
}
