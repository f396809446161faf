# shmim-wait: every option, and every way a wait ends.

load helpers

@test "it prints cnt0 of the next frame, and posts that were pending are no news" {
  make im1 4
  for _ in 1 2 3; do shmim-post im1 --update; done
  check 124 '' 'shmim-wait: im1: timed out: no frame came' -- shmim-wait im1 -t 20ms
  start_ready w shmim-wait im1 -t 20s
  shmim-post im1 --update
  finish w 0 '4' ''
}

@test "a post without a frame is no frame" {
  make im1 4
  start_ready w shmim-wait im1 -t 20s
  shmim-post im1
  shmim-post im1
  shmim-post im1 --update
  finish w 0 '1' ''
}

@test "the semaphore is claimed while it waits, and given back" {
  make im1 4
  start_ready w shmim-wait im1 -t 20s
  # semReadPID lies behind array, keywords, semaphores and log semaphore.
  reader=$((384 + 16 + 1280 + 320 + 32))
  [ "$(field "$(stream_file im1)" $reader d4 4)" != -1 ]
  [ "$(field "$(stream_file im1)" $reader d4 4)" != 0 ]
  shmim-post im1 --update
  finish w 0 '1' ''
  [ "$(field "$(stream_file im1)" $reader d4 4)" = 0 ]
}

@test "with --sem a post that came before counts, unless it is flushed" {
  make im1 4
  shmim-post im1 --sem 3
  shmim-post im1 --sem 3
  check 0 '0' '' -- shmim-wait im1 --sem 3 -t 20s
  check 124 '' '~ *timed out*' -- shmim-wait im1 --sem 3 --flush -t 20ms
  check 124 '' '~ *timed out*' -- shmim-wait im1 --sem 4 -t 20ms
  for _ in 1 2 3; do shmim-post im1 --sem 4; done
  check 0 $'0\n0\n0' '' -- shmim-wait im1 -s 4 -n 3 -t 20s
  check 2 '' '~ shmim-wait: *there is no semaphore 10: the stream has 0 to 9*' -- shmim-wait im1 -s 10
}

@test "a semaphore that somebody waits on is named with its holder" {
  make im1 4 -s 1
  start_ready w shmim-wait im1 -t 20s
  check 1 '' '~ shmim-wait: im1: all 1 semaphores are claimed, by processes [0-9]* (shmim-wait)' -- shmim-wait im1
  check 1 '' '~ shmim-wait: im1: semaphore 0 is claimed by process [0-9]* (shmim-wait)' -- shmim-wait im1 -s 0
  shmim-post im1 --update
  finish w 0 '1' ''
}

@test "-n frames, those that come together counted together" {
  make im1 4
  start_ready w shmim-wait im1 -n 5 -t 20s --print '{cnt0} {missed}'
  shmim-post im1 --update -n 5
  wait "$last"
  # Whatever was woken when, the last line is frame 5, and lines and missed frames are five.
  [ "$(tail -n 1 w.out | cut -d ' ' -f 1)" = 5 ]
  [ "$(awk '{ n += 1 + $2 } END { print n }' w.out)" = 5 ]
}

@test "--cnt0 returns at once where the counter is there already" {
  make im1 4
  shmim-post im1 --update -n 3
  check 0 '3' '' -- shmim-wait im1 --cnt0 2
  check 0 '3' '' -- shmim-wait im1 --cnt0 3
  start_ready w shmim-wait im1 --cnt0 5 -t 20s
  shmim-post im1 --update -n 2
  finish w 0 '5' ''
  check 124 '' '~ *timed out*' -- shmim-wait im1 --cnt0 6 -t 20ms
}

@test "--forever goes on until a signal, which is how it ends" {
  make im1 4
  for signal in INT:130 TERM:143; do
    rm -f w.ready
    start_ready w shmim-wait im1 --forever
    before=$(cnt0 im1)
    shmim-post im1 --update
    until_true grep -q "^$((before + 1))$" w.out
    # The waiter is the child of the shell that gave it its --ready-fd: exec made them one.
    kill "-${signal%:*}" "$pid_w"
    finish w "${signal#*:}" "$((before + 1))" ''
  done
}

@test "--spin waits without sleeping, and finds the same frame" {
  make im1 4
  start_ready w shmim-wait im1 --spin 30s -t 20s
  shmim-post im1 --update
  finish w 0 '1' ''
}

@test "--appear waits for the stream first" {
  check 124 '' 'shmim-wait: im1: timed out: it did not appear' -- shmim-wait im1 --appear -t 20ms
  start w shmim-wait im1 --appear --cnt0 1 -t 20s
  make im1 4
  shmim-post im1 --update
  finish w 0 '1' ''
}

@test "removed while waiting is 3, and known at once" {
  make im1 4
  start_ready w shmim-wait im1 -t 20s
  shmim-rm im1
  finish w 3 '' '~ shmim-wait: im1: was removed while we waited*'
}

@test "removed by a program that wakes nobody is noticed all the same" {
  make im1 4
  start_ready w shmim-wait im1 -t 20s
  rm "$(stream_file im1)"
  finish w 3 '' '~ shmim-wait: im1: was removed while we waited*'
}

@test "made anew with another format is 5, with the same it is waited on further" {
  make im1 4
  start_ready w shmim-wait im1 -t 20s
  make im1 4 --recreate
  shmim-post im1 --update
  finish w 0 '1' ''
  rm w.ready
  start_ready w shmim-wait im1 -t 20s
  make im1 4 -t uint8 --recreate
  finish w 5 '' '~ shmim-wait: im1: was made anew with another format: type is uint8, not float32*'
}

@test "somebody else's stream is watched by its counter" {
  ((EUID == 0)) || skip "needs root, to be somebody else"
  command -v setpriv >/dev/null || skip "needs setpriv"
  make im1 4 --mode 0644
  chmod 755 "$SHM"
  cp "$(stream_file im1)" before
  check 124 '' '~ *timed out*' -- setpriv --reuid=65534 --regid=65534 --clear-groups shmim-wait im1 -t 20ms
  cmp before "$(stream_file im1)"
  start_ready w setpriv --reuid=65534 --regid=65534 --clear-groups shmim-wait -v im1 -t 20s
  shmim-post im1 --update
  finish w 0 '1' '~ *watching cnt0, since the stream is read-only for us'
  check 1 '' '~ *cannot wait on a semaphore: the stream is read-only for us*' -- \
    setpriv --reuid=65534 --regid=65534 --clear-groups shmim-wait im1 -s 1 -t 20ms
}

@test "--print and --json say what they know" {
  make im1 4
  shmim-post im1 --update --atime 2026-01-02T03:04:05Z
  check 0 'im1 0001 2026-01-02T03:04:05.000000000Z' '' -- \
    shmim-wait im1 --cnt0 1 --print '{name} {cnt0:04} {atime}'
  check 0 '~ {"name":"im1","cnt0":1,"cnt1":0,"atime":"2026-01-02T03:04:05.000000000Z","writetime":"*","latency":*,"missed":0,"semaphore":0}' \
    '' -- shmim-wait im1 --cnt0 1 --json
  check 2 '' "~ shmim-wait: --print '{count}': *the fields are name cnt0 cnt1 atime writetime latency missed semaphore*" \
    -- shmim-wait im1 --print '{count}'
  check 0 '' '' -- shmim-wait -q im1 --cnt0 1
}

@test "a demand for another type is 5" {
  make im1 4
  check 5 '' '~ shmim-wait: im1: type is float32, not uint8*' -- shmim-wait 'tui8>im1'
  check 0 '0' '' -- shmim-wait '@SE:tf32>im1' --cnt0 0
}

@test "options that contradict one another" {
  make im1 4
  check 2 '' '~ *--cnt0 and --forever exclude*' -- shmim-wait im1 --cnt0 1 --forever
  check 2 '' '~ *--flush requires --sem*' -- shmim-wait im1 --flush
  check 2 '' "~ *'soon' is no duration*" -- shmim-wait im1 -t soon
}
