# Streams that are removed, replaced, led elsewhere or cut short under those who use them: by our tools,
# and by programs of the C library, which tell nobody.

load ../cli/helpers

peer() { "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer "$@"; }
lines_of() { [[ $(wc -l <"$WORK/$1.out") -ge $2 ]]; }

# follow NAME: follows stream a, and has printed its first frame.
follow() {
  start_ready "$1" shmim-cat a -f -t 30s
  check 0 '' '' -- shmim-post a --data "$WORK/ones"
  until_true lines_of "$1" 1
}

frames() {
  printf '\1\1\1\1' >"$WORK/ones"
  printf '\2\2\2\2' >"$WORK/twos"
}

@test "removed: whoever follows or waits is told, by our tools and by others" {
  frames
  for how in "shmim-rm -q a" "rm $(stream_file a)"; do
    make 'tui8>a' 4
    follow c
    start_ready w shmim-wait a -t 30s
    $how
    finish c 3 '1 1 1 1' '~ shmim-cat: a: was removed while we waited for its next frame*'
    finish w 3 '' '~ shmim-wait: a: was removed while we waited for its next frame*'
    rm -f "$WORK"/*.ready
  done
}

@test "re-created with the same format: it is followed on" {
  frames
  for how in "make tui8>a 4 --recreate" "peer create $(stream_file a) --size 4"; do
    make 'tui8>a' 4
    start_ready c shmim-cat a -f -n 2 -t 30s
    shmim-post a --data ones
    until_true lines_of c 1
    $how
    check 0 '' '' -- shmim-post a --data twos
    finish c 0 '1 1 1 1
2 2 2 2' ''
    rm -f "$WORK"/*.ready "$(stream_file a)"
  done
}

@test "re-created with another format: an error that says in what it differs" {
  frames
  for how in "make tui8>a 5 --recreate" "peer create $(stream_file a) --size 5"; do
    make 'tui8>a' 4
    follow c
    start_ready w shmim-wait a -t 30s
    $how
    finish c 5 '1 1 1 1' '~ shmim-cat: a: was re-created with another format: size is 5, not 4*'
    finish w 5 '' '~ shmim-wait: a: was re-created with another format: size is 5, not 4*'
    rm -f "$WORK"/*.ready "$(stream_file a)"
  done
}

@test "a writer goes on with a stream that was re-created, and is told of another format" {
  make 'tui8>a' 4
  mkfifo data
  start p shmim-post a --data data
  exec 7>data
  printf '\1\1\1\1' >&7
  until_true test_cnt0 1
  make 'tui8>a' 4 --recreate
  printf '\2\2\2\2' >&7
  until_true test_cnt0 1
  check 0 '2 2 2 2' '' -- shmim-cat a
  peer create "$(stream_file a)" --size 5
  printf '\3\3\3\3' >&7
  exec 7>&-
  finish p 5 '' '~ shmim-post: a: was re-created with another format: size is 5, not 4*'
  compare cnt0 "$(cnt0 a)" 0
}
test_cnt0() { [[ $(cnt0 a) == "$1" ]]; }

@test "half made by a program of the C library: not opened, and waited for by who followed it" {
  frames
  make 'tui8>a' 4
  follow c
  mkfifo go
  exec 7<>go
  export -f peer
  start maker bash -c 'exec <go 7>&-; peer "$@"' maker create-halfway "$(stream_file a)" --size 4
  until_true grep -q ready "$WORK/maker.out"
  check 1 '' '~ shmim-cat: a: has no version string: it is being made by another program, *' -- shmim-cat a
  check 1 '' '~ shmim-post: a: has no version string: *' -- shmim-post a --update
  check 124 '' '~ *timed out: it did not appear' -- shmim-wait a --appear -t 50ms
  exec 7>&-
  finish maker 0 ready ''
  check 0 '' '' -- shmim-post a --data twos
  until_true lines_of c 2
  kill "$pid_c"
  finish c 143 '1 1 1 1
2 2 2 2' ''
}

@test "a link that is led elsewhere is a stream re-created" {
  frames
  make 'tui8>one' 4
  make 'tui8>two' 4
  ln -s one.im.shm "$(stream_file a)"
  follow c
  ln -sfn two.im.shm "$(stream_file a)"
  # The old target gets a frame, which is none of the link's any more once it has been noticed.
  check 0 '' '' -- shmim-post two --data twos
  until_true lines_of c 2
  kill "$pid_c"
  finish c 143 '1 1 1 1
2 2 2 2' ''
  ln -sfn gone.im.shm "$(stream_file a)"
  check 1 '' '~ shmim-cat: *a.im.shm: is a link to gone.im.shm, which is not there*' -- shmim-cat a
}

@test "cut short by force: an error, and no SIGBUS" {
  frames
  # Larger than a page, so that something is gone.
  make 'tui8>a' 100000
  start_ready c shmim-cat a -f -t 30s
  start_ready w shmim-wait a -t 30s
  start_ready s shmim-wait a -s 0 -t 30s
  mkfifo data
  start p shmim-post a --data data
  exec 7>data
  head -c 100000 /dev/zero >&7
  until_true test_cnt0 1
  finish w 0 1 ''
  finish s 0 1 ''
  start_ready v shmim-wait a -t 30s
  truncate -s 0 "$(stream_file a)"
  head -c 100000 /dev/zero >&7
  exec 7>&-
  finish p 1 '' '~ shmim-post: a: *cut short by another program while we had it open*'
  finish v 1 '' '~ shmim-wait: a: was cut short by another program while we had it open*'
  local status=0
  wait "$pid_c" || status=$?
  compare status "$status" 1
  compare stderr "$(<"$WORK/c.err")" '~ *shmim-cat: a: was cut short by another program while we had it open*'
  check 1 '' '~ *is empty, so no stream (yet)*' -- shmim-cat a
}

@test "replacing or removing never follows a link out of the directory" {
  printf 'mine' >"$WORK/outside"
  ln -s "$WORK/outside" "$(stream_file a)"
  check 0 '~ recreated a *' '' -- shmim-create 'tui8>a' 4 --recreate
  compare outside "$(<"$WORK/outside")" mine
  [[ ! -L $(stream_file a) ]]
  ln -sf "$WORK/outside" "$(stream_file b)"
  check 0 '' '' -- shmim-rm -f b
  compare outside "$(<"$WORK/outside")" mine
  # A name that leads nowhere is taken, and not followed to where it would lead.
  ln -s "$WORK/new" "$(stream_file c)"
  check 1 '' '~ shmim-create: *c.im.shm: is a link to *, which is not there*' -- shmim-create 'tui8>c' 4
  [[ ! -e $WORK/new ]]
}

@test "another user's stream is not replaced without a word" {
  need_nobody
  chmod 777 "$SHM"
  run_out made "${nobody[@]}" "$(command -v shmim-create)" 'tui8>a' 4
  check 0 '~ recreated a *' 'shmim-create: a: replaced what belonged to user nobody' \
    -- shmim-create 'tui8>a' 4 --recreate
  run_out made "${nobody[@]}" "$(command -v shmim-create)" 'tui8>b' 4
  check 0 '~ recreated b *' 'shmim-connect: b: replaced what belonged to user nobody' \
    -- shmim-connect 'tui8>b' 5 --create
  check 0 '~ recreated b *' '' -- shmim-create 'tui8>b' 5 --recreate
}

@test "in a directory with the sticky bit nobody replaces or removes another's stream" {
  need_nobody
  chmod 1777 "$SHM"
  make 'tui8>a' 4
  check 1 '' '~ shmim-create: *a.im.shm: cannot replace the file: *' \
    -- "${nobody[@]}" "$(command -v shmim-create)" 'tui8>a' 4 --recreate
  check 1 '' '~ shmim-rm: *a.im.shm: cannot remove the file: *' \
    -- "${nobody[@]}" "$(command -v shmim-rm)" a
  compare names "$(listing)" a.im.shm
}
