# shmim-trace: who made the frame, triggered by what, and how long each step took.

load helpers

# a -> b -> c, each updated once for the one before.
chain() {
  make a 4
  make b 4
  make c 4
  shmim-post a --update --pid $$
  shmim-post b --update --trigger a --pid "$(dead_pid)"
  shmim-post c --update --trigger b
}

# column N of the row that begins with NAME in the table on stdin
column() { awk -v name="$2" -v n="$1" '$1 == name { print $n }'; }

@test "a stream that nobody has written says so" {
  make im1 4
  check 0 'im1: nobody has written it yet' '' -- shmim-trace im1
}

@test "the table, newest first" {
  chain
  run_out table shmim-trace c
  [ "$(awk '{ print $1 }' table | xargs)" = "STREAM c b a oldest" ]
  [ "$(column 4 c <table)" = b ]
  [ "$(column 4 b <table)" = a ]
  [ "$(column 4 a <table)" = - ]
  [ "$(column 2 a <table)" = $$ ]
  [ "$(column 3 a <table)" = bash ]
  [ "$(column 3 b <table)" = '(dead)' ]
  [ "$(column 5 c <table)" = cnt0 ]
  [ "$(column 6 c <table)" = received ]
  [ "$(column 8 c <table)" = 1 ]
  # The hops add up to the whole.
  awk '$1 == "c" || $1 == "b" { sum += $NF } /^oldest/ { whole = $NF }
       END { exit !(sum > whole - 0.2 && sum < whole + 0.2) }' table
}

@test "a trigger stream that was made anew is shown by its inode" {
  chain
  inode=$(stat -c %i "$(stream_file b)")
  shmim-rm b
  shmim-trace c | grep -q "inode $inode"
}

@test "--json is one object a step" {
  chain
  run_out steps shmim-trace c --json
  [ "$(wc -l <steps)" -eq 3 ]
  grep -q '^{"name":"c","stream":"c","procwrite_PID":[0-9]*,"command":"[^"]*","alive":false,"trigger":"b",' steps
  grep -q "\"stream\":\"a\",\"procwrite_PID\":$$,\"command\":\"bash\",\"alive\":true,\"trigger\":\"\"" steps
  if need_python json 2>/dev/null; then
    "$PYTHON" -c 'import json,sys; [json.loads(line) for line in sys.stdin]' <steps
  fi
}

@test "--dot is a graph, of all streams with --all" {
  chain
  make lonely 4
  run_out graph shmim-trace --all --dot
  head -n 1 graph | grep -q '^digraph'
  grep -q '"a" -> "b"' graph
  grep -q '"b" -> "c"' graph
  grep -q '"lonely"' graph
  if command -v dot >/dev/null; then
    dot -Tsvg <graph | grep -q '</svg>'
  fi
}

@test "--all is every stream, sorted; broken files are passed over" {
  make z 4
  shmim-post z --update
  chain
  echo nonsense >"$SHM/aa.im.shm"
  run_out tables shmim-trace --all
  [ "$(grep -A1 '^STREAM' tables | grep -vE '^(STREAM|--)' | awk '{ print $1 }' | xargs)" = "a b c z" ]
}

@test "several streams, of which one is missing" {
  chain
  check 3 '~ STREAM*a *' '~ shmim-trace: nope: no such stream*' -- shmim-trace nope a
}

@test "what it does not take" {
  check 2 '' '~ *REF is missing (or --all)*' -- shmim-trace
  check 2 '' '~ *--all and REF exclude*' -- shmim-trace --all a
  check 2 '' '~ *exclude*' -- shmim-trace a --json --dot
}

@test "looking changes nothing" {
  chain
  cp "$(stream_file c)" before
  shmim-trace c >/dev/null
  cmp before "$(stream_file c)"
}
