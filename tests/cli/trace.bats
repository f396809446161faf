# shmim-trace: who made a frame, triggered by what, and how long each hop took.

load helpers

# pipeline: in -> mid -> out, written by this shell, by a process that is dead, and by this shell.
# frames_passed STREAM N: so many since it was called first.
frames_passed() {
  local now
  now=$(cnt0 "$1")
  : "${passed_from:=$now}"
  ((now >= passed_from + $2))
}

pipeline() {
  for name in in mid out; do make "tui8>$name" 1; done
  dead=$(dead_pid)
  shmim-post in --update --pid $$
  shmim-post mid --update --trigger in --pid "$dead"
  shmim-post out --update --trigger mid --pid $$
}

utc='20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].*Z'

@test "a stream that nobody has written" {
  make a 2
  check 0 'a: nobody has written it yet' '' -- shmim-trace a
  check 0 '' '' -- shmim-trace a --json
}

@test "the table: newest first, who, triggered by what, when, and how long it took" {
  pipeline
  run_out out shmim-trace out
  compare lines "$(wc -l <out)" 5
  compare header "$(sed -n '1s/  */ /gp' out)" \
    'STREAM PID COMMAND TRIGGER MODE STATUS SEM CNT0 TRIGGERED WRITTEN LATENCY'
  compare newest "$(sed -n '2s/  */ /gp' out)" "~ out $$ bash mid cnt0 received - 1 $utc $utc *s"
  compare middle "$(sed -n '3s/  */ /gp' out)" "~ mid $dead ($(died)) in cnt0 received - 1 $utc $utc *s"
  compare oldest "$(sed -n '4s/  */ /gp' out)" "~ in $$ bash - immediate - - - $utc $utc -"
  compare total "$(sed -n '5p' out)" '~ oldest to newest: *s'
  # The hops add up.
  awk '/^(out|mid) / { sum += $NF } /^oldest/ { total = $NF }
    END { exit !(sum > 0 && sum - total < 0.2 && total - sum < 0.2) }' out
}

@test "columns line up" {
  pipeline
  run_out out shmim-trace out
  column=$(sed -n '1s/TRIGGER .*//p' out | wc -c)
  [[ $(sed -n 2p out | cut -c "$column"-) == 'mid '* ]]
  [[ $(sed -n 3p out | cut -c "$column"-) == 'in '* ]]
}

@test "several streams, one table each" {
  pipeline
  run_out out shmim-trace @S:in @E:mid
  compare tables "$(grep -c '^STREAM' out)" 2
  compare blank "$(grep -c '^$' out)" 1
  check 3 '~ STREAM*' "shmim-trace: none: no such stream in $SHM
try: shmim-ls" -- shmim-trace none in
}

@test "--all: every stream in the directory" {
  pipeline
  echo garbage >"$(stream_file junk)"
  run_out out shmim-trace --all
  compare tables "$(grep -c '^STREAM' out)" 3
  check 0 '~ *' 'shmim-trace: junk: is not a readable stream' -- shmim-trace --all -v
  check 2 '' '~ shmim-trace: --all and REF exclude one another*' -- shmim-trace --all in
  shmim-rm -f '*'
  check 0 '' '' -- shmim-trace --all
}

@test "a trigger stream that is gone is named by its inode" {
  pipeline
  inode=$(stat -c %i "$(stream_file mid)")
  shmim-rm mid
  run_out out shmim-trace out
  compare newest "$(sed -n '2s/  */ /gp' out)" "~ out $$ bash inode $inode cnt0 received *"
}

@test "--json: an object for each step, with the layout's names" {
  pipeline
  run_out out shmim-trace out --json
  compare lines "$(wc -l <out)" 3
  inode=$(stat -c %i "$(stream_file mid)")
  compare newest "$(head -n 1 out)" "~ {\"name\":\"out\",\"stream\":\"out\",\"procwrite_PID\":$$,\"command\":\"bash\",\"alive\":true,\"trigger\":\"mid\",\"trigger_inode\":$inode,\"triggermode\":\"cnt0\",\"triggerstatus\":\"received\",\"trigsemindex\":-1,\"cnt0\":1,\"ts_procstart\":\"$utc\",\"ts_streamupdate\":\"$utc\",\"writing\":\"done\",\"latency\":*}"
  compare middle "$(sed -n 2p out)" "~ {\"name\":\"out\",\"stream\":\"mid\",\"procwrite_PID\":$dead,\"command\":\"\",\"alive\":false,\"trigger\":\"in\",*}"
  compare oldest "$(sed -n 3p out)" "~ {\"name\":\"out\",\"stream\":\"in\",*\"trigger\":\"\",\"trigger_inode\":0,*\"latency\":null}"
  need_python json
  "$PYTHON" -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <out
  check 2 '' '~ shmim-trace: *excludes*' -- shmim-trace out --json --dot
}

@test "--dot: a graph of the streams, that Graphviz takes" {
  pipeline
  run_out out shmim-trace out --dot
  grep -q '^digraph streams {$' out
  grep -q "^  \"mid\" -> \"out\" \[label=\"$$ (bash)\\\\n.*s\"\];$" out
  grep -q "^  \"in\" -> \"mid\" \[label=\"$dead ($(died))\\\\n.*s\"\];$" out
  compare end "$(tail -n 1 out)" '}'
  run_out all shmim-trace --all --dot
  compare edges "$(grep -c -- '->' all)" 2
  for name in in mid out; do grep -qx "  \"$name\";" all; done
  run_out svg dot -Tsvg all
  grep -q '<svg' svg
}

@test "--dot of names that need quotes, and of no stream at all" {
  shmim-trace --all --dot >empty
  make 'tui8>we"ird\name' 1
  make 'tui8>b' 1
  shmim-post 'we"ird\name' --update
  shmim-post b --update --trigger 'we"ird\name'
  run_out out shmim-trace --all --dot
  run_out svg dot -Tsvg empty
  run_out svg dot -Tsvg out
  grep -q 'we&quot;ird\\name' svg
}

@test "a stream in the middle of a frame is shown with a word of warning" {
  pipeline
  printf '\x01' | dd of="$(stream_file out)" bs=1 seek=288 conv=notrunc status=none
  check 0 '~ STREAM*
out *' \
    "~ shmim-trace: out: *; its trace may be of two frames" -- \
    shmim-trace out
}

@test "a writer in the middle of a frame, or that gave up there, has a PID and no latency" {
  pipeline
  start_quitter quitter out
  warning='shmim-trace: out: holds an unfinished frame; its trace may be of two frames'
  check 0 "~ STREAM*
out *  $pid_quitter  shmim-faults *  gave up  *-
*" "$warning" -- shmim-trace out
  check 0 "~ {*\"procwrite_PID\":$pid_quitter,\"command\":\"shmim-faults\",\"alive\":true,*\"ts_streamupdate\":null,\"writing\":\"given up\",\"latency\":null}
*" "$warning" -- shmim-trace out --json
  start_holder holder mid
  warning='shmim-trace: mid: is in the middle of being written; its trace may be of two frames'
  check 0 "~ STREAM*
mid *  $pid_holder  shmim-faults *  not yet  *-
*" "$warning" -- shmim-trace mid
}

@test "looking never disturbs" {
  pipeline
  cp "$(stream_file out)" before
  shmim-trace out >/dev/null
  shmim-trace --all --dot >/dev/null
  cmp before "$(stream_file out)"
  need_nobody
  chmod 644 "$SHM"/*.im.shm
  run_out out "${nobody[@]}" shmim-trace out
}

@test "--all is sorted by name" {
  make 'tui8>z' 1
  shmim-post z --update
  pipeline
  run_out out shmim-trace --all
  compare order "$(grep -A1 '^STREAM' out | grep -vE '^(STREAM|--)' | cut -d' ' -f1 | xargs)" \
    'in mid out z'
}

# loop: five processes in a pipeline, three of them in a loop: cam -> wfs -> act -> dm -> wfs, and
# dm -> log.
loop() {
  for name in cam wfs act dm log; do make "tui8>$name" 1; done
  shmim-post cam --update --pid $$
  shmim-post wfs --update --pid $$ --trigger cam
  shmim-post act --update --pid $$ --trigger wfs
  shmim-post dm --update --pid $$ --trigger act
  shmim-post wfs --update --pid $$ --trigger dm
  shmim-post log --update --pid $$ --trigger dm
}

@test "--graph: a tree, with rates and latencies, and loops marked" {
  pipeline
  run_out out shmim-trace --graph --over 1ms
  compare tree "$(<out)" "~ in 0Hz
  -> mid 0Hz, *s by $dead ($(died))
     -> out 0Hz, *s by $$ (bash)"
  compare lines "$(wc -l <out)" 3
  run_out out shmim-trace --graph --over 0
  compare tree "$(head -n 2 out)" "~ in
  -> mid [0-9]*s by $dead ($(died))"
}

@test "--graph of five processes with a loop" {
  loop
  run_out out shmim-trace --graph --over 0
  compare tree "$(sed 's/ [0-9.]*[um]*s/ LATENCY/' out)" "cam
act
  -> dm LATENCY by $$ (bash), in a loop
     -> log LATENCY by $$ (bash)
     -> wfs LATENCY by $$ (bash), in a loop
        -> act LATENCY by $$ (bash), back in the loop"
  run_out out shmim-trace --graph --dot --over 0
  compare loops "$(grep -c 'color=red' out)" 3
  refute grep -q '"dm" -> "log".*color=red' out
  run_out out shmim-trace --graph --json --over 0
  need_python json
  "$PYTHON" - <<'PY'
import json
graph = json.load(open("out"))
assert [n["name"] for n in graph["nodes"]] == ["act", "cam", "dm", "log", "wfs"], graph
edges = {(e["from"], e["to"]): e for e in graph["edges"]}
assert set(edges) == {("wfs", "act"), ("act", "dm"), ("dm", "wfs"), ("dm", "log")}, edges
assert [edges[e]["loop"] for e in (("wfs", "act"), ("act", "dm"), ("dm", "wfs"), ("dm", "log"))] \
    == [True, True, True, False]
assert all(e["traced"] and e["latency"] > 0 and e["process"]["command"] == "bash"
           for e in edges.values())
PY
}

@test "--graph: rates of a writer at work" {
  make cam 1
  make roi 1
  start w shmim-post cam --update -n 100000 --rate 200
  shmim-wait cam --cnt0 2 -t 20s >/dev/null
  shmim-post roi --update --trigger cam --pid $$
  run_out out shmim-trace --graph --over 1 --json
  need_python json
  "$PYTHON" - <<'PY'
import json
nodes = {n["name"]: n for n in json.load(open("out"))["nodes"]}
assert 2 < nodes["cam"]["rate"] < 2000 and nodes["roi"]["rate"] == 0, nodes
PY
}

@test "--graph: a trigger stream that is gone, or re-created, is said to be" {
  pipeline
  exec 6<"$(stream_file mid)"
  shmim-rm mid
  run_out out shmim-trace --graph --over 0
  compare gone "$(grep -c 'mid (gone)' out)" 1
  make 'tui8>mid' 1
  run_out out shmim-trace --graph --over 0 --dot
  grep -qx '  "mid (re-created)" \[style=dashed\];' out
  grep -qx '  "mid";' out
  grep -q '"mid (re-created)" -> "out"' out
  exec 6<&-
  # Without anybody who has it still, its name is not known.
  inode=$(shmim-trace out --json | sed -n '1s/.*"trigger_inode":\([0-9]*\),.*/\1/p')
  shmim-rm mid
  run_out out shmim-trace --graph --over 0
  grep -qF "inode $inode (gone)" out
}

@test "--graph: from PIDs alone, where there is no trace" {
  make cam 1
  make dm 1
  start_ready w shmim-wait cam -n 100 -t 20s
  shmim-post dm --update --pid "$pid_w"
  check 0 "cam
  -> dm by $pid_w (shmim-wait), without a trace" '' -- shmim-trace --graph --over 0
  check 0 "~ *\"cam\" -> \"dm\" \[label=\"$pid_w (shmim-wait)\" style=dotted\];*" '' -- \
    shmim-trace --all --dot --over 0
}

@test "--dot of one stream is what leads to it" {
  loop
  run_out out shmim-trace dm --dot --over 0
  refute grep -q log out
  grep -q '"act" -> "dm"' out
  check 3 '~ digraph*' '~ shmim-trace: none: no such stream*' -- shmim-trace none --dot --over 0
}

@test "--follow: the end-to-end latency of every frame, and percentiles" {
  make in 1
  make out 1
  shmim-post in --update
  start_ready p shmim-trace out --follow -n 3 -t 20s
  for i in 1 2 3; do
    shmim-post out --update --trigger in
    until_true grep -q "^$i " p.out
  done
  finish p 0 '~ 1 *s
2 *s
3 *s
3 frames, 0 missed: min *s, p50 *s, p90 *s, p99 *s, p99.9 *s, max *s' ''
  # Nobody's semaphore was claimed.
  claimed out 0
  check 124 '0 frames, 0 missed' '~ shmim-trace: out: timed out: no frame for * after frame *' -- \
    shmim-trace out --follow -t 1ms
}

@test "--follow: interrupted, it tells the percentiles; as JSON it has keys" {
  make in 1
  make out 1
  shmim-post in --update
  start_ready p shmim-trace out --follow --json
  shmim-post out --update --trigger in
  until_true grep -q cnt0 p.out
  shmim-post out --update
  until_true grep -q '"cnt0":2' p.out
  kill -INT "$pid_p"
  finish p 130 '~ {"name":"out","cnt0":1,"latency":*}
{"name":"out","cnt0":2,"latency":null}
{"name":"out","frames":2,"missed":0,"min":*,"p50":*,"p90":*,"p99":*,"p99.9":*,"max":*}' ''
}

@test "--budget: a health check" {
  make in 1
  make out 1
  shmim-post in --update
  check 1 '~ *' 'shmim-trace: in: nothing triggers it: there is no latency to judge' -- \
    shmim-trace in --budget 1s
  shmim-post out --update --trigger in
  check 0 '' '' -- shmim-trace out --budget 1h -q
  check 0 '~ STREAM *' '' -- shmim-trace out --budget 1h
  check 1 '' '~ shmim-trace: out: the newest frame took *s, over the budget of 0.1us' -- \
    shmim-trace out --budget 100ns -q
  start_ready p shmim-trace out --follow --budget 100ns -t 20s
  shmim-post out --update --trigger in
  finish p 1 '~ 2 *s
1 frame, 0 missed: *' '~ shmim-trace: out: frame 2 took *s, over the budget of 0.1us'
  check 2 '' '~ shmim-trace: --follow takes one REF*' -- shmim-trace in out --follow
  check 2 '' '~ shmim-trace: --follow takes one REF*' -- shmim-trace --follow
  check 2 '' '~ shmim-trace: --follow takes one REF*' -- shmim-trace --graph --for 1s
  check 2 '' '~ shmim-trace: --timeout requires --follow*' -- shmim-trace out -t 1s
  check 2 '' '~ shmim-trace: *--all*' -- shmim-trace --all -n 1
  # What needs it implies it.
  check 0 '0 frames, 0 missed' '' -- shmim-trace out --for 1ms
  check 124 '0 frames, 0 missed' '~ *0 of 1 frame came in 1.0ms' -- shmim-trace out -n 1 --for 1ms
}

@test "--follow ends by a signal while frames come, and tells the percentiles" {
  make cam 1
  make roi 1
  local signal options
  start w bash -c 'while shmim-post roi --update --trigger cam; do :; done'
  for signal in INT TERM; do
    for options in '' -q; do
      # shellcheck disable=SC2086  # none, or one
      start f shmim-trace roi --follow $options
      until_true handles_signals "$pid_f"
      passed_from=
      until_true frames_passed roi 20
      kill "-$signal" "$pid_f"
      local status=0
      wait "$pid_f" || status=$?
      compare "status of $signal $options" "$status" $((128 + $(kill -l $signal)))
      tail -n 1 f.out | grep -qE '^[0-9]+ frames?, [0-9]+ missed: min '
    done
  done
}

@test "--dot: names that Graphviz would take for something else" {
  make 'a\' 1
  make 'q\n' 1
  shmim-post 'q\n' --update --trigger 'a\' --pid $$
  run_out out shmim-trace --graph --dot --over 0
  grep -qF '"a\\";' out
  grep -qF '"a\\" -> "q\\n"' out
  dot -Tplain out >/dev/null
}

@test "--dot: two streams that had one name after the other are two" {
  make in 1
  make o1 1
  make o2 1
  local out
  for out in o1 o2; do
    shmim-post $out --update --trigger in --pid $$
    eval "exec $([[ $out == o1 ]] && echo 6 || echo 7)<'$(stream_file in)'"
    shmim-rm in
    make in 1
  done
  run_out out shmim-trace --graph --dot --over 0
  compare nodes "$(grep -c '^  "in (re-created)\\ninode [0-9]*" \[style' out)" 2
  compare edges "$(grep -c '^  "in (re-created)\\ninode [0-9]*" -> ' out)" 2
}

@test "--dot of a link is that of its target" {
  pipeline
  shmim-link alias out
  run_out a shmim-trace alias --dot --over 0
  run_out b shmim-trace out --dot --over 0
  cmp a b
  grep -q -- '->' a
}

@test "--over without a graph is refused" {
  check 2 '' "shmim-trace: --over is for --graph and --dot
Try 'shmim-trace --help' for more information." -- shmim-trace --all --over 1s
}

# chain N: that many frames from `cam` by way of `mid` to `dm`, and one of `dm` that nothing caused.
chain() {
  local i
  for ((i = 0; i < $1; ++i)); do
    shmim-post cam --update
    shmim-post mid --update --trigger cam
    shmim-post dm --update --trigger mid
    until_true seen "$((i + 1))"
  done
}
seen() { [[ $(wc -l <dm.out) -ge $1 ]]; }

@test "--hops tells the time of every step, --worst of the slowest frames, --delay from a stream that caused them" {
  make 'tui8>cam' 1
  make 'tui8>mid' 1
  make 'tui8>dm' 1
  local i
  start_ready hops shmim-trace dm -n 3 --hops
  start_ready worst shmim-trace dm -n 3 --worst 2
  start_ready json shmim-trace dm -n 3 --hops --worst 1 --json
  start_ready delay shmim-trace --delay cam dm -n 3
  start_ready other shmim-trace --delay mid cam -n 3
  start_ready dm shmim-trace dm -n 3
  chain 3
  finish hops 0 '~ 3 frames, 0 missed: min *, p50 *, p90 *, p99 *, p99.9 *, max *
mid -> dm, 3 frames: min *, p50 *max *
cam -> mid, 3 frames: min *, p50 *max *' ''
  finish worst 0 '~ 3 frames, 0 missed: min *

frame *
STREAM *
dm *
mid *
cam *
oldest to newest: *

frame *
STREAM *' ''
  # The slowest is the one with the largest latency, and its steps follow.
  finish json 0 '~ *' ''
  need_python json
  "$PYTHON" - <<'P'
import json
summary, last, first, *slowest = map(json.loads, open("json.out"))
assert summary["frames"] == last["frames"] == first["frames"] == 3, summary
assert (last["stream"], last["trigger"], first["trigger"]) == ("dm", "mid", "cam"), (last, first)
assert [step["stream"] for step in slowest] == ["dm", "mid", "cam"], slowest
assert abs(sum(step["latency"] or 0 for step in slowest) - summary["max"]) < 1e-9, slowest
P
  finish delay 0 '~ 1 *
2 *
3 *
3 frames, 0 missed: min *' ''
  finish other 0 '1 -
2 -
3 -
3 frames, 0 missed' ''
  finish dm 0 '~ *3 frames, 0 missed*' ''
  # The delay is the whole latency, where the stream is the first of the chain.
  compare delay "$(head -n 3 delay.out)" "$(head -n 3 dm.out)"
  check 2 '' '~ shmim-trace: --delay takes two REFs: the stream that causes, and the one that is caused*' -- \
    shmim-trace --delay dm
}
