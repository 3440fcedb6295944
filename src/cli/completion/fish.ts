import { short, type Completed } from './table.js';

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;

export function fishScript(table: Completed[]): string {
  const lines = table.flatMap(({ path, commands, options }) => {
    const here = quoted(path.length === 0 ? '__fish_use_subcommand' : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and '));
    const names = commands.map(({ name }) => name).join(' ');
    const next = path.length === 0 ? here : quoted(`${here.slice(1, -1)}; and not __fish_seen_subcommand_from ${names}`);
    return [
      ...commands.map(({ name, what }) => `complete -c mixspace -f -n ${next} -a ${name} -d ${quoted(short(what))}`),
      ...options.map(({ names: [long, letter], what, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c mixspace -n ${here}${letter === undefined ? '' : ` -s ${letter.slice(1)}`} -l ${long!.slice(2)}${value} -d ${quoted(short(what))}`;
      }),
    ];
  });
  return `# mixspace's completion for fish: mixspace completion fish | source\n${lines.join('\n')}\n`;
}
