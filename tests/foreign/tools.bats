#!/usr/bin/env bats
# The tools beside programs that are not ours, and across PID namespaces.

load ../cli/helpers

# write_as ORDER STREAM OPTION...: writes frames in the order of such a program.
write_as() {
  local order=$1 stream=$2
  shift 2
  exec "$SHMIM_BUILD_DIR/tests/foreign/shmim-foreign" write --order "$order" "$(stream_file "$stream")" "$@"
}

# need_namespaces: afterwards "${elsewhere[@]}" command... runs in a PID namespace of its own.
need_namespaces() {
  elsewhere=(unshare --pid --fork --kill-child)
  [[ $(id -u) -eq 0 ]] || elsewhere+=(--user --map-root-user)
  "${elsewhere[@]}" true 2>/dev/null || skip "no PID namespace can be made here"
}

# reader_is STREAM SEMAPHORE PID: writes the PID as the one that has claimed it, as the C library does.
reader_is() {
  printf "$(printf '\\x%02x' $(($3 & 255)) $(($3 >> 8 & 255)) $(($3 >> 16 & 255)) 0)" |
    dd of="$(stream_file "$1")" bs=1 seek=$((2024 + 4 * $2)) conv=notrunc status=none
}

@test "a writer that stamps no time has a rate, by our looks, and no latency" {
  make cam 1 --type uint64
  start w write_as by-hand cam --rate 50 --frames 100000
  until_true bash -c '(($(shmim-ls --noheadings -o cnt0 cam) > 2))'
  rate=$(shmim-ls --over 1s --noheadings -o rate --json cam | "${PYTHON:-python3}" -c '
import json, sys
print(json.load(sys.stdin)["rate"])')
  awk -v rate="$rate" 'BEGIN { exit !(rate > 5 && rate < 51) }'
  check 0 '~ *; by our looks: its writer stamps no time*jitter *-*' '' -- shmim-info cam --frames 5 -t 20s
  check 0 '~ *"stamped":false*' '' -- shmim-info cam --frames 5 -t 20s --json
  check 0 '~ *written *not known: its writer stamps no time*' '' -- shmim-info cam
  check 0 '~ *"writetime":null,"latency":null*' '' -- shmim-wait cam --json -t 20s
  check 0 'null null' '' -- shmim-wait cam --print '{latency:.3f} {writetime:>30}' -t 20s
  check 0 "~ cam: frame * was written by process $pid_w (shmim-foreign), which records no trace" '' -- \
    shmim-trace cam
  check 0 '~ * [1-9]*Hz*' '' -- shmim-trace --graph
}

@test "of pyMilk the time of access is the time of writing" {
  make cam 1 --type uint64
  start w write_as pymilk cam --rate 50 --frames 100000
  until_true bash -c '(($(shmim-ls --noheadings -o cnt0 cam) > 2))'
  check 0 '~ *"stamped":true*' '' -- shmim-info cam --frames 5 -t 20s --json
  check 0 '~ *written *ms ago*' '' -- shmim-info cam
  check 0 '~ *"latency":[0-9.e-]*' '' -- shmim-wait cam --json -t 20s
  shmim-cat cam -o fits >cam.fits
  check 0 '~ *DATE-WRT*' '' -- cat cam.fits
}

@test "of a writer that may live elsewhere, what it writes next tells whether it is played between" {
  need_namespaces
  make cam 1 --type uint64
  shmim-post -q cam --update
  shmim-cat cam -o frames >run
  # One that has died, where that cannot be known.
  check 0 '' '' -- "${elsewhere[@]}" --mount-proc bash -c 'shmim-post -q cam --update; shmim-play -q run'
  compare cnt0 "$(cnt0 cam)" 3
  # One that lives, and cannot be seen.
  start w write_as update-im cam --rate 100 --frames 100000
  until_true has_frames cam 5
  check 1 '' '~ shmim-play: cam: process * (perhaps in another PID namespace) is writing it: name it to play to it*' -- \
    "${elsewhere[@]}" --mount-proc shmim-play run
  check 0 '' '' -- "${elsewhere[@]}" --mount-proc shmim-play -q run cam
}

@test "the trace of an older frame is not shown as the newest one's" {
  need_first_namespace
  make in 1 --type uint64
  make cam 1 --type uint64
  shmim-post in --update
  shmim-post cam --update --trigger in
  sleep .05
  start w write_as update-im cam --frames 1
  wait "$pid_w"
  check 0 "~ *frame 2 was written by process $pid_w (dead), which records no trace: this one is of an older frame" '' -- \
    shmim-trace cam
  check 0 "$pid_w (dead)" '' -- shmim-ls --noheadings -o writer cam
  check 1 '~ *' '~ *nothing triggers it*' -- shmim-trace cam --budget 1s
  start_ready t shmim-trace cam -f -n 2 -t 20s
  for frame in 3 4; do
    until_true grep -q $((frame - 1)) <(printf '2\n'; cat t.out)
    (write_as by-hand cam --frames 1)
  done
  finish t 0 $'3 -\n4 -\n2 frames, 0 missed' ''
}

@test "the planes of a MagAO-X camera are followed in order, and posted on" {
  make cam 1x1x10 --type uint64 --circular
  make copy 1x1x10 --type uint64 --circular
  start_ready cat shmim-cat cam -f -n 300 -t 20s -o raw
  start w write_as magaox cam --rate 1000 --frames 400
  finish cat 0 '~ *' ''
  compare numbers "$(od -An -v -w8 -t u8 cat.out | tr -d ' ')" "$(seq 300)"
  check 0 '' '' -- shmim-post copy --data - --format raw <cat.out
  check 0 300 '' -- shmim-ls --noheadings -o cnt0 copy
}

@test "two waiters in two PID namespaces have two semaphores" {
  need_namespaces
  make cam 8
  start_ready a "${elsewhere[@]}" shmim-wait cam -v -n 1 -t 20s
  start_ready b "${elsewhere[@]}" shmim-wait cam -v -n 1 -t 20s
  compare who "$(grep -h waits a.err b.err)" $'shmim-wait: cam: waits on semaphore 9\nshmim-wait: cam: waits on semaphore 8'
  shmim-post cam --update
  finish a 0 1 '~ *'
  finish b 0 1 '~ *'
}

@test "two writers in two PID namespaces take turns" {
  need_namespaces
  make cam 8 --type uint8
  start a "${elsewhere[@]}" shmim-post cam --update -n 3000
  start b "${elsewhere[@]}" shmim-post cam --update -n 3000
  finish a 0 '' ''
  finish b 0 '' ''
  compare cnt0 "$(cnt0 cam)" 6000
  check 0 whole '' -- shmim-ls --noheadings -o state cam
}

@test "a PID that was given again holds nothing; one of another namespace may" {
  need_first_namespace
  need_namespaces
  make cam 8 --type uint8
  reader_is cam 9 $$ # it lives, and has not got the file
  check 124 '' '~ *waits on semaphore 9*' -- shmim-wait cam -v -t 10ms
  reader_is cam 9 "$(dead_pid)"
  check 124 '' '~ *waits on semaphore 8*' -- "${elsewhere[@]}" shmim-wait cam -v -t 10ms
  check 124 '' '~ *waits on semaphore 9*' -- shmim-wait cam -v -t 10ms
}

@test "in a container too what a reader of ours has left is free, and what another program took of it is not" {
  need_namespaces
  make cam 8 --type uint8
  start_ready r shmim-wait cam --forever
  compare readers "$(readers cam)" "~ *-1 $pid_r"
  kill -KILL "$pid_r"
  wait "$pid_r" || true
  check 124 '' '~ *waits on semaphore 9*' -- "${elsewhere[@]}" shmim-wait cam -v -t 10ms
  start_ready q shmim-wait cam --forever
  kill -KILL "$pid_q"
  wait "$pid_q" || true
  reader_is cam 9 "$(dead_pid)"
  check 124 '' '~ *waits on semaphore 8*' -- "${elsewhere[@]}" shmim-wait cam -v -t 10ms
}

@test "--stale keeps what a process of another PID namespace has open" {
  need_namespaces
  make cam 8
  start_ready w shmim-wait cam -t 20s
  check 0 '' 'shmim-rm: cam: kept: a process that we do not see has it open' -- \
    "${elsewhere[@]}" --mount-proc shmim-rm --stale -v cam
  check 0 '' '' -- "${elsewhere[@]}" --mount-proc shmim-rm --stale cam
  shmim-post cam --update
  finish w 0 1 ''
  check 0 '' '' -- "${elsewhere[@]}" --mount-proc shmim-rm --stale cam
  compare listing "$(listing)" ''
}

@test "a writer and a reader in another PID namespace are not called dead" {
  need_namespaces
  make cam 8
  # With a PID that nobody has here.
  pid=$(($(</proc/sys/kernel/pid_max) - 100))
  while kill -0 $pid 2>/dev/null; do pid=$((pid - 1)); done
  start r "${elsewhere[@]}" shmim-wait cam --forever
  start w "${elsewhere[@]}" bash -c '
    echo $(($0 - 1)) >/proc/sys/kernel/ns_last_pid && { shmim-post cam --update --rate 100; true; }' $pid
  until_true bash -c '[[ -s w.err ]] || (($(shmim-ls --noheadings -o cnt0 cam) > 3))'
  [[ ! -s w.err ]] || skip "PIDs of a namespace cannot be chosen here"
  check 0 "$pid (in another PID namespace)" '' -- shmim-ls --noheadings -o writer cam
  check 0 "~ *\"writer\":{\"pid\":$pid,\"command\":\"\",\"alive\":true}*" '' -- shmim-info cam --json
}

@test "who has a PID there that is of a thread of the kernel here is not called by its name, and has ended when it has" {
  need_first_namespace
  need_namespaces
  [[ $(</proc/2/comm) == kthreadd ]] || skip "PID 2 is of no thread of the kernel here"
  make in 8
  make cam 8
  shmim-post in --update
  start w "${elsewhere[@]}" bash -c 'shmim-post cam --update --trigger in --rate 100; true' # the second process there
  until_true has_frames cam 3
  check 0 '2 (in another PID namespace)' '' -- shmim-ls --noheadings -o writer cam
  check 0 '~ *cam     2 *in another PID namespace)  in *' '' -- shmim-trace cam
  check 0 '~ *  -> cam *by 2 (in another PID namespace)' '' -- shmim-trace --graph
  check 0 '~ *writer *2 (in another PID namespace)*' '' -- shmim-info cam
  kill -KILL "$pid_w" # and with it all that is in there
  until_true eval '[[ $(shmim-ls --noheadings -o writer cam) == "2 (dead)" ]]'
  check 0 '' '' -- shmim-rm --stale cam
  compare listing "$(listing)" in.im.shm
}
