# What every test of the tools' command lines shares. Each test has a shm directory and a working
# directory (with conf/) of its own; both go when it ends, and so does every process it started.
#
#   check 0 'stdout' 'stderr' -- command...   compares all three; a text that begins with '~ ' is a
#                                             shell pattern for the rest of it
#   start NAME command...                     in the background, output to NAME.out and NAME.err
#   start_ready NAME command...               the same, and waits until its --ready-fd says so
#   finish NAME 0 'stdout' 'stderr'           waits for it to end, and compares like check
#
# The texts are compared without the newlines at their end.

# A test that hangs is a failed test (bats 1.8 and later; others leave it to ctest).
export BATS_TEST_TIMEOUT=120

: "${SHMIM_SOURCE_DIR:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
if [[ -n ${SHMIM_BIN_DIR:-} ]]; then
  PATH=$SHMIM_BIN_DIR:$PATH
fi
export PATH SHMIM_SOURCE_DIR

setup() { own_directories; }

own_directories() {
  export LC_ALL=C NO_COLOR=1
  unset MILK_SHM_DIR
  local base=/dev/shm
  [[ -d $base && -w $base ]] || base=${TMPDIR:-/tmp}
  SHM=$(mktemp -d "$base/shmim-cli.XXXXXX")
  WORK=${TMPDIR:-/tmp}/${SHM##*/}.work
  mkdir "$WORK" "$WORK/conf"
  cd "$WORK" || return 1
  export MILK_SHM_DIR=$SHM
  STARTED=()
}

teardown() {
  local pid
  for pid in ${STARTED[@]+"${STARTED[@]}"}; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  cd / || return 1
  rm -rf "${SHM:-}" "${WORK:-}"
}

# read_text NAME FILE: what is in the file to the variable, without zero bytes and newlines at its end.
read_text() {
  local parts
  mapfile -d '' parts <"$2"
  printf -v "$1" %s ${parts[@]+"${parts[@]}"}
  while [[ ${!1} == *$'\n' ]]; do printf -v "$1" %s "${!1%$'\n'}"; done
}

# compare WHAT ACTUAL EXPECTED
compare() {
  # shellcheck disable=SC2053  # a pattern on purpose
  [[ $2 == "$3" || ($3 == '~ '* && $2 == ${3#'~ '}) ]] || {
    printf '%s: expected:\n%s\n%s: found:\n%s\n' "$1" "$3" "$1" "$2" >&2
    return 1
  }
}

# judge STATUS EXPECTED-STATUS OUT-FILE EXPECTED-OUT ERR-FILE EXPECTED-ERR
judge() {
  local failed=0
  set +T # without bats, which looks at each command: that takes longer than all that is done here
  compare_all "$@" || failed=1
  set -T
  return $failed
}
compare_all() {
  local failed=0 out err
  read_text out "$3"
  read_text err "$5"
  compare status "$1" "$2" || failed=1
  compare stdout "$out" "$4" || failed=1
  compare stderr "$err" "$6" || failed=1
  return $failed
}

check() {
  local status=0 want_status=$1 want_out=$2 want_err=$3
  shift 4
  "$@" >"$WORK/.out" 2>"$WORK/.err" || status=$?
  judge "$status" "$want_status" "$WORK/.out" "$want_out" "$WORK/.err" "$want_err" || {
    printf 'of: %s\n' "$*" >&2
    return 1
  }
}

# refute command...: one that fails. (To bats a line that begins with ! is never a failure.)
refute() { if "$@"; then return 1; fi; }

# make ARGUMENTS: shmim-create, in silence.
make() { check 0 '' '' -- shmim-create -q "$@"; }

# run_out FILE command...: a command that succeeds without a word on stderr, its output in FILE.
run_out() {
  local file=$1 status=0
  shift
  "$@" >"$file" 2>"$WORK/.err" || status=$?
  judge "$status" 0 /dev/null '' "$WORK/.err" '' || {
    printf 'of: %s\n' "$*" >&2
    return 1
  }
}

start() {
  local name=$1
  shift
  "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" 3>&- &
  last=$!
  STARTED+=("$last")
  eval "pid_$name=$last"
}

start_ready() {
  local name=$1
  shift
  mkfifo "$WORK/$name.ready"
  start "$name" readily "$WORK/$name.ready" "$@"
  # Ready, or gone without having been ready: then the end of the fifo.
  read -r _ <"$WORK/$name.ready" || {
    printf '%s ended before it was ready: %s\n' "$name" "$(<"$WORK/$name.err")" >&2
    return 1
  }
}

# Opened behind our back: a fifo opens only with both its ends.
readily() { exec "${@:2}" --ready-fd 8 8>"$1"; }

# finish NAME STATUS STDOUT STDERR
finish() {
  local name=$1 status=0 pid
  eval "pid=\$pid_$name"
  wait "$pid" || status=$?
  judge "$status" "$2" "$WORK/$name.out" "$3" "$WORK/$name.err" "$4" || {
    printf 'of: %s\n' "$name" >&2
    return 1
  }
}

# until_true command...: tries it again until it succeeds, for what has no way to tell us.
until_true() {
  local deadline=$((SECONDS + 20))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || {
      printf 'never true: %s\n' "$*" >&2
      return 1
    }
    sleep 0.02 # for what is waited for: it may need the processor
  done
}

# has_frames STREAM N OPTION...: N frames of it were published.
has_frames() { shmim-wait "$1" --cnt0 "$2" -t 10ms -q "${@:3}"; }

# peer ROLE FILE...: one of the peers in tests/faults/peer.cpp.
peer() { exec "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer "$@"; }

# start_holder NAME STREAM: a writer that stops in the middle of a frame; pid_NAME is its PID.
start_holder() {
  start "$1" peer hold "$(stream_file "$2")"
  until_true is_stopped "$last"
}
is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }

# start_quitter NAME STREAM: a writer that leaves a frame unfinished and lives on; pid_NAME is its PID.
start_quitter() {
  mkfifo "$WORK/$1.ready" "$WORK/$1.stay"
  exec 9<>"$WORK/$1.stay"
  start "$1" eval 'peer give-up "$(stream_file '"$2"')" <"$WORK/'"$1"'.stay"'
  until_true grep -q ready "$WORK/$1.out"
}

# field FILE OFFSET TYPE BYTES: numbers in a file, with a TYPE of od's.
field() {
  local numbers
  read -rd '' -a numbers < <(od -An -v "-t$3" -j"$2" -N"$4" "$1") || true
  printf '%s' "${numbers[*]}"
}

# need_small_tmpfs: a directory small/, where a script run by `unshare -m` can mount a tmpfs of 1 MiB.
need_small_tmpfs() {
  [[ $(id -u) -eq 0 ]] || skip "only root can mount a small tmpfs"
  mkdir small
  unshare -m mount -t tmpfs -o size=1M none small 2>/dev/null || skip "cannot mount a tmpfs here"
}

stream_file() { printf '%s/%s.im.shm' "$SHM" "$1"; }
cnt0() { field "$(stream_file "$1")" 264 u8 8; }
listing() { ls -A "$SHM"; }

# A PID that no process has: of a child that has ended and been waited for.
dead_pid() {
  local pid
  true &
  pid=$!
  wait "$pid"
  printf '%s' "$pid"
}

# bytes VALUE...: each as one byte.
bytes() {
  local text
  printf -v text '\\x%x' "$@"
  # shellcheck disable=SC2059
  printf "$text"
}

# sequence N: N bytes, 0 to 255 and over again. Few commands: each costs some 0.1 ms in a test of bats.
sequence() {
  local n
  for ((n = 0; n < $1; n += 256)); do bytes {0..255}; done | head -c "$1"
}

# True once a tool handles SIGINT: before, it is a shell's background process, which ignores it.
handles_signals() {
  local caught
  grep -q '^shmim-' "/proc/$1/comm" || return 1
  caught=$(sed -n 's/^SigCgt:.//p' "/proc/$1/status")
  ((16#$caught & 2))
}

# True of a tool that sleeps, ready for signals.
is_asleep() { handles_signals "$1" && grep -q '^State:.S' "/proc/$1/status"; }

# Of a stream of up to 8 bytes with 10 keywords and 10 semaphores: what the semaphores hold, who has
# claimed them, and who posted them last. The log semaphore is the last of `posts`.
posts() {
  local i words list=()
  read -ra words <<<"$(field "$(stream_file "$1")" 1672 u4 $((32 * 11)))"
  for i in {0..10}; do list+=("${words[8 * i]}"); done
  printf '%s' "${list[*]}"
}
readers() { field "$(stream_file "$1")" 2024 d4 40; }
posters() { field "$(stream_file "$1")" 2064 d4 40; }
# is_read STREAM: one process reads it.
is_read() { shmim-ls --noheadings -o readers "$1" | grep -qx ' *1'; }
claimed() { # STREAM COUNT: so many semaphores are claimed
  local pid count=0
  for pid in $(readers "$1"); do
    count=$((count + (pid > 0)))
  done
  compare 'claimed semaphores' "$count" "$2"
}

# fits_file BITPIX AXIS... <data >FILE: a plain FITS file, with the cards in the array `cards`.
fits_file() {
  local header='' text i=0 size lines
  lines=("SIMPLE  =                    T" "$(printf 'BITPIX  = %20d' "$1")")
  shift
  lines+=("$(printf 'NAXIS   = %20d' $#)")
  for text in "$@"; do
    i=$((i + 1))
    lines+=("$(printf 'NAXIS%-3d= %20d' "$i" "$text")")
  done
  for text in "${lines[@]}" ${cards[@]+"${cards[@]}"} END; do
    printf -v text '%-80.80s' "$text"
    header+=$text
  done
  printf '%-*s' $(((${#header} + 2879) / 2880 * 2880)) "$header"
  cat >"$WORK/.data"
  cat "$WORK/.data"
  size=$(stat -c %s "$WORK/.data")
  head -c $(((2880 - size % 2880) % 2880)) /dev/zero
}

# same_image FILE FILE: two FITS files are the same, but for the cards that say which frame it was.
same_image() { diff <(image_of "$1") <(image_of "$2") >&2; }
image_of() {
  header_of "$1" | grep -vE '^(EXTNAME|CNT[01]|TIMESYS|(DATE|MJD)-(OBS|WRT)) *='
  tail -c +$((($(header_of "$1" | wc -l) + 35) / 36 * 2880 + 1)) "$1" | sha256sum
}

# header_of FILE: the cards of the first header of a FITS file.
header_of() { fold -w 80 "$1" | sed -n 's/ *$//; p; /^END$/q'; }

# need_python MODULE...: sets PYTHON to an interpreter that has them: that of the packages, or the first in PATH.
need_python() {
  local candidate
  for candidate in /usr/bin/python3 python3; do
    # To import them takes ten times as long.
    if "$candidate" -c 'import importlib.util, sys
sys.exit(any(importlib.util.find_spec(module) is None for module in sys.argv[1:]))' "$@" 2>/dev/null; then
      PYTHON=$candidate
      return 0
    fi
  done
  printf 'no python3 with %s\n' "$*" >&2
  return 1
}

# need_nobody: afterwards "${nobody[@]}" command... runs as a user who may look at our streams and not
# write to them.
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
need_nobody() {
  [[ $(id -u) -eq 0 ]] || skip "only root can act as another user"
  chmod 755 "$SHM" "$WORK"
  "${nobody[@]}" "$(command -v shmim-cat)" --version >/dev/null 2>&1 ||
    skip "another user cannot run the tools here"
}

# need_first_namespace: for what is known of processes only where every process is seen. In a container a PID
# that has no lock of ours is believed to live, elsewhere.
need_first_namespace() {
  is_in_first_namespace || skip "in a PID namespace of its own, as of a container, who has died is not known"
}
is_in_first_namespace() { [[ $(readlink /proc/self/ns/pid) == 'pid:[4026531836]' ]]; }

# What is said of who has died, therefore.
died() {
  if is_in_first_namespace; then printf dead; else printf 'perhaps in another PID namespace'; fi
}

# need_own_processes: afterwards "${own[@]}" command... runs where every process may be looked into,
# as --stale must to be sure.
need_own_processes() {
  local process
  own=()
  for process in /proc/[0-9]*; do
    # One that has ended meanwhile is none.
    if ! { ls "$process/fd" && head -c 1 "$process/maps"; } >/dev/null 2>&1 && [[ -d $process ]]; then
      own=(unshare --pid --fork --mount-proc)
      "${own[@]}" true 2>/dev/null || own=(unshare --map-root-user --pid --fork --mount-proc)
      "${own[@]}" true 2>/dev/null || skip "there are processes here that we may not look into"
      return 0
    fi
  done
}

# Of a stream of up to 8 bytes: leaves its first keyword slot as a process does that is killed while it
# writes there. Whoever reads the table waits 20 ms for it.
leave_keyword_busy() { printf '\x80' | dd of="$(stream_file "$1")" bs=1 seek=$((392 + 47)) conv=notrunc status=none; }
