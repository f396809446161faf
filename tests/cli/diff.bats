# shmim-diff: what is the same, what differs, and what cannot be compared, in any mix of formats.

load helpers

usage_hint="Try 'shmim-diff --help' for more information."

# frame NAME OPTIONS... <numbers: a stream of uint16, 4x3, with a frame of these pixels.
frame() {
  local name=$1
  shift
  make "tui16>$name" 4 3 "$@"
  shmim-post "$name" --data -
}

# kept_as_files: cam as cam.fits, cam.npy and cam.frames.
kept_as_files() {
  local format
  for format in fits npy frames; do
    run_out "cam.$format" shmim-cat cam -o "$format"
  done
}

@test "a stream, FITS, npy and frames of the same frame are the same, in any mix" {
  seq 12 | frame cam --set EXPTIME=0.5/s --set FILTER=H
  kept_as_files
  local a b sides=(cam '@S:tui16>cam' "$SHM/cam.im.shm" cam.fits 'cam.fits[0]' ./cam.npy cam.frames)
  for a in "${sides[@]}"; do
    for b in "${sides[@]}"; do
      check 0 '' '' -- shmim-diff "$a" "$b"
    done
  done
  gzip -k cam.fits
  check 0 '' '' -- shmim-diff cam cam.fits.gz
  compare listing "$(listing)" cam.im.shm
  compare cnt0 "$(cnt0 cam)" 1
}

@test "pixels that differ: how many, the largest difference, where, and what stands there" {
  seq 12 | frame cam
  kept_as_files
  echo '1 2 3 4 5 6 9 8 9 10 11 11' | shmim-post cam --data -
  local file
  for file in cam.fits cam.npy cam.frames; do
    check 1 'pixels: 2 of 12 differ, largest 2 at [2,1]: 9 and 7' '' -- shmim-diff cam $file
    check 1 'pixels: 2 of 12 differ, largest 2 at [2,1]: 7 and 9' '' -- shmim-diff $file cam
    check 1 '' '' -- shmim-diff -q $file cam
  done
  check 1 'pixels: 1 of 12 differ, largest 2 at [2,1]: 9 and 7' '' -- shmim-diff cam cam.npy --atol 1
  check 0 '' '' -- shmim-diff cam cam.npy --atol 2
  check 0 '' '' -- shmim-diff cam cam.npy --rtol 0.3
  check 1 'pixels: 1 of 12 differ, largest 2 at [2,1]: 9 and 7' '' -- shmim-diff cam cam.npy --rtol 0.1
  check 0 '' '' -- shmim-diff cam cam.npy --rtol 0.1 --atol 1.3
}

@test "slices are compared, of a stream, of what is only a FITS file, and of files" {
  seq 12 | frame cam
  kept_as_files
  check 0 '' '' -- shmim-diff 'cam[1:2,*]' 'cam.npy[1:2,*]'
  check 0 '' '' -- shmim-diff 'cam[1:2,0:1]' 'cam.frames[1:2,0:1]'
  check 0 '' '' -- shmim-diff 'cam[1:2,0:1]' 'cam.fits[2:3,1:2]'
  check 1 'pixels: 2 of 2 differ, largest 1 at [0,0]: 2 and 3' '' -- shmim-diff 'cam[1:2,0]' 'cam[2:3,0]'
  cp cam.fits conf/shmim.ref.fits
  check 0 '' '' -- shmim-diff cam ref
  check 0 '' '' -- shmim-diff '@L:ref[0:1,0:1]' 'cam[0:1,0:1]'
  compare listing "$(listing)" cam.im.shm
  local side
  for side in 'cam[9]' 'cam.npy[9]' '@L:ref[9]'; do
    local name=${side#@L:}
    check 2 '' "shmim-diff: ${name%?9?}: index 9 is out of range: axis 0 has 4 elements, 0 to 3
$usage_hint" -- shmim-diff "$side" cam
  done
  check 2 '' "shmim-diff: cam.npy: unexpected 'x' in the slice, at column 3
$usage_hint" -- shmim-diff 'cam.npy[1:x]' cam
}

@test "types and sizes that differ" {
  seq 12 | frame cam
  make 'tf32>real' 4 3
  seq 12 | shmim-post real --data -
  check 1 'type: uint16 and float32' '' -- shmim-diff cam real
  check 0 '' '' -- shmim-diff cam real --no-type
  { echo 1.5; seq 2 12; } | shmim-post real --data -
  check 1 'type: uint16 and float32
pixels: 1 of 12 differ, largest 0.5 at [0,0]: 1 and 1.5' '' -- shmim-diff cam real
  check 1 'pixels: 1 of 12 differ, largest 0.5 at [0,0]: 1 and 1.5' '' -- shmim-diff cam real --no-type
  make 'tui16>small' 2 3
  check 1 'size: 4x3 and 2x3, so pixels are not compared' '' -- shmim-diff cam small
  # Of last axes of length 1 one format has more than another.
  make 'tui16>deep' 4 3 1
  seq 12 | shmim-post deep --data -
  check 0 '' '' -- shmim-diff cam deep
}

@test "every type is the same as what FITS, npy and frames make of it" {
  local type format
  for type in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    make --type "$type" a 4 3
    seq 12 | shmim-post a --data -
    for format in fits npy frames; do
      shmim-cat a -o "$format" >"a.$format"
      check 0 '' '' -- shmim-diff a "a.$format"
    done
    seq 2 13 | shmim-post a --data -
    for format in fits npy frames; do
      check 1 '~ pixels: 12 of 12 differ, largest 1 at \[0,0\]: 2* and 1*' '' -- shmim-diff a "a.$format"
    done
    shmim-rm -q a
  done
}

@test "integers of 64 bits are not rounded" {
  make 'tui64>a' 2
  make 'tsi64>b' 2
  shmim-post a --data - <<<'9223372036854775807 9007199254740993'
  shmim-post b --data - <<<'9223372036854775806 9007199254740993'
  check 1 'pixels: 1 of 2 differ, largest 1 at [0]: 9223372036854775807 and 9223372036854775806' '' -- \
    shmim-diff a b --no-type
}

@test "NaN equals NaN unless it is told otherwise, and an infinity itself alone" {
  make 'tf32>a' 3
  make 'tf32>b' 3
  shmim-post a --data - <<<'nan inf 1'
  shmim-post b --data - <<<'nan inf 1'
  check 0 '' '' -- shmim-diff a b
  check 1 'pixels: 1 of 3 differ, NaN in one of the two, the first at [0]: nan and nan' '' -- \
    shmim-diff a b --nan-differs
  shmim-post b --data - <<<'0 -inf 1'
  check 1 'pixels: 2 of 3 differ, 1 of them NaN in one of the two, largest inf at [1]: inf and -inf' '' -- \
    shmim-diff a b --atol 1e30 --rtol 10
}

@test "keywords: value, type and comment, and those that are to be ignored" {
  seq 12 | frame a --set GAIN=2/dB --set EXPTIME=0.5 --set FILTER=H --set N=1
  seq 12 | frame b --set GAIN=2/of_the_camera --set EXPTIME=0.25 --set N=1. --set OBJECT=sky
  check 1 "keywords: 4 differ
-EXPTIME = 0.5
+EXPTIME = 0.25
-FILTER = 'H'
-N = 1 (integer)
+N = 1 (real)
+OBJECT = 'sky'
comments: 1 differs
-GAIN / dB
+GAIN / of_the_camera" '' -- shmim-diff a b
  check 1 "keywords: 1 differs
+OBJECT = 'sky'" '' -- shmim-diff a b --ignore 'EXP*,FILTER,N' --ignore GAIN
  check 0 '' '' -- shmim-diff a b --ignore '*'
  # NumPy has none.
  run_out a.npy shmim-cat a -o npy
  check 0 '' '' -- shmim-diff a a.npy
}

@test "what FITS adds is no difference, and what cannot be compared is named" {
  seq 12 | frame cam --set GAIN=2/dB
  cards=("EXTNAME = 'DARK    '" "DATE    = '2026-11-22'" 'GAIN    =                    2 / dB'
    'BZERO   =                32768' "ORIGIN  = 'somebody'")
  seq 12 | while read -r number; do bytes 128 "$number"; done | fits_file 16 4 3 >other.fits
  check 0 '' '' -- shmim-diff cam other.fits
  cards+=("TELESCOP= 'a name that is too long for a stream'")
  seq 12 | while read -r number; do bytes 128 "$number"; done | fits_file 16 4 3 >long.fits
  check 0 '' 'shmim-diff: long.fits: keywords not compared: TELESCOP (string of 36 bytes, at most 16 fit)' -- \
    shmim-diff cam long.fits
  check 0 '' '' -- shmim-diff -q cam long.fits
  check 0 '' '' -- shmim-diff cam long.fits --ignore TELESCOP
}

@test "--json is one object that says the same" {
  need_python json
  seq 12 | frame a --set GAIN=2
  seq 12 | frame b
  check 0 '~ {"a":"a","b":"a","same":true,*}' '' -- shmim-diff a a --json
  { seq 11; echo 20; } | shmim-post b --data -
  shmim-diff a b --json >found || compare status $? 1
  "$PYTHON" -c '
import json, sys
found = json.load(sys.stdin)
assert found["same"] is False
assert found["datatype"] == {"a": "uint16", "b": "uint16"}, found
assert found["size"] == {"a": [4, 3], "b": [4, 3]}, found
keyword = {"name": "GAIN", "type": "L", "value": 2, "comment": ""}
assert found["keywords"] == [{"name": "GAIN", "a": keyword, "b": None}], found
assert found["comments"] == []
assert found["pixels"] == {"elements": 12, "differing": 1, "nan": 0, "largest": 8, "at": [3, 2],
                           "a": "12", "b": "20"}, found
' <found
  make 'tui8>small' 2
  shmim-diff a small --json >found || compare status $? 1
  "$PYTHON" -c 'import json, sys; assert json.load(sys.stdin)["pixels"] is None' <found
}

@test "--picture draws where pixels differ, the first row below" {
  seq 12 | frame a
  seq 12 | frame b
  check 0 '' '' -- shmim-diff a b --picture
  { echo 0; seq 2 11; echo 0; } | shmim-post b --data -
  check 1 'pixels: 2 of 12 differ, largest 12 at [3,2]: 12 and 0
+----+
|   @|
|    |
|@   |
+----+
a character is 1x1, @ all of it' '' -- shmim-diff a b --picture
  # A single one of many is seen, and it fits the terminal.
  make 'tui8>big' 1000 400
  run_out big.npy shmim-cat big -o npy
  check 0 '' '' -- shmim-post 'big[700,300]' --data - <<<1
  check 1 '~ pixels: 1 of 400000 differ*' '' -- shmim-diff big big.npy --picture
  compare lines "$(grep -c '^|' "$WORK/.out")" "$(grep -E -c '^\|.{1,78}\|$' "$WORK/.out")"
  compare marks "$(grep '^|' "$WORK/.out" | tr -cd .)" .
  [[ $(wc -l <"$WORK/.out") -le 24 ]]
  script -qec "stty cols 40 rows 15; shmim-diff big big.npy --picture" /dev/null </dev/null >drawn || true
  refute grep -E '^[+|a].{40}' <(tr -d '\r' <drawn)
  grep -q '^|' drawn
  [[ $(wc -l <drawn) -le 15 ]]
  check 1 '' '' -- shmim-diff big big.npy --picture -q
  # Of one axis, and of a cube.
  make 'tui8>line' 5
  run_out line.npy shmim-cat line -o npy
  shmim-post line --data - <<<'0 0 0 0 7'
  check 1 '~ *
|    @|
*' '' -- shmim-diff line line.npy --picture
}

# recorded NAME NUMBER...: frames of the stream cam with these in all pixels, as NAME.
recorded() {
  local name=$1 number
  shift
  for number in "$@"; do
    seq "$number" $((number + 11)) | shmim-post cam --data -
    shmim-cat cam -o frames
  done >"$name"
}

@test "--frames compares by cnt0, and lists what only one has" {
  make 'tui16>cam' 4 3
  recorded all 1 2 3 4 5 6 7 8
  shmim-rm -q cam
  make 'tui16>cam' 4 3
  recorded same 1 2 3 4 5 6 7 8
  check 0 '' '' -- shmim-diff --frames ./all ./same
  # 3 and 4 missed, 6 altered, and it goes on.
  shmim-rm -q cam
  make 'tui16>cam' 4 3
  recorded one 1 2
  recorded none 3 4
  recorded two 5 9 7 8 9 10
  cat one two >gaps
  check 1 'only in ./all: 2 frames: 3-4
only in ./gaps: 2 frames: 9-10
frame 6: pixels: 12 of 12 differ, largest 3 at [0,0]: 6 and 9
frames: 1 of 6 differ, matched by cnt0' '' -- shmim-diff --frames ./all ./gaps
  check 1 '' '' -- shmim-diff --frames -q ./all ./gaps
  check 1 '~ only in ./gaps: 2 frames: 9-10
only in -: 2 frames: 3-4*' '' -- shmim-diff --frames ./gaps - <all
  check 1 'only in ./all: 2 frames: 3-4
only in ./gaps: 2 frames: 9-10
frames: 0 of 6 differ, matched by cnt0' '' -- shmim-diff --frames ./all ./gaps --atol 3
  check 1 '~ *frame 6: *
+----+
|@@@@|*' '' -- shmim-diff --frames ./all ./gaps --picture
  need_python json
  shmim-diff --frames ./all ./gaps --json >found || compare status $? 1
  "$PYTHON" -c '
import json, sys
found = json.load(sys.stdin)
assert (found["a"], found["b"], found["same"]) == ("./all", "./gaps", False)
assert found["matched_by"] == "cnt0"
assert (found["compared"], found["differing"]) == (6, 1)
assert (found["only_in_a"], found["only_in_b"]) == ([[3, 4]], [[9, 10]])
assert [(frame["frame"], frame["pixels"]["largest"]) for frame in found["first"]] == [(6, 3)]
' <found
}

@test "--frames: a stream that was re-created begins a new count in both" {
  make 'tui16>cam' 4 3
  recorded first 1 2
  shmim-rm -q cam
  make 'tui16>cam' 4 3
  recorded second 3 4 5
  cat first second >both.frames
  check 0 '' '' -- shmim-diff --frames both.frames both.frames
  recorded third 6 7
  cat first second third >more.frames
  check 1 'only in more.frames: 2 frames: 4-5
frames: 0 of 5 differ, matched by cnt0' '' -- shmim-diff --frames both.frames more.frames
}

@test "--frames: planes of cubes are matched by place, also with what tells cnt0" {
  need_python numpy
  make 'tui16>cam' 4 3
  recorded run.frames 1 2 3
  "$PYTHON" -c '
import numpy
cube = numpy.add.outer(numpy.arange(3), numpy.arange(1, 13)).reshape(3, 3, 4).astype("<u2")
numpy.save("cube.npy", cube)
cube[1, 2, 3] += 5
numpy.save("other.npy", cube)
numpy.save("longer.npy", numpy.concatenate([cube, cube]))
numpy.save("big-endian.npy", cube.astype(">u2"))'
  check 0 '' '' -- shmim-diff --frames cube.npy run.frames
  check 1 'frame 1: pixels: 1 of 12 differ, largest 5 at [3,2]: 13 and 18
frames: 1 of 3 differ, matched by place' '' -- shmim-diff --frames run.frames other.npy
  check 0 '' '' -- shmim-diff --frames other.npy big-endian.npy
  check 1 'only in longer.npy: 3 frames: 3-5
frames: 0 of 3 differ, matched by place' '' -- shmim-diff --frames other.npy longer.npy
  # Without --frames a cube is one.
  check 1 'pixels: 1 of 36 differ, largest 5 at [3,2,1]: 13 and 18' '' -- shmim-diff cube.npy other.npy
  check 0 '' '' -- shmim-diff --frames 'cube.npy[0:1,*]' 'other.npy[0:1,*]'
  # A cube of FITS, plane by plane.
  make 'tui16>cube' 4 3 3
  shmim-post cube --data cube.npy
  shmim-cat cube -o fits >cube.fits
  check 0 '' '' -- shmim-diff cube cube.fits
  check 0 '' '' -- shmim-diff cube.fits cube.npy
  sed -i 's/^CNT0  /OTHER0/; s/CNT0    =/OTHER0  =/' cube.fits
  check 0 '' '' -- shmim-diff --frames cube.fits run.frames --ignore '*'
  check 1 'frame 1: pixels: 1 of 12 differ, largest 5 at [3,2]: 13 and 18
frames: 1 of 3 differ, matched by place' '' -- shmim-diff --frames - other.npy <cube.fits
}

@test "--frames: HDUs of FITS are frames, with their cnt0" {
  make 'tui16>cam' 4 3 --circular-buffer 8 # for a cat that is slow to begin
  start_ready cat shmim-cat cam -f -o fits
  recorded run.frames 1 2 3
  until_true bash -c '[[ $(stat -c %s cat.out) == 17280 ]]'
  kill -TERM "$pid_cat"
  finish cat 143 '~ *' ''
  check 0 '' '' -- shmim-diff --frames ./cat.out run.frames
  check 2 '' 'shmim-diff: ./cat.out: has several frames: name one, as in FILE.fits[1], or compare them all
try: shmim-diff --frames ./cat.out run.frames' -- shmim-diff ./cat.out run.frames
  check 2 '' 'shmim-diff: run.frames: has several frames: compare them all
try: shmim-diff --frames run.frames ./cat.out' -- shmim-diff run.frames ./cat.out
  check 0 '' '' -- shmim-diff './cat.out[2]' cam
}

@test "all that goes wrong is status 2, and says what with which" {
  seq 12 | frame cam
  kept_as_files
  check 2 '' "shmim-diff: A is required
$usage_hint" -- shmim-diff
  check 2 '' "shmim-diff: B is required
$usage_hint" -- shmim-diff cam
  check 2 '' "~ shmim-diff: *
$usage_hint" -- shmim-diff cam cam cam
  check 2 '' "shmim-diff: A and B cannot both be standard input
$usage_hint" -- shmim-diff - -
  check 2 '' "shmim-diff: --atol: '-1' is not a number, 0 or above
$usage_hint" -- shmim-diff cam cam --atol=-1
  check 2 '' "shmim-diff: --rtol: 'nan' is not a number, 0 or above
$usage_hint" -- shmim-diff cam cam --rtol nan
  check 2 '' "shmim-diff: none: no such stream in $SHM
try: shmim-ls" -- shmim-diff none cam
  check 2 '' "shmim-diff: @N:cam: modifier N has no meaning here; shmim-diff takes @S: @L: @E:
$usage_hint" -- shmim-diff @N:cam cam
  check 2 '' 'shmim-diff: none.fits: cannot open: No such file or directory' -- shmim-diff cam none.fits
  check 2 '' 'shmim-diff: none.npy: cannot open: No such file or directory' -- shmim-diff none.npy cam
  check 2 '' "shmim-diff: ./conf: cannot read: Is a directory" -- shmim-diff cam ./conf
  echo '1 2 3' >text
  check 2 '' 'shmim-diff: ./text: is none of FITS, npy and frames' -- shmim-diff cam ./text
  check 2 '' "shmim-diff: text: no such stream in $SHM; the file of that name is ./text" -- shmim-diff cam text
  : >empty.npy
  check 2 '' 'shmim-diff: empty.npy: is empty' -- shmim-diff cam empty.npy
  head -c 140 cam.npy >short.npy
  check 2 '' 'shmim-diff: short.npy: ends within a frame: of 24 bytes there are 12' -- shmim-diff cam short.npy
  sed 's/(3, 4), }    /(4000000000, 4000000000, 4000000000), }/' cam.npy >vast.npy
  check 2 '' '~ shmim-diff: vast.npy: is an array of <u2 and the shape (4000000000, 4000000000, 4000000000), which no stream can be' -- shmim-diff cam vast.npy
  head -c -5 cam.frames >short.frames
  check 2 '' '~ shmim-diff: short.frames: *' -- shmim-diff cam short.frames
  head -c 2890 cam.fits >short.fits
  check 2 '' '~ shmim-diff: short.fits: is truncated: *' -- shmim-diff short.fits cam
  check 2 '' '~ shmim-diff: cam.fits\[7\]: has no HDU 7; *' -- shmim-diff 'cam.fits[7]' cam
  printf '\x28\xb5\x2f\xfd' >packed.npy
  check 2 '' 'shmim-diff: packed.npy: is compressed by zstd: zstdcat unpacks it, and - is standard input' -- \
    shmim-diff packed.npy cam
  check 2 '' "~ shmim-diff: cam: is a stream, which is one frame; *
$usage_hint" -- shmim-diff --frames cam cam.frames
  check 2 '' "shmim-diff: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- shmim-diff cam cam -d "$WORK/none"
  local status=0
  shmim-diff cam cam --json >&- 2>err || status=$?
  compare status "$status" 2
  compare stderr "$(<err)" 'shmim-diff: standard output: cannot write: Bad file descriptor'
}

@test "a frame that is never whole is trouble, not a difference" {
  make 'tui8>s' 4
  run_out s.npy shmim-cat s -o npy
  start_holder holder s
  check 2 '' '~ shmim-diff: s: *' -- shmim-diff s s.npy
}

@test "the streams of two directories" {
  seq 12 | frame cam
  mkdir other
  cp "$SHM/cam.im.shm" other/cam.im.shm
  check 0 '' '' -- shmim-diff cam other/cam.im.shm
  check 0 '' '' -- shmim-diff "$SHM/cam.im.shm[1:2]" 'other/cam.im.shm[1:2]'
}

@test "a recording says how it is compared with a stream: a frame of it, with what came with that" {
  make 'tui16>cam' 5x4 -c 50 --set GAIN=2
  start_ready run shmim-record cam -n 3 -o run.fits
  start_ready one shmim-record cam -n 1 -o one.fits
  shmim-post -q cam --pattern counter -n 1
  finish one 0 '' '~ *1 frame in one.fits'
  check 0 '' '' -- shmim-diff one.fits cam
  shmim-post -q cam --pattern counter -n 2 --set TEMP=7
  finish run 0 '' '~ *3 frames in run.fits'
  check 2 '' "shmim-diff: run.fits: is a recording of 3 frames: name one, as in 'run.fits[*,*,3:3]', which is the last, or compare all with another file
try: shmim-diff 'run.fits[*,*,3:3]' cam" -- shmim-diff run.fits cam
  check 2 '' "~ *is a recording of 3 frames*
try: shmim-diff cam 'run.fits*" -- shmim-diff cam run.fits
  check 2 '' "~ *is a recording of 3 frames*
try: shmim-diff --frames run.fits one.fits" -- shmim-diff run.fits one.fits
  check 0 '' '' -- shmim-diff 'run.fits[*,*,3:3]' cam
  check 0 '' '' -- shmim-diff 'run.fits[1:2,*,3:3]' 'cam[0:1,*]'
  check 1 '~ *pixels:*' '' -- shmim-diff --ignore TEMP 'run.fits[*,*,2:2]' cam
  check 1 '~ *size*' '' -- shmim-diff --ignore '*' 'run.fits[*,*,2:3]' cam
}

@test "--frames of recordings, with each other and with frames" {
  make 'tui16>cam' 8x4 -c 20
  shmim-kw -q cam GAIN=1
  start_ready first shmim-record cam -n 6 -o first.fits
  start_ready second shmim-record cam -n 6 --decimate 2 -o second.fits
  start_ready third shmim-cat cam -f -n 6 -o frames
  shmim-post -q cam --pattern counter -n 12
  finish first 0 '' '~ *6 frames in first.fits*'
  finish second 0 '' '~ *6 frames in second.fits*'
  finish third 0 '~ *' ''
  mv third.out third.frames
  check 0 '' '' -- shmim-diff --frames first.fits third.frames
  check 1 'only in first.fits: 3 frames: 2, 4, 6
only in second.fits: 3 frames: 7, 9, 11
frames: 0 of 3 differ, matched by cnt0' '' -- shmim-diff --frames first.fits second.fits
}
