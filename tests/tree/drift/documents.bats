# What --help says, the manual pages, the completions and the README say too, and no more.

read -ra tools < <(sed -n 's/^set(SHMIM_TOOLS \(.*\))$/\1/p' "$SHMIM_SOURCE_DIR/CMakeLists.txt")

# Options of a tool, one a line, as its --help lists them.
help_options() {
  "shmim-$1" --help | sed -n '/^Options:/,/^$/p' | grep -oE '^  -[^ []+' | tr -d ' ' | tr , '\n' | sort
}

man_page() { cat "$SHMIM_BUILD_DIR/man/$1"; }

@test "every option of --help is in the manual page, and every option there in --help" {
  for tool in "${tools[@]}"; do
    from_man=$(man_page "shmim-$tool.1" | sed -n '/^\.SH OPTIONS/,/^\.SH/p' | grep -E '^\\fB-' |
      grep -oE '\\fB[^\\]*(\\-[^\\]*)*' | sed 's/\\fB//; s/\\//g' | sort)
    diff <(help_options "$tool") <(printf '%s\n' "$from_man")
  done
}

@test "every option of --help is completed by bash, zsh and fish" {
  for tool in "${tools[@]}"; do
    diff <(help_options "$tool") \
      <(bash -c '. "$1"; _shmim_options "$2"' - "$SHMIM_BUILD_DIR/completions/shmim.bash" "shmim-$tool" |
        tr ' ' '\n' | sort)
    diff <(help_options "$tool") \
      <(sed -n "/^  shmim-$tool)/,/;;/p" "$SHMIM_BUILD_DIR/completions/_shmim" |
        grep -oE "^ +'\*-[^[]+" | tr -d " '*" | sort)
    diff <(help_options "$tool") \
      <(grep "^complete -c shmim-$tool " "$SHMIM_BUILD_DIR/completions/shmim.fish" |
        grep -oE ' -[sl] [a-zA-Z0-9-]+' | sed -E 's/ -s /-/; s/ -l /--/' | sort)
  done
}

@test "the examples of --help are two, and those of the manual page" {
  for tool in "${tools[@]}"; do
    examples=$("shmim-$tool" --help | sed -n '/^Examples:/,$p' | sed -n 's/^  //p')
    [ "$(wc -l <<<"$examples")" -eq 2 ]
    while read -r example; do
      sed -n '/^# EXAMPLES/,/^# SEE/p' "$SHMIM_SOURCE_DIR/man/shmim-$tool.1.scd" | grep -qF -- "$example"
    done <<<"$examples"
  done
}

@test "exit statuses are the same in --help, manual pages and README" {
  for tool in "${tools[@]}"; do
    statuses=$("shmim-$tool" --help | sed -n '/^Exit status:/,/^$/p' | sed -nE 's/^  ([^ ]+) +(.*)/\1 \2/p')
    # Of shmim-diff they are those of diff(1).
    [ "$(wc -l <<<"$statuses")" -eq "$([ "$tool" = diff ] && echo 4 || echo 8)" ]
    while read -r status meaning; do
      grep -qF "| $status | $meaning |" "$SHMIM_SOURCE_DIR/README.md"
    done <<<"$statuses"
    man_page "shmim-$tool.1" | grep -q '^\.SH EXIT STATUS'
    diff <(cut -d ' ' -f 1 <<<"$statuses") \
      <(man_page "shmim-$tool.1" | sed -n '/^\.SH EXIT STATUS/,/^\.SH/p' | sed -nE 's/^\\fB([^\\]+)\\fR$/\1/p')
  done
}

@test "the one line of each tool is the same in --help and its manual page" {
  for tool in "${tools[@]}"; do
    summary=$("shmim-$tool" --help | head -n 1)
    man_page "shmim-$tool.1" | sed 's/\\&//g; s/\\//g' | grep -qxF "shmim-$tool - $summary"
  done
}

@test "every option that the prose names exists" {
  all=$(for tool in "${tools[@]}"; do help_options "$tool"; done | sort -u)
  # Options of cmake, cpack and pkg-config, in lines on installing and compiling.
  for option in $(cat "$SHMIM_SOURCE_DIR/README.md" "$SHMIM_SOURCE_DIR"/man/*.scd |
    grep -vE '(cmake|cpack|pkg-config) --' | grep -oE -- '(^|[^-a-z])--[a-z][a-z0-9-]+' | grep -oE -- '--.*' | sort -u); do
    grep -qxF -- "$option" <<<"$all" || { echo "$option is not an option of any tool" >&2; false; }
  done
}

@test "the README names the packages that building needs" {
  # cmake -B takes make; the presets take Ninja.
  diff <(sed -n '/^sudo apt install/,/[^\\]$/p' "$SHMIM_SOURCE_DIR/README.md" | tr -s ' \\' '\n' |
    grep -vxE 'sudo|apt|install|make|' | sort) \
    <(sed -n '/^build=(/,/^)/p' "$SHMIM_SOURCE_DIR/tests/install-dependencies" |
      sed -nE 's/^  ([^ ]+) .*/\1/p' | grep -vx ninja-build | sort)
}

@test "every tool has its row in the README and its place in shmim(7)" {
  for tool in "${tools[@]}"; do
    grep -qE "^\| \`shmim-$tool " "$SHMIM_SOURCE_DIR/README.md"
    grep -qF "*shmim-$tool*(1)" "$SHMIM_SOURCE_DIR/man/shmim.7.scd"
  done
}

@test "the manual says where each field lies, as the layout does" {
  header=$SHMIM_SOURCE_DIR/lib/include/shmim/layout.hpp
  # Names differ in writing only: nb_kw is NBkw.
  paste -d ' ' \
    <(grep -oE 'SHMIM_AT\(Metadata, [^)]*' "$header" | sed -E 's/.*Metadata, ([a-z0-9_]+), ([0-9]+), ([0-9]+)/\2 \3/') \
    <(sed -n '/^# METADATA/,/^# HOW/p' "$SHMIM_SOURCE_DIR/man/shmim-stream.5.scd" | grep -A2 '^|  ' |
      grep -E '^:  [0-9]+$' | tr -d ': ' | paste -d ' ' - -) >"$BATS_TEST_TMPDIR/rows"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/rows")" -eq 31 ]
  while read -r offset size man_offset man_size; do
    [ "$offset $size" = "$man_offset $man_size" ]
  done <"$BATS_TEST_TMPDIR/rows"
}

@test "what a document links to in the tree is there" {
  cd "$SHMIM_SOURCE_DIR"
  local document link
  while IFS=: read -r document link; do
    [[ -e $(dirname "$document")/$link ]] || { echo "$document links to $link, which is not there"; false; }
  done < <(grep -roE --include='*.md' --exclude-dir=build '\]\([^):#]+' . | sed 's/\](//')
}
