# What the machine and its other programs can do to ours: no room left in the tmpfs, counters at their
# end, clocks that jump, peers that stop in mid-frame, signals at every place that blocks.

load ../cli/helpers

peer() { "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer "$@"; }

# hold NAME: a writer stops in the middle of a frame of stream a.
hold() {
  export -f peer
  start "$1" bash -c 'exec "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer hold "$0"' \
    "$(stream_file a)"
  until_true is_stopped "$last"
}
is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }

# le BYTES NUMBER: the number, little-endian.
le() {
  local i
  for ((i = 0; i < $1; ++i)); do bytes $((($2 >> (8 * i)) & 255)); done
}
# poke OFFSET <bytes: writes into the file of stream a.
poke() { dd of="$(stream_file a)" bs=1 seek="$1" conv=notrunc status=none; }

@test "a full tmpfs takes no frame from the stream that is there, and leaves nothing" {
  need_small_tmpfs
  cat >full.sh <<'SCRIPT'
mount -t tmpfs -o size=1M none small
shmim-create -q 'tui8>a' 4 --fill 7 -d small
head -c 2000000 /dev/zero >small/ballast 2>/dev/null
shmim-create 'tui8>b' 100000 -d small 2>/dev/null
echo "create: $?"
shmim-create 'tui8>a' 100000 --recreate -d small 2>/dev/null
echo "recreate: $?"
shmim-post a --update -d small && shmim-cat a -d small
ls -A small
SCRIPT
  check 0 'create: 1
recreate: 1
7 7 7 7
a.im.shm
ballast' '' -- unshare -m bash full.sh
}

# record_until_full DIRECTORY SIZE
record_until_full() {
  peer record-full "$1/cam.fits" --size "$2" --frames 2000000
  ls -A "$1"
  rm "$1/cam.fits"
}
# frames_in FILE N: how many were in the file of the Nth.
frames_in() { awk '/ frames, whole$/ { print $1 }' "$1" | sed -n "$2p"; }
full_report="no space: *No space left on device
* frames, whole
cam.fits"

@test "a recording that fills a tmpfs keeps the frames that fit" {
  need_small_tmpfs
  export -f peer record_until_full
  # With frames that fill it, with those that leave no room for their journal, and with a journal that fills it.
  run_out out unshare -m bash -c 'mount -t tmpfs -o size=400k none small
for size in 64x50 64; do record_until_full small "$size"; done
mount -o remount,size=200k small
record_until_full small 2'
  compare out "$(<out)" "~ $(for _ in {1..3}; do printf '%s\n' "$full_report"; done)"
  # A frame has 40 bytes in the table and some in the journal.
  (($(frames_in out 1) > 105 && $(frames_in out 2) > 3000 && $(frames_in out 3) > 3500))
}

@test "a recording that fills a disk, past the cache, keeps the frames that fit" {
  [[ $(id -u) -eq 0 ]] || skip "only root can mount a file system"
  PATH=$PATH:/usr/sbin:/sbin
  command -v mkfs.ext4 >/dev/null || skip "no mkfs.ext4"
  mkdir small
  # Small frames need no more than room for their journal, and take long to fill more.
  for image in 12M 1M; do
    truncate -s "$image" "$image"
    mkfs.ext4 -q -O ^has_journal "$image"
  done
  unshare -m mount -o loop 1M small 2>/dev/null || skip "cannot mount a file here"
  on_disk() {
    mount -o loop "$1" small
    rm -rf small/lost+found
    record_until_full small "$2"
  }
  export -f peer record_until_full on_disk
  run_out out unshare -m bash -ec 'on_disk 12M 64x50; on_disk 1M 2'
  compare out "$(<out)" "~ $full_report
$full_report"
  (($(frames_in out 1) > 3300 && $(frames_in out 2) > 15000))
}

@test "a recording that comes to the limit of a file's size keeps the frames that fit" {
  # limited KIB SIZE
  limited() { (ulimit -f "$1"; peer record-full cam.fits --size "$2" --frames 2000000); }
  check 0 '~ no space: cannot be written: a file may not be larger here
1?? frames, whole' '' -- limited 400 64x50
  rm cam.fits
  check 0 '~ no space: cannot be written: a file may not be larger here
[45]??? frames, whole' '' -- limited 200 2
}

@test "a semaphore that nobody reads is full at ten, and still wakes its next reader" {
  make 'tui8>a' 4
  check 0 '' '' -- shmim-post a -n 1000
  compare posts "$(posts a)" '10 10 10 10 10 10 10 10 10 10 10'
  check 0 '~ *' '' -- shmim-wait a -s 3 -n 10 -t 20s
  check 124 '' '~ *timed out*' -- shmim-wait a -s 3 -t 10ms
}

@test "cnt0 goes on from its last number to 0" {
  make 'tui8>a' 4 -c 4
  for i in 1 2 3 4 5; do bytes $i $i $i $i; done >frames
  head -c 8 frames >two
  check 0 '' '' -- shmim-post a --data two
  le 8 -2 | poke 264
  start_ready f shmim-cat a -f -n 5 -t 20s
  start_ready w shmim-wait a -n 5 -t 20s
  mkfifo data
  start p shmim-post a --data data
  exec 7>data
  count=1
  for i in 1 2 3 4 5; do
    bytes $i $i $i $i >&7
    until_true has_lines f "$count"
    count=$((count + 1))
  done
  exec 7>&-
  finish p 0 '' ''
  finish f 0 '1 1 1 1
2 2 2 2
3 3 3 3
4 4 4 4
5 5 5 5' ''
  wait "$pid_w"
  compare cnt0 "$(cnt0 a)" 3
  compare last "$(tail -n 1 "$WORK/w.out")" 3
}
has_lines() { [[ $(wc -l <"$WORK/$1.out") -eq $2 ]]; }

@test "a clock that was stepped disturbs no waiting, and is seen in the times" {
  make 'tui8>a' 4
  # As if the last frame was written in 2100, before the clock was set right.
  le 8 4102444800 | poke 200
  check 124 '' '~ *timed out*' -- shmim-wait a -t 50ms
  start_ready w shmim-wait a -t 20s
  shmim-post a --update
  finish w 0 1 ''
  le 8 4102444800 | poke 200
  run_out out shmim-wait a --cnt0 1 --print '{latency:.0f} {writetime}'
  compare out "$(<out)" '~ -[0-9]* *-*-*T*Z'
}

@test "stamps that are no dates are said to be out of range, with their number" {
  make 'tui8>a' 4
  shmim-post a --update
  le 8 1795601592660 | poke 200 # milliseconds, where seconds belong
  run_out out shmim-info a
  grep -qx '  written          out of range (1795601592660 s)' out
  run_out out shmim-ls -o name,age,written a --noheadings
  compare row "$(xargs <out)" 'a - out of range'
  run_out out shmim-info a --json
  python3 -c 'import json; r = json.load(open("out")); assert r["writetime"] == "out of range", r'
  check 0 'null out of range' '' -- shmim-wait a --cnt0 1 --print '{latency:.3f} {writetime}'
  run_out out shmim-top --openmetrics -i 1ms
  refute grep -qE '(age|timestamp)_seconds\{' out
  start w shmim-post a --update --rate 100
  check 0 '~ *' '' -- shmim-info a --frames 3 -t 20s
}

@test "a writer that is stopped in mid-frame is named by who reads and who writes" {
  make 'tui8>a' 4
  printf '\1\1\1\1' >ones
  hold h
  check 1 '' "~ shmim-cat: a: no whole frame in * tries: process $pid_h (shmim-faults) keeps writing*" \
    -- shmim-cat a -t 50ms
  check 1 '' "~ shmim-post: a: process $pid_h (shmim-faults) is in the middle of writing a frame*" \
    -- shmim-post a --data ones
  check 0 '~ *' "~ shmim-trace: a: is in the middle of being written*" -- shmim-trace a
  kill -CONT "$pid_h"
  wait "$pid_h"
  check 0 '255 255 255 255' '' -- shmim-cat a
  compare cnt0 "$(cnt0 a)" 1
}

@test "with a circular buffer its last whole frame is read all the same" {
  make 'tui8>a' 4 -c 4
  printf '\1\1\1\1' >ones
  check 0 '' '' -- shmim-post a --data ones
  hold h
  check 0 '1 1 1 1' '' -- shmim-cat a
  kill -KILL "$pid_h"
  wait "$pid_h" || true
  check 0 '1 1 1 1' '' -- shmim-cat a
  check 0 '' '' -- shmim-post a --update
  check 0 '1 1 1 1' '' -- shmim-cat a
}

@test "a writer that is killed in mid-frame is named, and the next whole frame mends it" {
  need_first_namespace
  make 'tui8>a' 4
  printf '\1\1\1\1' >ones
  hold h
  kill -KILL "$pid_h"
  wait "$pid_h" || true
  check 1 '' "shmim-cat: a: holds an unfinished frame by process $pid_h, dead
try: shmim-post a --data FILE" -- shmim-cat a
  check 1 '' '~ shmim-post: a: holds an unfinished frame of a writer that died; only a whole frame mends it*' \
    -- shmim-post a --update
  check 0 '' '' -- shmim-post a --data ones
  check 0 '1 1 1 1' '' -- shmim-cat a
}

@test "where programs of the C library hold every semaphore, --sem names who has it, and others watch cnt0" {
  make 'tui8>a' 4
  export -f peer
  mkfifo go
  exec 7<>go
  start c bash -c 'exec <go 7>&-; peer "$@"' claimer claim "$(stream_file a)" --frames 10
  until_true grep -q ready "$WORK/c.out"
  check 1 '' '~ shmim-wait: a: semaphore 9 is claimed by process * (shmim-faults)' \
    -- shmim-wait a --sem 9
  start_ready w shmim-wait a -v
  shmim-post a --update
  finish w 0 1 '~ *shmim-wait: a: watches cnt0: all 10 semaphores are claimed'
  exec 7>&-
  wait "$pid_c"
  check 124 '' '~ *timed out*' -- shmim-wait a -t 10ms
}

# ends_by SIGNAL NAME: a tool that sleeps ends by the signal, at once and without a word.
ends_by() {
  kill "-$1" "$pid_t"
  local status=0
  wait "$pid_t" || status=$?
  compare "status after $1 of: $2" "$status" $((128 + $(kill -l "$1"))) &&
    compare "stderr of: $2" "$(<"$WORK/t.err")" ''
}

@test "SIGINT and SIGTERM end every tool wherever it waits, and leave nothing" {
  make 'tui8>a' 4
  mkfifo never
  exec 8<>never
  local places=(
    'shmim-wait a'
    'shmim-wait a -s 2'
    'shmim-wait a --cnt0 9'
    'shmim-wait none --appear'
    'shmim-cat a -f'
    'shmim-connect none --appear -t 100s'
    'shmim-post a --data never'
    'shmim-post a --update --rate 0.01 -q'
    'shmim-post a --rate 0.01 -q'
    'shmim-ls --watch=100'
    'shmim-ls --over=100'
    'shmim-info a --frames 9'
    'shmim-kw a --wait EXPTIME=1'
    'shmim-trace a --follow'
    'shmim-trace --graph --over 100'
    'shmim-top -b --interval 100'
  )
  local place signal
  for place in "${places[@]}"; do
    for signal in INT TERM; do
      # shellcheck disable=SC2086  # words of a command
      start t $place
      until_true is_asleep "$pid_t"
      ends_by "$signal" "$place"
      claimed a 0
      compare "names after: $place" "$(listing)" a.im.shm
    done
  done
  check 0 '~ *' '' -- shmim-cat a
}

@test "a tool that is kept from the directory's lock says so, and a signal ends it" {
  make 'tui8>a' 4
  start_lock() { start k bash -c 'exec 9<"$0"; flock 9; echo locked; sleep 100' "$SHM"; }
  start_lock
  until_true grep -q locked "$WORK/k.out"
  check 1 '' "~ shmim-rm: $SHM: another process has held the lock of the directory for 5 s" -- shmim-rm a
  start t shmim-create 'tui8>a' 4 --recreate
  until_true is_asleep "$pid_t"
  ends_by TERM 'shmim-create --recreate'
  compare names "$(listing)" a.im.shm
  pkill -KILL -P "$pid_k" || true
}

@test "a reader that goes away ends a tool that writes, by SIGPIPE, and nothing stays claimed" {
  make 'tui8>a' 1000
  mkfifo pipe
  start c bash -c 'exec shmim-cat a -f -o raw >pipe'
  exec 7<pipe
  start p shmim-post a --update --rate 5000 7<&-
  head -c 3000 <&7 >/dev/null
  exec 7<&-
  local status=0
  wait "$pid_c" || status=$?
  compare status "$status" 141
  kill "$pid_p"
  wait "$pid_p" || true
  compare "last reader" "$(field "$(stream_file a)" $((3016 + 9 * 4)) d4 4)" 0
}
