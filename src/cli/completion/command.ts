import { Argument, Command } from 'commander';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { tableOf, type Completed } from './table.js';
import { zshScript } from './zsh.js';

const scripts: Record<string, (table: Completed[]) => string> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `whole`: the program with all of its commands. */
export function completionCommand(whole: () => Promise<Command>): Command {
  return new Command('completion')
    .description('print what lets a shell complete commands and flags')
    .addArgument(new Argument('<shell>', 'for which').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
  bash   source <(mixspace completion bash)       in ~/.bashrc
  zsh    source <(mixspace completion zsh)        in ~/.zshrc, behind compinit
  fish   mixspace completion fish | source        in ~/.config/fish/config.fish`,
    )
    .action(async (shell: string) => void process.stdout.write(scripts[shell]!(tableOf(await whole()))));
}
