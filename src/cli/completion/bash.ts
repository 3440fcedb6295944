import { quoted, type Completed } from './table.js';

export function bashScript(table: Completed[]): string {
  const known = table.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  const values = table.flatMap(({ path, options }) =>
    options.filter(({ takesValue }) => takesValue).map(({ names, choices }) => `    ${names.map((name) => quoted(`${path.join(' ')}:${name}`)).join('|')}) ${choices.length > 0 ? `words=${quoted(choices.join(' '))}` : ''} ;;`),
  );
  const lists = table.map(({ path, commands, options }) => `    ${quoted(path.join(' '))}) commands=${quoted(commands.map(({ name }) => name).join(' '))} options=${quoted(options.flatMap(({ names }) => names).join(' '))} ;;`);
  return `# mixspace's completion for bash: source <(mixspace completion bash)
_mixspace() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' words='' commands='' options='' i next
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${command:+$command }\${COMP_WORDS[i]}"
    case "$next" in
      ${known.join('|')}) command=$next ;;
    esac
  done
  case "$command:$previous" in
${values.join('\n')}
    *)
      case "$command" in
${lists.map((line) => `    ${line}`).join('\n')}
      esac
      if [[ $current == -* ]]; then words=$options; else words=$commands; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _mixspace mixspace
`;
}
