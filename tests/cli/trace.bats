# shmim-trace: who made a frame, triggered by what, and how long each hop took.

load helpers

# pipeline: in -> mid -> out, written by this shell, by a process that is dead, and by this shell.
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
  compare newest "$(sed -n '2s/  */ /gp' out)" "~ out $$ bash mid cnt0 received - 1 $utc $utc *us"
  compare middle "$(sed -n '3s/  */ /gp' out)" "~ mid $dead (dead) in cnt0 received - 1 $utc $utc *us"
  compare oldest "$(sed -n '4s/  */ /gp' out)" "~ in $$ bash - immediate - - - $utc $utc -"
  compare total "$(sed -n '5p' out)" '~ oldest to newest: *us'
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
try: shmim-create none SIZE" -- shmim-trace none in
}

@test "--all: every stream in the directory" {
  pipeline
  echo garbage >"$(stream_file junk)"
  run_out out shmim-trace --all
  compare tables "$(grep -c '^STREAM' out)" 3
  check 0 '~ *' 'shmim-trace: junk: is no readable stream' -- shmim-trace --all -v
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
  compare newest "$(head -n 1 out)" "~ {\"name\":\"out\",\"stream\":\"out\",\"procwrite_PID\":$$,\"command\":\"bash\",\"alive\":true,\"trigger\":\"mid\",\"trigger_inode\":$inode,\"triggermode\":\"cnt0\",\"triggerstatus\":\"received\",\"trigsemindex\":-1,\"cnt0\":1,\"ts_procstart\":\"$utc\",\"ts_streamupdate\":\"$utc\",\"latency\":*}"
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
  grep -q "^  \"mid\" -> \"out\" \[label=\"$$ (bash)\\\\n.*us\"\];$" out
  grep -q "^  \"in\" -> \"mid\" \[label=\"$dead (dead)\\\\n.*us\"\];$" out
  compare end "$(tail -n 1 out)" '}'
  run_out all shmim-trace --all --dot
  compare edges "$(grep -c -- '->' all)" 2
  for name in in mid out; do grep -qx "  \"$name\";" all; done
  command -v dot >/dev/null || skip "Graphviz's dot is missing"
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
  command -v dot >/dev/null || skip "Graphviz's dot is missing"
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
