import { quoted, short, type Completed } from './table.js';

const described = (name: string, what: string): string => quoted(`${name}:${short(what)}`);

export function zshScript(table: Completed[]): string {
  const known = table.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  const values = table.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ names, choices }) => `    (${names.map((name) => quoted(`${path.join(' ')}:${name}`)).join('|')}) ${choices.length > 0 ? `compadd -- ${choices.map(quoted).join(' ')}` : '_files'}; return ;;`),
  );
  const lists = table.map(
    ({ path, commands, options }) =>
      `    (${quoted(path.join(' '))}) commands=(${commands.map(({ name, what }) => described(name, what)).join(' ')}) options=(${options.flatMap(({ names, what }) => names.map((name) => described(name, what))).join(' ')}) ;;`,
  );
  return `#compdef mixspace
# mixspace's completion for zsh: source <(mixspace completion zsh), or as _mixspace in a folder of $fpath
_mixspace() {
  local command='' next i
  local -a commands options
  for ((i = 2; i < CURRENT; i++)); do
    next="\${command:+$command }\${words[i]}"
    case "$next" in
      (${known.join('|')}) command=$next ;;
    esac
  done
  case "$command:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$command" in
${lists.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe option options
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mixspace "$@"; else compdef _mixspace mixspace; fi
`;
}
