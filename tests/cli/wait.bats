# shmim-wait: waits for the next frame.

load helpers

@test "prints cnt0 of the next frame" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  shmim-post a --update
  finish w 0 1 ''
  start_ready w2 shmim-wait @SE:a -t 20s
  shmim-post a --update
  finish w2 0 2 ''
}

@test "posts that are pending when it begins are no news" {
  make 'tui8>a' 8
  shmim-post a --update -n 12
  compare posts "$(posts a)" '10 10 10 10 10 10 10 10 10 10 10'
  check 124 '' '~ shmim-wait: a: timed out: no frame for * after frame *' -- shmim-wait a -t 50ms
  start_ready w shmim-wait a -t 20s
  shmim-post a --update
  finish w 0 13 ''
}

@test "a spurious post is not a frame" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  shmim-post a -n 3
  # Taken, and not answered: the semaphore is empty again, and the tool waits.
  until_true empty_semaphore a
  kill -0 "$pid_w"
  shmim-post a --update
  finish w 0 1 ''
}
empty_semaphore() { [[ $(posts "$1" | cut -d ' ' -f 10) == 0 ]]; }

@test "it claims a free semaphore, and gives it back" {
  make 'tui8>a' 8
  start_ready w shmim-wait a
  compare reader "$(readers a)" "-1 -1 -1 -1 -1 -1 -1 -1 -1 $pid_w"
  start_ready w2 shmim-wait a
  compare readers "$(readers a)" "-1 -1 -1 -1 -1 -1 -1 -1 $pid_w2 $pid_w"
  shmim-post a --update
  finish w 0 1 ''
  finish w2 0 1 ''
  compare readers "$(readers a)" '-1 -1 -1 -1 -1 -1 -1 -1 0 0'
  check 124 '' '~ *' -- shmim-wait a -t 1ms
  claimed a 0
}

@test "a semaphore of a dead process is taken over" {
  make 'tui8>a' 8 -s 10
  start_ready w shmim-wait a
  kill -KILL "$pid_w"
  wait "$pid_w" || true
  compare readers "$(readers a)" "-1 -1 -1 -1 -1 -1 -1 -1 -1 $pid_w"
  start_ready w2 shmim-wait a
  compare readers "$(readers a)" "-1 -1 -1 -1 -1 -1 -1 -1 -1 $pid_w2"
  shmim-post a --update
  finish w2 0 1 ''
}

@test "no reader is refused: where all semaphores are claimed it watches cnt0, and --sem alone insists" {
  make 'tui8>a' 8 -s 2
  start_ready w shmim-wait a
  start_ready w2 shmim-wait a
  check 1 '' "shmim-wait: a: semaphore 1 is claimed by process $pid_w (shmim-wait)" -- \
    shmim-wait a -s 1 -t 1s
  start_ready w3 shmim-wait a -v
  start_ready c shmim-cat a -n 1 -v
  shmim-post a --update
  finish w3 0 1 '~ *shmim-wait: a: watches cnt0: all 2 semaphores are claimed'
  finish c 0 '0 0 0 0 0 0 0 0' '~ *shmim-cat: a: watches cnt0: all 2 semaphores are claimed'
  make 'tui8>none' 8 -s 0
  start_ready n shmim-wait none -v
  shmim-post none --update
  finish n 0 1 '~ *shmim-wait: none: watches cnt0: the stream has no semaphores'
  check 2 '' "~ shmim-wait: none: there is no semaphore 0: the stream has none*" -- \
    shmim-wait none -s 0 -t 1s
}

@test "--passive watches cnt0 and claims nothing" {
  make 'tui8>a' 8
  start_ready w shmim-wait a --passive -v
  start_ready c shmim-cat a -f -n 1 --passive -v
  claimed a 0
  shmim-post a --update
  finish w 0 1 '~ *shmim-wait: a: watches cnt0, as asked'
  finish c 0 '0 0 0 0 0 0 0 0' '~ *shmim-cat: a: watches cnt0, as asked'
  check 2 '' '~ shmim-wait: --sem excludes --passive*' -- shmim-wait a --passive -s 1
  check 2 '' '~ shmim-cat: --passive requires --follow*' -- shmim-cat a --passive
}

@test "whoever follows an idle stream ends when its output has gone, and gives back its semaphore" {
  make 'tui8>a' 8
  local tool status
  for tool in 'shmim-wait a --forever' 'shmim-cat a -f' 'shmim-trace a -f'; do
    status=0
    timeout 20 bash -c "$tool | true; exit \${PIPESTATUS[0]}" || status=$?
    compare "status of $tool" "$status" 141
    claimed a 0
  done
}

@test "SIGINT and SIGTERM leave nothing behind" {
  make 'tui8>a' 8
  for signal in INT:130 TERM:143; do
    name=w${signal#*:}
    start_ready "$name" shmim-wait a --forever
    kill "-${signal%:*}" "$last"
    finish "$name" "${signal#*:}" '' ''
    claimed a 0
  done
}

@test "--sem waits for posts: one that came before counts, unless --flush" {
  make 'tui8>a' 8
  shmim-post a -n 2
  check 0 '0' '' -- shmim-wait a -s 3 -t 20s
  check 0 '0' '' -- shmim-wait a --sem 3 -t 20s
  check 124 '' '~ shmim-wait: a: timed out: no post for *' -- shmim-wait a -s 3 -t 20ms
  check 124 '' '~ *' -- shmim-wait a -s 4 --flush -t 20ms
  compare posts "$(posts a)" '2 2 2 0 0 2 2 2 2 2 2'
  start_ready w shmim-wait a -s 3 -t 20s
  compare readers "$(readers a)" "-1 -1 -1 $pid_w 0 -1 -1 -1 -1 -1"
  shmim-post a -s 3
  finish w 0 0 ''
  check 2 '' "shmim-wait: a: there is no semaphore 10: the stream has 0 to 9
Try 'shmim-wait --help' for more information." -- shmim-wait a -s 10
  check 2 '' '~ shmim-wait: --flush requires --sem*' -- shmim-wait a --flush
}

@test "-n waits for so many posts" {
  make 'tui8>a' 8
  shmim-post a -n 3
  check 0 '0
0
0' '' -- shmim-wait a -s 0 -n 3 -t 20s
  shmim-post a -n 3
  check 124 '0
0
0' '~ shmim-wait: a: timed out: no post for * after frame *' -- shmim-wait a -s 0 -n 4 -t 50ms
}

@test "-n waits for so many frames" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -n 3 -t 20s
  for i in 1 2 3; do
    shmim-post a --update
    # Each is waited for, or two may be one wake.
    until_true grep -qx "$i" w.out
  done
  finish w 0 '1
2
3' ''
  # Frames that were missed meanwhile count too.
  start_ready w2 shmim-wait a -n 3 -t 20s
  shmim-post a --update -n 3
  finish w2 0 '~ *6' ''
}

@test "--cnt0 returns at once if the counter is there" {
  make 'tui8>a' 8
  check 0 0 '' -- shmim-wait a --cnt0 0
  shmim-post a --update -n 5
  check 0 5 '' -- shmim-wait a --cnt0 3
  # Nor does it need a semaphore then.
  make 'tui8>none' 8 --semaphores 0
  check 0 0 '' -- shmim-wait none --cnt0 0
  check 124 '' '~ shmim-wait: none: timed out: *' -- shmim-wait none --cnt0 1 -t 20ms
  check 0 5 '' -- shmim-wait a --cnt0 5
  check 124 '' '~ *timed out*' -- shmim-wait a --cnt0 6 -t 10ms
  start_ready w shmim-wait a --cnt0 7 -t 20s
  shmim-post a --update
  shmim-post a --update
  finish w 0 7 ''
  for option in '-s 1' '-n 2'; do
    # shellcheck disable=SC2086
    check 2 '' '~ shmim-wait: *excludes --cnt0*' -- shmim-wait a --cnt0 1 $option
  done
  check 2 '' '~ shmim-wait: --cnt0 and --forever exclude one another*' -- \
    shmim-wait a --cnt0 1 --forever
}

@test "a loop over --cnt0 misses nothing that the stream still shows" {
  make 'tui8>a' 8
  c=0
  start writer shmim-post a --update -n 50 --rate 500
  while ((c < 50)); do
    c=$(shmim-wait a --cnt0 $((c + 1)) -t 20s)
    echo "$c" >>seen
  done
  finish writer 0 '' '~ shmim-post: a: 50 in *'
  compare last "$(tail -n 1 seen)" 50
  sort -nuc seen
}

@test "--forever goes on until it is interrupted" {
  make 'tui8>a' 8
  start_ready w shmim-wait a --forever
  for i in 1 2 3; do
    shmim-post a --update
    until_true grep -qx "$i" w.out
  done
  kill -INT "$pid_w"
  finish w 130 '1
2
3' ''
  check 2 '' '~ shmim-wait: -n excludes --forever*' -- shmim-wait a --forever -n 2
}

@test "--timeout, in every unit" {
  make 'tui8>a' 8
  for time in 1000us 1ms 0.001 0.001s 0.00001m 0 1e-3 100000ns; do
    check 124 '' '~ shmim-wait: a: timed out: no frame for * after frame *' -- shmim-wait a --timeout "$time"
  done
  begin=$(date +%s%N)
  check 124 '' '~ *' -- shmim-wait a -t 200ms
  ms=$((($(date +%s%N) - begin) / 1000000))
  [[ $ms -ge 200 && $ms -lt 5000 ]]
}

@test "--spin busy-waits first" {
  make 'tui8>a' 8
  check 124 '' '~ *' -- shmim-wait a --spin 30ms -t 10ms
  check 124 '' '~ *' -- shmim-wait a --spin 10ms -t 30ms
  start_ready w shmim-wait a --spin 1h -t 20s
  shmim-post a --update
  finish w 0 1 ''
  start_ready w2 shmim-wait a --spin 1h
  kill -INT "$pid_w2"
  finish w2 130 '' ''
  claimed a 0
}

@test "--appear waits for the stream to exist" {
  check 124 '' 'shmim-wait: a: timed out: it did not appear' -- shmim-wait a --appear -t 30ms
  start w shmim-wait a --appear -t 20s
  make 'tui8>a' 8
  until_true claimed a 1
  shmim-post a --update
  finish w 0 1 ''
  check 0 1 '' -- shmim-wait a --appear --cnt0 1
  start w2 shmim-wait b --appear
  until_true handles_signals "$pid_w2"
  kill -INT "$pid_w2"
  finish w2 130 '' ''
  # A stream in the making by another program is not one yet.
  head -c 384 /dev/zero >"$(stream_file half)"
  check 124 '' '~ shmim-wait: half: timed out*' -- shmim-wait half --appear -t 30ms
  check 1 '' '~ shmim-wait: half: has no version string*' -- shmim-wait half -t 30ms
}

@test "removed while it waits is exit 3" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  start_ready p shmim-wait a -s 5 -t 20s
  shmim-rm a
  finish w 3 '' 'shmim-wait: a: was removed while we waited for its next frame'
  finish p 3 '' 'shmim-wait: a: was removed while we waited for its next frame'
}

@test "removed by a program that wakes nobody is noticed too" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  rm "$(stream_file a)"
  finish w 3 '' 'shmim-wait: a: was removed while we waited for its next frame'
}

@test "re-created with the same format, the wait goes on" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 8 --recreate
  until_true claimed a 1
  shmim-post a --update
  finish w 0 1 ''
}

@test "re-created with another format is exit 5, and says in what" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 4x4 --recreate
  finish w 5 '' 'shmim-wait: a: was re-created with another format: size is 4x4, not 8
try: shmim-info a'
}

@test "a stream that we may only read is watched by its counter" {
  need_nobody
  make 'tui8>a' 8 --mode 0644
  start_ready w "${nobody[@]}" shmim-wait a -t 20s -v
  claimed a 0
  shmim-post a --update
  finish w 0 1 "shmim-wait: a: opened $SHM/a.im.shm: uint8 8
shmim-wait: a: watches cnt0: the stream is read-only for us"
  check 124 '' '~ *timed out*' -- "${nobody[@]}" shmim-wait a -t 10ms
  check 0 1 '' -- "${nobody[@]}" shmim-wait a --cnt0 1
  check 1 '' "~ shmim-wait: a: semaphores cannot be used: the stream is read-only for us*" -- \
    "${nobody[@]}" shmim-wait a -s 1 -t 1s
  start_ready gone "${nobody[@]}" shmim-wait a -t 20s
  shmim-rm a
  finish gone 3 '' 'shmim-wait: a: was removed while we waited for its next frame'
}

@test "--print and --json" {
  make 'tui8>a' 8
  shmim-post a --update -n 3
  check 0 'frame 3 of a' '' -- shmim-wait a --cnt0 3 --print 'frame {cnt0} of {name}'
  check 0 '00003|-1|{}' '' -- shmim-wait a --cnt0 3 --print '{cnt0:05}|-1|{{}}'
  check 0 "~ 20[0-9][0-9]-*Z 20*Z 0.* 0 0" '' -- \
    shmim-wait a --cnt0 3 --print '{atime} {writetime} {latency} {missed} {cnt1}'
  check 0 '~ {"name":"a","cnt0":3,"cnt1":0,"atime":"20*Z","writetime":"20*Z","latency":*,"missed":0,"semaphore":-1}' \
    '' -- shmim-wait a --cnt0 3 --json
  start_ready w shmim-wait a --cnt0 4 -t 20s --print '{cnt0} {semaphore}'
  shmim-post a --update
  finish w 0 '4 9' ''
  check 0 '' '' -- shmim-wait a --cnt0 3 -q
  check 2 '' "shmim-wait: --print '{nothing}': argument not found; the fields are name cnt0 cnt1 atime writetime latency missed semaphore kw.NAME
Try 'shmim-wait --help' for more information." -- shmim-wait a --print '{nothing}'
  check 2 '' "~ shmim-wait: --print '{cnt0': *" -- shmim-wait a --print '{cnt0'
  # A mistake is told before the wait, and leaves no claim.
  claimed a 0
}

@test "--print: keywords, seconds since 1970 and tabs" {
  make 'tui8>a' 8
  shmim-kw a EXPTIME=0.25
  shmim-post a --update --atime 1795308092.5
  check 0 $'1\t1795308092.500000000\t0.250\tnull' '' -- \
    shmim-wait a --cnt0 1 --print '{cnt0}\t{atime:unix}\t{kw.EXPTIME:.3f}\t{kw.NONE}'
}

@test "--ready-fd gets one newline" {
  make 'tui8>a' 8
  shmim-wait a -t 1ms --ready-fd 7 7>ready 2>/dev/null || true
  printf '\n' | cmp - ready
  check 1 '' 'shmim-wait: --ready-fd: cannot write to the descriptor: Bad file descriptor' -- \
    shmim-wait a -t 1ms --ready-fd 77
}

@test "a writer of the C library, which counts and then posts, is followed" {
  # Its update by hand: cnt0 + 1, then a post.
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  printf '\x05' | dd of="$(stream_file a)" bs=1 seek=264 conv=notrunc status=none
  shmim-post a
  finish w 0 5 ''
}

@test "a writer that posts first and counts after is followed" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -t 20s
  shmim-post a
  until_true empty_semaphore a
  printf '\x05' | dd of="$(stream_file a)" bs=1 seek=264 conv=notrunc status=none
  finish w 0 5 ''
}

@test "frames that come together are counted together, and the missed ones said" {
  make 'tui8>a' 8
  start_ready w shmim-wait a -n 5 -t 20s --print '{cnt0} {missed}'
  shmim-post a --update -n 5
  finish w 0 '~ *' ''
  # Whatever was woken when, the last line is frame 5, and lines and missed frames are five.
  compare last "$(tail -n 1 w.out)" '~ 5 *'
  compare frames "$(awk '{ n += 1 + $2 } END { print n }' w.out)" 5
}

@test "--appear is ready while the stream is missing, and sees a mistake in --print at once" {
  check 2 '' "~ shmim-wait: --print '{foo}': *" -- shmim-wait a --appear --print '{foo}' -t 20s
  start_ready w shmim-wait a --appear -n 1 -t 20s
  make 'tui8>a' 4
  until_true claimed a 1
  shmim-post a --update
  finish w 0 1 ''
}

@test "--timeout is for each frame, --for for all of them" {
  make a 2
  start_ready dog shmim-wait a --forever -t 1s -q
  start p shmim-post a --update --rate 10 -n 15 -q
  finish dog 124 '' '~ *'
  finish p 0 '' ''
  compare cnt0 "$(cnt0 a)" 15 # it has waited beyond a second
  check 124 '' 'shmim-wait: a: timed out: no frame for 20.0ms after frame 15' -- shmim-wait a --forever -t 20ms
  check 124 '' 'shmim-wait: a: timed out: 0 of 5 frames came in 20.0ms' -- shmim-wait a -n 5 --for 20ms
  check 124 '' 'shmim-wait: a: timed out: cnt0 is 15, and did not come to 20 in 20.0ms' -- \
    shmim-wait a --cnt0 20 --for 20ms
  check 124 '' 'shmim-wait: a: timed out: 0 of 1 post came in 20.0ms' -- shmim-wait a -s 3 --flush --for 20ms -t 10s
  start p shmim-post a --update --rate 1000 -q
  check 124 '' '~ shmim-wait: a: timed out: cnt0 is *, and did not come to 1000000 in 100.0ms' -- \
    timeout -k 1 20 shmim-wait a --cnt0 1000000 --for 100ms
  check 0 '~ *' '' -- shmim-wait a --forever --for 100ms
  check 0 '~ *' '' -- shmim-wait a --forever --for 100ms -t 10s --json
}

@test "of a stream that was re-created nothing is counted as missed" {
  make a 4
  shmim-post a --update
  shmim-post a --update
  start_ready w shmim-wait a -n 2 -t 20s --print '{cnt0} {missed}'
  kill -STOP "$pid_w"
  make a 4 --recreate
  shmim-post a --update -n 5
  kill -CONT "$pid_w"
  until_true test -s w.out
  shmim-post a --update
  finish w 0 $'5 0\n6 0' ''
}

@test "--any of several streams: the first with a new frame, whose name is printed" {
  for name in a b c; do make "$name" 2; done
  start_ready w shmim-wait a b c -t 20s
  start_ready w2 shmim-wait a b c --any -t 20s --print '{name} {cnt0} {missed} {semaphore}'
  claimed a 2
  shmim-post b --update
  finish w 0 b ''
  finish w2 0 'b 1 0 8' ''
  claimed a 0
  claimed c 0
  compare posters "$(posters c)" '-1 -1 -1 -1 -1 -1 -1 -1 -1 -1' # what ended its thread was no post
  # Of one stream too, so that a list in a script may have any length.
  start_ready one shmim-wait a --any -t 20s
  shmim-post a --update
  finish one 0 a ''
}

@test "--any goes on, from stream to stream" {
  for name in a b; do make "$name" 2; done
  start_ready w shmim-wait a b -n 3 -t 20s --print '{name}{cnt0}'
  shmim-post a --update
  until_true grep -qx a1 w.out
  shmim-post b --update
  until_true grep -qx b1 w.out
  shmim-post a --update
  finish w 0 $'a1\nb1\na2' ''
  start_ready f shmim-wait a b --forever --json
  shmim-post b --update
  until_true grep -q '^{"name":"b","cnt0":2,' f.out
  kill -INT "$pid_f"
  finish f 130 '~ {"name":"b",*}' ''
  claimed a 0
  start_ready w3 shmim-wait a b -q
  shmim-post a --update
  finish w3 0 '' ''
}

@test "--all waits until each of the streams has a new frame" {
  for name in a b c; do make "$name" 2; done
  start_ready w shmim-wait a b c --all -n 2 -t 20s --print '{name}{cnt0} {missed}'
  shmim-post b --update
  until_true grep -qx 'b1 0' w.out
  shmim-post b --update
  shmim-post b --update
  shmim-post a --update
  until_true grep -qx 'a1 0' w.out
  kill -0 "$pid_w"
  shmim-post c --update
  # The second round: what came of b meanwhile counts.
  until_true grep -qx 'b3 1' w.out
  shmim-post a --update
  until_true grep -qx 'a2 0' w.out
  shmim-post c --update
  finish w 0 $'b1 0\na1 0\nc1 0\nb3 1\na2 0\nc2 0' ''
  start_ready names shmim-wait a b --all -t 20s
  shmim-post b --update
  until_true grep -qx b names.out
  shmim-post a --update
  finish names 0 $'b\na' ''
}

@test "several streams: time-outs name those of which no frame came" {
  for name in a b; do make "$name" 2; done
  check 124 '' 'shmim-wait: a, b: timed out: no frame for 20.0ms' -- shmim-wait a b -t 20ms
  check 124 '' 'shmim-wait: a, b: timed out: 0 of 2 frames came in 20.0ms' -- shmim-wait a b -n 2 --for 20ms
  check 0 '' '' -- shmim-wait a b --forever --for 20ms
  start_ready w shmim-wait a b --all --for 1s
  shmim-post a --update
  finish w 124 a 'shmim-wait: b: timed out: 0 of 1 frame came in 1.0s'
}

@test "several streams: one that is missing, removed or re-created, as of one stream" {
  make a 2
  check 3 '' "shmim-wait: none: no such stream in $SHM
try: shmim-wait none --appear" -- shmim-wait a none
  claimed a 0
  for name in b c; do make "$name" 2; done
  for how in --any --all; do
    make b 2 --recreate
    start_ready w shmim-wait a b $how
    start_ready w2 shmim-wait a b c $how
    shmim-rm b
    finish w 3 '' 'shmim-wait: b: was removed while we waited for its next frame'
    finish w2 3 '' 'shmim-wait: b: was removed while we waited for its next frame'
    make b 2
    rm -f w.ready w2.ready
  done
  start_ready w shmim-wait a b c -t 20s
  make c 2 --recreate
  shmim-post c --update
  finish w 0 c ''
  start_ready x shmim-wait a b c -t 20s
  make a 3 --recreate
  finish x 5 '' 'shmim-wait: a: was re-created with another format: size is 3, not 2
try: shmim-info a'
  start y shmim-wait new1 new2 --all --appear -t 20s
  make new1 2
  make new2 2
  until_true claimed new2 1
  shmim-post new1 --update
  shmim-post new2 --update
  finish y 0 '~ new[12]?new[12]' ''
}

@test "several streams: whoever may only read watches their counters, and what is for one stream says so" {
  for name in a b; do make "$name" 2; done
  start_ready w shmim-wait a b --passive -v
  claimed a 0
  claimed b 0
  shmim-post b --update
  finish w 0 b '~ *a: watches cnt0, as asked*b: watches cnt0, as asked'
  check 2 '' '~ shmim-wait: --sem takes one stream*' -- shmim-wait a b -s 1
  check 2 '' '~ shmim-wait: --cnt0 takes one stream*' -- shmim-wait a --all --cnt0 1
  check 2 '' '~ shmim-wait: --spin takes one stream*' -- shmim-wait a b --spin 1ms
  check 2 '' '~ shmim-wait: --any excludes --all*' -- shmim-wait a b --all --any
  check 2 '' "~ shmim-wait: --print '{foo}': *" -- shmim-wait a b --print '{foo}'
}

@test "several streams: it ends when its output has gone" {
  for name in a b; do make "$name" 2; done
  local status=0
  timeout 20 bash -c 'shmim-wait a b --forever | true; exit ${PIPESTATUS[0]}' || status=$?
  compare status "$status" 141
  claimed a 0
}
