/** Scripts that make a shell ask `tocsin complete` for what may follow. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# For ~/.bashrc:  source <(tocsin completion bash)
_tocsin_complete() {
  local rest=$COMP_LINE current=\${COMP_WORDS[COMP_CWORD]} word last cut line
  local -a words=()
  # Bash takes --output=json for three words: what no space parts is put together again.
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ \${#words[@]} -eq 0 || $rest == [[:space:]]* ]]; then
      words+=("$word")
    else
      words[\${#words[@]}-1]+=$word
    fi
    rest=\${rest#*"$word"}
  done
  last=\${words[\${#words[@]}-1]}
  # And it wants back what replaces the last of the three.
  cut=$last
  [[ $current == *[!=:]* ]] && cut=\${last%"$current"}
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    COMPREPLY+=("\${line#"$cut"}")
  done < <(tocsin complete -- "\${words[@]:1}" 2>/dev/null)
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
