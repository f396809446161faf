# shmim-play: frames of a file, published when they were. How well times are kept is not judged here: that
# frames come whole, in order, and with what was recorded of them, is.

load helpers

setup() {
  own_directories
  need_python numpy astropy cbor2
}

# record FILE KEY=VALUE...: a recording, as tests/support/recording.py makes it.
record() { "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/recording.py" "$@"; }

# follow STREAM N: its next N frames go to the file frames.
follow() { start_ready follower shmim-cat "$1" -f -n "$2" -o frames; }
followed() {
  finish follower 0 '~ *' "${1-}"
  mv "$WORK/follower.out" frames
}

# told KEY...: what each frame of the file frames says.
told() {
  "$PYTHON" -c '
import cbor2, sys
decoder = cbor2.CBORDecoder(open("frames", "rb"))
while True:
    try:
        frame = decoder.decode()
    except (cbor2.CBORDecodeEOF, EOFError):
        break
    frame.update((keyword["name"], keyword["value"]) for keyword in frame.get("keywords", []))
    print(*(frame.get(key) for key in sys.argv[1:]))
' "$@"
}

# Its summary, with the times left out.
summary() { sed -E 's/ in [0-9.]+(us|ms|s)/ in T/; s/; off by .*//'; }

@test "a recording goes to the stream of its name: whole, in order, with gaps" {
  record run.fits frames=50 gap=20:3
  make cam 16x4 --type uint16 --circular-buffer 64
  follow cam 50
  check 0 '' '~ shmim-play: run.fits: 50 frames to cam in *, 3 missed as recorded; off by p50 *, p99 *, max *' -- \
    shmim-play run.fits
  followed 'shmim-cat: cam: missed 3 frames'
  compare cnt0 "$(told cnt0 missed | tr '\n' ',')" "$(
    { seq 1 20 | sed 's/$/ 0/'; echo 24 3; seq 25 53 | sed 's/$/ 0/'; } | tr '\n' ','
  )"
  # The pixels have the number that the frame has now, and had then.
  check 1 '' 'shmim-cat: frames: cnt0 24: lost 3 frames: 21 to 23 (3 published and not taken)
shmim-cat: frames: 50 frames checked: 0 torn, 3 lost, 0 doubled, 0 out of order, 0 late' -- shmim-cat --verify=frames
  compare last "$(shmim-info cam | sed -n 's/^  cnt0 cnt1 cnt2 *//p')" '53 0 0'
}

@test "what is being written is played to where it is named, and not for its name alone" {
  record run.fits frames=3
  make cam 16x4 --type uint16
  start camera shmim-post cam --update --rate 100
  until_true has_frames cam 2
  check 1 '' "~ shmim-play: cam: process $pid_camera (shmim-post) is writing it: name it to play to it all the same
try: shmim-play run.fits cam" -- shmim-play run.fits
  check 0 '' '' -- shmim-play run.fits cam -q
  kill "$pid_camera"
  wait "$pid_camera" || true
  check 0 '' '' -- shmim-play run.fits -q
}

@test "--create makes the stream as it was recorded, with room for its keywords" {
  record run.fits frames=3 size=5x3x2 type=float32 constant=1 changing=1
  check 3 '' "shmim-play: cam: no such stream in $SHM
try: shmim-play run.fits cam --create" -- shmim-play run.fits
  check 0 '' '' -- shmim-play run.fits --create -q
  check 0 '' '' -- shmim-info cam --check float32,5x3x2
  check 0 '~ *image type       0x4: *' '' -- shmim-info cam
  compare cnt0 "$(cnt0 cam)" 3
  check 0 "~ shmim-play: other: made it: float32 5x3x2*" '' -- \
    bash -c 'shmim-play run.fits other --create -v 2>&1'
  check 3 '' "~ shmim-play: x: is no file, and no such stream*" -- shmim-play run.fits @E:x --create
}

@test "keywords and times of acquisition are as recorded" {
  record run.fits frames=4 constant=1 changing=1 tai=37
  make cam 16x4 --type uint16 --circular-buffer 8
  shmim-kw cam MINE=1 >/dev/null
  follow cam 4
  check 0 '' '' -- shmim-play run.fits -q --rate 50
  followed
  # What comes with a frame in a circular buffer are the keywords of the moment: the last is sure.
  compare last "$(told MINE GAIN OBSERVER FOCUS TEMP FILTER | tail -n 1)" '1 2 Ada 103 80.5 H3'
  compare atime "$(told atime | head -n 2 | tr '\n' ' ')" \
    '1795312405999750000 1795312406000750000 '
  # A keyword goes where it went.
  check 0 '' '' -- shmim-play run.fits -q --to 2
  check 0 '~ *GAIN*' '' -- shmim-kw cam
  check 1 '' '~ *FOCUS*' -- shmim-kw cam FOCUS
  check 0 '1' '' -- shmim-kw cam MINE
}

@test "--now and --no-keywords leave out what was recorded" {
  record run.fits frames=2 constant=1
  make cam 16x4 --type uint16
  before=$(date +%s)
  check 0 '' '' -- shmim-play run.fits -q --now --no-keywords
  acquired=$(shmim-wait cam --cnt0 2 -q --print '{atime:unix}')
  ((${acquired%.*} >= before - 1))
  check 1 '' '~ *GAIN*' -- shmim-kw cam GAIN
}

@test "a stream without room for a keyword is an error" {
  record run.fits frames=2 constant=1
  make cam 16x4 --type uint16 --keywords 1
  check 1 '' '~ shmim-play: *
shmim-play: cam: *OBSERVER*' -- shmim-play run.fits
}

@test "every type comes back as it went, compressed or not" {
  local type
  for type in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    record run.fits "name=$type" "type=$type" frames=2
    check 0 '' '' -- shmim-play run.fits --create -q
    check 0 '' '' -- shmim-info "$type" --check "$type,16x4"
    check 0 '' '~ *' -- shmim-cat "$type" --verify
  done
  record run.fits name=packed type=int32 size=64x4 frames=5 compress=RICE_1
  check 0 '' '' -- shmim-play run.fits --create -q
  check 0 '' '~ *' -- shmim-cat packed --verify
}

@test "--seek and --to: by cnt0, by time, by offset" {
  record run.fits frames=10 rate=100 first=101 start=2026-11-22T01:52:49Z
  local from to frames
  while read -r from to frames; do
    check 0 '' '' -- shmim-play run.fits --create -q --speed 10 --seek "$from" --to "$to"
    compare "$from $to" "$(cnt0 cam)" "$frames"
    shmim-rm -q cam
  done <<<'104 107 4
1 103 3
+0.02s +1m 8
2026-11-22T01:52:49.05Z 110 5
101 2026-11-22T01:52:49.005Z 1'
}

@test "a time is in UTC, whatever TAI the machine had that recorded" {
  local tai
  for tai in 0 37 40; do
    record "$tai.fits" frames=10 rate=100 first=101 start=2026-11-22T01:52:49Z tai="$tai" name="cam$tai"
    check 0 '' '' -- shmim-play "$tai.fits" --create -q --speed 10 --seek 2026-11-22T01:52:49.02Z --to 2026-11-22T01:52:49.05Z
    compare "of TAI $tai" "$(cnt0 "cam$tai")" 4
  done
  # So do several keep step, from machines that disagree.
  check 0 '' '~ *10 frames to cam0 in *10 frames to cam37 in *' -- timeout 30 shmim-play 0.fits 37.fits
}

@test "offsets are of the recorded times, or of those that --rate gives" {
  record run.fits frames=10 rate=100
  check 0 '' '' -- shmim-play run.fits --create -q --to +20ms
  compare cnt0 "$(cnt0 cam)" 3
  check 0 '' '' -- shmim-play run.fits -q --rate 1000 --to +4ms
  compare cnt0 "$(cnt0 cam)" 8
}

@test "what no place is, is wrong usage" {
  record run.fits frames=2
  for option in --seek --to; do
    check 2 '' "shmim-play: $option: 'soon' is no cnt0, no time like 2026-11-22T01:52:49.5Z, and no offset like +2.5s
Try 'shmim-play --help' for more information." -- shmim-play run.fits $option soon
    check 2 '' "~ shmim-play: $option: '+x' is no cnt0*" -- shmim-play run.fits $option +x
  done
  make cam 16x4 --type uint16
  check 1 '' '~ shmim-play: *
shmim-play: run.fits: has no frame from --seek to --to' -- shmim-play run.fits --seek 7
  check 1 '' '~ *has no frame from --seek to --to' -- shmim-play run.fits --seek 2 --to 1
}

@test "gaps before the first frame that is played are none" {
  record run.fits frames=4 gap=2:5
  check 0 '' '~ shmim-play: run.fits: 2 frames to cam in +([0-9.])@(us|ms|s); off by *' -- \
    shmim-play run.fits --create --seek 6
  compare cnt0 "$(cnt0 cam)" 2
}

@test "--loop plays again until a signal comes, and then says how it went" {
  record run.fits frames=5 constant=1
  make cam 16x4 --type uint16
  start player shmim-play run.fits --loop
  until_true has_frames cam 13
  kill -INT "$last"
  finish player 130 '' '~ shmim-play: run.fits: * frames to cam in *; off by *'
  record one.fits frames=1
  check 2 '' '~ *
shmim-play: one.fits: has one moment, and --loop needs more: say how fast with --rate HZ*' -- \
    shmim-play one.fits --loop
  make other 16x4 --type uint16
  start player shmim-play one.fits other --loop --rate 200 --json
  until_true has_frames other 5
  kill -TERM "$last"
  finish player 143 '~ {"file":"one.fits","name":"other","frames":*' ''
}

@test "several files go each to its stream, in step" {
  record a.fits name=a frames=4 rate=100
  record b.fits name=b frames=40 rate=1000
  check 0 '' '~ shmim-play: a.fits: 4 frames to a in *
shmim-play: b.fits: 40 frames to b in *' -- shmim-play a.fits b.fits --create
  compare counts "$(cnt0 a) $(cnt0 b)" '4 40'
  # b begins with the third frame of a: which comes first at that moment may be either.
  record b.fits name=b frames=2 rate=1000 start=2026-11-22T01:52:50Z
  record a.fits name=a frames=3 rate=2
  check 0 '' '' -- shmim-play a.fits b.fits --speed 20 -q
  compare counts "$(cnt0 a) $(cnt0 b)" '7 42'
  last_a=$(shmim-wait a --cnt0 7 -q --print '{writetime:unix}')
  last_b=$(shmim-wait b --cnt0 42 -q --print '{writetime:unix}')
  [[ $last_b > $last_a ]]
  check 2 '' "~ shmim-play: --seek: a cnt0 is of one stream; several files take a time or an offset*" -- \
    shmim-play a.fits b.fits --seek 1
  check 2 '' "~ shmim-play: --to: a cnt0 is of one stream*" -- shmim-play a.fits b.fits --to 1
  check 0 '' '' -- shmim-play a.fits b.fits --speed 20 -q --seek +1s
  compare counts "$(cnt0 a) $(cnt0 b)" '8 44'
}

@test "the last word is a stream where it is no file" {
  record run.fits frames=2
  make dm 16x4 --type uint16
  check 0 '' '~ shmim-play: run.fits: 2 frames to dm in *' -- shmim-play run.fits dm
  compare cnt0 "$(cnt0 dm)" 2
  check 3 '' "shmim-play: ran.fits: is no file, and no such stream in $SHM
try: shmim-play run.fits ran.fits --create" -- shmim-play run.fits ran.fits
  check 1 '' 'shmim-play: ./ran.fits: cannot be read: No such file or directory' -- \
    shmim-play run.fits ./ran.fits
  check 1 '' 'shmim-play: none.fits: cannot be read: No such file or directory' -- shmim-play none.fits
  cp run.fits again.fits
  check 2 '' "shmim-play: dm is no file, and a stream takes one: several files go to the streams that they name
Try 'shmim-play --help' for more information." -- shmim-play run.fits again.fits dm
  check 2 '' "shmim-play: run.fits and again.fits are both of cam: play one of them
Try 'shmim-play --help' for more information." -- shmim-play run.fits again.fits
  # A name that a file has too is a stream's where that is said.
  : >dm
  check 0 '' '' -- shmim-play run.fits @S:dm -q
}

@test "frames of another type or size are refused" {
  record run.fits frames=2
  make dm 16x5 --type uint16
  check 5 '' 'shmim-play: run.fits: has frames of uint16 16x4, and dm is uint16 16x5' -- shmim-play run.fits dm
  check 5 '' 'shmim-play: x: type is uint16, not float32' -- shmim-play run.fits 'tf32>x' --create
  compare cnt0 "$(cnt0 dm)" 0
}

@test "a cube of FITS or npy is played at --rate" {
  "$PYTHON" -c '
import numpy
from astropy.io import fits
cube = numpy.arange(5 * 3 * 4, dtype=">f4").reshape(5, 3, 4)
fits.writeto("cube.fits", cube)
numpy.save("cube.npy", cube)
numpy.save("f.npy", numpy.asfortranarray(cube))
numpy.save("text.npy", numpy.array(["a"]))
'
  local file
  for file in cube.fits cube.npy; do
    check 2 '' "shmim-play: $file: does not say which stream it is of
try: shmim-play $file REF" -- shmim-play "$file"
    check 2 '' "shmim-play: $file: frame 1 has no time: say how fast with --rate HZ
Try 'shmim-play --help' for more information." -- shmim-play "$file" cam --create
    check 0 '' '' -- shmim-play "$file" cam --create --rate 500 -q
    check 0 '' '' -- shmim-info cam --check float32,4x3
    compare frame "$(shmim-cat cam | head -n 1)" '48 49 50 51'
    compare cnt0 "$(cnt0 cam)" 5
    check 0 '' '' -- shmim-play "$file" cam --rate 500 -q --seek 2 --to +4ms
    compare cnt0 "$(cnt0 cam)" 7
    compare frame "$(shmim-cat cam | head -n 1)" '24 25 26 27'
    check 2 '' "~ shmim-play: *: frame 1 has no time: --seek takes a cnt0 or an offset there*" -- \
      shmim-play "$file" cam --rate 500 --seek 2026-11-22T01:52:49Z
    check 2 '' "~ *frame 1 has no time: --to takes a cnt0 or an offset there*" -- \
      shmim-play "$file" cam --rate 500 --to 2026-11-22T01:52:49Z
    # The size of the stream tells what a frame is.
    make whole 4x3x5 --type float32
    check 0 '' '' -- shmim-play "$file" whole --rate 500 -q
    compare frames "$(cnt0 whole) $(shmim-cat whole | head -n 1)" '1 0 1 2 3'
    shmim-rm -q cam whole
  done
  check 1 '' '~ shmim-play: f.npy: is an npy array in Fortran order*' -- shmim-play f.npy cam --rate 1
  check 1 '' 'shmim-play: text.npy: is an array of <U1 and the shape (1), which no stream can be' -- \
    shmim-play text.npy cam --rate 1
}

@test "damaged npy files" {
  "$PYTHON" -c '
import numpy
numpy.save("a.npy", numpy.zeros((3, 2, 2), numpy.uint8))
numpy.save("b.npy", numpy.zeros((2, 3), numpy.uint8))'
  make cam 2x2 --type uint8
  head -c -1 a.npy >cut.npy
  check 1 '' '~ shmim-play: cut.npy: 2 frames to cam in *
shmim-play: cut.npy: ends after 3 of the 4 bytes of frame 3; its header promised 0 more' -- \
    shmim-play cut.npy cam --rate 1000
  cat a.npy b.npy >mixed.npy
  check 5 '' '~ *
shmim-play: mixed.npy: has an array of uint8 3x2, and the first has frames of uint8 2x2' -- \
    shmim-play mixed.npy cam --rate 1000
  { cat a.npy; echo 'something else'; } >rest.npy
  check 1 '' '~ *
shmim-play: rest.npy: what stands here is not the header of an npy array' -- \
    shmim-play rest.npy cam --rate 1000
  head -c 60 a.npy >head.npy
  check 1 '' 'shmim-play: head.npy: the header of its npy array cannot be read' -- shmim-play head.npy cam --rate 1
}

@test "what shmim-cat wrote, as frames or FITS, keeps its times, numbers and gaps" {
  make cam 16x4 --type uint16 --circular-buffer 64
  shmim-kw cam GAIN=2 >/dev/null
  local format
  for format in frames fits extensions; do
    make to 16x4 --type uint16 --circular-buffer 64
    if [[ $format == extensions ]]; then
      start_ready extensions shmim-cat cam -f -o fits
      shmim-post cam --pattern counter -n 6 --rate 500 -q
      until_true bash -c '[[ $(stat -c %s extensions.out) == 34560 ]]'
      kill -TERM "$pid_extensions"
      finish extensions 143 '~ *' ''
    else
      start_ready "$format" shmim-cat cam -f -n 6 -o $format
      shmim-post cam --pattern counter -n 6 --rate 500 -q
      finish "$format" 0 '~ *' ''
    fi
    follow to 6
    check 0 '' "~ shmim-play: $format.out: 6 frames to to in *" -- shmim-play $format.out to
    followed
    # Acquired when cam says; and 10 ms from the first frame to the last, as there.
    compare acquired "$(told atime | tail -n 1)" "$(shmim-cat cam -o frames >frames; told atime)"
    rm follower.ready
    shmim-play $format.out to -q --to +1us
    compare cnt0 "$(cnt0 to)" 7
    compare keywords "$(shmim-kw to GAIN 2>/dev/null)" "$([[ $format == extensions ]] || echo 2)"
    shmim-rm -q to
  done
}

@test "frames files: those that cannot be played" {
  make cam 2 --type uint8
  make other 3 --type uint8
  shmim-post cam other --update -n 2
  { shmim-cat cam -o frames; shmim-cat other -o frames; } >mixed
  check 5 '' '~ *
shmim-play: mixed: frame 2 is uint8 3, and the first is uint8 2' -- shmim-play mixed cam
  shmim-cat cam -o frames | head -c 40 >cut
  check 1 '' '~ shmim-play: cut: *' -- shmim-play cut cam
}

@test "what cannot be played" {
  make cam 16x4 --type uint16
  echo 1 2 3 >text
  check 1 '' 'shmim-play: text: is none of what can be played: a recording, FITS, npy, or frames of shmim-cat' -- \
    shmim-play text
  : >empty
  check 1 '' 'shmim-play: empty: is empty' -- shmim-play empty
  mkfifo pipe
  check 1 '' 'shmim-play: pipe: is not a regular file; save it to disk first' -- shmim-play pipe
  check 1 '' 'shmim-play: .: is not a regular file; save it to disk first' -- shmim-play .
  record run.fits frames=400
  head -c -2880 run.fits >cut.fits
  check 1 '' '~ shmim-play: cut.fits: is truncated*' -- shmim-play cut.fits
  record none.fits frames=2 times=none
  check 2 '' '~ shmim-play: none.fits: frame 1 has no time: say how fast with --rate HZ*' -- shmim-play none.fits
  check 0 '' '' -- shmim-play none.fits --rate 100 -q
  record atime.fits frames=2 times=atime
  check 0 '' '' -- shmim-play atime.fits -q
  check 2 '' '~ shmim-play: --rate excludes --speed*' -- shmim-play run.fits --speed 2 --rate 100
  check 2 '' "shmim-play: --cpu: 'x' is not like 2 or 2,3
Try 'shmim-play --help' for more information." -- shmim-play run.fits --cpu x
  check 1 '' 'shmim-play: --cpu: cannot run on processor 1000: Invalid argument' -- \
    shmim-play run.fits --cpu 1000
  check 1 '' '~ *shmim-play: --cpu: cannot run on processor 1000: Invalid argument' -- \
    shmim-play run.fits --cpu 0,1000
}

@test "a gap in images of FITS is one" {
  make cam 2 --type uint8
  for _ in 1 2; do
    shmim-post cam --update
    shmim-cat cam -o fits
    shmim-post cam --update -n 2
  done >two.fits 2>/dev/null
  "$PYTHON" -c '
from astropy.io import fits
import io
data = open("two.fits", "rb").read()
half = len(data) // 2
images = [fits.open(io.BytesIO(part))[0] for part in (data[:half], data[half:])]
fits.HDUList([images[0], fits.ImageHDU(images[1].data, images[1].header)]).writeto("series.fits")'
  check 0 '' '~ shmim-play: series.fits: 2 frames to to in *, 2 missed as recorded; *' -- \
    shmim-play series.fits to --create
  compare cnt0 "$(cnt0 to)" 4
}

@test "a stream that is removed, claimed or re-created otherwise ends it" {
  record run.fits frames=5
  make cam 16x4 --type uint16
  start player shmim-play run.fits --loop
  until_true has_frames cam 3
  shmim-create -q cam 16x4 --type uint16 --recreate
  until_true has_frames cam 3
  shmim-create -q cam 16x5 --type uint16 --recreate
  finish player 5 '' '~ shmim-play: run.fits: * frames to cam in *
shmim-play: cam: was re-created with another format: size is 16x5, not 16x4 (after * frames)*'
  make --recreate cam 16x4 --type uint16
  start player shmim-play run.fits --loop
  until_true has_frames cam 3
  shmim-rm -q cam
  finish player 3 '' '~ *shmim-play: cam: was removed while we wrote to it (after * frames)*'
  make cam 16x4 --type uint16
  start claimer shmim-post cam --update --claim --rate 100
  until_true has_frames cam 2
  check 1 '' '~ shmim-play: cam: *claimed*' -- shmim-play run.fits
}
