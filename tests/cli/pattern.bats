# Frames that are made, shmim-post --pattern, and the check of those that count, shmim-cat --verify. What is in
# the pixels is worked out once more by NumPy, from what the manual says.

load helpers

types='uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128'

# array STREAM: its frame for NumPy, in array.npy.
array() { run_out array.npy shmim-cat "$1" -o npy; }

# holds STREAM ASSERTION: of its frame `a` in Python, with x, y, z and i as the manual has them.
holds() {
  array "$1"
  "$PYTHON" -c '
import numpy, sys
numpy.seterr(all="ignore")
a = numpy.load("array.npy")
i = numpy.arange(a.size).reshape(a.shape)
z, y, x = numpy.indices((1,) * (3 - a.ndim) + a.shape)
z, y, x = (axis.reshape(a.shape) for axis in (z, y, x))
def whole(values):  # away from 0 where it is between two
    return numpy.sign(values) * numpy.floor(numpy.abs(values) + 0.5)
assert eval(sys.argv[1]), (sys.argv[1], a)' "$2"
}

# frames_of STREAM COUNT FILE: so many raw frames of a counter, one behind the other, in FILE.
frames_of() {
  start_ready taker shmim-cat "$1" -n "$2" -o raw
  check 0 '' '' -- shmim-post "$1" --pattern counter -n "$2"
  finish taker 0 '~ *' ''
  mv taker.out "$3"
}

# part FILE BYTES N...: those of its frames, from 0.
part() {
  local file=$1 bytes=$2 n
  shift 2
  for n in "$@"; do
    tail -c +$((n * bytes + 1)) "$file" | head -c "$bytes"
  done
}

@test "ramp" {
  need_python numpy
  make 'tui16>a' 300x300
  check 0 '' '' -- shmim-post a --pattern ramp -n 3
  holds a '(a == (i + 2) % 65536).all()'
  check 0 '' '' -- shmim-post a --pattern ramp,low=7,high=1000,step=10,speed=30 -n 5
  holds a '(a == 7 + 10 * ((i + 4 * 30) % 100)).all()'
  # Too many values to be kept.
  make 'tf64>b' 20x3x2
  check 0 '' '' -- shmim-post b --pattern ramp,low=-2,high=3e6,step=0.5,speed=999999 -n 8
  holds b '(a == -2 + 0.5 * ((i + 7 * 999999) % 6000005)).all()'
  local type
  for type in $types; do
    make --type "$type" "$type" 20x20
    check 0 '' '' -- shmim-post "$type" --pattern ramp -n 2
    holds "$type" '(a == (i + 1) % {"uint8": 256, "int8": 128}.get(a.dtype.name, 32768)).all()'
  done
}

@test "sine" {
  need_python numpy
  make 'tf64>a' 100x3
  check 0 '' '' -- shmim-post a --pattern sine,period=40,amplitude=3,offset=-1,speed=0.5 -n 8
  holds a 'numpy.allclose(a, -1 + 3 * numpy.sin(2 * numpy.pi * (x + 3.5) / 40), atol=1e-9, rtol=0)'
  make 'tc128>c' 100x3
  check 0 '' '' -- shmim-post c --pattern sine -n 2
  holds c 'numpy.allclose(a, 60+60j + 50j * numpy.exp(-2j * numpy.pi * (x + 1) / 64), atol=1e-9, rtol=0)'
  make 'tsi8>s' 100
  check 0 '' '' -- shmim-post s --pattern sine,amplitude=100,offset=100 -n 1
  # Rounded, and cut off where the type ends.
  holds s '(a == numpy.minimum(whole(100 + 100 * numpy.sin(2 * numpy.pi * x / 64)), 127)).all()'
}

@test "checker" {
  need_python numpy
  make 'tui8>a' 50x40x9
  check 0 '' '' -- shmim-post a --pattern checker,size=4,low=1,high=200,speed=3 -n 6
  holds a '(a == numpy.where(((x + 5 * 3) // 4 + y // 4 + z // 4) % 2, 200, 1)).all()'
  check 0 '' '' -- shmim-post a --pattern checker -n 1
  compare corner "$(shmim-cat 'a[6:9,0,0]')" '10 10 110 110'
}

@test "noise" {
  need_python numpy
  local type
  for type in $types; do
    make --type "$type" "$type" 300x200
    check 0 '' '' -- shmim-post "$type" --pattern noise,mean=60,sigma=5 -n 1
    holds "$type" 'abs(a.real.mean(dtype=float) - 60) < 0.2 and abs(a.real.std(dtype=float) - 5) < 0.1 and 38 <= a.real.min() and a.real.max() <= 82'
  done
  holds complex64 'abs(a.imag.mean() - 60) < 0.2 and abs(numpy.corrcoef(a.real.ravel(), a.imag.ravel())[0, 1]) < 0.02'
  # What is beyond the type is the end of it.
  check 0 '' '' -- shmim-post uint8 --pattern noise,mean=250,sigma=50 -n 1
  holds uint8 '0.4 < (a == 255).mean() < 0.6 and a.min() > 0'
}

@test "spots" {
  need_python numpy
  make 'tf64>a' 60x40
  check 0 '' '' -- shmim-post a --pattern spots,columns=3,rows=2,fwhm=5,peak=70,background=3 -n 1
  holds a 'numpy.allclose(a, 3 + sum(70 * 0.5 ** (((x - cx) ** 2 + (y - cy) ** 2) / 2.5 ** 2)
    for cx in (9.5, 29.5, 49.5) for cy in (9.5, 29.5)), atol=0.3)'
  # As many as fit, and at their places in every plane.
  make 'tui16>b' 64x96x2
  check 0 '' '' -- shmim-post b --pattern spots,peak=1000 -n 1
  holds b '(a[:, 15::32, 15::32] > 900).all() and (a > 900).sum() == 4 * 6 * 2 and a[0].tolist() == a[1].tolist()'
  check 0 '' '' -- shmim-post b --pattern spots,jitter=1,noise=2,background=50 -n 1
  holds b 'a[0].tolist() != a[1].tolist() and 1 < a[:, 0].std() < 3'
  # Some of them outside of the frame.
  check 0 '' '' -- shmim-post b --pattern spots,jitter=1000000 -n 3
  # Those that lie on one another do not pass the end of the type.
  make 'tui8>c' 16x16
  check 0 '' '' -- shmim-post c --pattern spots,columns=16,rows=16 -n 1
  holds c '(a[4:12, 4:12] == 255).all()'
  make 'tui8>line' 97
  check 0 '' '' -- shmim-post line --pattern spots -n 1
  holds line '(a > 80).sum() == 9 and a.max() <= 110'
}

@test "frames are the same for the same seed, and what they are on every machine" {
  local type
  {
    for type in uint8 uint16 int32 float16 float64 complex64; do
      make --type "$type" a 40x30
      for pattern in noise spots,jitter=0.5,noise=4 sine,period=9.7 ramp checker; do
        shmim-post a --pattern $pattern --seed 7 -n 3
        printf '%s %s %s\n' "$type" $pattern "$(shmim-cat a -o raw | cksum)"
      done
      shmim-rm -q a
    done
  } >sums
  # Of shmim-post on x86-64.
  compare sums "$(cksum <sums)" '3360993196 1058'
  make 'tui16>a' 40x30
  make 'tui16>b' 40x30
  for pattern in noise spots,jitter=0.5,noise=4; do
    shmim-post a --pattern $pattern -n 2
    shmim-post b --pattern $pattern -n 2 --seed 0
    cmp <(shmim-cat a -o raw) <(shmim-cat b -o raw)
    shmim-post b --pattern $pattern -n 2 --seed 18446744073709551615
    refute cmp -s <(shmim-cat a -o raw) <(shmim-cat b -o raw)
    shmim-post b --pattern $pattern -n 1
    refute cmp -s <(shmim-cat a -o raw) <(shmim-cat b -o raw)
  done
}

@test "a pattern that is none, or makes no sense, is wrong usage that says why" {
  make 'tui16>a' 40x30
  make 'tf16>h' 4
  refused() { # STREAM PATTERN WHY
    check 2 '' "shmim-post: $2: $3
Try 'shmim-post --help' for more information." -- shmim-post "$1" --pattern "$2" -n 1
  }
  refused a nois 'there is no such pattern; there are ramp, noise, spots, sine, checker, counter'
  refused a noise,men=3 "noise has no key 'men'; there are mean, sigma"
  refused a noise, "noise has no key ''; there are mean, sigma"
  refused a counter,low=3 "counter has no key 'low'; it has none"
  refused a noise,mean 'mean needs a value, as in mean=10'
  refused a noise,sigma=3x "sigma: '3x' is not a number"
  refused a noise,sigma= "sigma: '' is not a number"
  refused a noise,sigma=nan "sigma: 'nan' is not a number"
  refused a sine,amplitude=inf "amplitude: 'inf' is not a number"
  refused a noise,sigma=-1 'sigma must be 0 at least'
  refused a sine,period=0 'period must be above 0'
  refused a checker,size=2.5 'size must be a whole number'
  refused a spots,fwhm=1001 'fwhm must be 1000 at most'
  refused a noise,mean=65536 'mean: uint16 holds 0 to 65535'
  refused a checker,low=-1 'low: uint16 holds 0 to 65535'
  refused h ramp,high=70000 'high: float16 holds -65504 to 65504'
  refused a ramp,low=5,high=3 'high, which is 3, is below low'
  refused a ramp,step=1e-7 'there are more than 4294967296 steps from low to high'
  refused a spots,columns=41 'columns 41 of spots are more than the pixels, 40'
  check 2 '' "~ shmim-post: noise,?x1b=1: noise has no key '?x1b'; there are mean, sigma*" -- \
    shmim-post a --pattern $'noise,\e=1' -n 1
  compare counts "$(cnt0 a) $(cnt0 h)" '0 0'
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a --pattern ramp --data -
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a --pattern ramp --update
  check 2 '' '~ shmim-post: --seed requires --pattern*' -- shmim-post a --data - --seed 3
  check 2 '' '~ shmim-post: --loop requires --data*' -- shmim-post a --pattern ramp --loop
  check 2 '' '~ shmim-post: --format says what --data is, and there is none*' -- \
    shmim-post a --pattern ramp --format raw
  check 2 '' '~ shmim-post: --pattern takes one stream*' -- shmim-post a h --pattern ramp
}

@test "--rate says what was reached, and without -n it goes on until a signal comes" {
  make 'tui8>a' 8
  check 0 '' '~ shmim-post: a: 20 in * s: * Hz of 1000 Hz' -- shmim-post a --pattern ramp -n 20 --rate 1000
  start p shmim-post a --pattern ramp --rate 1000
  check 0 '~ *' '' -- shmim-wait a --cnt0 40 -t 20s
  kill -INT "$pid_p"
  finish p 130 '' '~ shmim-post: a: * in * s: * Hz of 1000 Hz'
}

@test "what goes with a frame goes with these: keywords, times, semaphores, trace, standard input untouched" {
  make 'tui8>a' 8
  make 'tui8>b' 8
  shmim-post a --update
  check 0 '' '' -- shmim-post b --pattern counter -n 2 --set GAIN=3 --atime 2026-11-22T01:52:49.5Z --sem 4 \
    --trigger a --pid $$ --claim
  compare keyword "$(shmim-kw b GAIN)" 3
  compare atime "$(shmim-ls b --noheadings -o acquired)" '~ *2026-11-22T01:52:49.5*'
  compare posts "$(posts b)" '0 0 0 0 2 0 0 0 0 0 0'
  check 0 "~ *b * $$ *a *" '' -- shmim-trace b
  printf '1 2 3' >text
  { shmim-post a --pattern ramp -n 1; cat; } <text >rest
  cmp text rest
}

@test "a slice, a plane, and a stream whose z is time" {
  need_python numpy
  make 'tui16>a' 60x20 --fill 9
  check 0 '' '' -- shmim-post 'a[10:29,-*]' --pattern ramp -n 1
  holds a '(a[::-1, 10:30].ravel() == numpy.arange(400)).all() and (a[:, :10] == 9).all() and (a[:, 30:] == 9).all()'
  make 'tui16>b' 20x3x4 --fill 9
  check 0 '' '' -- shmim-post b --pattern ramp --plane 2 -n 1
  holds b '(a[2].ravel() == numpy.arange(60)).all() and (a[[0, 1, 3]] == 9).all()'
  make 'tui16>c' 20x3x4 --circular
  start_ready reader shmim-cat c -f -n 6 --verify
  check 0 '' '' -- shmim-post c --pattern counter -n 6 --rate 100 -q
  finish reader 0 '' 'shmim-cat: c: 6 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

# numbers STREAM: number and microseconds of a counter's frame, as the manual says to read them.
numbers() {
  array "$1"
  "$PYTHON" -c '
import numpy
frame = numpy.load("array.npy")
if frame.dtype.kind == "c":
    frame = frame.view(frame.real.dtype)
width = frame.shape[-1]
group = [int(value) for value in frame.reshape(-1, width)[0, :16]]
number = sum((digit & 63) << 6 * i for i, digit in enumerate(group[:7]))
microseconds = sum((digit & 63) << 6 * i for i, digit in enumerate(group[7:]))
assert (frame.reshape(-1, width) == numpy.resize(group, width)).all(), "torn"
assert [i for i in range(16) if group[i] >= 64] == [0, 7] and max(group) < 128
print(number, microseconds)'
}

@test "counter: number and time in the pixels of every type, as the manual has them" {
  need_python numpy
  local type before after number time
  for type in $types; do
    make --type "$type" "$type" 37x3x2
    shmim-post "$type" --update -n 100
    before=$("$PYTHON" -c 'import time; print(time.clock_gettime_ns(time.CLOCK_TAI) // 1000)')
    check 0 '' '' -- shmim-post "$type" --pattern counter -n 30
    after=$("$PYTHON" -c 'import time; print(time.clock_gettime_ns(time.CLOCK_TAI) // 1000)')
    read -r number time < <(numbers "$type")
    compare "number in $type" "$number" 130
    ((before <= time && time <= after))
    check 0 '' "shmim-cat: $type: 1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late" -- \
      shmim-cat "$type" --verify
  done
}

@test "counter: every format keeps it, for every type" {
  local type format clean='1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  for type in $types; do
    make --type "$type" a 20x3
    make --type "$type" b 20x3
    check 0 '' '' -- shmim-post a --pattern counter -n 3
    for format in text raw npy fits frames; do
      # In FITS float16 is float32, and a complex number two of an axis more.
      [[ $type/$format != @(float16|complex*)/fits ]] || continue
      run_out file shmim-cat a -o $format
      check 0 '' '' -- shmim-post b --data file --format $format
      cmp <(shmim-cat a -o raw) <(shmim-cat b -o raw)
      check 0 '' "shmim-cat: b: $clean" -- shmim-cat b --verify
    done
    shmim-cat a -o fits >conf/shmim.saved.fits
    check 0 '' "~ shmim-cat: *conf/shmim.saved.fits: $clean" -- shmim-cat @L:saved --verify
    shmim-rm -q a b
  done
}

@test "counter: frames of any size, and slices of them" {
  local size clean='1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  for size in 1 2 5 7 15 16 17 97 3x3 5x5 11x7 16x4 22x11 50x1 3x4x5 20x2x2; do
    make 'tui8>a' $size
    check 0 '' '' -- shmim-post a --pattern counter -n 100
    check 0 '' "shmim-cat: a: $clean" -- shmim-cat a --verify
    shmim-rm -q a
  done
  make 'tui8>a' 60x20
  check 0 '' '' -- shmim-post a --pattern counter -n 1
  check 0 '' "shmim-cat: a: $clean" -- shmim-cat 'a[5:37,3:9::2]' --verify
  check 1 '' 'shmim-cat: a: cnt0 1: not of a counter
shmim-cat: a: 1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late, 1 not of a counter' -- \
    shmim-cat 'a[::3,*]' --verify
}

@test "--verify: all is well, from a stream as it runs" {
  make 'tui16>cam' 64x64 -c 300
  start_ready check shmim-cat cam -f --verify -n 300 --late 1h
  check 0 '' '' -- shmim-post cam --pattern counter -n 300 --rate 2000 -q
  finish check 0 '' 'shmim-cat: cam: 300 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  # Silent, where it is asked to be.
  start_ready check2 shmim-cat cam -f --verify -n 30 -q
  check 0 '' '' -- shmim-post cam --pattern counter -n 30
  finish check2 0 '' ''
}

@test "--verify through a filter that passes on what it reads" {
  make 'tui16>cam' 64x64 -c 100
  make 'tui16>roi' 40x8 -c 100
  start_ready check shmim-cat roi --verify -n 50
  start_ready pipe bash -c 'shmim-cat "cam[3:42,10:17]" -n 50 -o raw "$@" | shmim-post roi --data -' -
  check 0 '' '' -- shmim-post cam --pattern counter -n 50
  finish pipe 0 '' ''
  finish check 0 '' 'shmim-cat: roi: 50 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

@test "--verify: each fault is a line, and exit status 1" {
  make 'tui16>a' 20x4 -c 50
  frames_of a 9 frames
  # verdict LINES SUMMARY FRAME...: of those frames, as they come to another stream.
  verdict() {
    make 'tui16>b' 20x4 -c 50 --recreate
    rm -f v.ready
    start_ready v shmim-cat b --verify -n $(($# - 2))
    part frames 160 "${@:3}" | shmim-post b --data - --format raw
    finish v 1 '' "$1
shmim-cat: b: $(($# - 2)) frames checked: $2"
  }
  verdict 'shmim-cat: b: cnt0 3: lost 1 frame: 3' '0 torn, 1 lost, 0 doubled, 0 out of order, 0 late' 0 1 3 4
  verdict 'shmim-cat: b: cnt0 2: lost 3 frames: 2 to 4' '0 torn, 3 lost, 0 doubled, 0 out of order, 0 late' 0 4 5
  verdict 'shmim-cat: b: cnt0 3: frame 2 came twice' '0 torn, 0 lost, 1 doubled, 0 out of order, 0 late' 0 1 1 2
  verdict 'shmim-cat: b: cnt0 4: frame 1 came after frame 3' '0 torn, 0 lost, 0 doubled, 1 out of order, 0 late' \
    0 1 2 0 1
  # Torn, in the middle of a row and of a number.
  { part frames 160 0; part frames 160 1 | head -c 85; part frames 160 2 | tail -c 75; part frames 160 3; } >torn
  make 'tui16>b' 20x4 -c 50 --recreate
  rm v.ready
  start_ready v shmim-cat b --verify -n 3
  shmim-post b --data torn
  finish v 1 '' '~ shmim-cat: b: cnt0 2: torn: frame 2, and from element [45]? on frame 3
shmim-cat: b: 3 frames checked: 1 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

@test "--verify: a foreign frame, a frame that was altered, and one that is late" {
  make 'tui16>a' 20x4 -c 50
  start_ready v shmim-cat a --verify -n 4 --late 1m
  check 0 '' '' -- shmim-post a --pattern counter -n 2
  echo 5 | shmim-post 'a[7,2]' --data -
  check 0 '' '' -- shmim-post a --pattern ramp -n 1
  finish v 1 '' 'shmim-cat: a: cnt0 3: torn: element 47 is not of frame 2
shmim-cat: a: cnt0 4: not of a counter
shmim-cat: a: 4 frames checked: 1 torn, 0 lost, 0 doubled, 0 out of order, 0 late, 1 not of a counter'
  # Number 9, made in 1970.
  { echo 73; yes 0 | head -n 6; echo 65; yes 1 | head -n 8; } | xargs >old
  make 'tf32>c' 16
  shmim-post c --data old
  check 1 '' '~ shmim-cat: c: cnt0 1: frame 9 is late: it was made [0-9]*.[0-9]* s before
shmim-cat: c: 1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 1 late' -- \
    shmim-cat c --verify --late 1h
  check 0 '' 'shmim-cat: c: 1 frame checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late' -- shmim-cat c --verify
}

# taken STREAM PID: the follower has taken all posts, and sleeps again.
taken() { [[ $(posts "$1") == *' 0 '* ]] && is_asleep "$2"; }

@test "--verify: frames that were published and not taken are told from others; --latest passes over them" {
  # skip_frames OPTION...: a reader that is held up for three frames.
  skip_frames() {
    make 'tui8>a' 8 --recreate
    rm -f v.ready
    start_ready v shmim-cat a --verify -n 2 "$@"
    check 0 '' '' -- shmim-post a --pattern counter -n 1
    until_true taken a "$pid_v"
    kill -STOP "$pid_v"
    check 0 '' '' -- shmim-post a --pattern counter -n 4
    kill -CONT "$pid_v"
  }
  skip_frames
  finish v 1 '' 'shmim-cat: a: cnt0 5: lost 3 frames: 2 to 4 (3 published and not taken)
shmim-cat: a: 2 frames checked: 0 torn, 3 lost, 0 doubled, 0 out of order, 0 late'
  skip_frames --latest
  finish v 0 '' 'shmim-cat: a: 2 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

@test "--verify: a stream that is re-created begins anew" {
  make 'tui8>a' 8 -c 5
  start_ready v shmim-cat a --verify -n 5
  check 0 '' '' -- shmim-post a --pattern counter -n 3
  until_true taken a "$pid_v"
  make 'tui8>a' 8 -c 5 --recreate
  until_true claimed a 1
  check 0 '' '' -- shmim-post a --pattern counter -n 2
  finish v 0 '' 'shmim-cat: a: 5 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
}

@test "--verify ends as --follow does, and says what it found" {
  local none='shmim-cat: a: 0 frames checked: 0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  make 'tui8>a' 40
  check 124 '' "~ shmim-cat: a: timed out: no frame for *
$none" -- shmim-cat a -f --verify -t 20ms
  check 0 '' "$none" -- shmim-cat a --verify --for 20ms
  start_ready v shmim-cat a -f --verify
  kill -INT "$pid_v"
  finish v 130 '' "$none"
  # A fault is worse than a frame that does not come.
  start_ready x shmim-cat a --verify -n 2 -t 1s
  shmim-post a --update
  finish x 1 '' '~ shmim-cat: a: cnt0 1: not of a counter
shmim-cat: a: timed out: no frame for * after frame 1
shmim-cat: a: 1 frame checked: *, 1 not of a counter'
  start_ready w shmim-cat a -f --verify
  shmim-rm a
  finish w 3 '' "~ $none
shmim-cat: a: was removed while we waited for its next frame*"
}

@test "--verify of frames from a file and from a pipe" {
  local clean='0 torn, 0 lost, 0 doubled, 0 out of order, 0 late'
  make 'tui16>a' 20x4 -c 50
  start_ready taker shmim-cat a -n 5 -o frames
  check 0 '' '' -- shmim-post a --pattern counter -n 5
  finish taker 0 '~ *' ''
  mv taker.out frames
  check 0 '' "shmim-cat: frames: 5 frames checked: $clean" -- shmim-cat --verify=frames --late 1h
  check 0 '' "shmim-cat: standard input: 3 frames checked: $clean" -- shmim-cat --verify=- -n 3 <frames
  shmim-post a --pattern counter -n 2
  run_out later shmim-cat a -o frames
  cat frames later | check 1 '' 'shmim-cat: standard input: cnt0 7: lost 1 frame: 6 (1 published and not taken)
shmim-cat: standard input: 6 frames checked: 0 torn, 1 lost, 0 doubled, 0 out of order, 0 late' -- \
    shmim-cat --verify=-
  # A program of another kind says no cnt0.
  need_python cbor2
  "$PYTHON" -c '
import cbor2, sys
for number in (3, 4, 4):
    pixels = cbor2.CBORTag(40, [[8], cbor2.CBORTag(64, bytes([64 + number] + 6 * [0] + [64]))])
    cbor2.dump({"shmim": 1, "pixels": pixels}, sys.stdout.buffer)
' >foreign
  check 1 '' 'shmim-cat: foreign: item 3: frame 4 came twice
shmim-cat: foreign: 3 frames checked: 0 torn, 0 lost, 1 doubled, 0 out of order, 0 late' -- \
    shmim-cat --verify=foreign
  cat frames foreign >mixed
  check 5 '' 'shmim-cat: mixed: has a frame of uint8 8 behind one of uint16 20x4' -- shmim-cat --verify=mixed
  check 1 '' "shmim-cat: frames: 5 frames checked: $clean
shmim-cat: frames: ended after 5 of 6 frames" -- shmim-cat --verify=frames -n 6
  check 1 '' 'shmim-cat: standard input: ended without a frame' -- shmim-cat --verify=- </dev/null
  check 1 '' 'shmim-cat: none: cannot open: No such file or directory' -- shmim-cat --verify=none
  echo text >text
  check 1 '' '~ shmim-cat: text: is not of frames: *' -- shmim-cat --verify=text
}

@test "--verify: what goes with it and what does not" {
  make 'tui8>a' 40
  check 2 '' '~ shmim-cat: *excludes*' -- shmim-cat a --verify -o raw
  check 2 '' '~ shmim-cat: --late requires --verify*' -- shmim-cat a --late 3s
  check 2 '' '~ shmim-cat: --verify=FILE is in the place of REF*' -- shmim-cat a --verify=-
  check 2 '' '~ shmim-cat: --follow, --latest, --passive, --timeout and --for are for streams*' -- \
    shmim-cat --verify=- --for 3s
  check 2 '' '~ shmim-cat: --late: *' -- shmim-cat a --verify --late soon
}
