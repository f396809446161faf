# Completions offer what there is.

setup() {
  MILK_SHM_DIR=$(mktemp -d)
  export MILK_SHM_DIR
  shmim-create -q cam1 4x4
  shmim-create -q cam2 4x4
  shmim-create -q -d "$MILK_SHM_DIR" dm 4x4
  cd "$BATS_TEST_TMPDIR"
  mkdir -p conf
  touch conf/shmim.dark.fits conf/shmim.flat.fname.txt
  shmim-kw cam1 EXPTIME=0.5 GAIN=2
}

teardown() { rm -rf "$MILK_SHM_DIR"; }

# What bash offers for a command line whose last word is being typed.
bash_offers() {
  bash -c '
    . "$1"
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _shmim "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"
  ' - "$SHMIM_BUILD_DIR/completions/shmim.bash" "$@" | xargs
}

@test "bash completes streams, also those that are FITS files yet" {
  [ "$(bash_offers shmim-cat ca)" = "cam1 cam2" ]
  [ "$(bash_offers shmim-cat da)" = "dark" ]
  [ "$(bash_offers shmim-cat fl)" = "flat" ]
  [ "$(bash_offers shmim-cat '')" = "cam1 cam2 dm dark flat" ]
  [ "$(bash_offers shmim-cat @S : ca)" = "cam1 cam2" ]
  [ "$(bash_offers shmim-post cam1 --trigger c)" = "cam1 cam2" ]
}

@test "bash completes options and values" {
  [ "$(bash_offers shmim-wait --ti)" = "--timeout" ]
  [ "$(bash_offers shmim-create cam3 --type uint1)" = "uint16" ]
  [ "$(bash_offers shmim-create cam3 --type = uint1)" = "uint16" ]
  [ "$(bash_offers shmim-cat cam1 -o f)" = "fits frames" ]
  [ "$(bash_offers shmim-post cam1 --data con)" = "conf" ]
  [ "$(bash_offers shmim-post cam1 --pattern s)" = "spots sine" ]
  [ "$(bash_offers shmim-cat -d con)" = "conf" ]
  [ "$(bash_offers shmim-post --rate '')" = "" ]
  [ "$(bash_offers shmim-ls --sort satu)" = "saturated" ]
  [ "$(bash_offers shmim-ls ca)" = "cam1 cam2" ]
  [ "$(bash_offers shmim-link wfs ca)" = "cam1 cam2" ]
  [ "$(bash_offers shmim-diff cam1 c)" = "cam1 cam2 conf" ]
  [ "$(bash_offers shmim-bench la)" = "latency" ]
  [ "$(bash_offers shmim-bench latency f)" = "fits fanout frames" ]
}

@test "bash completes the keywords of a stream" {
  [ "$(bash_offers shmim-kw ca)" = "cam1 cam2" ]
  [ "$(bash_offers shmim-kw cam1 '')" = "EXPTIME GAIN" ]
  [ "$(bash_offers shmim-kw cam1 --as real EX)" = "EXPTIME" ]
  [ "$(bash_offers shmim-kw @S : cam1 GA)" = "GAIN" ]
  [ "$(bash_offers shmim-kw -d "$MILK_SHM_DIR" cam1 GAIN E)" = "EXPTIME" ]
  [ "$(bash_offers shmim-kw cam2 '')" = "" ]
}

@test "bash looks for streams in the directory that -d names" {
  mkdir other
  shmim-create -q -d other elsewhere 4
  [ "$(bash_offers shmim-cat -d other el)" = "elsewhere" ]
}

@test "fish completes streams, options and values" {
  offers() {
    fish --no-config -c '
      set -g fish_complete_path $argv[1]
      source $argv[1]/shmim.fish
      complete -C "$argv[2]"
    ' "$SHMIM_BUILD_DIR/completions" "$1" | cut -f 1 | xargs
  }
  [ "$(offers 'shmim-cat ca')" = "cam1 cam2" ]
  [ "$(offers 'shmim-wait --tim')" = "--timeout" ]
  [ "$(offers 'shmim-cat fl')" = "flat" ]
  [ "$(offers 'shmim-create cam3 --type uint1')" = "uint16" ]
  [ "$(offers 'shmim-cat cam1 -o r')" = "raw" ]
  [ "$(offers 'shmim-ls --sort satu')" = "saturated" ]
  [ "$(offers 'shmim-kw cam1 EX')" = "EXPTIME" ]
  [ "$(offers 'shmim-link wfs ca')" = "cam1 cam2" ]
  [ "$(offers 'shmim-diff cam1 ca')" = "cam1 cam2" ]
  [ "$(offers 'shmim-bench la')" = "latency" ]
}

@test "zsh completes streams, options and values" {
  # zsh completes only at a terminal: zpty gives it one, and what it lists is read back.
  offers() {
    ZDOTDIR=$BATS_TEST_TMPDIR LINE=$1 COMPLETIONS=$SHMIM_BUILD_DIR/completions zsh -f -c '
      zmodload zsh/zpty
      zpty z zsh -f -i
      z() { zpty -w z "$1"; }
      z "PS1=; unsetopt zle_bracketed_paste 2>/dev/null; fpath=($COMPLETIONS \$fpath); autoload -U compinit; compinit -D -u"
      z "zstyle \":completion:*\" list-prompt \"\"; zstyle \":completion:*\" menu no; LISTMAX=1000"
      z "show() { zle complete-word; print -r -- \"<\$BUFFER>\"; }; zle -N show; bindkey \"^I\" show"
      z "PS1=re\"\"ady"  # shown once it edits a line, and not by this being typed
      zpty -r z out "*ready*"
      zpty -n -w z "$LINE"$'"'\\t'"'
      zpty -r -m z out "*<*>*"
      print -r -- "$out"
      zpty -d z
    ' | grep -oE '<[^>]*>' | tail -n 1
  }
  [ "$(offers 'shmim-cat da')" = "<shmim-cat dark >" ]
  [ "$(offers 'shmim-cat fl')" = "<shmim-cat flat >" ]
  [ "$(offers 'shmim-kw cam1 EX')" = "<shmim-kw cam1 EXPTIME=>" ]
  [ "$(offers 'shmim-ls --sort satu')" = "<shmim-ls --sort saturated >" ]
  [ "$(offers 'shmim-link wfs ca')" = "<shmim-link wfs cam>" ]
  [ "$(offers 'shmim-diff cam1 ca')" = "<shmim-diff cam1 cam>" ]
  [ "$(offers 'shmim-diff cam1 con')" = "<shmim-diff cam1 conf/>" ]
  [ "$(offers 'shmim-cat ca')" = "<shmim-cat cam>" ]
  [ "$(offers 'shmim-wait --tim')" = "<shmim-wait --timeout >" ]
  [ "$(offers 'shmim-create x --type complex1')" = "<shmim-create x --type complex128 >" ]
  [ "$(offers 'shmim-bench la')" = "<shmim-bench latency >" ]
}
