# shmim-send and shmim-receive, each with a directory of its own: two hosts in one. Networks that lose,
# delay and break are for faults/network.bats.

load helpers

setup() {
  own_directories
  mkdir "$SHM/there" "$SHM/here"
  export MILK_SHM_DIR=$SHM/there
  here=(--dir "$SHM/here")
  socket=ipc://$WORK/socket
}

# send NAME REF...: a sender that listens.
send() { start_ready "$1" shmim-send "${@:2}" --bind "$socket"; }
# receive NAME OPTION...: a receiver in the background.
receive() { start_ready "$1" shmim-receive "$socket" "${@:2}" "${here[@]}"; }
# has_come STREAM N: its frame N is here.
has_come() { has_frames "$1" "$2" "${here[@]}"; }
# is_here NAME VALUE: of a keyword of cam.
is_here() { [[ $(shmim-kw cam "$1" "${here[@]}") == "$2" ]]; }
# told NAME TEXT: the program NAME has said so.
told() { grep -qF -- "$2" "$WORK/$1.err"; }
# publish N: frames of a counter, into cam.
publish() { shmim-post cam --pattern counter -n "$1" "${@:2}" -q; }
# same STREAM [HERE]: pixels here are as there.
same() {
  shmim-cat "$1" -o raw >"$WORK/there.raw"
  shmim-cat "${2:-$1}" -o raw "${here[@]}" >"$WORK/here.raw"
  cmp "$WORK/there.raw" "$WORK/here.raw"
}

@test "a stream is made here as it is there, with its frame, keywords, times and cnt0" {
  make cam 5x3 --type int16 --circular-buffer 4 --set EXPTIME=0.5/'[s]' --set OBS=abc
  seq 15 | shmim-post cam --data - --format text --atime 2026-11-22T01:52:49.5Z
  seq 2 16 | shmim-post cam --data - --format text --atime 2026-11-22T01:52:50.5Z
  send sender cam
  check 0 '' '~ shmim-receive: *socket: connected
shmim-receive: cam: created: int16 5x3' -- shmim-receive "$socket" -n 1 "${here[@]}"
  same cam
  check 0 '' '' -- shmim-info cam --check int16,5x3,circular-buffer=4 "${here[@]}"
  shmim-info cam "${here[@]}" >info
  grep -q '^  cnt0 cnt1 cnt2 *2 ' info
  grep -q '^  acquired *2026-11-22T01:52:50.500000000Z' info
  check 0 0.5 '' -- shmim-kw cam EXPTIME "${here[@]}"
  check 0 abc '' -- shmim-kw cam OBS "${here[@]}"
  is_here RECVFROM "$(hostname | head -c 15)"
  is_here RECVLINK down # it has ended
}

@test "every type, a slice, another name, and a stream in which z is time" {
  local name names
  for name in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    make "s$name" 4x3 --type "$name"
    shmim-post "s$name" --pattern noise,sigma=10 -n 1 -q
  done
  make ring 4x3x5 --type uint8 --circular
  shmim-post ring --pattern noise -n 3 -q
  make wide 6x4
  seq 24 | shmim-post wide --data - --format text
  mapfile -t names < <(shmim-ls --noheadings -o name 's*')
  send sender "${names[@]}" ring 'wide[1:2,*]'
  check 0 '' '~ *' -- shmim-receive "$socket" -n 15 "${names[@]}" ring wide=narrow "${here[@]}"
  for name in "${names[@]}"; do same "$name"; done
  compare narrow "$(shmim-cat narrow "${here[@]}")" "$(shmim-cat 'wide[1:2,*]')"
  check 0 '' '' -- shmim-info ring --check uint8,4x3x5 "${here[@]}"
  compare plane "$(shmim-cat 'ring[*,*,@]' "${here[@]}")" "$(shmim-cat 'ring[*,*,@]')"
}

@test "compressed on their way: bit by bit as there, NaNs too; as they are where it makes them no smaller" {
  local name names=() codec
  { head -c 32768 /dev/zero | tr '\0' '\377' && head -c 16384 /dev/urandom && head -c 16384 /dev/zero; } >mixed
  for name in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    make "s$name" 64x64 --type "$name"
    # From its middle, so that each has some of all.
    local size=$((4096 * $(element_bytes "$name")))
    tail -c +$((32768 - size / 2 + 1)) mixed | head -c $size | shmim-post "s$name" --data - --format raw -q
    names+=("s$name")
  done
  make random 64x64 --type uint16
  head -c 8192 /dev/urandom | shmim-post random --data - --format raw -q
  make small 45x45 --type uint16
  shmim-post small --update
  send sender "${names[@]}" random small
  for codec in lz4 zstd; do
    mkdir "$SHM/$codec"
    here=(--dir "$SHM/$codec")
    check 0 '~ *' '' -- shmim-receive "$socket" --compress "$codec" --json -n 15 "${here[@]}"
    cp "$WORK/.out" told
    for name in "${names[@]}"; do
      same "$name"
      grep -q "\"event\":\"compression\",\"name\":\"$name\",\"message\":\"comes by $codec, [0-9.]* times smaller\",\"bytes\":[0-9]" told
    done
    same random
    same small
    compare 'compressed' "$(grep -c '"compression"' told)" ${#names[@]}
  done
}
element_bytes() {
  case $1 in complex128) echo 16 ;; *64) echo 8 ;; *32) echo 4 ;; *16) echo 2 ;; *) echo 1 ;; esac
}

@test "every frame in order, compressed, beside the newest by another codec and one that wants none" {
  make cam 64x64 --type uint16 --circular-buffer 300
  send sender cam
  receive plain cam=plain --every -n 300 --json
  receive packed --every --compress zstd -n 300 --json
  receive newest cam=newest --compress lz4 --json
  until_true test -e "$SHM/here/plain.im.shm"
  until_true test -e "$SHM/here/cam.im.shm"
  start verifier shmim-cat cam --verify -n 280 -t 20 "${here[@]}"
  publish 300 --rate 400
  for name in plain packed; do
    finish "$name" 0 '~ *' ''
    refute grep -q '"lost"' "$name.out"
  done
  refute grep -q '"compression"' plain.out
  grep -q 'comes by zstd' packed.out
  until_true has_come newest 300
  grep -q 'comes by lz4' newest.out
  finish verifier 0 '' '~ shmim-cat: cam: 280 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  same cam
}

@test "the newest: whole, in order, and never one twice" {
  make cam 64x64 --type uint16
  send sender cam
  receive receiver
  until_true test -e "$SHM/here/cam.im.shm"
  start verifier shmim-cat cam --verify -n 200 -t 20 "${here[@]}"
  start writer publish 1000000 --rate 2000
  # Those that were left out, if any, are missing, and nothing else is wrong.
  local status=0
  wait "$pid_verifier" || status=$?
  grep -q 'cam: 200 frames checked: 0 torn, [0-9]* lost, 0 doubled, 0 out of order, 0 late$' verifier.err
  compare status "$status" "$(grep -c 'torn, [1-9][0-9]* lost' verifier.err)"
  kill "$pid_writer" "$pid_receiver"
}

@test "every frame: none is lost that the buffer holds, and it is in order" {
  make cam 64x64 --type uint16 --circular-buffer 1000
  send sender cam -v
  receive receiver --every -n 500 --json
  until_true told sender 'a receiver follows'
  until_true test -e "$SHM/here/cam.im.shm"
  start verifier shmim-cat cam --verify -n 450 -t 20 "${here[@]}"
  publish 500 --rate 500
  finish receiver 0 '~ *"event":"created"*' ''
  refute grep -q '"lost"' "$WORK/receiver.out"
  finish verifier 0 '' '~ shmim-cat: cam: 450 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

@test "what a buffer that is too small does not hold is lost, and named on both sides" {
  make cam 64x64 --type uint16
  send sender cam --buffer 64KiB -v
  receive receiver --every
  until_true told sender 'a receiver follows'
  publish 1
  until_true has_come cam 1
  kill -STOP "$pid_receiver"
  publish 200 --rate 500
  kill -CONT "$pid_receiver"
  until_true has_come cam 201
  until_true told sender 'lost: frame'
  until_true told receiver 'lost: frame'
  same cam
}

@test "a receiver that is stopped disturbs no other" {
  make cam 128x128 --type uint16 --circular-buffer 400
  send sender cam
  receive stopped
  until_true test -e "$SHM/here/cam.im.shm"
  kill -STOP "$pid_stopped"
  receive other cam=other --every -n 300
  until_true test -e "$SHM/here/other.im.shm"
  publish 400 --rate 500
  finish other 0 '' '~ *'
  kill -CONT "$pid_stopped"
  until_true has_come cam 400
  same cam
}

@test "whichever end begins, and whichever is killed, it goes on" {
  make cam 16x16 --type uint16
  receive receiver
  send sender cam
  publish 1
  until_true has_come cam 1
  kill -KILL "$pid_sender"
  until_true is_here RECVLINK down
  rm -f "$WORK/sender.ready"
  publish 2
  send sender cam
  until_true has_come cam 3
  until_true is_here RECVLINK up
  same cam
  kill -KILL "$pid_receiver"
  publish 2
  rm -f "$WORK/receiver.ready"
  receive receiver -n 1 -v
  finish receiver 0 '' '~ *connected'
  has_come cam 5
  same cam
}

@test "a stream that is removed, re-created, or made otherwise is so here too" {
  make cam 16x16 --type uint16
  publish 9
  send sender cam
  receive receiver
  until_true has_come cam 9
  start waiter shmim-wait cam -t 20 --forever "${here[@]}"
  shmim-create -q cam 16x16 --type uint16 --recreate
  publish 3
  until_true same cam
  until_true has_come cam 3
  shmim-rm -q cam
  until_true told receiver 'cam: was removed there'
  is_here RECVLINK down
  make cam 4x4x2 --type float32 --set A=1
  shmim-post cam --pattern ramp -n 1 -q
  until_true same cam
  check 0 '' '' -- shmim-info cam --check float32,4x4x2 "${here[@]}"
  is_here A 1
  until_true is_here RECVLINK up
}

@test "keywords that change and those that are erased do so here" {
  make cam 4 --set A=1 --set B=2
  shmim-post cam --update
  send sender cam
  receive receiver
  until_true is_here B 2
  shmim-kw cam A=3
  shmim-kw cam --delete B
  shmim-post cam --update
  until_true is_here A 3
  refute shmim-kw cam B "${here[@]}" 2>/dev/null
}

@test "through ssh, which is started again where it ends, and ends with the receiver" {
  need_python asyncssh
  mkdir keys bin
  start server "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/ssh_server.py" "$WORK/keys"
  until_true test -e keys/config
  printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$WORK/keys/config" >bin/ssh
  chmod +x bin/ssh
  make cam 4
  publish 1
  start_ready sender shmim-send cam --bind 'tcp://127.0.0.1:0' -v
  until_true told sender listening
  local endpoint
  endpoint=$(sed -n 's/^shmim-send: \(tcp.*\): listening$/\1/p' sender.err)
  mkdir tmp
  TMPDIR=$WORK/tmp PATH=$WORK/bin:$PATH start_ready receiver shmim-receive --ssh host "$endpoint" "${here[@]}"
  until_true has_come cam 1
  shmim-kw cam "${here[@]}" | grep -q "RECVFROM .* $endpoint at host/cam"
  pkill -KILL -P "$pid_receiver" -x ssh
  until_true is_here RECVLINK down
  publish 1
  until_true has_come cam 2
  kill -KILL "$pid_receiver"
  until_true no_ssh_of "$WORK/keys/config"
  until_true rmdir tmp # nothing is left in it
  check 3 '' 'shmim-receive: ssh: cannot be started: No such file or directory' -- \
    env PATH=/nowhere "$(command -v shmim-receive)" --ssh host "$endpoint"
}
no_ssh_of() { refute pgrep -f "ssh -F $1"; }

@test "the trace tells the hop, also of what is made of the frame here" {
  make cam 4
  publish 7
  send sender cam
  receive receiver
  until_true has_come cam 7
  local host
  host=$(hostname | head -c 15)
  check 0 "~ STREAM *
cam *shmim-receive *$host:cam *cnt0 *received *- *7 *" '' -- shmim-trace cam "${here[@]}"
  shmim-create -q dm 4 "${here[@]}"
  shmim-post dm --update --trigger cam "${here[@]}"
  check 0 "~ STREAM *
dm *cam *cnt0 *
cam *shmim-receive *$host:cam *cnt0 *received *- *7 *" '' -- shmim-trace dm "${here[@]}"
  shmim-info cam "${here[@]}" >info
  grep -q "^  received *from $host:cam$" info
  shmim-info cam --json "${here[@]}" | grep -q "\"received\":{\"host\":\"$host\",\"origin\":\"$socket/cam\",\"up\":true"
  kill -KILL "$pid_sender"
  until_true is_here RECVLINK down
  shmim-info cam "${here[@]}" | grep -q "^  received *from $host:cam, to which the connection is down$"
}

@test "a stream that is gone here is made again" {
  make cam 4
  publish 1
  send sender cam
  receive receiver
  until_true has_come cam 1
  shmim-rm -q cam "${here[@]}"
  publish 1
  until_true has_come cam 2
}

@test "at most so many frames in a second" {
  make cam 4
  send sender cam
  start writer publish 4000 --rate 1000
  receive slow --rate 20
  until_true test -e "$SHM/here/cam.im.shm"
  # In a second not more than 20, and one; how many fewer is the machine's affair.
  (($(shmim-cat cam -f --for 1s --print '{cnt0}' "${here[@]}" | wc -l) <= 22))
  until_true has_come cam 1000
}

@test "a stream of this host that was not received is left alone, but for --force" {
  make cam 4
  publish 1
  shmim-create -q cam 8 "${here[@]}"
  send sender cam
  check 4 '' "~ *shmim-receive: cam: is a stream of this host, which was not received
try: shmim-receive $socket cam=other --dir *" -- shmim-receive "$socket" -n 1 "${here[@]}"
  check 0 '' '' -- shmim-info cam --check 8 "${here[@]}"
  check 4 '' '~ *shmim-receive: cam: is a stream of this host, which was not received*' -- \
    shmim-receive "$socket" -n 1
  check 0 '' '~ *' -- shmim-receive "$socket" -n 1 --force "${here[@]}"
  same cam
  receive receiver cam
  until_true is_here RECVLINK up
  check 1 '' '~ *claimed*' -- shmim-receive "$socket" -n 1 "${here[@]}"
}

@test "other hosts are let in by keys, or by --insecure alone" {
  make cam 4
  check 2 '' "shmim-send: tcp://*:5555: other hosts can reach it: --curve encrypts, and --insecure says that it need not be
Try 'shmim-send --help' for more information." -- shmim-send cam --bind 'tcp://*:5555'
  check 2 '' '~ shmim-receive: tcp://camhost:5555: other hosts can reach it:*' -- shmim-receive tcp://camhost:5555
  send sender cam --insecure --bind 'tcp://*:0' -v
  until_true told sender 'tcp://'
}

@test "keys: who is known is let in, and nobody else; both sides say so" {
  make cam 4
  publish 1
  check 3 '' 'shmim-send: there/secret: cannot be read: No such file or directory
try: shmim-send --keygen --keys there' -- \
    shmim-send cam --curve --keys there --bind "$socket"
  for name in there here strange; do run_out "$name.key" shmim-send --keygen --keys "$name"; done
  compare mode "$(stat -c %a there/secret)" 600
  cmp there.key there/public
  check 4 '' 'shmim-send: there/secret: is there already, and is not overwritten' -- shmim-send --keygen --keys there
  check 3 '' 'shmim-send: there/receivers: cannot be read: No such file or directory' -- \
    shmim-send cam --curve --keys there --bind "$socket"
  echo '# nobody' >there/receivers
  check 3 '' "shmim-send: there/receivers: holds no receiver's public key" -- \
    shmim-send cam --curve --keys there --bind "$socket"
  echo 'abc desk' >there/receivers
  check 1 '' "shmim-send: there/receivers: 'abc' is no public key of 40 characters" -- \
    shmim-send cam --curve --keys there --bind "$socket"
  echo "$(<here.key) desk" >there/receivers
  chmod 640 there/secret
  check 1 '' 'shmim-send: there/secret: others than its owner can read or write it: chmod 600' -- \
    shmim-send cam --curve --keys there --bind "$socket"
  chmod 600 there/secret
  send sender cam --curve --keys there
  echo "$socket  $(<there.key)" | tee here/senders >strange/senders
  check 0 '' '~ *' -- shmim-receive "$socket" --curve --keys here -n 1 "${here[@]}"
  same cam
  check 124 '' '~ *socket: it does not know our key*' -- \
    shmim-receive "$socket" --curve --keys strange -n 1 -t 1s "${here[@]}"
  until_true told sender "its key is not known: $(<strange.key)"
  # In clear, and with the key of another sender.
  check 124 '' '~ *' -- shmim-receive "$socket" -n 1 -t 1s "${here[@]}"
  echo "$socket  $(<strange.key)" >here/senders
  check 124 '' "~ *had agreed on keys: is the other one's the right key?*" -- \
    shmim-receive "$socket" --curve --keys here -n 1 -t 1s "${here[@]}"
  check 3 '' '~ shmim-receive: here/senders: has no line for tcp://elsewhere:1*' -- \
    shmim-receive tcp://elsewhere:1 --curve --keys here
}

@test "what cannot be meant is said" {
  make cam 4
  check 3 '' '~ shmim-send: nix: no such stream*' -- shmim-send nix --bind "$socket"
  check 2 '' '~ *cam: is there twice: receivers ask by name*' -- shmim-send cam cam --bind "$socket"
  check 2 '' '~ shmim-send: nonsense: is no endpoint: tcp://HOST:PORT or ipc://PATH*' -- shmim-send cam --bind nonsense
  check 2 '' 'shmim-send: *:5555: is no endpoint: tcp://HOST:PORT or ipc://PATH
try: shmim-send cam --bind '"'tcp://*:5555'" -- shmim-send cam --bind '*:5555' --insecure
  check 2 '' 'shmim-receive: 127.0.0.1:5555: is no endpoint: tcp://HOST:PORT or ipc://PATH
try: shmim-receive tcp://127.0.0.1:5555' -- shmim-receive 127.0.0.1:5555
  check 2 '' '~ *is no endpoint*' -- shmim-receive tcp://127.0.0.1
  check 2 '' '~ shmim-receive: ENDPOINT is required*' -- shmim-receive
  check 2 '' '~ *--discover is in the place of ENDPOINT*' -- shmim-receive --discover "$socket"
  check 2 '' '~ *--compress*gzip*' -- shmim-receive "$socket" --compress gzip
  check 2 '' "~ shmim-receive: 'cam=' is not like cam or cam=local*" -- shmim-receive "$socket" cam=
  check 2 '' '~ *x: would be two streams here*' -- shmim-receive "$socket" a=x b=x
  check 2 '' '~ *shmim-receive: a/b: *' -- shmim-receive "$socket" cam=a/b
  check 2 '' '~ *--keygen is in the place of REF*' -- shmim-send cam --keygen
  check 1 '' '~ *is not an address of this host*' -- shmim-send cam --bind tcp://192.0.2.1:5555 --insecure
  send sender cam
  check 3 '' '~ *nix: is not among the streams of ipc*: cam*' -- shmim-receive "$socket" nix -n 1 "${here[@]}"
  check 124 '' '~ *' -- shmim-receive "ipc://$WORK/nobody" -n 1 -t 100ms
}

@test "two at one port: the second one says so" {
  make cam 4
  start_ready first shmim-send cam --bind tcp://127.0.0.1:0 -v
  until_true told first listening
  endpoint=$(sed -n 's/^shmim-send: \(tcp.*\): listening$/\1/p' first.err)
  check 1 '' "shmim-send: $endpoint: another program listens there" -- shmim-send cam --bind "$endpoint"
  check 0 '' '~ *' -- shmim-receive "$endpoint" --for 100ms "${here[@]}"
}

@test "SIGINT and SIGTERM end both, and leave the stream marked" {
  make cam 4
  publish 1
  send sender cam
  receive receiver
  until_true is_here RECVLINK up
  kill -INT "$pid_receiver"
  finish receiver 130 '' '~ *'
  is_here RECVLINK down
  kill -TERM "$pid_sender"
  finish sender 143 '' ''
}

# program NAME: a fake of it in PATH, which does what standard input says.
program() {
  mkdir -p bin
  { echo '#!/bin/sh' && cat; } >"bin/$1"
  chmod +x "bin/$1"
  PATH=$WORK/bin:$PATH
}

@test "announced to the local network, for as long as it is sent" {
  make cam 4
  make dm 4
  program avahi-publish-service <<'END'
printf '%s\n' "$@" >said
echo "Waiting for daemon ..." >&2
echo "Established under name 'x'" >&2
echo $$ >pid
exec sleep 1000
END
  start_ready sender shmim-send cam dm --bind "$socket" --bind tcp://0.0.0.0:0 --insecure --announce
  until_true test -s pid
  local port
  port=$(sed -n 4p said)
  compare said "$(<said)" "--no-fail
$(hostname):$port
_shmim._tcp
$port
streams=cam dm
security=none"
  until_true told sender 'shmim-send: avahi-publish-service: Waiting for daemon ...'
  refute told sender Established
  check 0 '' '~ *' -- shmim-receive "tcp://127.0.0.1:$port" --for 10ms "${here[@]}"
  kill -KILL "$pid_sender"
  until_true is_gone "$(<pid)"
  rm pid
  start_ready other shmim-send cam --bind tcp://0.0.0.0:0 --insecure --announce
  until_true test -s pid
  kill "$(<pid)"
  until_true told other 'avahi-publish-service: has ended: what is sent is announced no more'
  kill -TERM "$pid_other"
  finish other 143 '' '~ *'
  check 2 '' '~ *--announce: no other host reaches where it listens*' -- shmim-send cam --announce
  check 3 '' 'shmim-send: avahi-publish-service: cannot be started: No such file or directory
try: sudo apt install avahi-utils' -- \
    env PATH=/nowhere "$(command -v shmim-send)" cam --bind tcp://0.0.0.0:0 --insecure --announce
}
is_gone() { refute kill -0 "$1" 2>/dev/null; }

@test "what is announced is listed" {
  program avahi-browse <<'END'
[ "$*" = "--resolve --parsable --terminate _shmim._tcp" ] && tr @ '\033' <<'LINES'
+;eth0;IPv4;camhost\0585555;_shmim._tcp;local
=;eth0;IPv6;camhost\0585555;_shmim._tcp;local;camhost.local;fe80::1;5555;"security=curve" "streams=cam dm"
=;eth0;IPv4;camhost\0585555;_shmim._tcp;local;camhost.local;192.168.1.5;5555;"security=curve" "streams=cam dm"
=;wlan0;IPv4;camhost\0585555;_shmim._tcp;local;camhost.local;192.168.1.5;5555;"security=curve" "streams=cam dm"
=;eth0;IPv6;lab\0587777;_shmim._tcp;local;lab.local;fd00::7;7777;"streams=odd@[1m"
=;eth0;IPv4;cut
LINES
END
  check 0 'ENDPOINT                HOST           SECURITY    STREAMS
tcp://192.168.1.5:5555  camhost.local  --curve     cam dm
tcp://[fd00::7]:7777    lab.local      --insecure  odd\x1b[1m' '' -- shmim-receive --discover
  check 0 '~ {"endpoint":"tcp://192.168.1.5:5555","host":"camhost.local","encrypted":true,"streams":\["cam","dm"\]}*' '' -- \
    shmim-receive --discover --json
  program avahi-browse <<<'echo "Failed to create client object: Daemon not running" >&2; exit 1'
  check 1 '' 'Failed to create client object: Daemon not running
shmim-receive: avahi-browse: ended with status 1: does avahi-daemon run?' -- shmim-receive --discover
  program avahi-browse <<<'exit 0'
  check 0 '' '' -- shmim-receive --discover
  check 3 '' 'shmim-receive: avahi-browse: cannot be started: No such file or directory
try: sudo apt install avahi-utils' -- env PATH=/nowhere "$(command -v shmim-receive)" --discover
}
