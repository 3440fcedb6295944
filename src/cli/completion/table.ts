/** What a command line may hold, from commander's own table. */
import type { Command } from 'commander';

export interface Completed {
  /** Words that lead to it; none of the program itself. */
  path: string[];
  /** And what its arguments may be, where that is one of a few. */
  commands: { name: string; what: string }[];
  options: { names: string[]; what: string; takesValue: boolean; choices: readonly string[] }[];
}

export function tableOf(command: Command, path: string[] = []): Completed[] {
  const help = { names: ['--help'], what: 'what it does and takes', takesValue: false, choices: [] };
  const commands = [
    ...command.commands.map((each) => ({ name: each.name(), what: each.description() })),
    ...command.registeredArguments.flatMap(({ argChoices, description }) => (argChoices ?? []).map((name) => ({ name, what: description }))),
  ];
  return [
    {
      path,
      commands,
      options: [
        ...command.options.map(({ short, long, description, required, optional, argChoices }) => ({
          names: [long, short].filter((name) => name !== undefined),
          what: description,
          takesValue: required || optional,
          choices: argChoices ?? [],
        })),
        help,
      ],
    },
    ...command.commands.flatMap((each) => tableOf(each, [...path, each.name()])),
  ];
}

/** As one word of bash or zsh. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Of a description, what fits beside its name. */
export const short = (what: string): string => what.split(/[;:(]/)[0]!.trim();
