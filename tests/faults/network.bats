# Networks as they are between shmim-send and shmim-receive, and strangers at either end.

load ../cli/helpers

setup() {
  own_directories
  mkdir "$SHM/there" "$SHM/here"
  export MILK_SHM_DIR=$SHM/there
  here=(--dir "$SHM/here")
  NETWORKS=()
}
teardown() {
  local network
  for network in ${NETWORKS[@]+"${NETWORKS[@]}"}; do ip netns del "$network"; done
  for pid in ${STARTED[@]+"${STARTED[@]}"}; do kill -KILL "$pid" 2>/dev/null || true; done
  cd / && rm -rf "${SHM:-}" "${WORK:-}"
}

has_come() { has_frames "$1" "$2" "${here[@]}"; }
is_here() { [[ $(shmim-kw cam "$1" "${here[@]}") == "$2" ]]; }
told() { grep -qF -- "$2" "$WORK/$1.err"; }
same() { cmp <(shmim-cat "$1" -o raw) <(shmim-cat "${2:-$1}" -o raw "${here[@]}"); }
# bound NAME: the endpoint at which it listens.
bound() { sed -n 's/^shmim-send: \(tcp.*\): listening$/\1/p' "$WORK/$1.err"; }
has_bound() { [[ -n $(bound "$1") ]]; }

# line NAME ENDPOINT SETTING...: a line to there; its own endpoint is in $line.
line() {
  start "$1" "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/line.py" "$WORK/$1.port" "${2#tcp://}" "${@:3}"
  until_true test -e "$WORK/$1.port"
  line=tcp://127.0.0.1:$(<"$WORK/$1.port")
}

# two_hosts: networks $there and $away with a cable between them, whose ends are `cable` in both.
two_hosts() {
  [[ $(id -u) -eq 0 ]] || skip "only root can make networks"
  local id=$$-$BATS_TEST_NUMBER
  there=shmim-t-$id away=shmim-h-$id
  { ip netns add "$there" && NETWORKS+=("$there") && ip netns add "$away" && NETWORKS+=("$away") &&
    ip link add cable netns "$there" type veth peer name cable netns "$away"; } 2>/dev/null ||
    skip "no networks of our own can be made here"
  ip -n "$there" address add 10.99.0.1/24 dev cable
  ip -n "$away" address add 10.99.0.2/24 dev cable
  ip -n "$there" link set cable up
  ip -n "$away" link set cable up
}
# send_over OPTION...: from one host, and receive_over OPTION... at the other.
send_over() { start_ready sender ip netns exec "$there" shmim-send "$@" --bind tcp://10.99.0.1:5555 --insecure; }
receive_over() {
  start_ready receiver ip netns exec "$away" shmim-receive tcp://10.99.0.1:5555 --insecure "$@" "${here[@]}"
}

@test "a cable that is pulled for a while: the stream here says so, and goes on" {
  two_hosts
  make cam 64x64 --type uint16
  send_over cam
  receive_over
  start writer shmim-post cam --pattern counter --rate 200 -n 4000 -q
  until_true has_come cam 20
  ip -n "$there" link set cable down
  until_true is_here RECVLINK down
  local before
  before=$(cnt0_of cam "${here[@]}")
  ip -n "$there" link set cable up
  until_true is_here RECVLINK up
  until_true has_come cam $((before + 20))
}
cnt0_of() { shmim-info "$@" | sed -n 's/^  cnt0 cnt1 cnt2 *\([0-9]*\) .*/\1/p'; }

@test "every frame comes whole while the packets change their size" {
  two_hosts
  make cam 128x128 --type uint16 --circular-buffer 600
  send_over cam
  receive_over --every -n 600 --json
  until_true test -e "$SHM/here/cam.im.shm"
  start writer shmim-post cam --pattern counter --rate 500 -n 600 -q
  for size in 600 1500 9000 1000 1500; do
    ip -n "$there" link set cable mtu "$size"
    ip -n "$away" link set cable mtu "$size"
    sleep 0.1
  done
  finish writer 0 '' ''
  finish receiver 0 '~ *' ''
  refute grep -q '"lost"' receiver.out
  until_true has_come cam 600
  same cam
}

@test "over a thin line the newest is what comes, and not a queue of old ones" {
  two_hosts
  tc -n "$there" qdisc add dev cable root tbf rate 80mbit burst 64kb latency 50ms 2>/dev/null ||
    skip "this kernel cannot make a line thin"
  make cam 512x256 --type uint16 # 10 ms each on that line
  send_over cam
  receive_over
  start writer shmim-post cam --pattern counter --rate 500 -n 2000 -q
  # Five times as many as go through, for four seconds: a queue of them would be seconds long.
  until_true has_come cam 1800
  local delay
  delay=$(shmim-kw cam RECVDELAY "${here[@]}")
  awk "BEGIN { exit !(0 < $delay && $delay < 1) }" || { echo "delay: $delay" >&2; false; }
  wait "$pid_writer"
  until_true same cam
}

@test "over a thin line compressed frames come more often" {
  two_hosts
  tc -n "$there" qdisc add dev cable root tbf rate 30mbit burst 64kb latency 50ms 2>/dev/null ||
    skip "this kernel cannot make a line thin"
  make cam 512x256 --type uint16
  send_over cam
  start writer shmim-post cam --pattern counter --rate 500 -n 20000 -q
  local plain packed
  plain=$(written_while_40_come)
  packed=$(written_while_40_come --compress lz4)
  # 70 ms each on that line, which are 35 written ones, and much less.
  ((plain > 2 * packed)) || { echo "$plain written while 40 came, and compressed $packed" >&2; false; }
}
written_while_40_come() {
  local before
  before=$(cnt0_of cam)
  ip netns exec "$away" shmim-receive tcp://10.99.0.1:5555 --insecure -n 40 "$@" "${here[@]}" 2>/dev/null
  echo $(($(cnt0_of cam) - before))
}

@test "compressed as it pays: by one codec or another over a thin line, and not where it makes nothing smaller" {
  need_python
  make cam 256x256 --type int16
  start_ready sender shmim-send cam --bind 'tcp://127.0.0.1:0' -v
  until_true has_bound sender
  line thin "$(bound sender)" rate=10000000
  start_ready far shmim-receive "$line" --compress auto --json "${here[@]}"
  start writer shmim-post cam --pattern counter --rate 500 -q
  until_true grep -q '"name":"cam","message":"comes by .* times smaller"' far.out
  until_true told sender 'cam: sent by '
  # Of these hardly anything can be left out.
  kill "$pid_writer" && { wait "$pid_writer" || true; }
  start writer shmim-post cam --pattern noise,sigma=9000 --rate 100 -q
  until_true grep -q '"name":"cam","message":"comes as it is"' far.out
  until_true told sender 'cam: sent as it is'
}

@test "who looks over a thin line gets frames compressed where that pays, each as it is there" {
  need_python
  make cam 256x256 --type int16
  start_ready serve shmim-serve --bind 'tcp://127.0.0.1:0' -v
  until_true grep -q ': listening$' serve.err
  line thin "$(sed -n 's/^shmim-serve: \(tcp.*\): listening$/\1/p' serve.err)" rate=10000000
  start writer shmim-post cam --pattern counter --rate 200 -q
  # One frame is no line's measure.
  check 0 '' '~ *: 1 frame checked: 0 torn*' -- shmim-cat "$line/cam" --verify
  start look shmim-cat "$line/cam" -f --latest --verify -n 200
  until_true told serve 'cam: sent by '
  finish look 0 '' '~ *: 200 frames checked: 0 torn*'
}

@test "over a long line so many newest frames are on their way as it holds, and no more" {
  need_python
  make cam 128x128 --type uint16
  start_ready sender shmim-send cam --bind 'tcp://127.0.0.1:0' -v
  until_true has_bound sender
  line long "$(bound sender)" delay=0.025 rate=12500000
  start_ready receiver shmim-receive "$line" "${here[@]}"
  until_true test -e "$SHM/here/cam.im.shm"
  # Two in 50 ms, which is how long a frame and its credit take, would be one in twelve or so.
  start watcher shmim-cat cam -f --print '{cnt0}' "${here[@]}"
  shmim-post cam --pattern counter --rate 300 -n 900 -q
  until_true has_come cam 900
  (($(wc -l <watcher.out) > 300)) || { wc -l watcher.out >&2; false; }
  # Three times as many as go through: 64 on their way would be older than 160 ms.
  start writer shmim-post cam --pattern counter --rate 1200 -n 50000 -q
  until_true has_come cam 3000
  until_true is_younger_than 0.12
}
is_younger_than() { awk -v delay="$(shmim-kw cam RECVDELAY "${here[@]}")" "BEGIN { exit !(0 < delay && delay < $1) }"; }

@test "a line of 25 ms each way, and one that is cut again and again" {
  need_python
  make cam 64x64 --type uint16 --circular-buffer 500
  start_ready sender shmim-send cam --bind 'tcp://127.0.0.1:0' -v
  until_true has_bound sender
  line far "$(bound sender)" delay=0.025 rate=12500000
  start_ready far shmim-receive "$line" --every -n 500 --json "${here[@]}"
  until_true test -e "$SHM/here/cam.im.shm"
  start verifier shmim-cat cam --verify -n 450 -t 20 "${here[@]}"
  shmim-post cam --pattern counter --rate 500 -n 500 -q
  finish far 0 '~ *' ''
  refute grep -q '"lost"' far.out
  finish verifier 0 '' '~ shmim-cat: cam: 450 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  line cut "$(bound sender)" cut=0.3
  start_ready cut shmim-receive "$line" cam=broken "${here[@]}"
  until_true test -e "$SHM/here/broken.im.shm"
  start verifier2 shmim-cat broken --verify -n 150 -t 20 "${here[@]}"
  shmim-post cam --pattern counter --rate 500 -n 2000 -q
  wait "$pid_verifier2" || true
  grep -q '150 frames checked: 0 torn, .* lost, 0 doubled, 0 out of order, 0 late$' verifier2.err
  until_true has_come broken 2500
  same cam broken
  # It was cut, which is what this was for.
  until_true told cut 'the connection is lost'
}

@test "ten streams to eight receivers, one of which is stopped" {
  local i
  for i in {0..9}; do make "s$i" 64x64 --type uint16 --circular-buffer 200; done
  start_ready sender shmim-send s{0..9} --bind "ipc://$WORK/socket"
  for i in {1..8}; do
    mkdir "$SHM/$i"
    start_ready "r$i" shmim-receive "ipc://$WORK/socket" --every --dir "$SHM/$i" -q
  done
  for i in {1..8}; do until_true test -e "$SHM/$i/s9.im.shm"; done
  kill -STOP "$pid_r8"
  for i in {0..9}; do start "w$i" shmim-post "s$i" --pattern counter --rate 200 -n 200 -q; done
  for i in {0..9}; do finish "w$i" 0 '' ''; done
  for i in {1..7}; do
    for s in {0..9}; do until_true has_frames "s$s" 200 --dir "$SHM/$i"; done
    cmp <(shmim-cat s9 -o raw) <(shmim-cat s9 -o raw --dir "$SHM/$i")
    compare missed "$(grep -c lost "$WORK/r$i.err" || true)" 0
  done
  kill -CONT "$pid_r8"
  for s in {0..9}; do until_true has_frames "s$s" 200 --dir "$SHM/8"; done
}

@test "either end killed at any time: what is here is whole, and goes on" {
  make cam 128x128 --type uint16
  start writer shmim-post cam --pattern counter --rate 1000 -n 20000 -q
  local i
  for i in {1..8}; do
    rm -f ./*.ready
    start_ready sender shmim-send cam --bind "ipc://$WORK/socket"
    start_ready receiver shmim-receive "ipc://$WORK/socket" "${here[@]}"
    until_true test -e "$SHM/here/cam.im.shm"
    sleep "0.0$((i * 11 % 10))"
    if ((i % 2)); then
      kill -KILL "$pid_receiver"
      kill -KILL "$pid_sender"
    else
      kill -KILL "$pid_sender"
      kill -KILL "$pid_receiver"
    fi
    wait "$pid_sender" "$pid_receiver" 2>/dev/null || true
  done
  rm -f ./*.ready
  start_ready sender shmim-send cam --bind "ipc://$WORK/socket"
  start_ready receiver shmim-receive "ipc://$WORK/socket" "${here[@]}"
  wait_status=0
  shmim-cat cam --verify -n 100 -t 20 "${here[@]}" 2>verified || wait_status=$?
  grep -q '100 frames checked: 0 torn, .* lost, 0 doubled, 0 out of order, 0 late$' verified
}

@test "a receiver that talks nonsense, or wants all there is, costs the sender nothing" {
  need_python zmq cbor2
  make cam 256x256 --type uint16
  shmim-post cam --pattern counter -n 1 -q
  start_ready sender shmim-send cam --bind "ipc://$WORK/socket"
  "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/stranger.py" receiver "ipc://$WORK/socket" nonsense
  until_true told sender 'dropped'
  compare messages "$(grep -c dropped sender.err)" 1
  start greedy "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/stranger.py" receiver "ipc://$WORK/socket" greedy
  shmim-post cam --pattern counter -n 200 --rate 200 -q
  wait "$pid_greedy"
  # It is to hold less than 64 frames on their way, and the buffer.
  (($(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid_sender/status") < 500000))
  start_ready receiver shmim-receive "ipc://$WORK/socket" "${here[@]}"
  until_true has_come cam 201
  same cam
}

@test "a sender that talks nonsense, or of streams that cannot be, costs the receiver an error" {
  need_python zmq cbor2
  local kind
  make cam 64x64 --type uint16
  shmim-post cam --update
  shmim-cat cam -o frames | head -c -8192 >head
  for kind in nonsense frames packed huge large; do
    start "$kind" "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/stranger.py" sender "ipc://$WORK/$kind" "$kind"
    check 124 '' '~ *dropped *timed out*' -- shmim-receive "ipc://$WORK/$kind" cam -n 1 -t 1s "${here[@]}"
  done
  compare told "$(grep -o 'dropped .*' .err)" 'dropped a stream of 2199023257216 bytes, and 4294967296 are the most'
}

@test "all that can break breaks at random, for some seconds" {
  need_python cbor2
  "$PYTHON" "$SHMIM_SOURCE_DIR/tests/faults/soak_network.py" --for 6 --tools "$(dirname "$(command -v shmim-send)")"
}
