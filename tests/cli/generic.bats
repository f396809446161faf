# What is the same for all tools.

load helpers

# The one list of the tools there is.
TOOLS=$(sed -n 's/^set(SHMIM_TOOLS \(.*\))$/\1/p' "$SHMIM_SOURCE_DIR/CMakeLists.txt")
: "${TOOLS:?}"

# The options of each, as its users know them.
options_of() {
  local common="--help --version --dir --quiet --verbose"
  local format="--type --keywords --circular-buffer --semaphores --circular --imagetype --mode"
  case $1 in
    create) echo "$common $format --fill --set --from --like --owner --recreate --json" ;;
    connect) echo "$common $format --create --reload --appear --timeout --ready-fd --json --conf" ;;
    cat)
      echo "$common --output-format --follow -n --latest --passive --missed-fd --verify --late --timeout --for --ready-fd --print --conf"
      ;;
    post)
      echo "$common --sem --except --update --data --format --pattern --seed -n --loop --rate --set --create --no-keywords" \
        "--atime --plane --trigger --pid --claim"
      ;;
    play)
      echo "$common --create --rate --speed --loop --seek --to --now --no-keywords --cpu --rt-prio --json"
      ;;
    send) echo "$common --bind --rate --buffer --announce --curve --keys --insecure --keygen --json --ready-fd" ;;
    serve) echo "$common --bind --rate --buffer --curve --keys --insecure --until-eof --json --ready-fd" ;;
    receive)
      echo "$common --every --rate --compress --ssh -n --timeout --for --force --discover --curve --keys --insecure --json --ready-fd"
      ;;
    run)
      echo "$common --exec --as --every --type --size --with --no-keywords --timeout --restart -n --for --stats" \
        "--cpu --rt-prio --ready-fd"
      ;;
    wait)
      echo "$common --any --all --sem --flush -n --cnt0 --forever --passive --timeout --for --spin --appear --ready-fd" \
        "--json --print"
      ;;
    ls)
      echo "$common --long --columns --over --sort --reverse --noheadings --watch -n --json"
      ;;
    info)
      echo "$common --frames --timeout --for --stats --follow -n --interval --csv --ready-fd --check --json"
      ;;
    kw)
      echo "$common --delete --as --from --wait --follow -n --timeout --for --csv --ready-fd --all --json"
      ;;
    link) echo "$common --conf" ;;
    record) echo "$common --output --force -n --timeout --for --keep --on --after --max --split --compress --latest --decimate --buffer --reserve --sync --direct --cpu --rt-prio --repair --json --ready-fd" ;;
    diff) echo "$common --atol --rtol --nan-differs --no-type --ignore --frames --picture --json --conf" ;;
    top) echo "$common --batch -n --interval --sort --openmetrics --prometheus --json" ;;
    trace)
      echo "$common --all --graph --dot --over --follow -n --hops --worst --delay --timeout --for --budget --ready-fd --json"
      ;;
    rm) echo "$common --dry-run --force --interactive --stale" ;;
    bench) echo "$common --cpu --rt-prio --bytes --count --runs --csv --json" ;;
  esac
}

# A command line of the tool that does its work on the stream `s`, and prints something.
works() {
  case $1 in
    create) echo "create @N:fresh 4x4" ;;
    connect) echo "connect s" ;;
    cat) echo "cat s" ;;
    post) echo "post s -v" ;;
    run) echo "run s --for 1ms -- true" ;;
    wait) echo "wait s --cnt0 0" ;;
    ls) echo "ls s" ;;
    info) echo "info s" ;;
    top) echo "top --batch -n 1 -i 1ms" ;;
    trace) echo "trace s" ;;
    rm) echo "rm --dry-run s" ;;
    bench) echo "bench snapshot --bytes 64 --runs 1 --count 1" ;;
  esac
}

printing="create connect cat wait ls info top trace rm bench"

@test "--help and -h print every option once, on stdout" {
  for tool in $TOOLS; do
    run_out help "shmim-$tool" --help
    run_out short_help "shmim-$tool" -h
    cmp help short_help
    sed -n 's/^  \(-[^ []*\).*/\1/p' help | sed 's/.*,//' | sort >found
    options_of "$tool" | tr ' ' '\n' | sort >wanted
    diff wanted found
    grep -q "^Usage: shmim-$tool " help
    grep -q '^Exit status:' help
    [[ $tool == diff ]] || grep -q '^  124   timed out' help
    # No line of the help is without words.
    refute grep -n '^  -[^ ]*$' help
  done
}

@test "--help fits the terminal" {
  for tool in $TOOLS; do
    run_out help "shmim-$tool" --help
    refute grep -nE '.{81}' help
    for columns in 60 80 120; do
      script -qec "stty cols $columns; shmim-$tool --help" /dev/null </dev/null | tr -d '\r' >wide
      refute grep -nE ".{$((columns + 1))}" <(sed '/^Examples:/,$d' wide)
      grep -q '^Options:' wide
    done
  done
  # Of a wide one the width is used.
  [[ $(wc -l <wide) -le $(wc -l <help) ]]
}

@test "--version and -V print the name and the version" {
  for tool in $TOOLS; do
    check 0 "~ shmim-$tool [0-9]*.[0-9]*.[0-9]*" '' -- "shmim-$tool" --version
    check 0 "~ shmim-$tool [0-9]*.[0-9]*.[0-9]*" '' -- "shmim-$tool" -V
  done
}

@test "an unknown option is wrong usage that names it" {
  make s 4x4
  for tool in $TOOLS; do
    check 2 '' "shmim-$tool: unknown option --bogus
Try 'shmim-$tool --help' for more information." -- "shmim-$tool" s --bogus
    check 2 '' "shmim-$tool: unknown option -Z
Try 'shmim-$tool --help' for more information." -- "shmim-$tool" s -Z
    check 2 '' "shmim-$tool: unknown option --bogus
Try 'shmim-$tool --help' for more information." -- "shmim-$tool" s --bogus=3
  done
}

@test "without the reference it takes, a tool says so" {
  for tool in create connect cat post wait info kw rm; do
    check 2 '' "shmim-$tool: REF is required
Try 'shmim-$tool --help' for more information." -- "shmim-$tool"
  done
  check 2 '' "shmim-play: FILE is required
Try 'shmim-play --help' for more information." -- shmim-play
  check 2 '' "shmim-receive: ENDPOINT is required
Try 'shmim-receive --help' for more information." -- shmim-receive
  check 2 '' "shmim-link: NAME is required
Try 'shmim-link --help' for more information." -- shmim-link
  check 2 '' "shmim-trace: REF is missing (or --all)
Try 'shmim-trace --help' for more information." -- shmim-trace
}

@test "an option without its value is wrong usage that names both" {
  make s 4x4
  for line in "create s --type TYPE" "create s --keywords N" "connect s --timeout DURATION" \
    "cat s --output-format FORMAT" "post s --data FILE" "wait s --timeout DURATION" \
    "ls s --columns LIST" "ls s --sort COLUMN" "info s --frames N" "info s --check WANTED" \
    "kw s --from FILE" "kw s --wait CONDITION" "link s --conf DIR" \
    "trace s --dir DIR" "rm s --dir DIR"; do
    read -r tool ref option value <<<"$line"
    check 2 '' "shmim-$tool: $option needs $value
Try 'shmim-$tool --help' for more information." -- "shmim-$tool" "$ref" "$option"
  done
}

@test "a value that an option cannot take is wrong usage that names it" {
  make s 4x4
  for line in "create s 4 --keywords x" "create s 4 --keywords 65536" "create s 4 --keywords -1" \
    "create s 4 --circular-buffer 4294967296" "create s 4 --semaphores 1.5" "create s 4 --owner me" \
    "cat s -f -n 0" "cat s -f -n ten" "cat s --output-format jpeg" "post s -n 0" "post s -n -5" \
    "post s --rate 0" "post s --rate -1" "post s --rate fast" "post s --sem -1" "post s --plane x" \
    "post s --update --pid 0" "wait s -n 0" "wait s --cnt0 -1" "wait s --sem x" "wait s --sem 1x" "wait s --cnt0 18446744073709551616" \
    "wait s --ready-fd -1" "create s 4 --mode 9" "bench --runs 0" "bench --count 0" "bench --rt-prio 100" \
    "play f --rate 0" "play f --speed 0" "play f --speed -1" "play f --rt-prio 0" \
    "bench --bytes 0" "bench --bytes 5kB" "bench --bytes 64GiBs" "bench --cpu x" "create s 4 --mode 1000" \
    "create s 4 --imagetype 0xg" "create s 4 --type floot" "wait s --timeout 3x" \
    "wait s --timeout -1s" "wait s --spin 1day" "cat s --timeout soon" "connect s --timeout never" \
    "ls s --watch -n 0" "info s --frames 0" \
    "info s --check floot" "info s --check keywords=x" "info s --check 4xx" "kw s --as F" \
    "kw s --timeout soon"; do
    read -ra words <<<"$line"
    local count=${#words[@]}
    local option=${words[count - 2]} value=${words[count - 1]}
    check 2 '' "~ shmim-${words[0]}: *$value*
Try 'shmim-${words[0]} --help' for more information." -- "shmim-${words[0]}" "${words[@]:1}"
    # Neither a number out of a processor's manual nor a sentence without its option.
    grep -qe "$option" "$WORK/.err"
    [[ $(head -n 1 "$WORK/.err" | wc -c) -lt 200 ]]
  done
  check 0 '0' '' -- shmim-wait s --cnt0 0
  # Zeros in front make no octal number: `--print '{cnt0:08}'` gives such.
  make t 2 --keywords 0012
  check 0 '~ connected t *' '' -- shmim-connect t --keywords 12
}

@test "an empty value is refused, and not taken for none" {
  make s 4
  for line in create:--dir create:--from create:--like create:--fill create:--type create:--mode \
    create:--imagetype create:--set connect:--conf connect:--timeout cat:--timeout cat:--dir \
    post:--data post:--atime post:--trigger post:--set wait:--print play:--seek play:--to play:--cpu ls:--columns ls:--sort info:--check kw:--from kw:--wait trace:--dir rm:--dir; do
    check 2 '' "shmim-${line%:*}: ${line#*:}: an empty value
Try 'shmim-${line%:*} --help' for more information." -- "shmim-${line%:*}" s "${line#*:}" ''
  done
  compare listing "$(listing)" s.im.shm
}

@test "a closed standard output is an error" {
  make s 4x4
  for tool in $printing; do
    read -ra words <<<"$(works "$tool")"
    local status=0
    "shmim-${words[0]}" "${words[@]:1}" >&- 2>err || status=$?
    compare status "$status" 1
    compare stderr "$(<err)" "shmim-$tool: standard output: cannot write: Bad file descriptor"
  done
  local status=0
  shmim-wait --help >&- 2>err || status=$?
  compare status "$status" 1
  compare stderr "$(<err)" "shmim-wait: standard output: cannot write: Bad file descriptor"
}

@test "a full standard output is an error" {
  [[ -w /dev/full ]] || skip "no /dev/full"
  make s 4x4
  for tool in $printing; do
    read -ra words <<<"$(works "$tool")"
    local status=0
    "shmim-${words[0]}" "${words[@]:1}" >/dev/full 2>err || status=$?
    compare status "$status" 1
    compare stderr "$(<err)" "shmim-$tool: standard output: cannot write: No space left on device"
  done
  for option in --help --version; do
    local status=0
    shmim-post $option >/dev/full 2>err || status=$?
    compare status "$status" 1
    compare stderr "$(<err)" "shmim-post: standard output: cannot write: No space left on device"
  done
}

@test "a reader that goes away ends the tool quietly, by SIGPIPE" {
  make s 4x4
  for tool in $printing; do
    read -ra words <<<"$(works "$tool")"
    # A fifo whose only reader has gone.
    rm -f pipe
    mkfifo pipe
    exec 6<>pipe 7>pipe 6<&-
    local status=0
    "shmim-${words[0]}" "${words[@]:1}" >&7 2>err || status=$?
    exec 7>&-
    compare status "$status" 141
    compare stderr "$(<err)" ''
  done
}

@test "a shm directory that is not there is named, and what to try" {
  for tool in connect cat post wait ls info kw link top trace rm; do
    check 1 '' "shmim-$tool: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- "shmim-$tool" s -d "$WORK/none"
  done
  check 1 '' "shmim-create: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- shmim-create s 4x4 --dir "$WORK/none"
  check 1 '' "shmim-trace: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- shmim-trace --all --dir "$WORK/none"
  [[ ! -e $WORK/none ]]
}

@test "a shm directory that is none is told apart" {
  : >file
  for tool in connect cat post wait ls info kw link top trace rm; do
    check 1 '' "shmim-$tool: $WORK/file: is not a directory" -- "shmim-$tool" s -d "$WORK/file"
  done
  check 1 '' "shmim-create: $WORK/file: is not a directory" -- shmim-create s 4 -d "$WORK/file"
  check 1 '' "~ shmim-create: $WORK/file/below: cannot look at it: Not a directory*" -- \
    shmim-create s 4 -d "$WORK/file/below"
}

@test "MILK_SHM_DIR that names no directory is an error that says so" {
  export MILK_SHM_DIR=$WORK/none
  for tool in connect cat post wait ls info kw link top trace rm; do
    check 1 '' "shmim-$tool: MILK_SHM_DIR: $WORK/none: no such directory
try: mkdir -p \"\$MILK_SHM_DIR\"" -- "shmim-$tool" s
  done
  check 1 '' "shmim-create: MILK_SHM_DIR: $WORK/none: no such directory
try: mkdir -p \"\$MILK_SHM_DIR\"" -- shmim-create s 4
  : >file
  MILK_SHM_DIR=$WORK/file
  check 1 '' "shmim-create: MILK_SHM_DIR: $WORK/file: is not a directory" -- shmim-create s 4
}

@test "--dir goes before MILK_SHM_DIR" {
  mkdir other
  export MILK_SHM_DIR=$WORK/none
  check 0 "created s float32 2 $(stat -c %s other/s.im.shm 2>/dev/null || echo 2824) bytes $WORK/other/s.im.shm" \
    '' -- shmim-create s 2 -d "$WORK/other"
  check 0 '0 0' '' -- shmim-cat s -d "$WORK/other"
  check 3 '' "shmim-cat: none: no such stream in $WORK/other
try: shmim-ls --dir $WORK/other" -- shmim-cat none -d "$WORK/other"
  check 0 '' '' -- shmim-rm s -d "$WORK/other"
}

@test "a directory that we may not write to" {
  need_nobody
  mkdir other
  chmod 755 other
  check 1 '' "~ shmim-create: $WORK/other: cannot make a file there: Permission denied*" -- \
    "${nobody[@]}" shmim-create s 4 -d "$WORK/other"
  make s 4 -d "$WORK/other"
  check 1 '' "~ shmim-rm: *s.im.shm: cannot remove the file: Permission denied*" -- \
    "${nobody[@]}" shmim-rm s -d "$WORK/other"
  [[ -e other/s.im.shm ]]
  chmod 700 other
  check 1 '' "~ shmim-cat: *other/s.im.shm: cannot open: Permission denied*" -- \
    "${nobody[@]}" shmim-cat s -d "$WORK/other"
}

@test "a stream that is not there is exit 3, with what to try" {
  for tool in cat info kw trace; do
    check 3 '' "shmim-$tool: none: no such stream in $SHM
try: shmim-ls" -- "shmim-$tool" none
  done
  check 3 '' "shmim-post: none: no such stream in $SHM
try: shmim-create none SIZE" -- shmim-post none
  check 3 '' "shmim-wait: none: no such stream in $SHM
try: shmim-wait none --appear" -- shmim-wait none
  check 3 '' "shmim-connect: none: found neither in memory nor in the conf directory
try: shmim-create none SIZE" -- shmim-connect none
  check 3 '' "shmim-rm: none: no such stream in $SHM" -- shmim-rm none
  check 3 '' "shmim-create: none: no such stream in $SHM
try: shmim-create none SIZE" -- shmim-create new --like none
  [[ -z $(listing) ]]
}

@test "a name with a slip in it is answered with the name that was meant" {
  make wfs_cam 2
  make dm 2
  for tool in cat post info kw trace wait connect; do
    check 3 '' "~ shmim-$tool: wfs_acm: *
try: shmim-$tool wfs_cam" -- "shmim-$tool" wfs_acm
  done
  check 3 '' "shmim-info: wfscam: no such stream in $SHM
try: shmim-info wfs_cam --dir $SHM" -- shmim-info wfscam -d "$SHM"
  check 3 '' "shmim-cat: camera: no such stream in $SHM
try: shmim-ls" -- shmim-cat camera
  check 3 '' "shmim-rm: wfscam: no such stream in $SHM" -- shmim-rm wfscam
}

@test "a stream may be named by its file, as a shell completes it" {
  make 'tui8>wfs' 2
  shmim-post wfs --data - <<<'3 4'
  for name in wfs.im.shm "$SHM/wfs.im.shm" "@E:$SHM/wfs.im.shm" "tui8>$SHM/wfs.im.shm"; do
    check 0 '3 4' '' -- shmim-cat "$name"
  done
  check 0 '4' '' -- shmim-cat "$SHM/wfs.im.shm[1]"
  mkdir other
  check 0 '' '' -- shmim-create -q other/dm.im.shm 4
  check 0 'dm' '' -- shmim-ls --noheadings -o name other/*.im.shm
  check 0 'float32' '' -- shmim-ls -o type --noheadings -d other dm.im.shm
  check 0 '0 0 0 0' '' -- shmim-cat --dir "$PWD/other" other/dm.im.shm
  check 0 '' '' -- shmim-link other/alias.im.shm other/dm.im.shm
  check 2 '' "shmim-cat: streams in two directories: other and $SHM
Try 'shmim-cat --help' for more information." -- shmim-cat other/dm.im.shm "$SHM/wfs.im.shm"
  check 2 '' "~ shmim-rm: streams in two directories: *" -- shmim-rm -d "$SHM" other/dm.im.shm
  check 3 '' "shmim-cat: gone: no such stream in other
try: shmim-ls --dir other" -- shmim-cat other/gone.im.shm
  check 1 '' '~ shmim-cat: nowhere: *' -- shmim-cat nowhere/gone.im.shm
  check 0 '' '' -- shmim-rm -q other/*.im.shm
  compare listing "$(ls other)" ''
}

@test "where a FITS file of it is there, the message says how to bring it" {
  make s 2
  shmim-cat s -o fits >conf/shmim.dark.fits
  for tool in post wait trace; do
    check 3 '' "shmim-$tool: dark: no such stream in $SHM
try: shmim-connect dark" -- "shmim-$tool" dark
  done
}

@test "modifiers that a tool has no meaning for are refused before anything is touched" {
  make s 4x4
  cp "$(stream_file s)" before
  refuse() { # TOOL LETTERS TAKES REST
    local tool=$1 letter takes=$3 rest=$4
    for letter in $2; do
      # shellcheck disable=SC2086
      check 2 '' "shmim-$tool: @$letter:s: modifier $letter has no meaning here; shmim-$tool takes $takes
Try 'shmim-$tool --help' for more information." -- "shmim-$tool" "@$letter:s" $rest
    done
  }
  refuse create 'E' '@S: @L: @N:' '4x4 --recreate'
  refuse cat 'N' '@S: @L: @E:' ''
  refuse post 'L N' '@S: @E:' '--update'
  refuse wait 'L N' '@S: @E:' '--cnt0 0'
  refuse ls 'L N' '@S: @E:' ''
  refuse info 'L N' '@S: @E:' ''
  refuse kw 'L N' '@S: @E:' 'A=1'
  refuse link 'L' '@S: @E: @N:' 't'
  refuse top 'L N' '@S: @E:' '-b -n 1'
  refuse trace 'L N' '@S: @E:' ''
  refuse rm 'L N' '@S: @E:' ''
  check 2 '' "shmim-connect: @N: is for streams to be made: it needs --create
Try 'shmim-connect --help' for more information." -- shmim-connect @N:s
  # Of several references one that is refused keeps the others from being touched.
  for tool in cat post trace; do
    check 2 '' "~ shmim-$tool: @N:s: modifier N has no meaning here; *" -- "shmim-$tool" s @N:s
  done
  check 2 '' '~ shmim-rm: @N:s: modifier N has no meaning here; *' -- shmim-rm s @N:s
  check 2 '' '~ shmim-post: @L:s: modifier L has no meaning here; shmim-post takes @S: @E:*' -- \
    shmim-post s --update --trigger @L:s
  check 2 '' '~ shmim-create: @N:s: modifier N has no meaning here; shmim-create takes @S: @E:*' -- \
    shmim-create new --like @N:s
  cmp before "$(stream_file s)"
  compare listing "$(listing)" s.im.shm
}

@test "a slice where it has no meaning is refused" {
  make s 4x4
  for line in "create s[1] 4x4 --recreate" "connect s[1]" \
    "wait s[1] --cnt0 0" "link s[1] t" "trace s[1]"; do
    read -ra words <<<"$line"
    check 2 '' "shmim-${words[0]}: s[1]: a slice has no meaning here; shmim-${words[0]} takes whole streams
Try 'shmim-${words[0]} --help' for more information." -- "shmim-${words[0]}" "${words[@]:1}"
  done
  for option in '' --update; do
    # shellcheck disable=SC2086
    check 2 '' "shmim-post: s[1]: a slice says where --data goes, and there is none
Try 'shmim-post --help' for more information." -- shmim-post 's[1]' $option
  done
  compare cnt0 "$(cnt0 s)" 0
}

@test "every reference of the table that is an error is one, with its reason, for a real tool" {
  table=$SHMIM_SOURCE_DIR/tests/unit/lib/reference/streamref.tsv
  count=0
  while IFS=$'\x1f' read -r -u 5 input reason; do
    count=$((count + 1))
    for tool in cat create connect; do
      local status=0
      "shmim-$tool" -- "$input" >out 2>err || status=$?
      compare "status of '$input'" "$status" 2
      compare "stdout of '$input'" "$(<out)" ''
      compare "stderr of '$input'" "$(<err)" "~ shmim-$tool: *
Try 'shmim-$tool --help' for more information."
      compare "lines of '$input'" "$(wc -l <err)" 2
    done
    # What the reason names before its comma is in the message, where it is more than a description.
    case $reason in
      *' '* | ..) ;;
      *) grep -qF -- "$reason" err ;;
    esac
  done 5< <(awk -F '\t' '$2 == "error" { print $1 "\037" $8 }' "$table")
  [[ $count -gt 25 ]]
  [[ -z $(listing) ]]
}

@test "references that must be refused say what the table asks for" {
  refused() { check 2 '' "~ shmim-cat: *$2*
Try 'shmim-cat --help' for more information." -- shmim-cat -- "$1"; }
  refused '' 'an empty name'
  refused '@S:' 'an empty name'
  refused 'tf32>' 'an empty name'
  refused '@:im1' 'an empty modifier list'
  refused '@im1' 'no colon after the modifiers'
  refused '@LS:im1' 'L and S exclude one another'
  refused '@SS:im1' 'S stands twice'
  refused '@EN:im1' 'E and N exclude one another'
  refused '@X:im1' 'X (column 2)'
  refused '@l:im1' 'capital letters'
  refused '@F:im1' 'conf FITS files are found without a modifier'
  refused 's>im1' 'shared memory is the default, and @S:'
  refused 'k10>im1' 'k10>*--keywords'
  refused 'c20>im1' 'c20>*--circular-buffer'
  refused 'tf33>im1' 'tf33*tui8*tf64*tc128'
  refused 'tf32>tf64>im1' 'the type stands twice'
  refused 'a/b' '/ in the name'
  refused '../etc' '/ in the name'
  refused '..' '.. is not a name'
  refused 'im 1' 'a blank'
  refused 'im1[' 'no closing \]'
  refused 'im1]' '\] in the name'
  refused 'im1[]' 'an empty slice'
  refused 'im1[a]' "'a'*column 5"
  refused 'im1[0:5::0]' 'a step of 0'
  refused 'im1[0:5::-2]' 'a step of -2'
  refused 'im1[1,2,3,4]' 'more than three axes'
  refused 'im1[0:5]x' 'text after \]'
  refused 'im1[99999999999999999999]' 'the number is too large'
  refused "$(printf 'x%.0s' {1..80})" 'a name of 80 bytes: at most 79 fit'
  refused $'im\e[31m' 'control character'
  # What comes from outside is never sent to the terminal as it is.
  refute grep -q $'\e' "$WORK/.err"
}

@test "a type prefix on a stream of another type is a mismatch" {
  make 'tui16>s' 4x4
  cp "$(stream_file s)" before
  for tool in cat post info kw trace; do
    check 5 '' "shmim-$tool: s: type is uint16, not float32
try: shmim-info s" -- "shmim-$tool" 'tf32>s'
  done
  check 5 '' "shmim-wait: s: type is uint16, not float32
try: shmim-info s" -- shmim-wait 'tf32>s' --cnt0 0
  check 5 '' "~ shmim-create: s: exists with another format: type is uint16, not float32*" -- \
    shmim-create 'tf32>s' 4x4
  check 5 '' "~ shmim-connect: s: exists with another format: type is uint16, not float32*" -- \
    shmim-connect 'tf32>s'
  check 5 '' "shmim-rm: s: type is uint16, not float32
try: shmim-info s" -- shmim-rm 'tf32>s'
  check 5 '' "~ shmim-post: s: type is uint16, not int16*" -- shmim-post s --update --trigger 'tsi16>s'
  cmp before "$(stream_file s)"
  compare listing "$(listing)" s.im.shm
}

@test "--quiet keeps notes to itself, not errors" {
  make s 2
  check 124 '' '' -- shmim-wait s -t 1ms -q
  check 0 '' '' -- shmim-connect s -q
  check 0 '' '' -- shmim-create s 2 --quiet
  check 0 '' '' -- shmim-wait s --cnt0 0 -q
  check 3 '' "~ shmim-cat: none: no such stream*" -- shmim-cat none -q
  check 0 '' '' -- shmim-post s --rate 1000 -n 2 -q
}

@test "--verbose says on stderr what is done, and stdout stays the same" {
  make s 2
  check 0 '0 0' "shmim-cat: s: opened $(stream_file s): float32 2" -- shmim-cat s -v
  check 0 '' "shmim-post: s: opened $(stream_file s): float32 2" -- shmim-post s -v
  check 0 's: nobody has written it yet' "shmim-trace: s: opened $(stream_file s): float32 2" -- \
    shmim-trace s -v
  check 0 0 "shmim-wait: s: opened $(stream_file s): float32 2
shmim-wait: s: cnt0 is 0 already" -- shmim-wait s -v --cnt0 0
  check 0 "~ exists s *" "~ shmim-create: s: making it in $SHM: float32 2, * bytes" -- \
    shmim-create s 2 -v
}

@test "no colour where there is no terminal" {
  make s 2
  unset NO_COLOR
  for tool in $printing; do
    read -ra words <<<"$(works "$tool")"
    "shmim-${words[0]}" "${words[@]:1}" >out 2>err || true
    refute grep -q $'\e' out err
  done
}

@test "a standard error that cannot be written changes no exit status" {
  make 'tui8>s' 4
  local gone target
  exec {gone}> >(:)
  wait $!  # nobody reads that pipe any more
  # status_is STATUS command...: with its standard error led to where nothing can be written.
  status_is() {
    local status=0 wanted=$1
    shift
    bash -c "\"\$@\" $target" - "$@" >/dev/null || status=$?
    compare "status of $* $target" "$status" "$wanted"
  }
  for target in '2>&-' '2>/dev/full' "2>&$gone"; do
    status_is 3 shmim-cat none
    status_is 2 shmim-cat --none
    status_is 124 shmim-wait s -t 1ms
    status_is 0 shmim-post s --update -n 2 --rate 1000
  done
  compare cnt0 "$(cnt0 s)" 6
}

# nonblocking IN|OUT|ERR command...: with that stream a non-blocking pipe, which is of no use until the
# command waits for it: full of NULs, or without what is then taken from our standard input.
nonblocking() {
  "$PYTHON" -c '
import fcntl, os, subprocess, sys, time

def is_waiting(process):
    state = open("/proc/%d/stat" % process.pid).read().rsplit(")", 1)[1].split()[0]
    return state == "S"

which = sys.argv[1]
r, w = os.pipe2(os.O_NONBLOCK)
ours = w if which == "IN" else r
os.set_blocking(ours, True)
given = sys.stdin.buffer.read() if which == "IN" else b""
if which != "IN":
    fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ
    os.write(w, bytes(4096))
streams = {"IN": "stdin", "OUT": "stdout", "ERR": "stderr"}
process = subprocess.Popen(sys.argv[2:], **{streams[which]: r if which == "IN" else w})
os.close(r if which == "IN" else w)
quiet = 0
while process.poll() is None and quiet < 10:
    time.sleep(0.01)
    quiet = quiet + 1 if process.poll() is None and is_waiting(process) else 0
if which == "IN":
    for byte in range(len(given)):  # in pieces
        os.write(w, given[byte:byte + 1])
    os.close(w)
else:
    while text := os.read(r, 65536):
        os.write(1, text.lstrip(b"\0") if len(text) == 4096 else text)
sys.exit(process.wait())
' "$@"
}

@test "standard streams that are non-blocking work" {
  need_python os
  make 'tui8>s' 4x4
  head -c 16 /dev/urandom | shmim-post s --data - --format raw
  for tool in $printing; do
    read -ra words <<<"$(works "$tool")"
    case $tool in create | top | bench | info | ls) continue ;; esac
    "shmim-${words[0]}" "${words[@]:1}" >wanted
    run_out found nonblocking OUT "shmim-${words[0]}" "${words[@]:1}"
    cmp wanted found
  done
  run_out help nonblocking OUT shmim-ls --help
  shmim-ls --help | cmp - help
  # Large frames, in each format.
  make 'tui16>big' 512x512
  head -c 524288 /dev/urandom | shmim-post big --data - --format raw
  for format in text raw fits npy; do
    shmim-cat big -o "$format" | sha256sum >wanted
    nonblocking OUT shmim-cat big -o "$format" | tr -d '\0' | sha256sum >found
    shmim-cat big -o "$format" | tr -d '\0' | sha256sum >wanted
    cmp wanted found
  done
  # What comes in.
  make 'tui8>in' 4
  printf '1 2 3 4\n5 6 7 8\n' | check 0 '' '' -- nonblocking IN shmim-post in --data -
  bytes 1 2 3 4 5 6 7 8 | check 0 '' '' -- nonblocking IN shmim-post in --data -
  shmim-cat in -o npy | check 0 '' '' -- nonblocking IN shmim-post in --data -
  shmim-cat in -o fits | check 0 '' '' -- nonblocking IN shmim-post in --data -
  compare cnt0 "$(cnt0 in)" 6
  check 0 '5 6 7 8' '' -- shmim-cat in
  echo y | check 0 '' "shmim-rm: remove stream 'in'? " -- nonblocking IN shmim-rm -i in
  # And what is said.
  nonblocking ERR shmim-cat none >said || compare status $? 3
  compare said "$(<said)" "shmim-cat: none: no such stream in $SHM
try: shmim-ls"
}

@test "a limit on the size of files is an error with a message, and no signal" {
  limited() { (ulimit -f 100; exec "$@"); }
  check 1 '' '~ shmim-create: *: File too large*' -- limited shmim-create f 1024x1024
  [[ -z $(listing) ]]
  make 'tui8>s' 512x512
  limited shmim-cat s -o raw 2>err >out || compare status $? 1
  compare stderr "$(<err)" 'shmim-cat: standard output: cannot write: File too large'
}

@test "a file system without a free inode is told from one without room" {
  need_small_tmpfs
  cat >full.sh <<'EOF'
mount -t tmpfs -o size=10M,nr_inodes=3 none small && touch small/a small/b
shmim-create s 4 -d small 2>err; echo $?; cat err
EOF
  check 0 "~ 1
shmim-create: *: No space left on device
try: df -hi small" '' -- unshare -m bash full.sh
}
