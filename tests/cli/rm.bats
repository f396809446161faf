# shmim-rm: removes streams and wakes whoever waits on them.

load helpers

@test "removes the streams named, in silence" {
  make a 2
  make b 2
  make c 2
  check 0 '' '' -- shmim-rm a @SE:b
  compare listing "$(listing)" c.im.shm
}

@test "--verbose says what was removed" {
  make a 2
  make b 2
  check 0 "removed $SHM/a.im.shm
removed $SHM/b.im.shm" '' -- shmim-rm -v b a
}

@test "patterns are matched by the tool" {
  for name in test_1 test_2 test_3 testx cam1 cam2 cam3; do make "$name" 2; done
  check 0 '' '' -- shmim-rm 'test_*'
  compare listing "$(listing)" 'cam1.im.shm
cam2.im.shm
cam3.im.shm
testx.im.shm'
  check 0 '' '' -- shmim-rm 'cam[12]'
  compare listing "$(listing)" 'cam3.im.shm
testx.im.shm'
  check 0 '' '' -- shmim-rm '@SE:cam?'
  compare listing "$(listing)" testx.im.shm
  check 0 '' '' -- shmim-rm '*'
  compare listing "$(listing)" ''
}

@test "a pattern matches streams only, and no hidden file" {
  make a 2
  make .hidden 2
  : >"$SHM/other.txt"
  : >"$SHM/.im.shm"
  check 0 '' '' -- shmim-rm '*'
  compare listing "$(listing)" '.hidden.im.shm
.im.shm
other.txt'
}

@test "a pattern that matches a stream twice removes it once" {
  make a 2
  check 0 '' '' -- shmim-rm 'a*' a '*'
}

@test "a pattern with a type removes no stream of another type" {
  make 'tui8>a1' 2
  make 'tf32>a2' 2
  check 0 '' '' -- shmim-rm 'tui8>a*'
  compare listing "$(listing)" a2.im.shm
  check 3 '' "shmim-rm: a*: no such stream in $SHM" -- shmim-rm 'tui8>a*'
  check 5 '' '~ shmim-rm: a2: type is float32, not uint8*' -- shmim-rm -f '@S:tui8>a2'
  compare listing "$(listing)" a2.im.shm
}

@test "nothing matched is exit 3, and what is there is removed all the same" {
  make a 2
  check 3 '' "shmim-rm: none: no such stream in $SHM" -- shmim-rm none
  check 3 '' "shmim-rm: none*: no such stream in $SHM" -- shmim-rm 'none*'
  check 3 '' "shmim-rm: none: no such stream in $SHM" -- shmim-rm none a
  compare listing "$(listing)" ''
  check 3 '' "shmim-rm: *: no such stream in $SHM" -- shmim-rm '*'
}

@test "--force: missing is not an error, and what is not a stream is removed" {
  check 0 '' '' -- shmim-rm -f none 'none*'
  echo garbage >"$(stream_file junk)"
  : >"$(stream_file empty)"
  make a 2
  check 1 '' "shmim-rm: junk: has 8 bytes, fewer than the 384 of a header: no stream (yet)
try: shmim-rm --force junk" -- shmim-rm junk
  check 1 '' "shmim-rm: $SHM/empty.im.shm: is empty, so no stream (yet)
try: shmim-rm --force empty" -- shmim-rm 'e*' a
  compare listing "$(listing)" 'empty.im.shm
junk.im.shm'
  check 0 '' '' -- shmim-rm --force junk empty
  compare listing "$(listing)" ''
  # Another's directory of that name is nothing that it removes.
  mkdir "$(stream_file dir)"
  check 1 '' '~ shmim-rm: *dir.im.shm: cannot remove the file: Is a directory*' -- shmim-rm -f dir
  rmdir "$(stream_file dir)"
}

@test "--dry-run says what would be removed, and removes nothing" {
  make test_a 2
  make test_b 2
  make other 2
  check 0 "would remove $SHM/test_a.im.shm
would remove $SHM/test_b.im.shm" '' -- shmim-rm --dry-run 'test_*'
  check 0 "would remove $SHM/other.im.shm" '' -- shmim-rm -n other -f
  check 3 '' '~ shmim-rm: none: *' -- shmim-rm -n none
  compare streams "$(listing | wc -l)" 3
}

@test "--interactive asks before each" {
  make a 2
  make b 2
  make c 2
  printf 'n\nyes\n' | check 0 '' "shmim-rm: remove stream 'a'? shmim-rm: remove stream 'b'? shmim-rm: remove stream 'c'? " -- \
    shmim-rm -i '*'
  compare listing "$(listing)" 'a.im.shm
c.im.shm'
  check 0 '' "shmim-rm: remove stream 'a'? " -- shmim-rm --interactive a </dev/null
  printf 'Y' | check 0 '' "shmim-rm: remove stream 'a'? " -- shmim-rm -i a
  compare listing "$(listing)" c.im.shm
  check 2 '' '~ shmim-rm: *excludes*' -- shmim-rm -i -f c
  compare listing "$(listing)" c.im.shm
}

@test "--interactive: SIGINT is not an answer" {
  make a 2
  mkfifo answers
  start p bash -c 'exec shmim-rm -i a <>answers'
  until_true grep -q remove p.err
  kill -INT "$pid_p"
  finish p 130 '' "shmim-rm: remove stream 'a'? "
  compare listing "$(listing)" a.im.shm
}

@test "wakes who waits" {
  make a 2
  start_ready w shmim-wait a -t 20s
  start_ready c shmim-cat a -f
  begin=$(date +%s%N)
  check 0 '' '' -- shmim-rm a
  finish w 3 '' 'shmim-wait: a: was removed while we waited for its next frame'
  finish c 3 '' 'shmim-cat: a: was removed while we waited for its next frame'
  # At once: those who are not woken look every quarter of a second.
  [[ $(($(date +%s%N) - begin)) -lt 240000000 ]] || skip "too slow a machine to tell"
}

@test "a link is removed, not what it points at" {
  make a 2
  ln -s "$(stream_file a)" "$(stream_file link)"
  check 0 '' '' -- shmim-rm link
  compare listing "$(listing)" a.im.shm
  check 0 '0 0' '' -- shmim-cat a
  # Whoever waits on the target is left alone.
  ln -s a.im.shm "$(stream_file link)"
  start_ready w shmim-wait a -t 20s
  check 0 '' '' -- shmim-rm link
  shmim-post a --update
  finish w 0 1 ''
}

@test "a dangling link is removed" {
  ln -s nowhere "$(stream_file link)"
  check 1 '' "~ shmim-cat: $SHM/link.im.shm: is a link to nowhere, which is not there
try: shmim-rm --dry-run --force link" -- shmim-cat link
  check 0 "would remove $SHM/link.im.shm" '' -- shmim-rm --dry-run --force link
  check 0 '' '' -- shmim-rm link
  compare listing "$(listing)" ''
}

@test "--stale removes what no live process has to do with" {
  make dead 2 # its creator, shmim-create, is dead
  shmim-post dead --update
  check 0 "would remove $SHM/dead.im.shm" '' -- shmim-rm --stale --dry-run '*'
  check 0 '' '' -- shmim-rm --stale '*'
  compare listing "$(listing)" ''
}

@test "--stale keeps what a process has open" {
  make held 2
  make free 2
  check 0 "removed $SHM/free.im.shm" "~ shmim-rm: held: kept: process * (bash) has it open" -- \
    bash -c 'exec 6<"$0"; shmim-rm --stale "*" -v; exit $?' "$(stream_file held)"
  compare listing "$(listing)" held.im.shm
  check 0 '' '' -- shmim-rm --stale held
  compare listing "$(listing)" ''
}

@test "--stale keeps what a process has mapped" {
  make held 2
  check 0 '' '~ shmim-rm: held: kept: process * (shmim-wait) has it open' -- bash -c '
    mkfifo ready
    shmim-wait held --ready-fd 8 8>ready &
    read -r _ <ready
    shmim-rm --stale held -v
    kill $!
    wait $!
    [[ $? -eq 143 ]]'
  compare listing "$(listing)" held.im.shm
}

@test "--stale keeps what a living process made, owns or writes" {
  check 0 '' '~ shmim-rm: owned: kept: process * (tail) made, owns or writes it
shmim-rm: written: kept: process * (tail) made, owns or writes it' -- bash -c '
    mkfifo never
    tail -f never &
    until [[ $(</proc/$!/comm) == tail ]]; do :; done
    shmim-create -q owned 2 --owner $!
    shmim-create -q written 2
    shmim-post written --update --pid $!
    shmim-rm --stale owned written -v
    status=$?
    kill $!
    exit $status'
  compare listing "$(listing)" 'owned.im.shm
written.im.shm'
  # PID 1 as the owner: it belongs to no process.
  make nobody 2 --owner 1
  check 0 '' '' -- shmim-rm --stale nobody
  compare listing "$(listing)" 'owned.im.shm
written.im.shm'
}

@test "--stale keeps what it cannot judge, and says why" {
  need_nobody
  chmod 777 "$SHM"
  make a 2 --mode 0666
  kept='shmim-rm: a: kept: only its owner and root can find out whether it is in use'
  check 0 '' "$kept" -- "${nobody[@]}" shmim-rm --stale a
  check 0 '' "$kept" -- "${nobody[@]}" shmim-rm --stale --dry-run a
  compare listing "$(listing)" a.im.shm
}

@test "--stale works for a plain user, whatever processes others have" {
  need_nobody
  chmod 777 "$SHM"
  check 0 '' '' -- "${nobody[@]}" shmim-create -q a 2
  check 0 '' '' -- "${nobody[@]}" shmim-create -q held 2
  start holder bash -c 'exec 7<"$0"; exec sleep 100' "$(stream_file held)"
  until_true test -e "/proc/$last/fd/7"
  check 0 "removed $SHM/a.im.shm" 'shmim-rm: held: kept: a process that we do not see has it open' -- \
    "${nobody[@]}" shmim-rm --stale '*' -v
  kill "$last"
  wait "$last" || true
  check 0 '' '' -- "${nobody[@]}" shmim-rm --stale held
  compare listing "$(listing)" ''
}

@test "--stale on garbage and dangling links" {
  echo garbage >"$(stream_file junk)"
  ln -s nowhere "$(stream_file link)"
  check 1 '' '~ shmim-rm: junk: has 8 bytes*' -- shmim-rm --stale '*'
  compare listing "$(listing)" junk.im.shm
  check 0 '' '~ shmim-rm: junk: kept: process *' -- \
    bash -c 'exec 6<"$0"; shmim-rm --stale -f junk -v; exit $?' "$(stream_file junk)"
  check 0 '' '' -- shmim-rm --stale -f junk
  compare listing "$(listing)" ''
}

@test "a name with a / is refused" {
  make a 2
  check 2 '' "~ shmim-rm: $SHM/a: a stream has no / in its name; --dir names the directory*" -- \
    shmim-rm "$SHM/a"
  check 2 '' '~ shmim-rm: ../\*: a stream has no /*' -- shmim-rm '../*'
  compare listing "$(listing)" a.im.shm
}

@test "a wrong reference keeps all the others" {
  make a 2
  check 2 '' '~ shmim-rm: @X:b: *' -- shmim-rm a @X:b
  check 2 '' '~ shmim-rm: @L:*: modifier L has no meaning here*' -- shmim-rm a '@L:*'
  compare listing "$(listing)" a.im.shm
}

@test "somebody else's stream in a sticky directory" {
  need_nobody
  make a 2
  chmod 1777 "$SHM"
  check 1 '' '~ shmim-rm: *a.im.shm: cannot remove the file: Operation not permitted*' -- \
    "${nobody[@]}" shmim-rm a
  compare listing "$(listing)" a.im.shm
}
