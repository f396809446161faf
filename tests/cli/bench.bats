# shmim-bench: every measure runs, says what it measured, and leaves nothing. How long anything took is
# no matter here.

load helpers

measures="latency publish snapshot startup cat create list fits fanout memory growth frames run python record keep play network"

# The package, for an interpreter that has NumPy.
with_python() {
  need_python numpy
  mkdir -p python
  ln -sf "$("$PYTHON" -c 'import sys; print(sys.executable)')" python/python3
  PATH=$PWD/python:$PATH
  export PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python SHMIM_LIBRARY=$SHMIM_BUILD_DIR/lib/libshmim.so
}

# The smallest that a measure can be: one sample of frames of 4 KiB.
tiny() { shmim-bench --runs 1 --count 1 --bytes 4KiB "$@"; }

@test "each measure prints a table whose last column is the ratio to the floor" {
  with_python
  for measure in $measures; do
    run_out table tiny "$measure"
    head -n 1 table | grep -qE '^MEASURE +CASE +WHAT +RUNS +P50 +P90 +P99 +P99\.9 +MAX +SPREAD +P99 RATIO +RATIO$'
    [[ $(wc -l <table) -ge 3 ]]
    # Each row is of the measure, and has five quantities, a spread and two ratios.
    refute grep -vE "^(MEASURE|$measure) " table
    refute grep -vE "^MEASURE|  1 x [0-9]+ ( +-?[0-9.]+ ([mun]?s|[KMG]?i?B)){5} +[0-9]+ % +(floor|[0-9.]+) +(floor|[0-9.]+)\$" table
    grep -qE ' floor +floor$' table
    grep -qE ' [0-9.]+$' table
    compare "left by $measure" "$(listing)$(ls -d .shmim-bench.* 2>/dev/null)" ''
  done
}

@test "as JSON each row is an object, with numbers" {
  need_python json
  run_out rows tiny --json snapshot create startup
  "$PYTHON" - rows <<'END'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert {row["measure"] for row in rows} == {"snapshot", "create", "startup"}, rows
keys = ["measure", "case", "what", "floor", "unit", "runs", "samples", "p50", "p90", "p99", "p99.9",
        "max", "spread", "p99 ratio", "ratio"]
for row in rows:
    assert list(row) == keys, row
    assert row["unit"] == "ns" and row["runs"] == 1 and row["samples"] == 1, row
    assert 0 < row["p50"] <= row["p90"] <= row["p99"] <= row["p99.9"] <= row["max"], row
assert [row["floor"] for row in rows if row["measure"] == "snapshot"] == [True, False], rows
assert all(row["ratio"] == 1 for row in rows if row["floor"]), rows
END
}

@test "as CSV there is a header, and as many cells in each line" {
  need_python csv
  run_out rows tiny --csv publish
  "$PYTHON" - rows <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert len(rows) == 6, rows
assert all(None not in row and None not in row.values() for row in rows), rows
assert rows[0]["measure"] == "publish" and rows[0]["floor"] == "true" and float(rows[1]["ratio"]) > 0
assert rows[5]["case"] == "4 KiB, 16 slots", rows
END
}

@test "runs and samples are as many as asked for" {
  run_out table shmim-bench snapshot --bytes 64 --runs 3 --count 7
  [[ $(grep -c '  3 x 7  ' table) -eq 2 ]]
  run_out table shmim-bench snapshot --bytes 64 --bytes 2KiB --runs 1 --count 1
  compare cases "$(awk 'NR > 1 { print $2 $3 }' table | sort -u | xargs)" "2KiB 64B"
}

@test "several measures are several tables, in one order" {
  run_out table tiny list snapshot
  compare tables "$(awk '{ print $1 }' table | uniq | tr '\n' ' ')" "MEASURE snapshot  MEASURE list "
}

@test "it can be pinned to two processors" {
  local cpu
  cpu=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')
  run_out table tiny snapshot --cpu "$cpu,$cpu"
  check 2 '' "shmim-bench: --cpu takes two processors, as 0,1
Try 'shmim-bench --help' for more information." -- tiny snapshot --cpu "$cpu"
  check 1 '' 'shmim-bench: --cpu: cannot run on processor 9999: Invalid argument' -- \
    tiny snapshot --cpu 9999,9999
  compare left "$(listing)" ''
}

@test "a real-time priority that one may not have is an error" {
  need_nobody
  check 1 '' 'shmim-bench: --rt-prio: cannot take a real-time priority: Operation not permitted' -- \
    "${nobody[@]}" shmim-bench snapshot --rt-prio 10
}

@test "a floor that is not available is said to be" {
  mkdir -p alone/bin
  for tool in bench post wait trace rm connect cat; do
    cp "$(command -v shmim-$tool)" alone/bin
  done
  local status=0
  alone/bin/shmim-bench --runs 1 --count 1 startup >table 2>err || status=$?
  compare status "$status" 0
  compare stderr "$(<err)" 'shmim-bench: startup: the empty C program is not installed: there is no floor'
  refute grep -q floor table
  grep -qE 'shmim-post .* - +-$' table
  rm alone/bin/shmim-cat
  check 1 '' "shmim-bench: $WORK/alone/bin/shmim-cat: is not there, where this program is" -- \
    alone/bin/shmim-bench --runs 1 --count 1 startup -q
  compare left "$(listing)" ''
}

@test "followers in Python and C++ are measured in the same run, where there is the package" {
  with_python
  run_out table tiny python
  compare rows "$(awk -F '  +' 'NR > 1 { print $2 ", " $3 }' table)" '4 KiB at 2 kHz, processor time, Follower, in C++
4 KiB at 2 kHz, processor time, shmim.frames
4 KiB at 2 kHz, to be woken, Follower, in C++
4 KiB at 2 kHz, to be woken, shmim.frames'
  SHMIM_LIBRARY=/nowhere/libshmim.so check 0 '' \
    'shmim-bench: python: python3 has no package shmim: nothing is measured' -- tiny python
}

@test "a signal ends it, and its directory goes" {
  for signal in INT:130 TERM:143; do
    start "bench${signal%:*}" shmim-bench latency --count 1000000
    local pid=$last
    until_true handles_signals "$pid"
    until_true compgen -G "$SHM/shmim-bench.*/latency.im.shm"
    kill -s "${signal%:*}" "$pid"
    finish "bench${signal%:*}" "${signal#*:}" '' ''
    compare left "$(listing)" ''
  done
}
