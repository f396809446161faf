# Frames with their identity: shmim-cat -o frames, and shmim-post that reads them. The other side is
# python3-cbor2, which knows nothing of us.

load helpers

setup() {
  own_directories
  need_python cbor2 numpy
}

# decoded: frames of standard input, a line each: their axes, type and pixels, and what they say, in
# the words of another reader of CBOR.
decoded() {
  "$PYTHON" -c '
import cbor2, numpy, sys
types = {64: "u1", 69: "<u2", 70: "<u4", 71: "<u8", 72: "i1", 77: "<i2", 78: "<i4", 79: "<i8",
         84: "<f2", 85: "<f4", 86: "<f8"}
decoder = cbor2.CBORDecoder(sys.stdin.buffer)
while True:
    try:
        frame = decoder.decode()
    except (cbor2.CBORDecodeEOF, EOFError):
        break
    tagged = frame.pop("pixels")
    axes, elements = tagged.value
    array = numpy.frombuffer(elements.value, types[elements.tag]).reshape(axes)
    print(tagged.tag, array.dtype, array.tolist(), *(frame[key] for key in sys.argv[1:]))
' "$@"
}

@test "another reader of CBOR finds the pixels and what is known of them" {
  make 'tui16>cam' 3 2
  shmim-kw cam GAIN=-4/dB EXPTIME=0.5 FILTER=H >/dev/null
  check 0 '' '' -- shmim-post cam --data - --atime 2026-11-22T01:52:49.5Z <<<'1 2 3 4 5 6'
  run_out frames shmim-cat cam -o frames
  compare frame "$(decoded shmim name type cnt0 missed <frames)" \
    '40 uint16 [[1, 2, 3], [4, 5, 6]] 1 cam uint16 1 0'
  compare keywords "$(decoded keywords <frames)" \
    "40 uint16 [[1, 2, 3], [4, 5, 6]] [{'name': 'GAIN', 'value': -4, 'comment': 'dB'}, {'name': 'EXPTIME', 'value': 0.5}, {'name': 'FILTER', 'value': 'H'}]"
  compare 'first bytes' "$(od -An -tx1 -N3 frames)" ' d9 d9 f7'
}

@test "every type comes back as it went" {
  local type
  for type in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64 complex64 complex128; do
    make --type "$type" a 4 3
    make --type "$type" b 4 3
    seq 12 | shmim-post a --data -
    shmim-cat a -o frames | shmim-post b --data -
    cmp <(shmim-cat a -o raw) <(shmim-cat b -o raw)
    shmim-rm -q a b
  done
}

@test "keywords, atime and trace go with the frame" {
  make 'tui8>a' 2
  make 'tui8>b' 2
  shmim-kw a GAIN=-4/dB FILTER=H >/dev/null
  check 0 '' '' -- shmim-post a --data - --atime 2026-11-22T01:52:49.5Z <<<'1 2'
  run_out frames shmim-cat a -o frames
  check 0 '' '' -- shmim-post b --data frames --set FILTER=K
  compare keywords "$(shmim-kw b GAIN FILTER)" "$(printf '%s\n' -4 K)"
  compare atime "$(shmim-ls b --noheadings -o acquired)" '~ *2026-11-22T01:52:49.5*'
  check 0 "~ *b *a *" '' -- shmim-trace b
  make 'tui8>c' 2
  check 0 '' '' -- shmim-post c --data frames --no-keywords
  compare keywords "$(shmim-kw c)" ''
}

@test "of another host's frames the trace is left out, and all else goes on" {
  make 'tui8>a' 2
  shmim-kw a GAIN=-4 >/dev/null
  check 0 '' '' -- shmim-post a --data - --atime 2026-11-22T01:52:49.5Z <<<'1 2'
  run_out frames shmim-cat a -o frames
  "$PYTHON" -c '
import cbor2, sys
frame = cbor2.load(sys.stdin.buffer)
assert frame["trace"] and frame["inode"], frame
cbor2.dump(frame | {"boot": "another", "pixels": frame.pop("pixels")}, sys.stdout.buffer)
' <frames >afar
  for input in frames afar; do
    make "tui8>$input" 2
    check 0 '' '' -- shmim-post "$input" --data "$input" --format frames
    compare keyword "$(shmim-kw "$input" GAIN)" -4
    compare atime "$(shmim-ls "$input" --noheadings -o acquired)" '~ *2026-11-22T01:52:49.5*'
  done
  check 0 "~ *frames *a *oldest to newest: *" '' -- shmim-trace frames
  refute grep -q ' a ' <(shmim-trace afar)
}

@test "a follower here and a writer there are in step, whatever is missed between" {
  make 'tui16>cam' 16x2 -c 256
  start source shmim-post cam --pattern counter --rate 400 -q
  shmim-cat cam -n 200 -o frames | check 0 '' '' -- shmim-post copy --data - --create
  check 0 '~ *' '' -- shmim-cat copy
  check 0 '' '~ *1 frame*' -- shmim-cat copy --verify
  [[ $(cnt0 copy) -ge 200 ]]
}

@test "what a program of another kind writes is taken" {
  make 'tf32>dm' 3 2
  "$PYTHON" -c '
import cbor2, numpy, sys
for number in range(3):
    array = numpy.full((2, 3), number, "<f4")
    pixels = cbor2.CBORTag(40, [list(array.shape), cbor2.CBORTag(85, array.tobytes())])
    cbor2.dump({"shmim": 1, "note": "mine", "pixels": pixels}, sys.stdout.buffer)
' >frames
  check 0 '' '' -- shmim-post dm --data frames --format frames
  compare counts "$(cnt0 dm)" 3
  compare pixels "$(shmim-cat dm)" "$(printf '2 2 2\n2 2 2')"
}

@test "--create makes the stream from the first frame, whatever says what that is" {
  make 'tui16>cam' 3 2 --keywords 20
  shmim-kw cam {1..12}=1 >/dev/null
  check 0 '' '' -- shmim-post cam --data - <<<'1 2 3 4 5 6'
  shmim-cat cam -o frames | check 0 '' '' -- shmim-post copy --data - --create
  compare copy "$(shmim-cat copy)" "$(shmim-cat cam)"
  compare keywords "$(shmim-kw copy {1..12} | wc -l)" 12
  # Another frame, for the stream that is there now.
  shmim-cat cam -o frames | check 0 '' '' -- shmim-post copy --data - --create
  compare counts "$(cnt0 copy)" 2
  local format
  for format in npy fits; do
    shmim-cat cam -o "$format" >"file.$format"
    check 0 '' '' -- shmim-post "from-$format" --data "file.$format" --create
    compare "$format" "$(shmim-cat "from-$format")" "$(shmim-cat cam)"
  done
  compare type "$(shmim-ls from-npy --noheadings -o type,size)" '~ uint16*3x2*'
}

@test "--create says why there is nothing to make" {
  make 'tui16>cam' 2
  check 0 '' '' -- shmim-post cam --data - <<<'1 2'
  run_out frames shmim-cat cam -o frames
  check 1 '' 'shmim-post: standard input: does not say its type and size: --create needs frames, npy, or FITS in a file' -- \
    shmim-post new --data - --create <<<'1 2'
  check 1 '' 'shmim-post: standard input: does not say its type and size: --create needs frames, npy, or FITS in a file' -- \
    shmim-post new --data - --create < <(shmim-cat cam -o fits)
  check 1 '' 'shmim-post: standard input: ended without a frame' -- \
    shmim-post new --data - --create --format frames </dev/null
  check 1 '' 'shmim-post: standard input: ends in the middle of a frame' -- \
    shmim-post new --data - --create < <(head -c 40 frames)
  check 5 '' 'shmim-post: new: type is uint16, not float32' -- shmim-post 'tf32>new' --data frames --create
  check 3 '' '~ shmim-post: new: *' -- shmim-post @E:new --data frames --create
  check 3 '' '~ shmim-post: new: *' -- shmim-post 'new[0]' --data frames --create
  "$PYTHON" -c 'import numpy; numpy.save("words.npy", numpy.array(["a", "b"]))'
  check 1 '' 'shmim-post: words.npy: is an array of <U1 and the shape (2), which no stream can be' -- \
    shmim-post new --data words.npy --create
  check 1 '' 'shmim-post: standard input: ended without a frame' -- shmim-post new --data - --create </dev/null
  compare listing "$(listing)" cam.im.shm
}

# counters MISSED...: frames of one pixel, with as many missed before each.
counters() {
  "$PYTHON" -c '
import cbor2, sys
for number, missed in enumerate(sys.argv[1:]):
    pixels = cbor2.CBORTag(40, [[1], cbor2.CBORTag(64, bytes([number]))])
    cbor2.dump({"shmim": 1, "missed": int(missed), "pixels": pixels}, sys.stdout.buffer)
' "$@"
}

@test "frames that were missed on the way are counted, and found missed" {
  make 'tui8>dm' 1
  start_ready reader shmim-cat dm -f -n 3 -t 20s -o frames
  counters 0 3 0 | shmim-post dm --data - --format frames --rate 20 -q
  finish reader 0 '~ *' 'shmim-cat: dm: missed 3 frames'
  compare counts "$(decoded cnt0 missed <reader.out | cut -d' ' -f 3-)" "$(printf '%s\n' '[0] 1 0' '[1] 5 3' '[2] 6 0')"
  counters 0 18446744073709551615 >many
  check 1 '' 'shmim-post: dm: cannot count 18446744073709551615 lost frames after frame 7' -- \
    shmim-post dm --data many --format frames
  compare counts "$(cnt0 dm)" 7
}

@test "frames of another size or type, cut off, or none at all are refused" {
  make 'tui8>a' 4
  make 'tui8>b' 5
  check 0 '' '' -- shmim-post a --data - <<<'1 2 3 4'
  run_out frames shmim-cat a -o frames
  check 5 '' 'shmim-post: frames: has frames of uint8 4, not uint8 5
try: shmim-info b' -- shmim-post b --data frames
  head -c -1 frames >cut
  check 1 '' 'shmim-post: cut: ends in the middle of a frame' -- shmim-post a --data cut
  printf '\xd9\xd9\xf7\x01' >other
  check 1 '' 'shmim-post: other: is not of frames: it does not begin with a map of CBOR' -- \
    shmim-post a --data other
  compare counts "$(cnt0 a) $(cnt0 b)" '1 0'
}
