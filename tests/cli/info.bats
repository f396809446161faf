# shmim-info: everything that is known of a stream.

load helpers

# says WHAT VALUE: a line of the file out.
says() { compare "$1" "$(sed -n "s/^  $1  *//p" out)" "$2"; }

@test "the header in words and units" {
  make 'tui16>cam' 320x256 -c 4 -s 3 -k 5 --owner 1
  shmim-post cam --update --pid $$
  run_out out shmim-info cam
  compare name "$(head -n 1 out)" cam
  says path "$(stream_file cam)"
  says type uint16
  says size '320x256, 81920 elements'
  says bytes "163840 of the array, $(stat -c %s "$(stream_file cam)") of the file"
  says 'image type' '0x2: mathematical data'
  says location 'CPU memory'
  says inode "$(stat -c %i "$(stream_file cam)")"
  says frame whole
  says 'cnt0 cnt1 cnt2' '1 0 0'
  says written '~ 20*Z, *s ago'
  says acquired '~ 20*Z, *s ago'
  says created '~ 20*Z, *s ago'
  says clock '~ *TAI*'
  says writer "$$ (bash)"
  says creator '~ * (dead)'
  says owner '1: it belongs to no process'
  says 'only writer' -
  says status '0 (do not log); flag 0, logflag 0, shared 1'
  says 'circular buffer' '4 frames, the newest in slot 1, wrapped 0 times'
  says semaphores '3, 0 saturated; the log semaphore is at 1'
  says keywords '0 of 5'
  says trace '1 of 10 steps'
}

@test "image types are decoded" {
  make cam 4x4x3 --circular
  run_out out shmim-info cam
  says 'image type' '0x20001: circular buffer, z is time'
  make other 4x4x3 --imagetype 0x3000e
  run_out out shmim-info other
  says 'image type' \
    '0x3000e: mathematical data, received from another computer, sent to another computer, z is wavelength'
}

@test "semaphores: value, who waits, who posted, alive or dead" {
  need_first_namespace
  make cam 2 -s 3
  start_ready w shmim-wait cam -n 100 -s 1 -t 20s
  for _ in {1..12}; do shmim-post cam -s 2; done
  row() { sed -n "/^    SEM/,/^  keywords/p" out | sed -n "$(($1 + 2))p" | sed 's/  */ /g'; }
  # A look may fall between two waits of its: it counts frames for itself a few times a second.
  is_seen_waiting() {
    run_out out shmim-info cam
    [[ $(row 1) == " 1 0 $pid_w (shmim-wait) - connected, waiting" ]]
  }
  until_true is_seen_waiting
  says semaphores '3, 1 saturated; the log semaphore is at 0'
  compare sem0 "$(row 0)" ' 0 0 - - -'
  compare sem2 "$(row 2)" '~  2 10 full - * (dead) -'
  kill -KILL "$pid_w"
  wait "$pid_w" || true
  run_out out shmim-info cam
  compare sem1 "$(row 1)" "~  1 0 $pid_w (dead) - *"
}

@test "keywords and the trace in short" {
  for name in in out; do make "$name" 1; done
  shmim-kw out EXPTIME=0.5/'[s]'
  shmim-post in --update --pid $$
  shmim-post out --update --pid $$ --trigger in
  shmim-info out >out
  grep -qx '    EXPTIME  D     0.5    \[s\]' out
  says trace '2 of 10 steps'
  compare step "$(grep '^    out by' out)" "~     out by $$ (bash), triggered by in, after *s"
  compare step "$(grep '^    in by' out)" "    in by $$ (bash)"
}

@test "who has it open or mapped" {
  need_own_processes
  make cam 2
  run_out out "${own[@]}" bash -c 'exec 6<"$0"; shmim-info cam; exit $?' "$(stream_file cam)"
  says 'held by' '~ * (bash)'
  run_out out "${own[@]}" shmim-info cam
  says 'held by' '-'
}

@test "processes that we may not look into are counted" {
  need_nobody
  chmod 755 "$SHM"
  make cam 2
  "${nobody[@]}" shmim-info cam -v >out 2>/dev/null
  says 'held by' '~ *perhaps * processes that we may not look into'
  # To whom that is all the same it is no news.
  run_out out "${nobody[@]}" shmim-info cam
  refute grep 'may not look into' out
}

@test "a claimed stream, an unfinished one, a copy, and a link" {
  make cam 2
  mkfifo data
  start p shmim-post cam --data data --claim
  exec 6>data
  until_true bash -c 'shmim-info cam | grep -q "^  only writer .*shmim-post"'
  head -c 8 /dev/zero >&6
  exec 6>&-
  wait "$pid_p"
  printf '\x01' | dd of="$(stream_file cam)" bs=1 seek=288 conv=notrunc status=none
  shmim-info cam >out
  grep -qE '^  frame +(being written|unfinished)$' out
  printf '\x00' | dd of="$(stream_file cam)" bs=1 seek=288 conv=notrunc status=none
  cp "$(stream_file cam)" "$(stream_file copy)"
  run_out out shmim-info copy
  says 'name in header' cam
  says inode "~ *, but the file's is *: a copy"
  ln -s cam.im.shm "$(stream_file alias)"
  run_out out shmim-info alias
  compare name "$(head -n 1 out)" 'alias -> cam'
}

@test "--json has every field of the header by its name" {
  make 'tui16>cam' 4x3 -s 2 --set A=1 --set 'B=text/comment'
  shmim-post cam --update --pid $$
  run_out out shmim-info cam --json
  compare lines "$(wc -l <out)" 1
  need_python json
  "$PYTHON" - "$(stat -c %i "$(stream_file cam)")" $$ <<'PY'
import json, sys
d = json.load(open("out"))
for key in """version name naxis size nelement datatype imagetype creationtime lastaccesstime atime
              writetime creatorPID ownerPID shared inode location status flag logflag sem NBproctrace cnt0
              cnt1 cnt2 write NBkw CBsize CBindex CBcycle imdatamemsize""".split():
    assert key in d, key
assert d["version"] == "2.00" and d["size"] == [4, 3] and d["nelement"] == 12
assert d["inode"] == int(sys.argv[1]) and d["cnt0"] == 1 and d["imdatamemsize"] == 24
assert d["writer"] == {"pid": int(sys.argv[2]), "command": "bash", "alive": True}
assert d["creator"]["alive"] is False and d["creator"]["pid"] == d["creatorPID"]
assert d["keywords"] == [{"name": "A", "type": "L", "value": 1, "comment": ""},
                         {"name": "B", "type": "S", "value": "text", "comment": "comment"}]
assert len(d["semaphores"]) == 2 and d["semaphores"][0]["value"] == 1
assert d["trace"][0]["procwrite_PID"] == int(sys.argv[2])
assert 0 <= d["age"] < 100
PY
}

@test "golden streams of the C library are told as their JSON has them" {
  need_python json
  cp "$SHMIM_SOURCE_DIR"/tests/golden/*.im.shm "$SHM"
  for file in "$SHM"/*.im.shm; do
    name=$(basename "$file" .im.shm)
    run_out out shmim-info "$name" --json
    "$PYTHON" - "$SHMIM_SOURCE_DIR/tests/golden/$name.json" <<'PY'
import json, sys
ours, theirs = json.load(open("out")), json.load(open(sys.argv[1]))
for key in """version naxis nelement imagetype shared inode location status flag logflag sem
              NBproctrace cnt0 cnt1 cnt2 write NBkw CBsize CBindex CBcycle imdatamemsize creatorPID
              ownerPID""".split():
    assert ours[key] == theirs[key], (key, ours[key], theirs[key])
assert ours["header_name"] == theirs["name"]
assert ours["size"] == theirs["size"][:theirs["naxis"]]
PY
  done
}

@test "--frames: of a paced writer, measured from its own write times" {
  make cam 2 -c 16
  start w shmim-post cam --update -n 100000 --rate 500
  run_out out shmim-info cam --frames 100 --json
  need_python json
  "$PYTHON" - <<'PY'
import json
r = json.load(open("out"))["rate"]
assert r["frames"] == 100 and 0 <= r["missed"] < 100, r
# However late a busy machine let the writer run, the mean is what it is told to be or longer.
assert 0.0019 < r["mean"] and abs(r["rate"] * r["mean"] - 1) < 1e-9, r
assert r["min"] <= r["mean"] <= r["max"] and r["jitter"] >= 0 and r["stddev"] >= 0, r
PY
  run_out out shmim-info cam --frames 20
  says rate '~ *Hz over 20 frames, * missed'
  says interval '~ mean *s, min *s, max *s, standard deviation *s'
  says jitter '~ *s'
}

@test "--frames: a stream that does not come times out, or is removed" {
  make cam 2
  check 124 '' 'shmim-info: cam: timed out: no frame for 1.0ms after frame 0' -- shmim-info cam --frames 5 -t 1ms
  check 124 '' 'shmim-info: cam: timed out: 0 of 5 frames came in 20.0ms' -- shmim-info cam --frames 5 --for 20ms
  start p shmim-info cam --frames 5
  until_true handles_signals "$pid_p"
  shmim-rm cam
  # It may not have opened the stream before it was gone.
  finish p 3 '' '~ shmim-info: cam: *'
  make cam 2
  start p shmim-info cam --frames 5
  until_true handles_signals "$pid_p"
  kill -TERM "$pid_p"
  finish p 143 '' ''
}

@test "--frames: on a terminal it says that nothing comes" {
  make cam 2
  script -qec 'shmim-info cam --frames 5 --for 3s' out </dev/null >/dev/null || true
  grep -q 'shmim-info: cam: no frame yet' out
  script -qec 'shmim-info cam --frames 5 --for 100ms' out </dev/null >/dev/null || true
  refute grep 'no frame yet' out
}

@test "--stats of one whole frame" {
  make 'tui8>cam' 4x2
  bytes 1 2 3 4 5 6 255 255 | shmim-post cam --data -
  run_out out shmim-info cam --stats
  says elements 'mean 66.375, min 1, max 255, standard deviation 108.907' ||
    says elements '~ mean 66.375, min 1, max 255, standard deviation 108.9*'
  says saturated '2 of 8'
  says 'not finite' '0 of 8'
  says percentiles 'p1 1, p50 4, p99 255'
  refute grep -q slice out
  run_out out shmim-info 'cam[1:2,*]' --stats
  says slice '1:2,*'
  says elements '~ mean 66.5, min 2, max 255, *'
  says percentiles 'p1 2, p50 3, p99 255'
  run_out out shmim-info 'cam[-1,-1]' --stats --json
  grep -qF '"min":255.0,' out
  grep -qF '"slice":"-1,-1"' out
  check 2 '' '~ shmim-info: cam\[0\]: a slice is for --stats*' -- shmim-info 'cam[0]'
  check 2 '' '~ shmim-info: *axis*' -- shmim-info 'cam[4]' --stats
  make 'tui8>ring' 2x1x3 --circular
  bytes 1 2 3 4 | shmim-post ring --data -
  run_out out shmim-info 'ring[*,*,@]' --stats
  says percentiles 'p1 3, p50 3, p99 4'
  make 'tf32>nan' 3 --fill nan
  run_out out shmim-info nan --stats --json
  grep -qF '"statistics":{"elements":3,"min":null,"max":null,"mean":null,"stddev":null,"p1":null,"p50":null,"p99":null,"saturated":0,"non_finite":3,"slice":""}' out
}

@test "--check for scripts" {
  make 'tui16>cam' 4x3 -k 7 -c 2 -s 3
  check 0 '' '' -- shmim-info cam --check uint16
  check 0 '' '' -- shmim-info cam --check 4x3,uint16
  check 0 '' '' -- shmim-info cam --check uint16,4x3,keywords=7,circular-buffer=2,semaphores=3
  check 5 '' '~ shmim-info: cam: type is uint16, not float32; size is 4x3, not 8*' -- \
    shmim-info cam --check float32,8
  check 5 '' '~ shmim-info: cam: semaphores is 3, not 10*' -- shmim-info cam --check semaphores=10
  check 2 '' "~ shmim-info: --check: 'floot' is not a type, size or field: *" -- shmim-info cam --check floot
  for value in many -1 1.5 70000 ''; do
    check 2 '' "~ shmim-info: --check: 'keywords=$value': the value must be a whole number up to 65535*" \
      -- shmim-info cam --check "keywords=$value"
  done
  check 2 '' "~ shmim-info: --check: 'axes=2': the fields are *" -- shmim-info cam --check axes=2
  check 2 '' "~ shmim-info: --check: size '4xx' is not like*" -- shmim-info cam --check 4xx
}

@test "several streams, one after the other; one that is not there keeps none back" {
  make a 2
  make b 2
  check 3 '~ a
*

b
*' '~ shmim-info: none: no such stream*' -- shmim-info a none b
}

@test "looking disturbs nobody" {
  make cam 2
  shmim-post cam --update
  cp "$(stream_file cam)" before
  shmim-info cam --stats --frames 1 -t 1ms >/dev/null || true
  shmim-info cam >/dev/null
  cmp before "$(stream_file cam)"
  need_nobody
  chmod 644 "$(stream_file cam)"
  "${nobody[@]}" shmim-info cam --stats >/dev/null
}

@test "a writer in the middle of a frame, or that gave up there, is named as such" {
  make in 2
  make m 2
  shmim-post in --update
  shmim-post m --update --trigger in --pid "$(dead_pid)"
  start_quitter quitter m
  run_out out shmim-info m
  grep -qx "  writer  *$pid_quitter (shmim-faults)" out
  grep -qx "    m by $pid_quitter (shmim-faults), which gave up in the middle of a frame, triggered by in" out
  run_out out shmim-info m --json
  grep -q "\"procwrite_PID\":$pid_quitter,\"process\":{\"pid\":$pid_quitter,\"command\":\"shmim-faults\",\"alive\":true},\"writing\":\"given up\",\"trigger\":\"in\",.*\"latency\":null" out
  start_holder holder in
  run_out out shmim-info in
  grep -qx "    in by $pid_holder (shmim-faults), in the middle of a frame" out
}

@test "--stats --follow: a line a frame, of that very frame" {
  make 'tui8>cam' 4x2 -c 8
  start_ready t shmim-info cam --stats -f -n 2 -t 20s
  start_ready c shmim-info 'cam[1:2,*]' --stats -f -n 2 -t 20s --csv
  start_ready j shmim-info 'cam[1:2,*]' --stats -f -n 2 -t 20s --json
  for name in t c j; do eval "kill -STOP \$pid_$name"; done # so that both frames are there at once
  bytes 1 2 3 4 5 6 255 255 | shmim-post cam --data -
  first=$(shmim-wait cam --cnt0 1 --print '{writetime}')
  bytes 1 1 1 1 1 1 1 1 | shmim-post cam --data -
  second=$(shmim-wait cam --cnt0 2 --print '{writetime}')
  for name in t c j; do eval "kill -CONT \$pid_$name"; done
  finish t 0 "\
WRITETIME                             CNT0        MEAN         STD         MIN          P1         P50         P99         MAX   SATURATED
$first           1      66.375     108.913           1           1           4         255         255           2
$second           2           1           0           1           1           1           1           1           0" ''
  finish c 0 "writetime,cnt0,mean,std,min,p1,p50,p99,max,saturated
$first,1,66.5,108.84047960203041,2,2,3,255,255,1
$second,2,1,0,1,1,1,1,1,0" ''
  finish j 0 "~ {\"name\":\"cam\",\"cnt0\":1,*\"writetime\":\"$first\",*\"statistics\":{\"elements\":4,*\"slice\":\"1:2,\*\"}}
{\"name\":\"cam\",\"cnt0\":2,*\"writetime\":\"$second\",*}" ''
  claimed cam 0
}

@test "--stats --follow: of a writer that stamps no time, of no finite number, and of planes" {
  make 'tf32>nan' 3 --fill nan
  start_ready n shmim-info nan --stats -n 1 -t 20s --csv
  printf '\x01' | dd of="$(stream_file nan)" bs=1 seek=264 conv=notrunc status=none
  finish n 0 'writetime,cnt0,mean,std,min,p1,p50,p99,max,saturated
,1,nan,nan,nan,nan,nan,nan,nan,0' ''
  start_ready t shmim-info nan --stats -n 1 -t 20s
  printf '\x02' | dd of="$(stream_file nan)" bs=1 seek=264 conv=notrunc status=none
  finish t 0 '~ *
- * 2 * nan *' ''
  make 'tui8>ring' 2x1x3 --circular
  start_ready p shmim-info ring --stats -n 2 -t 20s --csv
  start_ready a shmim-info 'ring[*,*,*]' --stats -n 1 -t 20s --json
  bytes 3 4 | shmim-post ring --data -
  finish a 0 '~ *"elements":6,"min":0.0,"max":4.0,*' ''
  bytes 8 8 | shmim-post ring --data -
  finish p 0 '~ *
*,1,3.5,0.5,3,3,3,4,4,0
*,2,8,0,8,8,8,8,8,0' ''
}

@test "--stats --follow: missed frames are said, and with -i left out on purpose" {
  make 'tui8>cam' 2
  start_ready m shmim-info cam --stats -n 2 -t 20s --csv
  start_ready i shmim-info cam --stats -n 2 -t 20s --csv -i 1ms
  kill -STOP "$pid_m" "$pid_i"
  shmim-post cam --update -n 5
  kill -CONT "$pid_m" "$pid_i"
  until_true grep -q ',5,0,' m.out
  until_true grep -q ',5,0,' i.out
  shmim-post cam --update
  finish m 0 '~ *,5,0,0,0,0,0,0,0,0
*,6,0,0,0,0,0,0,0,0' 'shmim-info: cam: missed 4 frames'
  finish i 0 '~ *,5,0,0,0,0,0,0,0,0
*,6,0,0,0,0,0,0,0,0' ''
  # The second line is not before its time, however many frames come.
  start p shmim-post cam --update --rate 1000 -n 100000 -q
  begin=$(date +%s%N)
  check 0 '~ *' '' -- shmim-info cam --stats -n 2 -i 300ms
  (($(date +%s%N) - begin >= 300000000))
}

@test "--stats --follow: it ends in time, with its stream, by a signal, or when its output has gone" {
  make cam 2
  header='writetime,cnt0,mean,std,min,p1,p50,p99,max,saturated'
  check 124 "$header" 'shmim-info: cam: timed out: no frame for 20.0ms after frame 0' -- \
    shmim-info cam --stats -f --csv -t 20ms
  check 124 "$header" 'shmim-info: cam: timed out: 0 of 2 frames came in 20.0ms' -- \
    shmim-info cam --stats -n 2 --csv --for 20ms
  check 0 "$header" '' -- shmim-info cam --stats --csv --for 20ms -i 10s
  start_ready r shmim-info cam --stats -f --json
  start_ready s shmim-info cam --stats -f --json
  kill -TERM "$pid_s"
  finish s 143 '' ''
  shmim-rm cam
  finish r 3 '' 'shmim-info: cam: was removed while we waited for its next frame'
  make cam 2
  local status=0
  timeout 20 bash -c 'shmim-info cam --stats -f -i 1h | true; exit ${PIPESTATUS[0]}' || status=$?
  compare status "$status" 141
}

@test "--stats --follow: what it takes" {
  make cam 2
  check 2 '' '~ shmim-info: --follow requires --stats*' -- shmim-info cam -f
  check 2 '' '~ shmim-info: -n requires --stats*' -- shmim-info cam -n 2
  check 2 '' '~ shmim-info: --for requires --frames or --stats*' -- shmim-info cam --for 1s
  check 2 '' '~ shmim-info: --timeout requires --frames or --follow*' -- shmim-info cam --stats -t 1s
  check 2 '' '~ shmim-info: --interval requires --follow*' -- shmim-info cam --stats -i 1s
  check 2 '' '~ shmim-info: --interval: above 0*' -- shmim-info cam --stats -f -i 0
  check 2 '' '~ shmim-info: --csv requires --follow*' -- shmim-info cam --stats --csv
  check 2 '' '~ shmim-info: --follow takes one stream*' -- shmim-info cam cam --stats -f
  check 2 '' '~ shmim-info: *--frames*' -- shmim-info cam --stats -f --frames 3
  check 2 '' '~ shmim-info: *--check*' -- shmim-info cam --stats -f --check uint8
  check 2 '' '~ shmim-info: *axis*' -- shmim-info 'cam[4]' --stats -f
  check 3 '' '~ shmim-info: none: no such stream*' -- shmim-info none --stats -f
}
