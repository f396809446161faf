# shmim-serve, and the tools that look at another host through it. The other host is a directory of its
# own, and where that is allowed a PID namespace of its own.

load helpers

setup() {
  own_directories
  mkdir "$SHM/there" "$SHM/here"
  there=(--dir "$SHM/there")
  export MILK_SHM_DIR=$SHM/here XDG_CONFIG_HOME=$WORK/config
  socket=$WORK/socket
  A=ipc://$socket
}

# serve [OPTION...]: there.
serve() {
  rm -f "$WORK/serve.ready"
  start_ready serve shmim-serve "${there[@]}" --bind "$A" "$@"
}
# make_there ARGUMENTS: a stream of the other host.
make_there() { make "${there[@]}" "$@"; }
# publish STREAM N [OPTION...]: frames of a counter, there.
publish() { shmim-post "$1" "${there[@]}" --pattern counter -n "$2" -q "${@:3}"; }
# told NAME TEXT: the program NAME has said so.
told() { grep -qF -- "$2" "$WORK/$1.err"; }
# helper PID, folder PID: what speaks to the other host for that tool, and where it keeps mirrors.
helper() { pgrep -P "$1" -x afar; }
folder() { sed -n 's|.* \(/.*/shmim-afar\.[^/]*\)/.*|\1|p' "/proc/$(helper "$1")/maps" | head -n 1; }
# without_ages: without what no two looks have in common, and advice, which is of this host.
without_ages() { sed -E '/^try: /d; s/, [^ ]+ ago//; s/"age":[^,}]*/"age":0/; s/"latency":[^,}]*/"latency":0/'; }
# alike TOOL ARGUMENT...: with % in the place of the address, TOOL says the same from afar as there.
alike() {
  local words=("${@:2}") here
  here=$("$1" "${words[@]//%/}" "${there[@]}" 2>&1 | without_ages)
  compare "$*" "$("$1" "${words[@]//%/$A/}" 2>&1 | without_ages)" "$here"
}

@test "what tools show from afar is what they show there" {
  make_there cam 5x3 --type int16 --circular-buffer 4 --set EXPTIME=0.5/'[s]' --set OBS=abc
  make_there never 4 --set A=1
  make_there dm 4x4
  shmim-link other never "${there[@]}" -q
  printf abc >"$SHM/there/broken.im.shm"
  seq 15 | shmim-post cam "${there[@]}" --data - --format text --atime 2026-11-22T01:52:49.5Z
  shmim-run cam dm "${there[@]}" --type float32 -n 1 -- true >/dev/null 2>&1 || true
  start holder shmim-wait cam "${there[@]}" --forever
  until_true eval "shmim-info cam ${there[*]} --json | grep -q '\"readers\":\[{'"
  serve
  alike shmim-ls --noheadings -o name,holders '%c*'
  alike shmim-info %cam
  alike shmim-info %cam --json
  alike shmim-info %cam %never %other --json
  compare statistics "$(shmim-info "$A/cam[1:3,*]" --stats | tail -n 5)" \
    "$(shmim-info 'cam[1:3,*]' "${there[@]}" --stats | tail -n 5)"
  alike shmim-info %cam --check int16,5x3
  alike shmim-ls -o name,target,path,state,type,size,cnt0,bytes,writer,readers,keywords-used,inode '%*'
  alike shmim-ls --json '%tsi16>c*'
  alike shmim-kw %cam
  alike shmim-kw %cam OBS EXPTIME
  alike shmim-kw %cam --json
  alike shmim-kw '%*' -a
  alike shmim-kw %never
  alike shmim-trace %cam
  alike shmim-trace %cam --json
  alike shmim-trace %never
  alike shmim-trace --dot --over 0 %cam
  alike shmim-cat %cam
  alike shmim-cat '%cam[1:3,0]'
  alike shmim-cat '%@S:cam'
  alike shmim-cat '%tsi16>cam'
  shmim-cat cam -o fits "${there[@]}" >there.fits
  shmim-cat "$A/cam" -o fits >here.fits
  check 0 '' '' -- shmim-diff there.fits here.fits
  cmp there.fits here.fits
  compare list "$(shmim-ls --noheadings -o name "$A/" | xargs)" 'broken cam dm never other'
  check 0 '' '' -- shmim-info "$A/cam" --check int16,5x3,circular-buffer=4,keywords=10
}

@test "what cannot be looked at is said as it is there" {
  make_there cam 4x4 --type uint16
  printf abc >"$SHM/there/broken.im.shm"
  ln -s nowhere "$SHM/there/dangling.im.shm"
  serve 'c*' broken dangling
  make_there hidden 4
  check 3 '' "shmim-info: none: no such stream at $A
try: shmim-ls $A/" -- shmim-info "$A/none"
  check 3 '' "shmim-cat: none: no such stream at $A
try: shmim-ls $A/" -- shmim-cat "$A/none"
  check 3 '' "shmim-wait: none: no such stream at $A
try: shmim-ls $A/" -- shmim-wait "$A/none"
  check 3 '' "shmim-kw: none: no such stream at $A
try: shmim-ls $A/" -- shmim-kw "$A/none"
  check 3 '' "shmim-trace: none: no such stream at $A
try: shmim-ls $A/" -- shmim-trace "$A/none"
  check 3 '' "shmim-ls: $A/none: no such stream at $A" -- shmim-ls "$A/none"
  check 3 '' "shmim-wait: hidden: no such stream at $A
try: shmim-ls $A/" -- shmim-wait "$A/hidden"
  check 3 '' '~ *no such stream at*' -- shmim-info "$A/hidden"
  check 1 '' '~ shmim-info: broken: has 3 bytes*' -- shmim-info "$A/broken"
  check 1 '' '~ shmim-cat: broken: has 3 bytes*' -- shmim-cat "$A/broken"
  check 1 '' '~ shmim-trace: dangling: *' -- shmim-trace "$A/dangling"
  check 5 '' '~ shmim-info: cam: type is uint16, not float32*' -- shmim-info "$A/tf32>cam"
  check 5 '' '~ shmim-wait: cam: type is uint16, not float32*' -- shmim-wait "$A/tf32>cam"
  check 5 '' '~ shmim-info: cam: type is uint16*' -- shmim-info "$A/cam" --check uint8
}

@test "a stream of another host can only be looked at" {
  make_there cam 4x4
  publish cam 1
  serve
  sha256sum "$SHM/there/cam.im.shm" >before
  local refusal='is a stream of another host, which can only be looked at: shmim-receive makes it one of this host'
  local command
  for command in "post $A/cam" "create $A/new 4x4" "connect $A/cam" "rm $A/cam" "link x $A/cam" "send $A/cam" \
    "record $A/cam" "run $A/cam out -- cat" "diff $A/cam $A/cam"; do
    # shellcheck disable=SC2086  # words
    check 2 '' "~ shmim-*$refusal*" -- shmim-$command
  done
  check 2 '' "~ shmim-kw: $A/cam: a stream of another host can only be looked at*" -- shmim-kw "$A/cam" A=1
  check 2 '' "~ *can only be looked at*" -- shmim-kw "$A/cam" --delete A
  check 2 '' '~ shmim-wait: --sem: the semaphores of another host*' -- shmim-wait "$A/cam" --sem 1
  check 2 '' '~ *modifier L is of this process*' -- shmim-cat "$A/@L:cam"
  check 2 '' "~ *the streams of one host at a time*" -- shmim-ls "$A/cam" cam
  sha256sum -c --quiet before
}

@test "an address that is none is said to be" {
  local wrong
  while IFS='|' read -r wrong message; do
    check 2 '' "~ *$message*" -- shmim-info "$wrong"
  done <<'ADDRESSES'
http://host/cam|there is no way http://, but tcp:// ipc:// and ssh://
tcp://host|a slash ends it: tcp://host/ for all streams there
tcp:///cam|no host
tcp://host:0/cam|':0' is no port, 1 to 65535
tcp://host:70000/cam|is no port
tcp://::1/cam|a host with colons stands in brackets
tcp://[::1/cam|no closing ]
ssh://-oProxyCommand=x/cam|is no host
ipc:///cam|no path of a socket
@S:tcp://host/cam|it stands before all else: tcp://host/@S:cam
tcp://host/|no stream is named behind the address: tcp://host:5556/NAME
ADDRESSES
}

@test "who does not answer, or must not be asked in clear, is said within seconds" {
  check 1 '' "shmim-info: $A: cannot be reached: no shmim-serve answers there" -- shmim-info "$A/cam"
  check 1 '' "shmim-wait: $A: cannot be reached: no shmim-serve answers there" -- shmim-wait "$A/cam" -t 100ms
  check 1 '' "~ shmim-ls: tcp://192.0.2.1:5556: its key is not known: * is to have a line 'tcp://192.0.2.1:5556 KEY'*insecure*" \
    -- shmim-ls tcp://192.0.2.1/
  make_there cam 4
  start_ready send shmim-send cam "${there[@]}" --bind "$A"
  check 1 '' "shmim-info: $A: shmim-send is there, and no shmim-serve" -- shmim-info "$A/cam"
}

@test "with keys: who is known looks, who is not is refused" {
  local key
  key=$(shmim-send --keygen --keys there)
  shmim-send --keygen >mine
  cp mine there/receivers
  make_there cam 4x4
  publish cam 1
  start_ready serve shmim-serve "${there[@]}" --curve --keys there --bind tcp://127.0.0.1:0 -v
  until_true told serve listening
  A=$(sed -n 's/^shmim-serve: \(tcp.*\): listening$/\1/p' serve.err)
  echo "$A $key" >config/shmim/senders
  compare frame "$(shmim-cat "$A/cam")" "$(shmim-cat cam "${there[@]}")"
  check 0 '~ cam *' '' -- shmim-ls --noheadings "$A/"
  start_ready wait shmim-wait "$A/cam" -t 20
  publish cam 1
  finish wait 0 2 ''
  rm -r config && shmim-send --keygen >/dev/null
  echo "$A $key" >config/shmim/senders
  check 1 '' "~ shmim-ls: $A: refused: *" -- shmim-ls "$A/"
  until_true told serve 'its key is not known'
  check 1 '' "~ shmim-wait: $A: refused: *" -- shmim-wait "$A/cam"
  echo "$A insecure" >config/shmim/senders
  check 2 '' "~ shmim-receive: --curve: the line of $A in the file senders says insecure*" -- \
    shmim-receive "$A" --curve
  check 2 '' '~ *other hosts can reach it*' -- shmim-serve --bind 'tcp://*:5599'
}

@test "frames: every one in order, and the newest" {
  make_there cam 64x64 --type uint16 --circular-buffer 1024
  publish cam 1
  serve
  start_ready every shmim-cat "$A/cam" --verify -n 1000 -t 20
  publish cam 1000 --rate 2000
  finish every 0 '' 'shmim-cat: cam: 1000 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  start_ready latest shmim-cat "$A/cam" --verify --latest -n 50 -t 20
  publish cam 2000 --rate 2000
  finish latest 0 '' '~ shmim-cat: cam: 50 frames checked: 0 torn, *0 doubled, 0 out of order*'
  # It is a sender too: of all that it serves.
  check 0 '' '~ *cam: created: uint16 64x64*' -- shmim-receive "$A" -n 1 -t 20
  compare received "$(shmim-cat cam -o raw | cksum)" "$(shmim-cat cam -o raw "${there[@]}" | cksum)"
  make_there ring 4x3x5 --type uint8 --circular
  shmim-post ring "${there[@]}" --pattern noise -n 7 -q
  alike shmim-cat %ring
  alike shmim-cat '%ring[*,*,@]'
  compare statistics "$(shmim-info "$A/ring" --stats | tail -n 4)" \
    "$(shmim-info ring "${there[@]}" --stats | tail -n 4)"
}

# over_line: serves by a line that counts; its endpoint is in $A.
over_line() {
  need_python
  start_ready serve shmim-serve "${there[@]}" --bind tcp://127.0.0.1:0 -v
  until_true told serve listening
  start line "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/line.py" "$WORK/line" \
    "$(sed -n 's|^shmim-serve: tcp://\(.*\): listening$|\1|p' serve.err)"
  until_true test -e line
  A=tcp://127.0.0.1:$(<line)
}
# came MOST command...: it succeeds, and no more bytes have come for it.
came() {
  local most=$1 before
  before=$(<line.came)
  "${@:2}" >came.out
  local bytes=$(($(<line.came) - before))
  ((bytes > 0 && bytes <= most)) || {
    printf '%d bytes came, not %d at most, of: %s\n' "$bytes" "$most" "${*:2}" >&2
    return 1
  }
}

@test "of a slice its pixels alone come over the line, and as they would be there" {
  make_there cam 512x512 --type uint16 --circular-buffer 4
  publish cam 3
  make_there ring 128x128x4 --type float64 --circular
  shmim-post ring "${there[@]}" --pattern noise,sigma=100 -n 6 -q
  over_line
  # Besides pixels, what is said: some 5000 bytes, and 2000 more as often as keywords are asked for while it takes.
  local whole=$((512 * 512 * 2)) said=10000 slice i
  refute came $((whole - 1)) shmim-cat "$A/cam" -o raw
  # A part in 64 of it, in one piece, at distances, as means, backwards.
  for slice in '0:63,0:63' '*::8,*::8' '-64:-1::1,511:448' '*::8b,*::8b'; do
    came $((whole / 64 + said)) shmim-cat "$A/cam[$slice]" -o raw
    cmp came.out <(shmim-cat "cam[$slice]" "${there[@]}" -o raw)
  done
  came $said shmim-info "$A/cam[7:8,*::100b]" --stats
  compare statistics "$(tail -n 4 came.out)" "$(shmim-info 'cam[7:8,*::100b]' --stats "${there[@]}" | tail -n 4)"
  start_ready follower shmim-cat "$A/cam[5,*::511]" -f -n 8 -o raw -t 20
  start_ready lines shmim-info "$A/cam[9,0:1::2b]" --stats -n 8 --csv -t 20
  came $((2 * said)) eval "publish cam 8 --rate 50 && finish follower 0 '~ *' '' && finish lines 0 '~ writetime,cnt0,*,*' ''"
  cmp <(tail -c 4 follower.out) <(shmim-cat 'cam[5,*::511]' "${there[@]}" -o raw)
  compare mean "$(tail -n 1 lines.out | cut -d, -f3)" "$(shmim-cat 'cam[9,0:1::2b]' "${there[@]}")"
  # However many look at however many parts of it, a stream has semaphores left for others.
  for i in {0..5}; do start_ready "look$i" shmim-cat "$A/cam[$i,0]" -f -n 1 -o raw -t 20; done
  (($(shmim-ls --noheadings -o readers cam "${there[@]}") <= 5))
  publish cam 1
  for i in {0..5}; do
    finish "look$i" 0 '~ *' ''
    cmp "look$i.out" <(shmim-cat "cam[$i,0]" "${there[@]}" -o raw)
  done
  for slice in '3,*' '3,*,@' '*::7b,3:1,2' '0:1,*::9b,*::2b' '5,6,*::3'; do
    came $((4096 + said)) shmim-cat "$A/ring[$slice]" -o raw
    cmp came.out <(shmim-cat "ring[$slice]" "${there[@]}" -o raw)
  done
}

@test "a slice that there is not is said as it is there, and so is a stream that loses it" {
  make_there cam 8x8 --type uint16 --set CRPIX1=3.0 --set CDELT1=2.0
  publish cam 1
  serve
  for slice in '9,*' '0:9,*' '*,*,*' '*::9b,0' '@,*' '*,*,@'; do alike shmim-cat "%cam[$slice]"; done
  # What a header says of where pixels are is moved once, and neither more nor less.
  for slice in '2:5,*' '*::2b,*' '-*,3'; do
    shmim-cat "$A/cam[$slice]" -o fits >here.fits
    cmp here.fits <(shmim-cat "cam[$slice]" -o fits "${there[@]}")
  done
  start_ready corner shmim-cat "$A/cam[6:7,6:7]" -f -o raw -t 20
  start_ready other shmim-cat "$A/cam[0:1,0:1]" -f -o raw -t 20
  make_there --recreate cam 4x4 --type uint16
  finish corner 5 '~ *' 'shmim-cat: cam: was re-created with another format: size is 4x4, not 8x8'
  finish other 5 '~ *' 'shmim-cat: cam: was re-created with another format: size is 4x4, not 8x8'
}

@test "who wants no pixels has none come, and none are copied there" {
  make_there cam 1024x1024 --type uint16 --set TEMP=1
  make_there dm 1024x1024 --type uint16
  start run shmim-run cam dm "${there[@]}" -- cat
  publish cam 20 --rate 200
  over_line
  # A frame is 2 MiB: of each stream twenty or more are published meanwhile.
  start writer shmim-post cam "${there[@]}" --pattern counter --rate 100 -q
  local bytes=120000
  came $bytes shmim-ls "$A/" --over 300ms
  came $bytes shmim-info "$A/cam" --frames 10 -t 20
  came $bytes shmim-wait "$A/cam" -n 20 -t 20 -q
  came $bytes shmim-wait "$A/cam" "$A/dm" --all -t 20 -q
  came $bytes shmim-kw "$A/cam" --wait 'TEMP<5' -t 20
  came $bytes shmim-trace "$A/dm" -f -n 20 -t 20 -q
  came $bytes shmim-trace --graph "$A/"
  came $bytes shmim-top "$A/" --batch -n 3 -i 100ms
  # Were a frame only read, its pages would be the server's too.
  [[ -w /dev/shm ]] || return 0
  (($(touched) < 1024)) || { echo "$(touched) KiB of shared memory were touched" >&2; false; }
  start reader shmim-cat "$A/cam" -f -o raw
  until_true has_touched_a_frame
}
# touched: KiB of the streams' memory that the server has looked into.
touched() { awk '/^RssShmem/ { print $2 }' "/proc/$pid_serve/status"; }
has_touched_a_frame() { (($(touched) >= 2048)); }

@test "a reader that is slow has every frame all the same: they wait there" {
  make_there cam 64x64 --type uint16 --circular-buffer 1024
  publish cam 1
  serve
  start_ready slow shmim-cat "$A/cam" -n 600 -o raw -t 20
  kill -STOP "$pid_slow"
  publish cam 600 --rate 3000
  kill -CONT "$pid_slow"
  finish slow 0 '~ *' ''
  compare bytes "$(wc -c <slow.out)" $((600 * 64 * 64 * 2))
}

@test "waits, keywords that change, latencies of every frame" {
  make_there cam 8x8 --set TEMP=1
  make_there dm 8x8
  serve
  start_ready three shmim-wait "$A/cam" -n 3 -t 20
  start_ready both shmim-wait "$A/cam" "$A/dm" --all -t 20
  start_ready told shmim-wait "$A/cam" -t 20 --print '{cnt0} {kw.TEMP}'
  start_ready counted shmim-wait "$A/cam" --cnt0 3 -t 20
  start_ready lines shmim-trace "$A/cam" -n 2 -t 20
  publish cam 3 --rate 20
  publish dm 1
  finish three 0 '~ *3' ''
  finish both 0 'cam
dm' ''
  finish told 0 '1 1' ''
  finish counted 0 3 ''
  finish lines 0 '~ *2 frames, * missed' ''
  start_ready kw shmim-kw "$A/cam" --wait 'TEMP>5' -t 20
  start_ready changes shmim-kw "$A/cam" TEMP -n 1 -t 20
  shmim-kw cam TEMP=9 "${there[@]}"
  finish kw 0 '' ''
  finish changes 0 '~ * 3 TEMP=9' ''
  start appearing shmim-wait "$A/later" --appear -n 1 -t 20
  check 124 '' 'shmim-wait: later: timed out: it did not appear' -- shmim-wait "$A/later" --appear -t 300ms
  make_there later 4
  until_true eval "publish later 1; refute kill -0 $pid_appearing 2>/dev/null"
  finish appearing 0 '~ *' ''
  check 124 '' 'shmim-wait: cam: timed out: no frame for 50.0ms after frame 3' -- shmim-wait "$A/cam" -t 50ms
}

@test "a stream that is removed or re-created there is so here" {
  make_there cam 8x8
  publish cam 2
  serve
  start_ready again shmim-wait "$A/cam" -n 2 -t 20
  start_ready other shmim-cat "$A/cam" -f -o raw -t 20
  make_there --recreate cam 8x8
  publish cam 1
  until_true grep -q . again.out
  publish cam 1
  finish again 0 '1
2' ''
  make_there --recreate cam 4x4
  publish cam 1
  finish other 5 '~ *' '~ shmim-cat: cam: was re-created with another format: size is 4x4, not 8x8*'
  start_ready removed shmim-wait "$A/cam" -t 20
  shmim-rm cam "${there[@]}"
  finish removed 3 '' '~ shmim-wait: cam: was removed while we waited for its next frame*'
}

@test "a server that is killed and comes back: who looks goes on, and says so" {
  make_there cam 8x8 --type uint16
  publish cam 1
  serve
  start_ready wait shmim-wait "$A/cam" -n 3 -t 60
  start_ready cat shmim-cat "$A/cam" --verify -n 3 -t 60
  start top shmim-top "$A/" --batch -i 200ms
  publish cam 1
  until_true grep -q . wait.out
  until_true grep -q '^cam' top.out
  kill -KILL "$pid_serve"
  until_true told wait "$A: the connection is lost; trying again"
  until_true told top "cannot be reached: no shmim-serve answers there: what is shown is as it was" ||
    until_true told top 'what is shown is as it was'
  serve
  until_true told wait "$A: connected"
  until_true told cat "$A: connected"
  publish cam 2 --rate 5
  finish wait 0 '2
3
4' "shmim-wait: $A: the connection is lost; trying again
shmim-wait: $A: connected"
  finish cat 0 '' '~ *3 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order*'
  until_true eval "tail -n 1 top.out | grep -q '^cam.*'"
}

@test "whatever ends who looks, nothing of it is left" {
  make_there cam 8x8
  publish cam 1
  serve -v
  start_ready killed shmim-wait "$A/cam"
  start_ready ended shmim-cat "$A/cam" -f
  local folders
  folders=("$(folder "$pid_killed")" "$(folder "$pid_ended")")
  compare modes "$(stat -c %a "${folders[@]}" | xargs)" '700 700'
  kill -KILL "$pid_killed"
  kill -TERM "$pid_ended"
  until_true gone "${folders[@]}"
  # The next frame finds nobody, or was on its way already; then they are silent too long. The stream is closed.
  publish cam 1
  until_true grep -q 'a receiver has gone\|a receiver was not heard of' serve.err
  until_true eval "shmim-ls --noheadings -o readers cam ${there[*]} | grep -qx 0"
  # Where its helper is ended it goes on with what it has, and can be ended.
  start_ready orphan shmim-kw "$A/cam" -f
  folders=("$(folder "$pid_orphan")")
  kill -KILL "$(helper "$pid_orphan")"
  kill -TERM "$pid_orphan"
  finish orphan 143 '' ''
  rm -r "${folders[@]}"
}
gone() {
  local folder
  for folder in "$@"; do [[ ! -e $folder ]] || return 1; done
}

@test "PIDs and inodes are told from there, and not looked up here" {
  unshare --user --map-root-user --pid --fork --kill-child true 2>/dev/null || skip "no PID namespaces allowed"
  make_there cam 8x8
  make_there dm 8x8
  # In a namespace of its own: a writer whose PID is another process here, and the server.
  start server unshare --user --map-root-user --pid --fork --kill-child --mount-proc bash -c "
    exec -a sleeper sleep 1000 &
    shmim-post cam ${there[*]} --pattern counter -n 1 --rate 1 -q &
    shmim-run cam dm ${there[*]} --type float32 -- cat >/dev/null 2>&1 &
    sleep 0.3
    shmim-post cam ${there[*]} --pattern counter --rate 20 -q &
    exec shmim-serve ${there[*]} --bind $A"
  until_true test -S "$socket"
  until_true eval "shmim-ls --noheadings -o writer $A/cam | grep -q '(shmim-post)'"
  local pid
  pid=$(shmim-info "$A/cam" --json | sed 's/.*"writer":{"pid":\([0-9]*\).*/\1/')
  ((pid < 100))
  refute grep -q shmim-post "/proc/$pid/comm"
  check 0 '~ *(shmim-post)*' '' -- shmim-trace "$A/cam"
  until_true eval "shmim-trace --dot $A/dm | grep -q 'cam.*->\|->'"
}

@test "sockets that systemd made are served at" {
  need_python
  make_there cam 4x4
  cat >launch.py <<'PYTHON'
import os, socket, sys

kind, *command = sys.argv[1:]
made = socket.socket(socket.AF_UNIX if "/" in kind else socket.AF_INET)
made.bind(kind if "/" in kind else ("127.0.0.1", 0))
made.listen()
print(made.getsockname()[1] if "/" not in kind else kind, flush=True)
if made.fileno() == 3:
    os.set_inheritable(3, True)
else:
    os.dup2(made.fileno(), 3, inheritable=True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(command[0], command)
PYTHON
  start tcp "$PYTHON" launch.py tcp shmim-serve "${there[@]}"
  until_true grep -q . tcp.out
  check 0 '~ cam *' '' -- shmim-ls --noheadings "tcp://127.0.0.1:$(head -n 1 tcp.out)/"
  start ipc "$PYTHON" launch.py "$WORK/made" shmim-serve "${there[@]}"
  until_true grep -q . ipc.out
  check 0 '~ cam *' '' -- shmim-ls --noheadings "ipc://$WORK/made/"
  check 1 '' 'shmim-serve: descriptor 3: was handed over, and is no socket that listens' -- \
    bash -c 'exec 3</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec shmim-serve'
}

@test "through ssh nothing need run there" {
  need_python asyncssh
  mkdir keys bin
  make_there cam 4x4 --set A=7
  publish cam 1
  PATH=$WORK/bin:$PATH MILK_SHM_DIR=$SHM/there start server "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/ssh_server.py" "$WORK/keys"
  until_true test -e keys/config
  printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$WORK/keys/config" >bin/ssh
  printf '#!/bin/sh\necho "$*" >%s\necho $$ >%s\nexec %s "$@"\n' "$WORK/asked" "$WORK/served" \
    "$(command -v shmim-serve)" >bin/shmim-serve
  chmod +x bin/ssh bin/shmim-serve
  PATH=$WORK/bin:$PATH
  check 0 7 '' -- shmim-kw ssh://host/cam A
  check 0 '~ cam *' '' -- shmim-ls --noheadings ssh://host/
  compare frame "$(shmim-cat ssh://host/cam)" "$(shmim-cat cam "${there[@]}")"
  start_ready wait shmim-wait ssh://host/cam -n 1 -t 60
  compare socket "$(stat -c %F "$(sed 's,.*ipc://,,' asked)")" socket
  publish cam 1
  finish wait 0 2 ''
  until_true no_server_left
  refute test -e "$(sed 's,.*ipc://,,' asked)"
  check 3 '' '~ shmim-cat: none: no such stream at ssh://host*' -- shmim-cat ssh://host/none
  until_true no_server_left
  check 1 '' '~ *shmim-ls: ssh://nowhere: ssh, or shmim-serve there, has ended' -- shmim-ls ssh://nowhere/
  rm bin/shmim-serve
}
no_server_left() { refute kill -0 "$(<served)"; }

@test "the graph, the screen, and metrics" {
  make_there cam 8x8 --type uint16
  make_there dm 8x8 --type uint16
  start run shmim-run cam dm "${there[@]}" -- cat
  start post shmim-post cam "${there[@]}" --pattern counter --rate 50
  until_true shmim-wait dm "${there[@]}" --cnt0 5 -t 100ms
  serve
  check 0 '~ *cam*  -> dm *by * (shmim-run)*' '' -- shmim-trace --graph "$A/"
  check 0 '~ *cam*dm*' '' -- shmim-trace --all "$A/"
  check 0 '~ *"cam"*->*"dm"*' '' -- shmim-trace --dot "$A/dm"
  check 0 '~ *shmim_stream_rate*stream="cam"*' '' -- shmim-top "$A/c*" --openmetrics -i 200ms
  check 0 '~ *NAME*RATE*cam* *Hz*' '' -- shmim-ls "$A/cam" --over 200ms
  check 0 '~ *rate *[0-9]* over * frames*' '' -- shmim-info "$A/cam" --frames 5 -t 20
  check 0 '~ *WRITETIME*' '' -- shmim-info "$A/cam" --stats -n 2 -t 20
  unset NO_COLOR TMUX
  LC_ALL=C.UTF-8 TERM=screen tmux -S "$WORK/tmux" -f /dev/null new-session -d -s top -x 100 -y 40 \
    env LC_ALL=C.UTF-8 TERM=screen-256color shmim-top "$A/" -i 100ms
  STARTED+=("$(tmux -S "$WORK/tmux" display-message -p -t top '#{pid}')")
  shows "^shmim-top $A  2 streams, 2 running"
  tmux -S "$WORK/tmux" send-keys -t top Enter
  shows "path +$SHM/there/cam.im.shm"
  shows ' to [0-9]' # below its picture
  tmux -S "$WORK/tmux" send-keys -t top d
  shows 'a stream of another host can only be looked at'
  tmux -S "$WORK/tmux" send-keys -t top g
  shows '-> dm '
  kill -KILL "$pid_serve"
  shows STALE
}
shows() {
  until_true bash -c 'tmux -S "$1" capture-pane -p -t top | grep -qE -- "$2"' - "$WORK/tmux" "$1" || {
    tmux -S "$WORK/tmux" capture-pane -p -t top >&2
    return 1
  }
}

@test "strangers cost the server an error, and no stream anything" {
  need_python zmq cbor2
  make_there cam 4x4
  publish cam 1
  shmim-cat cam "${there[@]}" -o frames >before
  serve
  local kind
  for kind in nonsense looks; do
    "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/stranger.py" receiver "$A" "$kind"
  done
  until_true told serve dropped
  check 0 '~ cam *' '' -- shmim-ls --noheadings "$A/"
  shmim-cat cam "${there[@]}" -o frames | cmp - before
  (($(awk '/^VmRSS/ { print $2 }' "/proc/$pid_serve/status") < 500000))
}
