# shmim-post: posts semaphores, and publishes frames.

load helpers

@test "by default it posts every semaphore, and does nothing else" {
  make 'tui8>a' 8
  cp "$(stream_file a)" before
  check 0 '' '' -- shmim-post a
  compare posts "$(posts a)" '1 1 1 1 1 1 1 1 1 1 1'
  # Semaphores and who posted them apart, nothing has changed.
  cmp -l before "$(stream_file a)" | awk '{ print $1 - 1 }' >changed
  awk '!($1 >= 1672 && $1 < 2024) && !($1 >= 2064 && $1 < 2104)' changed >elsewhere
  compare changed "$(<elsewhere)" ''
  check 0 '' '' -- shmim-post @SE:a -n 20
  compare posts "$(posts a)" '10 10 10 10 10 10 10 10 10 10 10'
}

@test "several streams at once" {
  make 'tui8>a' 8
  make 'tui8>b' 8
  check 0 '' '' -- shmim-post a b
  compare posts "$(posts b)" '1 1 1 1 1 1 1 1 1 1 1'
  check 3 '' "shmim-post: none: no such stream in $SHM
try: shmim-create none SIZE" -- shmim-post a none b
  compare posts "$(posts a) $(posts b)" '2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2'
  check 0 '' '' -- shmim-post a b --update
  compare counts "$(cnt0 a) $(cnt0 b)" '1 1'
}

@test "--sem posts those alone, --except all but those" {
  make 'tui8>a' 8
  check 0 '' '' -- shmim-post a -s 1 --sem 3
  compare posts "$(posts a)" '0 1 0 1 0 0 0 0 0 0 0'
  check 0 '' '' -- shmim-post a --except 1 --except 9
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 0 1'
  check 2 '' "shmim-post: a: there is no semaphore 10: the stream has 0 to 9
Try 'shmim-post --help' for more information." -- shmim-post a -s 1 -s 10
  check 2 '' '~ shmim-post: a: there is no semaphore 10*' -- shmim-post a --except 10
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a -s 1 --except 2
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 0 1'
  check 2 '' '~ shmim-post: a: there is no semaphore 10*' -- shmim-post a --update -s 10
  compare cnt0 "$(cnt0 a)" 0
  check 0 '' '' -- shmim-post a --update -s 9
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 1 1'
  compare cnt0 "$(cnt0 a)" 1
}

@test "--update is a full update without new pixels" {
  make 'tui8>a' 8 --fill 5
  before=$(field "$(stream_file a)" 184 d8 32)
  check 0 '' '' -- shmim-post a --update
  compare cnt0 "$(cnt0 a)" 1
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  [[ $(field "$(stream_file a)" 184 d8 32) != "$before" ]]
  compare posts "$(posts a)" '1 1 1 1 1 1 1 1 1 1 1'
  check 0 '5 5 5 5 5 5 5 5' '' -- shmim-cat a
  check 0 '' '' -- shmim-post a --update -n 4
  compare cnt0 "$(cnt0 a)" 5
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a --update --data -
}

@test "--data publishes each raw frame of a file or of standard input" {
  make 'tui16>a' 2 -c 4
  bytes 1 0 2 0 3 0 4 0 5 0 6 0 >frames
  start_ready reader shmim-cat a -f -n 3
  check 0 '' '' -- shmim-post a --data frames
  finish reader 0 '1 2
3 4
5 6' ''
  compare cnt0 "$(cnt0 a)" 3
  bytes 7 0 8 0 | check 0 '' '' -- shmim-post a --data -
  check 0 '7 8' '' -- shmim-cat a
  check 0 '' '' -- shmim-post a --data - </dev/null
  compare cnt0 "$(cnt0 a)" 4
  check 1 '' '~ shmim-post: *none: cannot open: No such file or directory' -- shmim-post a --data none
  check 1 '' "~ shmim-post: *: cannot read: Is a directory*" -- shmim-post a --data "$WORK"
  check 1 '' "~ shmim-post: standard input: cannot *: Bad file descriptor" -- \
    bash -c 'shmim-post a --data - <&-'
  check 2 '' '~ shmim-post: --data takes one stream*' -- shmim-post a a --data frames
}

@test "a frame may come in pieces" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  bytes 3 >&6
  start_ready w shmim-wait a -t 20s
  bytes 4 >&6
  finish w 0 1 ''
  check 0 '1 2 3 4' '' -- shmim-cat a
  exec 6>&-
  finish p 0 '' ''
}

@test "a partial last frame is an error, and is not published" {
  make 'tui8>a' 4
  bytes 1 2 3 4 5 6 >frames
  check 1 '' 'shmim-post: frames: ends after 2 of the 4 bytes of a frame, which was not published' -- \
    shmim-post a --data frames
  compare cnt0 "$(cnt0 a)" 1
  check 0 '1 2 3 4' '' -- shmim-cat a
  bytes 1 2 3 | check 1 '' 'shmim-post: standard input: ends after 3 of the 4 bytes of a frame, which was not published' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 1
}

@test "--data of FITS: one image, several, or a cube of frames" {
  make 'tui16>a' 3x2 --fill 7
  make 'tui16>b' 3x2 --fill 8
  shmim-cat a b -o fits >both.fits
  make 'tui16>c' 3x2 -c 8
  start_ready reader shmim-cat 'c[0,0]' -f -n 2
  check 0 '' '' -- shmim-post c --data both.fits
  finish reader 0 '7

8' ''
  compare cnt0 "$(cnt0 c)" 2
  check 0 '' '' -- shmim-post c --data - <both.fits
  compare cnt0 "$(cnt0 c)" 4
  check 0 '' '' -- shmim-post c --data 'both.fits[1]'
  compare cnt0 "$(cnt0 c)" 5
  gzip -k both.fits
  check 0 '' '' -- shmim-post c --data both.fits.gz
  compare cnt0 "$(cnt0 c)" 7
  make 'tui16>cube' 3x2x4 --fill 9
  shmim-cat cube -o fits >cube.fits
  check 0 '' '' -- shmim-post c --data cube.fits
  compare cnt0 "$(cnt0 c)" 11
  check 0 '9 9 9
9 9 9' '' -- shmim-cat c
}

@test "--data of FITS of another type or size is exit 5, and is not published" {
  make 'tui16>a' 3x2 --fill 7
  shmim-cat a -o fits >a.fits
  make 'tf32>b' 3x3
  check 5 '' 'shmim-post: a.fits: type is uint16, not float32; size is 3x2, not 3x3
try: shmim-info b' -- shmim-post b --data a.fits
  compare cnt0 "$(cnt0 b)" 0
  head -c $((2880 + 11)) a.fits >short.fits
  check 1 '' '~ shmim-post: short.fits: *' -- shmim-post a --data short.fits
  compare cnt0 "$(cnt0 a)" 0
}

@test "-n: so many frames, from the beginning of the file again" {
  make 'tui8>a' 1 -c 8
  bytes 1 2 3 >frames
  start_ready reader shmim-cat a -f -n 5 -o raw
  check 0 '' '' -- shmim-post a --data frames -n 5
  finish reader 0 '~ *' ''
  bytes 1 2 3 1 2 | cmp - reader.out
  check 0 '' '' -- shmim-post a --data frames -n 2
  compare cnt0 "$(cnt0 a)" 7
  # What cannot begin again ends.
  bytes 1 2 3 | check 0 '' '' -- shmim-post a --data /dev/stdin -n 2
  cat frames | check 0 '' '' -- shmim-post a --data - -n 5
  compare cnt0 "$(cnt0 a)" 12
  make 'tui16>f' 2 --fill 3
  shmim-cat f -o fits >f.fits
  check 0 '' '' -- shmim-post f --data f.fits -n 3
  compare cnt0 "$(cnt0 f)" 3
  check 0 '' '' -- shmim-post a --data - -n 5 </dev/null
}

@test "--rate paces, and says on stderr what it reached" {
  make 'tui8>a' 1
  begin=$(date +%s%N)
  check 0 '' '~ shmim-post: a: 21 in * s: * Hz of 200 Hz' -- shmim-post a --update -n 21 --rate 200
  [[ $(($(date +%s%N) - begin)) -ge 100000000 ]]
  compare cnt0 "$(cnt0 a)" 21
  sequence 11 >frames
  check 0 '' '~ shmim-post: a: 11 in * s: * Hz of 1000 Hz' -- \
    shmim-post a --data frames --rate 1000
  check 0 '' '~ shmim-post: a: 3 in *' -- shmim-post a -n 3 --rate 1000
  check 0 '' '' -- shmim-post a -n 3 --rate 1000 -q
}

@test "several streams at a rate have their turn each time" {
  make a 1
  make b 1
  check 0 '' '~ shmim-post: a: 3 in * s: * Hz of 200 Hz
shmim-post: b: 3 in * s: * Hz of 200 Hz' -- shmim-post @E:a b --update -n 3 --rate 200
  compare cnt0 "$(cnt0 a) $(cnt0 b)" '3 3'
  start p shmim-post a b --update --rate 200
  until_true bash -c '(($(shmim-ls --noheadings -o cnt0 b) > 5))'
  shmim-rm a
  # One that is gone is said, and keeps nobody from theirs.
  until_true grep -q 'shmim-post: a: ' p.err
  local before
  before=$(cnt0 b)
  until_true bash -c "((\$(shmim-ls --noheadings -o cnt0 b) > $before + 3))"
  kill -TERM "$last"
  finish p 143 '' '~ shmim-post: a: *removed*
shmim-post: b: * in * s: * Hz of 200 Hz'
}

@test "an npy file is not taken for frames" {
  make 'tui8>a' 32
  shmim-cat a -o npy >a.npy
  check 1 '' 'shmim-post: a.npy: is an npy file; frames must be raw or FITS' -- \
    shmim-post a --data a.npy
  check 1 '' '~ shmim-post: standard input: is an npy file*' -- shmim-post a --data - <a.npy
  compare cnt0 "$(cnt0 a)" 0
}

@test "--rate without -n goes on until it is interrupted" {
  make 'tui8>a' 1
  start p shmim-post a --update --rate 1000
  shmim-wait a --cnt0 5 -t 20s >/dev/null
  kill -INT "$pid_p"
  finish p 130 '' '~ *'
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
}

@test "SIGINT while it waits for data leaves the stream whole" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  bytes 1 2 >&6
  kill -TERM "$pid_p"
  finish p 143 '' ''
  exec 6>&-
  compare cnt0 "$(cnt0 a)" 1
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  check 0 '1 2 3 4' '' -- shmim-cat a
}

@test "--set sets keywords with the frame" {
  make 'tui8>a' 1 --set GAIN=1
  check 0 '' '' -- shmim-post a --update --set GAIN=2 --set "EXPTIME=0.5/[s]"
  run_out out shmim-cat a -o fits
  head -c 2880 out | fold -w 80 | grep -q '^GAIN    = *2 '
  head -c 2880 out | fold -w 80 | grep -q '^EXPTIME = *0.5 / \[s\]'
  bytes 3 | check 0 '' '' -- shmim-post a --data - --set GAIN=3
  run_out out shmim-cat a -o fits
  head -c 2880 out | fold -w 80 | grep -q '^GAIN    = *3 '
  check 2 '' "~ shmim-post: keyword 'nonsense': *" -- shmim-post a --update --set nonsense
  compare cnt0 "$(cnt0 a)" 2
}

@test "a keyword slot left busy by a killed process holds no frame up" {
  make 'tui8>a' 4 --set A=1
  leave_keyword_busy a
  head -c 8000 /dev/zero >frames
  # 40 s at the 20 ms that a look at the table takes.
  check 0 '' '' -- timeout 20 shmim-post a --data frames
  check 0 '' '' -- timeout 20 shmim-post a --data frames --set B=2
  [ "$(cnt0 a)" -eq 4000 ]
  check 0 2 '' -- shmim-kw a B
}

@test "--set that finds no slot is an error, and no frame is published or harmed" {
  make 'tui8>a' 2 --fill 4 -k 1 --set A=1
  bytes 8 9 | check 1 '' "~ shmim-post: a: keyword 'B': all 1 slots are in use*" -- \
    shmim-post a --data - --set B=1
  compare cnt0 "$(cnt0 a)" 0
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  check 0 '4 4' '' -- shmim-cat a
}

@test "--atime is the time of acquisition" {
  make 'tui8>a' 1
  for stamp in 2026-11-22T01:52:49.5Z 2026-11-22T01:52:49.5 1795312369.5; do
    check 0 '' '' -- shmim-post a --update --atime "$stamp"
    check 0 2026-11-22T01:52:49.500000000Z '' -- shmim-wait a --cnt0 0 --print '{atime}'
  done
  check 0 '' '' -- shmim-post a --update --atime "$(date +%s.%N)"
  check 0 '' '' -- shmim-post a --update --atime 2026-11-22T01:52:49Z
  check 0 2026-11-22T01:52:49.000000000Z '' -- shmim-wait a --cnt0 0 --print '{atime}'
  count=$(cnt0 a)
  for stamp in yesterday 2026-11-22 '' 12x 1.2.3; do
    check 2 '' "~ shmim-post: --atime*
Try 'shmim-post --help' for more information." -- shmim-post a --update --atime "$stamp"
  done
  compare cnt0 "$(cnt0 a)" "$count"
}

@test "--data of our FITS has the time of acquisition in it" {
  make 'tui8>a' 2
  for second in 1 2; do
    bytes "$second" "$second" | shmim-post a --data - --atime "2020-01-01T00:00:0${second}Z"
    shmim-cat a -o fits >"$second.fits"
  done
  bytes 3 3 | fits_file 8 2 >3.fits
  make 'tui8>b' 2
  acquired() { shmim-wait b --cnt0 0 --print '{atime}'; }
  shmim-post b --data 1.fits
  compare atime "$(acquired)" 2020-01-01T00:00:01.000000000Z
  shmim-post b --data - <2.fits
  compare atime "$(acquired)" 2020-01-01T00:00:02.000000000Z
  # Another's file is of now; and what is asked for goes first.
  shmim-post b --data 3.fits
  check 0 '~ 20[2-9]?-*' '' -- shmim-wait b --cnt0 0 --print '{atime}'
  refute test "$(acquired)" = 2020-01-01T00:00:02.000000000Z
  shmim-post b --data 1.fits --atime 2021-01-01T00:00:00Z
  compare atime "$(acquired)" 2021-01-01T00:00:00.000000000Z
}

@test "--plane writes a z plane; a circular stream rolls, and cnt1 names the plane" {
  make 'tui8>a' 2x1x3 --circular
  for i in 1 2 3 4; do
    bytes $i $i | check 0 '' '' -- shmim-post a --data -
    compare cnt1 "$(field "$(stream_file a)" 272 u8 8)" $(((i - 1) % 3))
  done
  check 0 '4 4

2 2

3 3' '' -- shmim-cat a
  bytes 9 9 | check 0 '' '' -- shmim-post a --data - --plane 2
  compare cnt1 "$(field "$(stream_file a)" 272 u8 8)" 2
  check 0 '~ *9 9' '' -- shmim-cat a
  # Several at once, one behind the other.
  bytes 5 5 6 6 | check 0 '' '' -- shmim-post a --data -
  check 0 '5 5

6 6

9 9' '' -- shmim-cat a
  # A stream whose z is no time: planes by name only, a frame is the whole array.
  make 'tui8>b' 2x1x3
  bytes 7 7 | check 0 '' '' -- shmim-post b --data - --plane 1
  check 0 '0 0

7 7

0 0' '' -- shmim-cat b
  bytes 1 2 3 4 5 6 | check 0 '' '' -- shmim-post b --data -
  check 2 '' "~ shmim-post: b: there is no plane 3: there are 0 to 2*" -- \
    shmim-post b --data /dev/null --plane 3
  make 'tui8>c' 2
  check 2 '' "~ shmim-post: c: has no z planes: its size is 2*" -- \
    shmim-post c --data /dev/null --plane 0
}

@test "a slice in the reference is the part that is written" {
  make 'tui8>a' 3x2
  bytes 1 2 | check 0 '' '' -- shmim-post 'a[1:2,0]' --data -
  check 0 '0 1 2
0 0 0' '' -- shmim-cat a
  bytes 7 8 9 | check 0 '' '' -- shmim-post 'a[-*,1]' --data -
  check 0 '0 1 2
9 8 7' '' -- shmim-cat a
  bytes 1 | check 1 '' '~ shmim-post: standard input: ends after 1 of the 2 bytes*' -- \
    shmim-post 'a[1:2,0]' --data -
  check 2 '' '~ shmim-post: a: a slice that averages cannot be written*' -- \
    shmim-post 'a[::2b]' --data /dev/null
  check 2 '' '~ shmim-post: a: index 3 is out of range*' -- shmim-post 'a[3]' --data /dev/null
}

@test "--trigger and --pid are for the trace" {
  make 'tui8>in' 1
  make 'tui8>out' 1
  bytes 1 | shmim-post in --data - --pid $$
  bytes 2 | check 0 '' '' -- shmim-post out --data - --trigger in --pid $$
  run_out trace shmim-trace out --json
  compare steps "$(wc -l <trace)" 2
  grep -q "\"stream\":\"out\",\"procwrite_PID\":$$,.*\"alive\":true,\"trigger\":\"in\"" trace
  grep -q "\"stream\":\"in\",\"procwrite_PID\":$$,.*\"trigger\":\"\"" trace
  check 3 '' "~ shmim-post: none: no such stream in *" -- shmim-post out --update --trigger none
  compare cnt0 "$(cnt0 out)" 1
}

@test "--claim: the only writer; a second is told who it is" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe --claim
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  cp "$(stream_file a)" before
  for line in '--claim --update' --update '--data /dev/zero -n 1'; do
    # shellcheck disable=SC2086
    check 1 '' "shmim-post: a: process $pid_p (shmim-post) has claimed the right to write it" -- \
      shmim-post a $line
  done
  cmp before "$(stream_file a)"
  kill -INT "$pid_p"
  finish p 130 '' ''
  exec 6>&-
  check 0 '' '' -- shmim-post a --claim --update
  # A claim goes with its process, however that ends.
  start q shmim-post a --data pipe --claim
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 3 -t 20s >/dev/null
  kill -KILL "$pid_q"
  finish q 137 '' ''
  exec 6>&-
  check 0 '' '' -- shmim-post a --claim --update
}

@test "options that need a frame are refused without one" {
  make 'tui8>a' 1
  for option in '--set A=1' '--atime 3' '--plane 1' '--trigger a' '--pid 3' --claim; do
    # shellcheck disable=SC2086
    check 2 '' "shmim-post: --set, --atime, --plane, --trigger, --pid and --claim need --update or --data
Try 'shmim-post --help' for more information." -- shmim-post a $option
  done
  compare posts "$(posts a)" '0 0 0 0 0 0 0 0 0 0 0'
}

@test "it goes on with a stream re-created with the same format" {
  make 'tui8>a' 2
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 2 --recreate
  bytes 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  check 0 '3 4' '' -- shmim-cat a
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 3 --recreate
  bytes 5 6 >&6
  exec 6>&-
  finish p 5 '' '~ shmim-post: a: was re-created with another format: size is 3, not 2*'
  check 0 '0 0 0' '' -- shmim-cat a
}

@test "the stream is removed while it writes" {
  make 'tui8>a' 2
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  shmim-rm a
  bytes 1 2 >&6
  finish p 3 '' 'shmim-post: a: was removed while we wrote to it'
  exec 6>&-
  [[ -z $(listing) ]]
}

@test "a frame that a writer left unfinished is named, and the next whole frame mends it" {
  make 'tui8>a' 2
  shmim-post a --update --pid "$(dead_pid)"
  # As a writer that was killed leaves it: the flag up, its PID without a time of writing.
  trace=$((384 + 8 + 1280 + 320 + 32 + 4 * 40))
  printf '\x01' | dd of="$(stream_file a)" bs=1 seek=288 conv=notrunc status=none
  head -c 16 /dev/zero | dd of="$(stream_file a)" bs=1 seek=$((trace + 32)) conv=notrunc status=none
  check 1 '' "~ shmim-cat: a: holds an unfinished frame by process *, dead
try: shmim-post a --data FILE" -- shmim-cat a
  check 1 '' "~ shmim-post: a: holds an unfinished frame of a writer that died; only a whole frame mends it*" \
    -- shmim-post a --update
  bytes 3 4 | check 0 '' '' -- shmim-post a --data -
  check 0 '3 4' '' -- shmim-cat a
}

@test "a stream that we may only read cannot be written" {
  need_nobody
  make 'tui8>a' 8 --mode 0644
  cp "$(stream_file a)" before
  check 1 '' "shmim-post: a: semaphores cannot be used: the stream is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a
  check 1 '' "shmim-post: a: cannot be written: it is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a --update
  check 1 '' "shmim-post: a: cannot be claimed: it is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a --update --claim
  cmp before "$(stream_file a)"
}

@test "--data of a gzip file that no name tells of" {
  make 'tui8>a' 4x2 --fill 7
  shmim-cat a -o fits | gzip -c >packed
  make 'tui8>b' 4x2
  check 0 '' '' -- shmim-post b --data packed
  check 0 '7 7 7 7
7 7 7 7' '' -- shmim-cat b
}

@test "--set: where one keyword finds no slot, none is set" {
  make 'tui8>a' 4 --keywords 1 --set A=0
  check 1 '' "shmim-post: a: keyword 'B': all 1 slots are in use" -- shmim-post a --update --set A=1 --set B=2
  check 0 0 '' -- shmim-kw a A
}

@test "--claim ends a writer that was there before, and refuses the reload of a file" {
  make 'tui8>a' 4 --fill 7
  shmim-cat a -o fits >conf/shmim.a.fits
  start w shmim-post a --update --rate 200
  shmim-wait a --cnt0 3 -t 20s >/dev/null
  start c shmim-post a --update --claim --rate 100
  finish w 1 '' "shmim-post: a: process $pid_c (shmim-post) has claimed the right to write it"
  check 1 '' "shmim-connect: a: process $pid_c (shmim-post) has claimed the right to write it" -- \
    shmim-connect a --reload
}

@test "--atime that no stream can hold, and dates there are none of" {
  make 'tui8>a' 4
  local stamp
  for stamp in 1790000000000 9223372036854775807 -5 1600-01-01T00:00:00; do
    check 2 '' "shmim-post: --atime: '$stamp' is not between the years 1970 and 2255; it is in seconds
Try 'shmim-post --help' for more information." -- shmim-post a --update --atime=$stamp
  done
  for stamp in 1.5e300 2026-02-31T00:00:00Z; do
    check 2 '' "~ shmim-post: --atime: '$stamp' is neither *" -- shmim-post a --update --atime=$stamp
  done
  compare cnt0 "$(cnt0 a)" 0
}

@test "--rate of years between two frames waits, and does not race" {
  make 'tui8>a' 4
  start p shmim-post a --update --rate 1e-300
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  until_true is_asleep "$pid_p"
  compare cnt0 "$(cnt0 a)" 1
}
