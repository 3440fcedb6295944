/** What the documents say is there, is there: files, commands, flags, settings; and what a pair in two languages says is the same. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { wholeProgram } from '../src/cli/program.js';
import { settings } from '../src/config.js';
import { wireNames } from '../src/domain/wires.js';
import { repository } from './server.js';

const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');
const documents = ['README.md', 'README.zh-CN.md', ...readdirSync(path.join(repository, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const pairs = [['README.md', 'README.zh-CN.md'], ['docs/first-hour-pictures.md', 'docs/first-hour-pictures.zh-CN.md']] as const;

interface Block {
  language: string;
  code: string;
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language: language!, code: code! }));
}

/** Comments are prose. */
const withoutComments = (code: string): string => code.replace(/(^|\s+)#( .*)?$/gm, '').trim();

const prose = (text: string): string => text.replace(/^```.*?^```$/gms, '');

/** With what belongs to them: `1,043`, `.645`, `12,000`. Addresses are no figures. */
function figuresOf(text: string): string[] {
  const bare = prose(text).replace(/\]\([^)]*\)/g, ']').replace(/<https?:[^>]*>/g, '');
  return [...bare.matchAll(/(?<![\w.])\.?\d+(?:[.,]\d+)*/g)].map(([figure]) => figure).sort();
}

describe.for(pairs)('%s and %s', ([english, chinese]) => {
  it('show the same commands', () => {
    const [a, b] = [english, chinese].map((file) => blocksOf(read(file)).map(({ code }) => withoutComments(code))) as [string[], string[]];
    expect(b).toEqual(a);
  });

  it('tell the same figures', () => {
    expect(figuresOf(read(chinese))).toEqual(figuresOf(read(english)));
  });

  it('have the same headings, pictures and links', () => {
    const shape = (file: string): string[] => [...prose(read(file)).matchAll(/^#+(?= )|^- |^\||(?<=!\[[^\]]*\])\([^)]*\)/gm)].map(([each]) => each);
    expect(shape(chinese)).toEqual(shape(english));
  });
});

describe.for(documents)('%s', (file) => {
  const text = read(file);

  it('links to what is there', () => {
    for (const [, target] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [name, anchor] = target!.split('#') as [string, string?];
      const linked = name === '' ? file : path.join(path.dirname(file), name);
      expect(existsSync(path.join(repository, linked)), `${file} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(linked)), `${file} links to ${target}`).toContain(anchor);
    }
  });

  it('names commands and flags that the program has', async () => {
    const program = await wholeProgram();
    const shell = blocksOf(text).filter(({ language }) => language === 'sh').flatMap(({ code }) => commandsOf(withoutComments(code)));
    const inline = [...prose(text).matchAll(/`((?:npx )?mixspace [^`]+)`/g)].flatMap(([, code]) => commandsOf(code!));
    for (const line of [...shell, ...inline]) expect(wrongIn(line, program), `${file}: ${line}`).toBe('');
    const flags = new Set([...allCommands(program).flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])), '--help']);
    for (const [, flag] of prose(text).matchAll(/`(--[a-z][\w-]*|-[a-z]\b)/g)) {
      // Figures name those of the benchmarks.
      if (file !== 'docs/figures.md') expect([...flags], `${file} names ${flag}`).toContain(flag);
    }
  });

  it('names settings that the program reads', () => {
    const known = new Set([...Object.values(settings).map(({ env }) => env), 'MIXSPACE_URL', 'MIXSPACE_API_KEY']);
    for (const [name] of text.matchAll(/\bMIXSPACE_[A-Z_]+(?![A-Z_*])/g)) if (name !== 'MIXSPACE_') expect([...known], `${file} names ${name}`).toContain(name);
  });

  it('shows the examples as they stand in docs/examples', () => {
    const examples = readdirSync(path.join(repository, 'docs/examples')).map((name) => read(`docs/examples/${name}`));
    if (!file.startsWith('docs/')) return;
    for (const { language, code } of blocksOf(text)) if (language === 'ts' || language === 'python') expect(examples, `${file}: ${code.slice(0, 60)}`).toContain(code);
  });
});

describe('what is written down for other programs', () => {
  it('compose.yaml and the systemd unit name settings that the program reads', () => {
    const known = Object.values(settings).map(({ env }) => env);
    for (const file of ['compose.yaml', 'packaging/compose.postgres.yaml', 'packaging/mixspace.service', 'Dockerfile']) {
      for (const [name] of read(file).matchAll(/\bMIXSPACE_[A-Z_]+/g)) expect(known, `${file} names ${name}`).toContain(name);
    }
  });

  it("compose.yaml's volumes, user and port are the image's", () => {
    const image = read('Dockerfile');
    const compose = read('compose.yaml');
    const workdir = /^WORKDIR (.*)$/m.exec(image)![1]!;
    expect(compose).toContain(`- index:${/^VOLUME (.*)$/m.exec(image)![1]}`);
    expect(compose).toContain(`- models:${path.posix.join(workdir, 'models')}`);
    expect(compose).toContain(`user: ${/^USER (.*)$/m.exec(image)![1]}`);
    expect(compose).toContain(`:8080:${/^EXPOSE (.*)$/m.exec(image)![1]}`);
  });
});

it('docs/api.md lists the wires that there are', () => {
  const rows = [...read('docs/api.md').split('\n## Wires\n')[1]!.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual([...wireNames]);
});

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, '').trim().replaceAll(/\s/g, '-'));
}

/** Each command line of mixspace in a piece of shell, without what stands before it and behind a pipe. */
function commandsOf(code: string): string[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => [...line.matchAll(/(?:^|npx |[(|] ?|[A-Z_]+=\S* )mixspace ((?:'[^']*'|"[^"]*"|[^|;)])*)/g)].map(([, rest]) => rest!.trim()));
}

function wrongIn(line: string, program: Command): string {
  const words = line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  let command = program;
  let options = program.options;
  for (const word of words) {
    if (/^--?[a-zA-Z0-9]/.test(word)) {
      const name = word.split('=')[0]!;
      if (['--help', '--version', '-h'].includes(name)) continue;
      if (!options.some(({ long, short }) => long === name || short === name)) return `there is no ${name}`;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word);
    if (next) {
      command = next;
      options = [...command.options, ...(defaultOf(command)?.options ?? [])];
    } else if (command === program) {
      // Such as the name alone in a sentence.
      return !/^[a-z]+$/.test(word) ? '' : `there is no command ${word}`;
    }
  }
  return '';
}

const defaultOf = (command: Command): Command | undefined => command.commands.find((each) => each.name() === 'list');

const allCommands = (command: Command): Command[] => [command, ...command.commands.flatMap(allCommands)];
