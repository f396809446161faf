# shmim-rm: removes what is meant, and nothing else.

load helpers

@test "names, and patterns that the tool matches itself" {
  for name in a1 a2 b1 c; do make "$name" 4; done
  check 0 '' '' -- shmim-rm c
  check 0 "would remove $SHM/a1.im.shm
would remove $SHM/a2.im.shm" '' -- shmim-rm -n 'a?'
  check 0 "removed $SHM/a1.im.shm
removed $SHM/b1.im.shm" '' -- shmim-rm -v '[ab]1'
  [ "$(listing)" = a2.im.shm ]
  check 0 '' '' -- shmim-rm '@SE:a*'
  [ -z "$(listing)" ]
}

@test "nothing matched is 3, but not with --force" {
  make im1 4
  check 3 '' "~ shmim-rm: im2: no such stream in $SHM*" -- shmim-rm im2
  check 3 '' "~ shmim-rm: z\*: no such stream*" -- shmim-rm 'z*'
  check 0 '' '' -- shmim-rm --force im2 'z*'
  [ "$(listing)" = im1.im.shm ]
}

@test "what is no readable stream is an error, and removed with --force" {
  echo nonsense >"$SHM/im1.im.shm"
  check 1 '' '~ shmim-rm: im1: has 9 bytes, fewer than the 384 of a header*
try: shmim-rm --force im1' -- shmim-rm im1
  check 0 '' '' -- shmim-rm --force im1
  [ -z "$(listing)" ]
}

@test "files that are no streams are not its business" {
  make im1 4
  touch "$SHM/other" "$SHM/.hidden.im.shm"
  check 0 '' '' -- shmim-rm '*'
  [ "$(listing)" = $'.hidden.im.shm\nother' ]
  check 2 '' '~ *a stream has no / in its name*' -- shmim-rm ../etc/passwd
}

@test "a link is removed, not what it points at" {
  make target 4
  ln -s target.im.shm "$SHM/link.im.shm"
  check 0 '' '' -- shmim-rm link
  [ "$(listing)" = target.im.shm ]
}

@test "--interactive asks, and takes no for an answer" {
  make im1 4
  check 0 '' "shmim-rm: remove stream 'im1'? " -- shmim-rm -i im1 <<<n
  check 0 '' '~ *remove stream*' -- shmim-rm -i im1 </dev/null
  [ "$(listing)" = im1.im.shm ]
  check 0 '' '~ *remove stream*' -- shmim-rm -i im1 <<<y
  [ -z "$(listing)" ]
}

@test "--stale removes what only the dead knew" {
  ((EUID == 0)) || skip "needs root, to look into every process"
  unshare --pid --fork --mount-proc true 2>/dev/null || skip "needs a PID namespace, where every process is ours"
  # shellcheck disable=SC2016
  check 0 "removed $SHM/nobodys.im.shm
removed $SHM/orphan.im.shm
held.im.shm owned.im.shm written.im.shm
removed $SHM/held.im.shm" "~ shmim-rm: held: kept: process [0-9]* (bash) has it open
shmim-rm: owned: kept: process [0-9]* (tail) made, owns or writes it
shmim-rm: written: kept: process [0-9]* (tail) made, owns or writes it" -- \
    unshare --pid --fork --mount-proc bash -c '
      tail -f /dev/null & living=$!
      shmim-create -q orphan 4
      shmim-create -q owned 4 --owner $living
      shmim-create -q nobodys 4 --owner 1
      shmim-create -q held 4
      shmim-create -q written 4
      shmim-post written --update --pid $living
      bash -c "exec 7<\"\$MILK_SHM_DIR/held.im.shm\"; shmim-rm --stale -v \"*\"; true"
      ls "$MILK_SHM_DIR" | xargs
      shmim-rm --stale -v held'
}

@test "--stale takes a process that it may not look into for a holder" {
  ((EUID == 0)) || skip "needs root, to be somebody else"
  command -v setpriv >/dev/null || skip "needs setpriv"
  chmod 777 "$SHM"
  setpriv --reuid=65534 --regid=65534 --clear-groups shmim-create -q im1 4
  check 0 '' '~ shmim-rm: im1: kept: *processes may have it open that we may not look into' -- \
    setpriv --reuid=65534 --regid=65534 --clear-groups shmim-rm --stale -v im1
  [ "$(listing)" = im1.im.shm ]
}

@test "somebody else's stream in a sticky directory" {
  ((EUID == 0)) || skip "needs root, to be somebody else"
  command -v setpriv >/dev/null || skip "needs setpriv"
  make im1 4
  chmod 1777 "$SHM"
  check 1 '' '~ shmim-rm: *im1*cannot remove the file: Operation not permitted*' -- \
    setpriv --reuid=65534 --regid=65534 --clear-groups shmim-rm im1
  [ "$(listing)" = im1.im.shm ]
}
