/** Scripts that make a shell ask `tocsin complete` for what may follow. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# For ~/.bashrc:  source <(tocsin completion bash)
_tocsin_complete() {
  local line
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    COMPREPLY+=("$line")
  done < <(tocsin complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _tocsin_complete tocsin
`,
  zsh: `#compdef tocsin
# For ~/.zshrc, after compinit:  source <(tocsin completion zsh)
_tocsin() {
  local word says
  local -a found
  while IFS=$'\\t' read -r word says; do
    found+=("\${word//:/\\\\:}:$says")
  done < <(tocsin complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'tocsin' found || _files
}
compdef _tocsin tocsin
`,
  fish: `# For ~/.config/fish/config.fish:  tocsin completion fish | source
function __tocsin_complete
    set -l words (commandline -opc) (commandline -ct)
    tocsin complete -- $words[2..-1] 2>/dev/null
end
complete -c tocsin -f -a '(__tocsin_complete)'
`,
};
