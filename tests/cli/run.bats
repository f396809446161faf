# shmim-run: a command as a compute unit.

load helpers

setup() {
  own_directories
  need_python cbor2 numpy
}

# steady_source: a stream `cam` of 4 x 3 uint16 with 1 to 12 in it, two hundred times a second.
steady_source() {
  make 'tui16>cam' 4 3
  seq 12 >frame
  start source shmim-post cam --data frame --loop --rate 200 -q
}

# says FILE ASSERTION: of `it`, the JSON in the file.
says() {
  "$PYTHON" -c '
import json, sys
it = json.load(open(sys.argv[1]))
assert eval(sys.argv[2]), it' "$@"
}

# start_run NAME ARGUMENTS...: shmim-run in the background, ready.
start_run() {
  local name=$1
  shift
  rm -f "$name.ready"
  mkfifo "$name.ready"
  start "$name" bash -c 'exec shmim-run --ready-fd 8 "$@" 8>"$0"' "$name.ready" "$@"
  read -r _ <"$name.ready" || {
    printf '%s ended before it was ready: %s\n' "$name" "$(<"$name.err")" >&2
    return 1
  }
}

@test "each frame is answered once, in step, with the trace of that very frame" {
  make 'tui16>cam' 4 3 -c 64
  start_run run cam out --type uint16 --every -n 50 -- cat
  for _ in {1..50}; do seq 12; done | shmim-post cam --data - --rate 400 -q
  finish run 0 '' '~ shmim-run: out: 50 frames, 0 missed; latency p50 *, p99 *, max *; command p50 *, p99 *, max *'
  compare pixels "$(shmim-cat out)" "$(shmim-cat cam)"
  compare counts "$(cnt0 out)" 50
  shmim-trace out --json | head -n 1 >hop.json
  says hop.json 'it["cnt0"] == 50 and it["trigger"] == "cam"'
}

@test "the newest frame is given, a slice of it too, and what is not said of OUT is as in IN" {
  steady_source
  check 0 '' '~ *3 frames, *' -- shmim-run 'cam[1:2,*]' part --type float32 --as text -n 3 -- \
    perl -ne '$| = 1; print join(" ", map { $_ / 2 } split), "\n"'
  compare part "$(shmim-cat part)" "$(printf '%s\n' '1 1.5' '3 3.5' '5 5.5')"
  check 0 '' '~ *' -- shmim-run 'cam[*,0]' 'part[*,0]' -n 1 --as text -- \
    sed -u 's/..*/8 9/'
  compare part "$(shmim-cat part | head -n 1)" '8 9'
}

@test "a unit in Python, by npy and by frames" {
  steady_source
  cat >npy.py <<'P'
import io, sys, numpy
header = 128
while sys.stdin.buffer.peek(1):
    frame = numpy.load(io.BytesIO(sys.stdin.buffer.read(header + 24)))
    answer = io.BytesIO()
    numpy.save(answer, (frame * 2.5).astype("f4"))
    sys.stdout.buffer.write(answer.getvalue())
    sys.stdout.buffer.flush()
P
  check 0 '' '~ *5 frames, *' -- shmim-run cam dm --type float32 --as npy -n 5 -- "$PYTHON" npy.py
  compare dm "$(shmim-cat dm | head -n 1)" '2.5 5 7.5 10'
  cat >frames.py <<'P'
import cbor2, numpy, sys
decoder = cbor2.CBORDecoder(sys.stdin.buffer)
while True:
    try:
        frame = decoder.decode()
    except (cbor2.CBORDecodeEOF, EOFError):
        break
    axes, elements = frame["pixels"].value
    assert frame["name"] == "cam" and frame["trace"], frame
    array = numpy.frombuffer(elements.value, "<u2").astype("<f4") + 0.5
    answer = cbor2.CBORTag(40, [axes, cbor2.CBORTag(85, array.tobytes())])
    sys.stdout.buffer.write(cbor2.dumps({"shmim": 1, "pixels": answer}))
    sys.stdout.buffer.flush()
P
  check 0 '' '~ *5 frames, *' -- shmim-run cam dm --as frames -n 5 -- "$PYTHON" frames.py
  compare dm "$(shmim-cat dm | head -n 1)" '1.5 2.5 3.5 4.5'
}

@test "time of acquisition and keywords go on, unless they are not wanted" {
  make 'tui8>cam' 2
  shmim-kw cam GAIN=-4/dB >/dev/null
  start_run run cam out --type uint8 -n 1 -- cat
  shmim-post cam --data - --atime 2026-11-22T01:52:49.5Z <<<'1 2'
  finish run 0 '' '~ *1 frame, 0 missed*'
  compare keyword "$(shmim-kw out GAIN)" -4
  compare atime "$(shmim-ls out --noheadings -o acquired)" '~ *2026-11-22T01:52:49.5*'
  start_run run2 cam bare --type uint8 --no-keywords -n 1 -- cat
  shmim-post cam --data - <<<'1 2'
  finish run2 0 '' '~ *'
  compare keywords "$(shmim-kw bare)" ''
}

@test "without OUT the command's output is ours, and its end is the end" {
  steady_source
  check 0 '~ * 24' '~ shmim-run: cam: * frame*' -- shmim-run cam -- bash -c 'head -c 24 | wc -c | sed "s/^/ /"'
  check 1 '' '~ shmim-run: bash: exited with 4
shmim-run: cam: * frame*' -- shmim-run cam -- bash -c 'head -c 24 >/dev/null; exit 4'
}

@test "--exec runs a command a frame, which knows the frame" {
  make 'tui8>cam' 2
  start_run run cam out --type uint8 -n 2 --exec \
    'cat; echo "$SHMIM_NAME $SHMIM_TYPE $SHMIM_SIZE $SHMIM_OUT_NAME $SHMIM_CNT0 $SHMIM_ATIME" >>told'
  shmim-post cam --data - --atime 2026-11-22T01:52:49.5Z <<<'1 2'
  until_true grep -q . told
  shmim-post cam --data - --atime 2026-11-22T01:52:50.5Z <<<'3 4'
  finish run 0 '' '~ *2 frames, 0 missed*'
  compare told "$(<told)" 'cam uint8 2 out 1 2026-11-22T01:52:49.500000000Z
cam uint8 2 out 2 2026-11-22T01:52:50.500000000Z'
  # Without OUT its output is ours, and one that reads nothing is as good.
  start_run run2 cam -n 1 --exec 'echo "frame $SHMIM_CNT0"'
  shmim-post cam --data - <<<'1 2'
  finish run2 0 'frame 3' '~ *'
  # One that fails is the end of it, or not.
  start_run run3 cam --exec 'exit 3'
  shmim-post cam --data - <<<'1 2'
  finish run3 1 '' '~ shmim-run: exit 3: exited with 3; frame 4 is not answered
shmim-run: cam: 0 frames, 1 missed (1 of them not answered)'
}

@test "--with hands the newest frames of other streams along" {
  make 'tui8>cam' 2
  make 'tui8>dark-1' 2
  make 'tui8>mask' 2
  shmim-post dark-1 --data - <<<'1 1'
  shmim-post mask --data - <<<'0 1'
  start_run run cam out --type uint8 --with dark-1,mask -n 2 --as text -- \
    bash -c 'while read -r a b; do
      read -r c d <"$SHMIM_WITH_dark_1"
      read -r e f <"$SHMIM_WITH_mask"
      echo $(((a - c) * e)) $(((b - d) * f))
    done'
  shmim-post cam --data - <<<'5 6'
  until_true has_frames out 1
  compare first "$(shmim-cat out)" '0 5'
  shmim-post dark-1 --data - <<<'2 2'
  shmim-post cam --data - <<<'5 6'
  finish run 0 '' '~ *2 frames*'
  compare second "$(shmim-cat out)" '0 4'
}

@test "a stream of --with that is re-created is followed; one that is gone, or another, is an error" {
  make 'tui8>cam' 2
  make 'tui8>dark' 2
  shmim-post dark --data - <<<'1 1'
  start_run run cam out --type uint8 --with dark --as text -- \
    bash -c 'while read -r a b; do read -r c d <"$SHMIM_WITH_dark"; echo $((a - c)) $((b - d)); done'
  shmim-post cam --data - <<<'5 6'
  until_true has_frames out 1
  make 'tui8>dark' 2 --recreate
  shmim-post dark --data - <<<'3 3'
  shmim-post cam --data - <<<'5 6'
  until_true has_frames out 2
  compare second "$(shmim-cat out)" '2 3'
  make 'tui8>dark' 3 --recreate
  shmim-post cam --data - <<<'5 6'
  finish run 5 '' '~ *dark: was re-created with another format: size is 3, not 2*'
  start_run gone cam out --with dark --as text -- cat
  shmim-rm -q dark
  shmim-post cam --data - <<<'5 6'
  finish gone 3 '' '~ *dark: no such stream in *'
}

# once TEXT STATUS COMMAND...: what shmim-run says of a command that is given one frame.
once() {
  local said=$1 status=$2
  shift 2
  start_run once cam out -t 2s -- "$@"
  shmim-post cam --data - <<<'1 2'
  finish once "$status" '' "~ $said
shmim-run: out: 0 frames, 1 missed (1 of them not answered)"
}

@test "a command that ends, or answers too little, too much or nothing, is an error that says so" {
  make 'tui8>cam' 2
  make 'tui16>out' 2
  once 'shmim-run: bash: exited with 3 and did not answer; frame 1 is not answered' 1 \
    bash -c 'head -c 2 >/dev/null; exit 3'
  once 'shmim-run: bash: was ended by signal 9 (KILL) and did not answer; frame 2 is not answered' 1 \
    bash -c 'head -c 2 >/dev/null; kill -9 $$'
  once 'shmim-run: head: exited with 0 after 2 of the 4 bytes of its answer (uint16 2); frame 3 is not answered' 1 \
    head -c 2
  once 'shmim-run: bash: answered with more than 4 bytes (uint16 2); frame 4 is not answered' 1 \
    bash -c 'head -c 2 >/dev/null; printf 123456; sleep 60'
  once 'shmim-run: cat: did not answer within 2.0s: 2 of 4 bytes came (uint16 2); frame 5 is not answered' 124 cat
  once 'shmim-run: bash: did not answer within 2.0s; frame 6 is not answered' 124 bash -c 'sleep 60'
  once 'shmim-run: bash: exited with 0 and did not answer; frame 7 is not answered' 1 bash -c 'head -c 2 >/dev/null; exit 0'
  compare counts "$(cnt0 out)" 0
  check 1 '' 'shmim-run: nosuch: cannot run it: No such file or directory' -- shmim-run cam out -- nosuch
}

@test "an answer that does not come is told of, once, where nobody said how long to wait" {
  make 'tui8>cam' 2
  start_run run cam out --type uint16 -- cat
  shmim-post cam --data - <<<'1 2'
  until_true grep -q 'has not answered' run.err
  kill -TERM "$pid_run"
  finish run 143 '' 'shmim-run: cat: has not answered frame 1 for 2 s: 2 bytes of its answer came (raw, uint16 2); --timeout gives up
shmim-run: out: 0 frames, 1 missed (1 of them not answered)'
}

@test "answers in another format are refused" {
  make 'tui8>cam' 2
  make 'tui16>out' 2
  refused() { # FORMAT TEXT COMMAND
    start_run once cam out -t 20s --as "$1" -- bash -c "$3"
    shmim-post cam --data - <<<'1 2'
    finish once 1 '' "~ shmim-run: bash: $2; frame * is not answered
shmim-run: out: *"
    }
  refused text 'answered with what is no frame: *' 'read -r; echo one two; sleep 60'
  printf '1\n2\n3\n' >more  # which is written at once
  refused text 'answered with more than a frame (uint16 2)' 'read -r; head -c 6 more; sleep 60'
  refused npy 'answered with what is no npy array' 'head -c 1 >/dev/null; printf 123456789012; sleep 60'
  refused npy 'answered with an npy array of |u1 (2), not of uint16 2' 'cat'
  refused frames 'answered with a frame of uint8 2, not uint16 2' 'cat'
  refused frames 'answered with what is no frame: is not of frames: it does not begin with a map of CBOR' \
    'head -c 1 >/dev/null; printf 12345678; sleep 60'
}

@test "a command that has said something unasked does not shift what follows" {
  make 'tui8>cam' 2
  start_run run cam out --type uint8 -- \
    bash -c 'while IFS= read -r -N 2 x; do printf "%s" "$x"; sleep 0.3; printf z; done'
  shmim-post cam --data - --format raw <<<'a'
  until_true has_frames out 1
  sleep 1
  shmim-post cam --data - --format raw <<<'b'
  finish run 1 '' '~ shmim-run: bash: wrote more than its answer: 1 byte; frame 2 is not answered
*'
}

@test "--restart starts a command again that has failed, or always" {
  steady_source
  # Answers three frames and dies.
  cat >three <<'S'
for _ in 1 2 3; do head -c 24; done
exit "$1"
S
  check 0 '' '~ shmim-run: bash: exited with 3*shmim-run: out: 8 frames, *' -- \
    shmim-run cam out --type uint16 --restart on-failure -n 8 -- bash three 3
  check 0 '' '~ *shmim-run: out: 8 frames, *' -- \
    shmim-run cam out --restart always -n 8 -- bash three 0
  # A command that ends between two frames ends with them.
  make 'tui8>one' 1
  start_run run one copy --type uint8 -- head -c 1
  shmim-post one --data - <<<'1'
  finish run 0 '' '~ shmim-run: copy: 1 frame, 0 missed*'
}

@test "a signal ends the command and all that it has started" {
  steady_source
  start_run run cam out --type uint16 -- bash -c 'sleep 600 & echo $! >child; exec cat'
  until_true has_frames out 3
  kill -TERM "$pid_run"
  finish run 143 '' '~ shmim-run: out: * frames, *'
  until_true bash -c '! kill -0 $(<child)'
  # Nothing is claimed, and nothing half.
  refute grep -q unfinished <(shmim-ls out)
  shmim-info cam --json >cam.json
  says cam.json 'it["readers"] == []'
}

@test "a command that is killed at any byte of a frame or an answer leaves no part of one" {
  local read written
  steady_source
  make --like cam out
  # Takes so many bytes of a frame and answers so many, and is killed; the next one lives.
  cat >mortal <<'S'
if [[ ! -e died ]]; then
  head -c "$1" | head -c "$2"
  touch died
  kill -KILL $$
fi
exec cat
S
  for read in 0 1 12 23 24; do
    for written in 0 1 12 23 24; do
      ((written <= read)) || continue
      rm -f died
      check 0 '' '~ shmim-run: bash: was ended by signal 9 (KILL)*shmim-run: out: 3 frames, *' -- \
        shmim-run cam out --restart on-failure -n 3 -- bash mortal "$read" "$written"
      compare answer "$(shmim-cat out | tr '\n' ' ')" "$(tr '\n' ' ' <frame)"
    done
  done
  shmim-info cam out --json | tail -n 1 >out.json
  says out.json 'it["readers"] == []'
}

@test "killed, it leaves no half frame, and the command finds the end of its input" {
  steady_source
  start_run run cam out --type uint16 -- bash -c 'echo $$ >child; exec cat'
  until_true has_frames out 3
  kill -KILL "$pid_run"
  until_true bash -c '! kill -0 $(<child)'
  check 0 '~ *' '' -- shmim-cat out
  # The next goes on.
  check 0 '' '~ *3 frames*' -- shmim-run cam out -n 3 -- cat
}

@test "the end of IN, and what is wrong with it or OUT" {
  make 'tui8>cam' 2
  start_run run cam out --type uint8 -- cat
  shmim-rm -q cam
  finish run 3 '' '~ shmim-run: out: 0 frames, 0 missed
shmim-run: cam: was removed while we waited for its next frame*'
  make 'tui8>cam' 2
  check 5 '' '~ shmim-run: out: exists with another format: type is uint8, not float32*' -- \
    shmim-run cam out --type float32 -- cat
  check 3 '' "~ shmim-run: none: no such stream in *
try: shmim-run cam none --type uint8 -- cat 'a b'" -- shmim-run cam none -- cat 'a b'
  check 2 '' "~ shmim-run: what is 'cat'? COMMAND stands behind --
Try *" -- shmim-run cam out cat
  check 3 '' '~ shmim-run: none: no such stream in *' -- shmim-run none out -- cat
  check 2 '' '~ shmim-run: cam: each answer would be the next question*' -- shmim-run cam cam -- cat
  check 2 '' '~ shmim-run: --type and --size are of OUT, and there is none*' -- shmim-run cam --size 3 -- cat
  check 2 '' '~ shmim-run: COMMAND is missing: write it behind --, or --exec COMMAND*' -- shmim-run cam out
  check 2 '' '~ shmim-run: --exec excludes a COMMAND behind --*' -- shmim-run cam --exec true -- true
  check 2 '' "~ shmim-run: --cpu: 'x' is not like 2 or 2,3*" -- shmim-run cam --cpu x -- cat
  check 2 '' '~ shmim-run: the reference says float32, --type says uint8*' -- \
    shmim-run cam 'tf32>new' --type uint8 -- cat
  check 2 '' "~ shmim-run: --type: there is no type 'uint9'*" -- shmim-run cam new --type uint9 -- cat
  check 124 '' '~ shmim-run: cam: timed out: 0 of 3 answers in 10.0ms
shmim-run: out: 0 frames, 0 missed' -- shmim-run cam out -n 3 --for 10ms -- cat
  check 0 '' 'shmim-run: out: 0 frames, 0 missed' -- shmim-run cam out --for 10ms -- cat
}

@test "a service manager is told" {
  make 'tui8>cam' 2
  "$PYTHON" - "$WORK/notify" 3>&- <<'P' >told &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
while True:
    message = s.recv(4096).decode()
    print(message, flush=True)
    if message == "STOPPING=1":
        break
P
  STARTED+=($!)
  until_true test -S notify
  NOTIFY_SOCKET=$WORK/notify WATCHDOG_USEC=20000 \
    check 0 'unset' '~ *' -- shmim-run cam --for 1.5s --stats 400ms -- sh -c 'echo "${NOTIFY_SOCKET-unset}"; exec cat'
  until_true grep -q STOPPING told
  compare first "$(head -n 1 told)" READY=1
  grep -q '^WATCHDOG=1$' told
  grep -q '^STATUS=0 frames, 0 missed$' told
}

@test "the latency in the trace is the true one, of a filter that keeps up and of one that does not" {
  cat >compare.py <<'P'
import cbor2, numpy, sys
decoder = cbor2.CBORDecoder(open("reader.out", "rb"))
errors, missed = [], 0
for _ in range(int(sys.argv[1])):
    frame = decoder.decode()
    missed += frame["missed"]
    group = frame["pixels"].value[1].value[:16]
    number = sum((digit & 63) << 6 * i for i, digit in enumerate(group[:7]))
    made = 1000 * sum((digit & 63) << 6 * i for i, digit in enumerate(group[7:]))
    answer, cause = frame["trace"][:2]
    assert answer["cnt0"] == number, (answer, number)
    told = answer["ts_streamupdate"] - cause["ts_streamupdate"]
    true = answer["ts_streamupdate"] - made
    errors.append(abs(told - true) / true)
print(f"median error {numpy.median(errors):.2%}, {missed} missed")
assert numpy.median(errors) < 0.1
P
  make 'tui8>cam' 16x16
  make 'tui8>out' 16x16
  cat >filter.py <<'P'
import sys, time
while frame := sys.stdin.buffer.read(256):
    time.sleep(float(sys.argv[1]))
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()
P
  local seconds
  start source shmim-post cam --pattern counter --rate 500 -q
  for seconds in 0.0005 0.0035; do
    start_run run cam out -- "$PYTHON" filter.py "$seconds"
    start_ready reader shmim-cat out -f -n 500 -t 30s -o frames
    wait "$pid_reader"
    "$PYTHON" compare.py 500
    kill -TERM "$pid_run"
    finish run 143 '' '~ shmim-run: out: * frames, *'
    rm reader.ready
  done
}

@test "frames of every type come back as they went, in every format" {
  local type format
  for type in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    make --type "$type" cam 16x3
    for format in raw text npy frames; do
      make --type "$type" "$format" 16x3
      start_run "$format" cam "$format" --as "$format" -n 1 -- cat
    done
    shmim-post cam --pattern counter -n 1
    for format in raw text npy frames; do
      finish "$format" 0 '' '~ *1 frame, 0 missed*'
      cmp <(shmim-cat cam -o raw) <(shmim-cat "$format" -o raw)
      check 0 '' '~ *1 frame*' -- shmim-cat "$format" --verify
    done
    shmim-rm -q cam raw text npy frames
  done
}
