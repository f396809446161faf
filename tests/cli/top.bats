# shmim-top: the streams as they run, on a screen (driven in tmux), as tables and as metrics.

load helpers

terminal() { tmux -S "$WORK/tmux" "$@"; }
screen() { terminal capture-pane -p -t top; }
keys() { terminal send-keys -t top "$@"; }
# shows PATTERN: the screen does, sooner or later.
shows() {
  until_true bash -c 'tmux -S "$1" capture-pane -p -t top | grep -qE -- "$2"' - "$WORK/tmux" "$1" || {
    screen >&2
    return 1
  }
}
shows_not() {
  until_true bash -c '! tmux -S "$1" capture-pane -p -t top | grep -qE -- "$2"' - "$WORK/tmux" "$1" || {
    screen >&2
    return 1
  }
}

# open_terminal [TERM]: a shell in 80 by 24 characters.
open_terminal() {
  unset NO_COLOR TMUX
  LC_ALL=C.UTF-8 TERM=screen tmux -S "$WORK/tmux" -f /dev/null new-session -d -s top -x 80 -y 24 \
    env LC_ALL=C.UTF-8 TERM="${1:-screen-256color}" PS1='$ ' bash --norc --noprofile
  STARTED+=("$(terminal display-message -p -t top '#{pid}')")
  keys "ulimit -c 0; echo ready-\$((1 + 1))" Enter
  shows '^ready-2$'
}

open_top() {
  open_terminal
  keys "shmim-top -i 20ms $*" Enter
  shows '^shmim-top '
}

# The terminal is as it was: the shell's lines are there again, and what is typed is echoed.
is_restored() {
  shows '^ready-2$' || return 1
  keys "stty -a | tr ';' '\n' | grep -oE '(^| )(icanon|echo)( |\$)' | xargs echo is" Enter
  shows '^is icanon echo$'
}

@test "a row for each stream, and the terminal as it was afterwards" {
  make cam 2
  make dm 2
  shmim-post cam --update --pid $$
  echo garbage >"$(stream_file junk)"
  open_top
  shows "^shmim-top $SHM  3 streams, "
  shows '^NAME\^ +RATE +FLOW +AGE +JITTER +MISS RD SAT WRITER'
  shows "^cam .* $$ \(bash\)"
  shows '^dm +0Hz 0.000MB/s +- +- +-  0   0 -'
  shows '^junk +has 8 bytes, fewer than the 384 of a header'
  keys q
  is_restored
}

@test "rates of a writer at work, and its frames that were missed" {
  make cam 2
  make roi 2
  shmim-post roi --update --trigger cam
  open_top
  shows '^roi .* 0  0   0 '
  for _ in 1 2 3; do shmim-post cam --update; done
  shmim-post roi --update --trigger cam
  shows '^roi .*s +[^ ]+ +2  0   0 '
  start w shmim-post cam --update -n 100000 --rate 100
  shows '^cam +[0-9.]+Hz '
  shows ' 2 streams, 1 running,'
}

@test "sort, filter, freeze and help by keys" {
  make a 2
  make b 2
  make cb 2
  shmim-post b --update
  open_top
  first() { shows "$1"; }
  keys r
  until_true bash -c 'tmux -S "$1" capture-pane -p -t top | sed -n 3p | grep -q ^cb' - "$WORK/tmux"
  keys r Right
  shows '^NAME +RATEv '
  keys Left
  shows '^NAME\^ '
  keys / b
  shows "filter 'b'"
  shows_not '^a '
  shows '^cb '
  keys Enter Escape
  shows '^a '
  keys Space
  shows 'FROZEN'
  make new 2
  keys Down
  refute bash -c 'tmux -S "$1" capture-pane -p -t top | grep -q ^new' - "$WORK/tmux"
  keys Space
  shows '^new '
  keys '?'
  shows '^  d +delete the stream'
  grep -q 'delete the stream' "$SHMIM_BUILD_DIR/man/shmim-top.1"
  keys '?'
  shows '^new '
}

@test "the detail pane: what is known of a stream, and its picture" {
  make 'tui8>cam' 8x8
  sequence 64 | shmim-post cam --data -
  shmim-kw cam EXPTIME=0.5
  open_top
  keys Enter
  shows '^  type +uint8'
  shows '▀▀▀▀▀▀▀▀'
  shows '0 to 63'
  keys l 1 0 Enter
  shows 'white is: _'
  keys 2 0 Enter
  shows '10 to 20'
  keys c
  shows 'cuts: all but'
  keys l x Enter
  shows 'that is not a number'
  keys l Escape Escape
  shows_not '  type '
  keys q
  is_restored
}

@test "a picture in characters where there are no colours" {
  make 'tui8>cam' 4x1
  bytes 0 0 255 255 | shmim-post cam --data -
  open_terminal vt100
  keys 'shmim-top -i 20ms' Enter
  shows '^cam '
  keys Enter
  shows '  @@$'
  shows '0 to 255'
}

@test "the graph view" {
  make in 1
  make out 1
  shmim-post in --update
  shmim-post out --update --trigger in --pid $$
  open_top
  keys g
  shows "^  -> out 0Hz, .*s by $$ \(bash\)"
  keys g
  shows '^NAME'
}

@test "streams that vanish, appear, are re-created or cut short are no event worth a crash" {
  make cam 4
  make dm 4
  open_top
  keys Enter
  shows '^  type +float32'
  shmim-rm cam
  shows_not '^cam '
  shows '^dm '
  make 'tui8>cam' 4
  shows '^cam '
  shmim-create -q 'tui16>cam' 9 --recreate
  keys Home
  shows '^  type +uint16'
  truncate -s 100 "$(stream_file dm)"
  shows '^dm +has 100 bytes'
  shmim-rm -f dm cam
  shows '0 streams'
  keys d
  shows 'there is no stream to delete'
  make cam 4
  shows '^cam '
}

@test "deleting asks first" {
  make cam 2
  make dm 2
  open_top
  keys Down d
  shows "^remove stream 'dm'\? y or n"
  keys n
  shows '^q leave'
  [[ -e $(stream_file dm) ]]
  keys d
  shows "^remove stream 'dm'"
  keys y
  shows "^removed $(stream_file dm)"
  [[ ! -e $(stream_file dm) ]]
  [[ -e $(stream_file cam) ]]
  shows '1 stream,'
}

@test "deleting removes what the question was about, and nothing else" {
  make aa 2
  make bb 2
  open_top
  keys d
  shows "^remove stream 'aa'"
  shmim-rm aa
  shows_not '^aa '
  shows "^remove stream 'aa'"
  keys y
  shows '^aa: was removed or re-created meanwhile'
  keys d
  shows "^remove stream 'bb'"
  shmim-create -q bb 3 --recreate
  keys y
  shows '^bb: was removed or re-created meanwhile'
  [[ -e $(stream_file bb) ]]
}

@test "a stream that is cut short in the detail pane is not an event worth a crash either" {
  make cam 100x100
  open_top
  keys Enter
  shows '^  size +100x100'
  truncate -s 0 "$(stream_file cam)"
  shows 'is empty, so no stream'
  shows '^q leave'
}

@test "a type in a pattern" {
  make 'tui8>a' 2
  make 'tf32>b' 2
  open_top "'tui8>*'"
  shows '^a '
  shows_not '^b '
}

@test "what leads to a stream is named, though a pattern leaves it out" {
  make cam 1
  make dm 1
  shmim-post cam --update
  shmim-post dm --update --trigger cam --pid $$
  open_top dm
  terminal resize-window -t top -x 100 -y 60
  shows '^dm '
  shows ' 1 stream, '
  shows_not '^cam '
  keys Enter
  shows 'triggered by cam'
  keys Enter g
  shows '^cam'
  shows_not 'gone'
}

@test "@E: names what must be there" {
  make cam 1
  check 3 '' "shmim-top: nope: no such stream in $SHM" -- shmim-top -b -n 1 @E:nope
  check 3 '' "shmim-top: nope: no such stream in $SHM" -- shmim-top --openmetrics cam @E:nope
  check 0 '~ *' '' -- shmim-top -b -n 1 -i 1ms @E:cam nope
}

@test "what is frozen stays, its picture too" {
  make 'tui8>cam' 16x16
  start w bash -c 'while head -c 256 /dev/urandom | shmim-post cam --data -; do sleep 0.02; done'
  open_top
  keys Enter
  shows '^  size +16x16'
  keys Space
  shows 'FROZEN'
  picture() { terminal capture-pane -e -p -t top | tail -n +9 | grep -o '.\[.*▀.*'; }
  ages() { terminal capture-pane -p -t top | grep ' ago$'; }
  picture >one
  ages >>one
  sleep 0.3
  picture >two
  ages >>two
  cmp one two
  keys Space
  shows_not 'FROZEN'
}

@test "the list is as full as it can be" {
  local i
  for i in {01..30}; do make "s$i" 2; done
  open_top
  keys End
  shows '^s30 '
  keys Enter
  shows '^  size '
  keys Enter
  shows '^s10 '
}

@test "it takes the size that the terminal has" {
  make cam 2
  open_top
  shows '^q leave'
  terminal resize-window -t top -x 120 -y 40
  shows '^NAME\^ +TREND +RATE '
  compare foot "$(until_true bash -c 'tmux -S "$1" capture-pane -p -t top | sed -n 40p | grep "^q leave"' - "$WORK/tmux" && echo there)" there
  terminal resize-window -t top -x 30 -y 5
  shows '^NAME\^ +RA'
  terminal resize-window -t top -x 80 -y 24
  shows '^NAME\^ +RATE '
  keys q
  is_restored
}

@test "the terminal is restored after every signal, and a crash" {
  make cam 2
  open_terminal
  for signal in TERM INT HUP SEGV ABRT USR1 XCPU; do
    keys "shmim-top -i 20ms; echo status-\$?-$signal" Enter
    shows '^shmim-top '
    terminal list-panes -t top -F '#{pane_pid}' >shell
    until_true pgrep -x -P "$(<shell)" shmim-top
    kill -"$signal" "$(pgrep -x -P "$(<shell)" shmim-top)"
    # A shell whose command ended by SIGINT goes no further on its line.
    [[ $signal == INT ]] || shows "^status-$((128 + $(kill -l "$signal")))-$signal"
    is_restored
    keys clear Enter
    keys "echo ready-\$((1 + 1))" Enter
  done
}

@test "without a terminal, or with one that is not known, it says so" {
  make cam 2
  check 1 '' 'shmim-top: terminal: standard input and output are none: --batch prints tables, --openmetrics metrics' -- \
    shmim-top </dev/null
  open_terminal
  keys 'TERM=nonesuch shmim-top' Enter
  shows 'shmim-top: terminal: TERM is nonesuch, of which nothing is known'
  keys 'clear; TERM=dumb shmim-top' Enter
  shows 'TERM is dumb, which cannot place its cursor: --batch prints'
}

@test "--batch prints tables" {
  make cam 2
  make dm 2
  shmim-post cam --update --pid $$
  run_out out shmim-top --batch -n 2 -i 1ms
  compare lines "$(wc -l <out)" 9
  compare time "$(head -n 1 out)" '~ 20*Z'
  compare headings "$(sed -n '2s/  */ /gp' out)" 'NAME RATE THROUGHPUT AGE JITTER MISSED READERS SATURATED WRITER'
  compare cam "$(sed -n '3s/  */ /gp' out)" "~ cam 0Hz 0.000MB/s * - - 0 0 $$ (bash)"
  run_out out shmim-top -b -n 1 -i 1ms --json 'c*'
  compare json "$(<out)" "~ {\"time\":\"20*Z\",\"name\":\"cam\",\"state\":\"whole\",\"cnt0\":1,\"rate\":0.0,*}"
  run_out out shmim-top -b -n 1 -i 1ms --sort name
  compare descending "$(sed -n '3,$p' out | cut -d' ' -f1 | xargs)" 'cam dm'
  start p shmim-top -b -i 5ms
  until_true grep -q cam p.out
  kill -INT "$pid_p"
  finish p 130 '~ *cam*' ''
}

@test "red is what has stopped, or holds half a frame; faint what lies there" {
  make a 2 # the row that is chosen
  make dark 2
  make cam 2
  make half 2
  make fast 2
  shmim-post dark --update
  shmim-post cam --update -n 20
  shmim-post half --update -n 20
  start_quitter q half
  start w shmim-post fast --update --rate 100
  open_top
  colour() { # of a row, by the escapes before its name
    terminal capture-pane -e -p -t top | sed -nE "s/^(.*)$1 .*/\1/p" | tr -dc '0-9;m[' | sed 's/\[//g'
  }
  is_red() { [[ $(colour "$1") == *31m* ]]; }
  until_true is_red cam
  until_true is_red half
  refute is_red dark
  refute is_red fast
  [[ $(colour dark) == *2m* ]]
  keys g
  shows '^q leave  Esc back to the list  Up Down scroll'
  keys Escape
  shows '^q leave  Enter detail '
}

@test "--openmetrics prints one scrape" {
  make 'we"ird\name' 2
  make cam 2
  shmim-post cam --update
  echo garbage >"$(stream_file junk)"
  run_out out shmim-top --openmetrics -i 1ms
  compare end "$(tail -n 1 out)" '# EOF'
  grep -qx '# TYPE shmim_stream_frames counter' out
  grep -qx 'shmim_stream_frames_total{stream="cam"} 1' out
  grep -qx 'shmim_stream_readable{stream="junk"} 0' out
  grep -qx 'shmim_stream_readable{stream="we\\"ird\\\\name"} 1' out
  refute grep -q 'frames_total{stream="junk"}' out
  refute grep -vE '^(# (TYPE|UNIT|HELP) shmim_stream_[a-z_]+ .*|shmim_stream_[a-z_]+\{stream="([^"\\]|\\.)*"\} [-+0-9.e]+|# EOF)$' out
}

@test "--openmetrics=FILE is put in its place at once, with the time of the last frame" {
  make cam 2
  make idle 2
  echo before >x.prom
  check 0 '' '' -- shmim-top --openmetrics=x.prom -i 1ms cam
  compare end "$(tail -n 1 x.prom)" '# EOF'
  refute grep -q idle x.prom # and `cam` was no file
  refute grep -q last_write_timestamp_seconds'{' x.prom # nobody has written it
  shmim-post cam --update
  # One who reads it while it is written, over and over, always finds the whole.
  start w bash -c 'for i in $(seq 30); do shmim-top --openmetrics=x.prom -i 1ms || exit; done'
  while kill -0 "$pid_w" 2>/dev/null; do compare end "$(tail -n 1 x.prom)" '# EOF'; done
  finish w 0 '' ''
  stamp=$(sed -n 's/^shmim_stream_last_write_timestamp_seconds{stream="cam"} //p' x.prom)
  now=$(date +%s)
  ((${stamp%.*} > now - 100 && ${stamp%.*} <= now))
  compare others "$(ls -A | grep prom)" x.prom
  compare mode "$(stat -c %a x.prom)" "$(touch usual && stat -c %a usual)"
  check 1 '' '~ shmim-top: nowhere/x.prom: cannot be written: No such file or directory*' -- \
    shmim-top --openmetrics=nowhere/x.prom -i 1ms
  mkdir full.prom
  check 1 '' '~ shmim-top: full.prom: cannot be written: *' -- shmim-top --openmetrics=full.prom -i 1ms
  compare left "$(ls -A | grep -c 'full.prom')" 1
  check 2 '' '~ shmim-top: *--openmetrics*' -- shmim-top --openmetrics=x --batch
}

@test "--prometheus: the same in the older format" {
  make cam 2
  shmim-post cam --update
  run_out out shmim-top --prometheus -i 1ms
  grep -qx '# TYPE shmim_stream_frames_total counter' out
  grep -qx 'shmim_stream_frames_total{stream="cam"} 1' out
  refute grep -vE '^(# (TYPE|HELP) shmim_stream_[a-z_]+ .*|shmim_stream_[a-z_]+\{stream="([^"\\]|\\.)*"\} [-+0-9.e]+)$' out
  check 0 '' '' -- shmim-top --prometheus=x.prom -i 1ms
  compare names "$(sed 's/[ {].*//' x.prom | sort)" "$(sed 's/[ {].*//' out | sort)"
  check 2 '' '~ shmim-top: *--openmetrics*' -- shmim-top --prometheus --openmetrics
}
