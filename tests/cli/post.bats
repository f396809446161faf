# shmim-post: posts semaphores, and publishes frames.

load helpers

@test "by default it posts every semaphore, and does nothing else" {
  make 'tui8>a' 8
  cp "$(stream_file a)" before
  check 0 '' '' -- shmim-post a
  compare posts "$(posts a)" '1 1 1 1 1 1 1 1 1 1 1'
  # Semaphores and who posted them apart, nothing has changed.
  cmp -l before "$(stream_file a)" | awk '{ print $1 - 1 }' >changed
  awk '!($1 >= 1672 && $1 < 2024) && !($1 >= 2064 && $1 < 2104)' changed >elsewhere
  compare changed "$(<elsewhere)" ''
  check 0 '' '' -- shmim-post @SE:a -n 20
  compare posts "$(posts a)" '10 10 10 10 10 10 10 10 10 10 10'
}

@test "several streams at once" {
  make 'tui8>a' 8
  make 'tui8>b' 8
  check 0 '' '' -- shmim-post a b
  compare posts "$(posts b)" '1 1 1 1 1 1 1 1 1 1 1'
  check 3 '' "shmim-post: none: no such stream in $SHM
try: shmim-create none SIZE" -- shmim-post a none b
  compare posts "$(posts a) $(posts b)" '2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2'
  check 0 '' '' -- shmim-post a b --update
  compare counts "$(cnt0 a) $(cnt0 b)" '1 1'
}

@test "--sem posts those alone, --except all but those" {
  make 'tui8>a' 8
  check 0 '' '' -- shmim-post a -s 1 --sem 3
  compare posts "$(posts a)" '0 1 0 1 0 0 0 0 0 0 0'
  check 0 '' '' -- shmim-post a --except 1 --except 9
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 0 1'
  check 2 '' "shmim-post: a: there is no semaphore 10: the stream has 0 to 9
Try 'shmim-post --help' for more information." -- shmim-post a -s 1 -s 10
  check 2 '' '~ shmim-post: a: there is no semaphore 10*' -- shmim-post a --except 10
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a -s 1 --except 2
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 0 1'
  check 2 '' '~ shmim-post: a: there is no semaphore 10*' -- shmim-post a --update -s 10
  compare cnt0 "$(cnt0 a)" 0
  check 0 '' '' -- shmim-post a --update -s 9
  compare posts "$(posts a)" '1 1 1 2 1 1 1 1 1 1 1'
  compare cnt0 "$(cnt0 a)" 1
}

@test "--update is a full update without new pixels" {
  make 'tui8>a' 8 --fill 5
  before=$(field "$(stream_file a)" 184 d8 32)
  check 0 '' '' -- shmim-post a --update
  compare cnt0 "$(cnt0 a)" 1
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  [[ $(field "$(stream_file a)" 184 d8 32) != "$before" ]]
  compare posts "$(posts a)" '1 1 1 1 1 1 1 1 1 1 1'
  check 0 '5 5 5 5 5 5 5 5' '' -- shmim-cat a
  check 0 '' '' -- shmim-post a --update -n 4
  compare cnt0 "$(cnt0 a)" 5
  check 2 '' '~ shmim-post: *excludes*' -- shmim-post a --update --data -
}

@test "--data publishes each raw frame of a file or of standard input" {
  make 'tui16>a' 2 -c 4
  bytes 1 0 2 0 3 0 4 0 5 0 6 0 >frames
  start_ready reader shmim-cat a -f -n 3
  check 0 '' '' -- shmim-post a --data frames
  finish reader 0 '1 2
3 4
5 6' ''
  compare cnt0 "$(cnt0 a)" 3
  bytes 7 0 8 0 | check 0 '' '' -- shmim-post a --data -
  check 0 '7 8' '' -- shmim-cat a
  check 1 '' 'shmim-post: standard input: ended without a frame' -- shmim-post a --data - </dev/null
  compare cnt0 "$(cnt0 a)" 4
  check 1 '' '~ shmim-post: *none: cannot open: No such file or directory' -- shmim-post a --data none
  check 1 '' "~ shmim-post: *: cannot read: Is a directory*" -- shmim-post a --data "$WORK"
  check 1 '' "~ shmim-post: standard input: cannot *: Bad file descriptor" -- \
    bash -c 'shmim-post a --data - <&-'
  check 2 '' '~ shmim-post: --data takes one stream*' -- shmim-post a a --data frames
}

@test "a frame may come in pieces" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  bytes 3 >&6
  start_ready w shmim-wait a -t 20s
  bytes 4 >&6
  finish w 0 1 ''
  check 0 '1 2 3 4' '' -- shmim-cat a
  exec 6>&-
  finish p 0 '' ''
}

@test "a partial last frame of a pipe is an error, and is not published" {
  make 'tui8>a' 4
  bytes 1 2 3 4 5 6 | check 1 '' 'shmim-post: standard input: ends after 2 of the 4 bytes of a frame, which was not published (after 1 frame)' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 1
  check 0 '1 2 3 4' '' -- shmim-cat a
  bytes 1 2 3 | check 1 '' 'shmim-post: standard input: ends after 3 of the 4 bytes of a frame, which was not published' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 1
}

@test "a file of raw frames whose last is not whole is refused before the first" {
  make 'tui8>a' 4
  bytes 1 2 3 4 5 6 >frames
  check 1 '' 'shmim-post: frames: its 6 bytes are no whole number of frames, of 4 bytes each' -- \
    shmim-post a --data frames
  check 1 '' 'shmim-post: standard input: its 6 bytes are no whole number of frames, of 4 bytes each' -- \
    shmim-post a --data - <frames
  check 1 '' 'shmim-post: frames: its 6 bytes are no whole number of frames, of 4 bytes each' -- \
    shmim-post a --data frames -n 1
  # A slice has frames of another size.
  check 1 '' 'shmim-post: frames: its 6 bytes are no whole number of frames, of 4 bytes each' -- \
    shmim-post 'a[-*]' --data frames
  compare cnt0 "$(cnt0 a)" 0
  check 0 '' '' -- shmim-post 'a[1:3]' --data frames
  compare cnt0 "$(cnt0 a)" 2
  # Of standard input, what is behind where it stands.
  check 0 '' '' -- bash -c '{ head -c 2 >/dev/null; shmim-post a --data -; } < <(cat frames)'
  exec 6<frames
  bytes 1 2 | cmp - <(dd bs=2 count=1 status=none <&6)
  check 0 '' '' -- shmim-post a --data - <&6
  exec 6<&-
  compare cnt0 "$(cnt0 a)" 4
  check 0 '3 4 5 6' '' -- shmim-cat a
}

@test "--data of FITS: one image, several, or a cube of frames" {
  make 'tui16>a' 3x2 --fill 7
  make 'tui16>b' 3x2 --fill 8
  shmim-cat a b -o fits >both.fits
  make 'tui16>c' 3x2 -c 8
  start_ready reader shmim-cat 'c[0,0]' -f -n 2
  check 0 '' '' -- shmim-post c --data both.fits
  finish reader 0 '7

8' ''
  compare cnt0 "$(cnt0 c)" 2
  check 0 '' '' -- shmim-post c --data - <both.fits
  compare cnt0 "$(cnt0 c)" 4
  check 0 '' '' -- shmim-post c --data 'both.fits[1]'
  compare cnt0 "$(cnt0 c)" 5
  gzip -k both.fits
  check 0 '' '' -- shmim-post c --data both.fits.gz
  compare cnt0 "$(cnt0 c)" 7
  make 'tui16>cube' 3x2x4 --fill 9
  shmim-cat cube -o fits >cube.fits
  check 0 '' '' -- shmim-post c --data cube.fits
  compare cnt0 "$(cnt0 c)" 11
  check 0 '9 9 9
9 9 9' '' -- shmim-cat c
}

@test "--data of FITS of another type or size is exit 5, and is not published" {
  make 'tui16>a' 3x2 --fill 7
  shmim-cat a -o fits >a.fits
  make 'tf32>b' 3x3
  check 5 '' 'shmim-post: a.fits: type is uint16, not float32; size is 3x2, not 3x3
try: shmim-info b' -- shmim-post b --data a.fits
  compare cnt0 "$(cnt0 b)" 0
  head -c $((2880 + 11)) a.fits >short.fits
  check 1 '' '~ shmim-post: short.fits: *' -- shmim-post a --data short.fits
  compare cnt0 "$(cnt0 a)" 0
}

@test "-n: so many frames, from the beginning of the file again" {
  make 'tui8>a' 1 -c 8
  bytes 1 2 3 >frames
  start_ready reader shmim-cat a -f -n 5 -o raw
  check 0 '' '' -- shmim-post a --data frames -n 5
  finish reader 0 '~ *' ''
  bytes 1 2 3 1 2 | cmp - reader.out
  check 0 '' '' -- shmim-post a --data frames -n 2
  compare cnt0 "$(cnt0 a)" 7
  # What cannot begin again ends.
  bytes 1 2 3 | check 0 '' '' -- shmim-post a --data /dev/stdin -n 2
  cat frames | check 1 '' 'shmim-post: standard input: ended after 3 of 5 frames' -- shmim-post a --data - -n 5
  compare cnt0 "$(cnt0 a)" 12
  # Standard input that is a file begins again where it stood.
  exec 6<frames
  dd bs=1 count=1 status=none <&6 >/dev/null
  start_ready second shmim-cat a -n 3 -o raw
  check 0 '' '' -- shmim-post a --data - -n 3 <&6
  exec 6<&-
  finish second 0 '~ *' ''
  bytes 2 3 2 | cmp - second.out
  : >empty
  check 1 '' 'shmim-post: empty: ended without a frame' -- shmim-post a --data empty
  make 'tui16>f' 2 --fill 3
  shmim-cat f -o fits >f.fits
  check 0 '' '' -- shmim-post f --data f.fits -n 3
  compare cnt0 "$(cnt0 f)" 3
  check 1 '' 'shmim-post: standard input: ended after 0 of 5 frames' -- shmim-post a --data - -n 5 </dev/null
}

@test "--rate paces, and says on stderr what it reached" {
  make 'tui8>a' 1
  begin=$(date +%s%N)
  check 0 '' '~ shmim-post: a: 21 in * s: * Hz of 200 Hz' -- shmim-post a --update -n 21 --rate 200
  [[ $(($(date +%s%N) - begin)) -ge 100000000 ]]
  compare cnt0 "$(cnt0 a)" 21
  sequence 11 >frames
  check 0 '' '~ shmim-post: a: 11 in * s: * Hz of 1000 Hz' -- \
    shmim-post a --data frames --rate 1000
  check 0 '' '~ shmim-post: a: 3 in *' -- shmim-post a -n 3 --rate 1000
  check 0 '' '' -- shmim-post a -n 3 --rate 1000 -q
}

@test "several streams at a rate have their turn each time" {
  make a 1
  make b 1
  check 0 '' '~ shmim-post: a: 3 in * s: * Hz of 200 Hz
shmim-post: b: 3 in * s: * Hz of 200 Hz' -- shmim-post @E:a b --update -n 3 --rate 200
  compare cnt0 "$(cnt0 a) $(cnt0 b)" '3 3'
  start p shmim-post a b --update --rate 200
  until_true bash -c '(($(shmim-ls --noheadings -o cnt0 b) > 5))'
  shmim-rm a
  # One that is gone is said, and keeps nobody from theirs.
  until_true grep -q 'shmim-post: a: ' p.err
  local before
  before=$(cnt0 b)
  until_true bash -c "((\$(shmim-ls --noheadings -o cnt0 b) > $before + 3))"
  kill -TERM "$last"
  finish p 143 '' '~ shmim-post: a: *removed*
shmim-post: b: * in * s: * Hz of 200 Hz'
}

@test "npy: a frame, several in one array, arrays behind one another" {
  make 'tui16>a' 3x2 --fill 7 -c 8
  make 'tui16>b' 3x2 -c 8
  shmim-cat a -o npy >a.npy
  check 0 '' '' -- shmim-post b --data a.npy
  cat a.npy a.npy | check 0 '' '' -- shmim-post b --data -
  compare cnt0 "$(cnt0 b)" 3
  check 0 '7 7 7
7 7 7' '' -- shmim-cat b
  start_ready cube shmim-cat b -n 2 -o npy
  bytes 1 0 2 0 3 0 4 0 5 0 6 0 7 0 8 0 9 0 1 1 2 1 3 1 | shmim-post b --data -
  finish cube 0 '~ *' ''
  start_ready reader shmim-cat a -n 4 -o raw
  check 0 '' '' -- shmim-post a --data cube.out -n 4
  finish reader 0 '~ *' ''
  bytes 1 0 2 0 3 0 4 0 5 0 6 0 7 0 8 0 9 0 1 1 2 1 3 1 >frames
  cat frames frames | cmp - reader.out
  # An end within the array.
  head -c 145 cube.out | check 1 '' 'shmim-post: standard input: ends after 5 of the 12 bytes of a frame, which was not published; its header promised 1 more (after 1 frame)' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 5
  head -c 145 cube.out >short.npy
  check 1 '' 'shmim-post: short.npy: has 17 bytes behind its header, which promises 2 frames of 12 each' -- \
    shmim-post a --data short.npy
  compare cnt0 "$(cnt0 a)" 5
}

@test "npy of another type, size or order is refused by name" {
  make 'tui16>a' 3x2
  make 'tf32>b' 2x3
  shmim-cat a -o npy >a.npy
  check 5 '' 'shmim-post: a.npy: type is uint16, not float32; size is 3x2, not 2x3
try: shmim-info b' -- shmim-post b --data a.npy
  check 5 '' '~ shmim-post: standard input: type is uint16, not float32; size is 3x2, not 2x3*' -- \
    shmim-post b --data - < <(cat a.npy)
  sed 's/<u2/|b1/' a.npy >bool.npy
  check 5 '' '~ shmim-post: bool.npy: type is |b1, not uint16*' -- shmim-post a --data bool.npy
  sed "s/False/True /" a.npy >fortran.npy
  check 1 '' '~ shmim-post: fortran.npy: is an npy array in Fortran order, *; save numpy.ascontiguousarray(array)' -- \
    shmim-post a --data fortran.npy
  sed "s/shape/slope/" a.npy >odd.npy
  check 1 '' 'shmim-post: odd.npy: the header of its npy array cannot be read' -- shmim-post a --data odd.npy
  check 1 '' 'shmim-post: standard input: what stands here is not the header of an npy array' -- \
    shmim-post a --data - --format npy <<<'1 2 3'
  cat a.npy <(echo 1 2 3 4 5 6) | check 1 '' 'shmim-post: standard input: what stands here is not the header of an npy array (after 1 frame)' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a) $(cnt0 b)" '1 0'
}

@test "what NumPy saves, big-endian arrays too" {
  need_python numpy
  make 'tsi16>a' 3x2
  make 'tc64>c' 3
  "$PYTHON" -c '
import numpy
a = numpy.arange(12).reshape(2, 2, 3)
numpy.save("big.npy", a.astype(">i2"))
numpy.save("c.npy", numpy.array([1 + 2j, 3, -4j]).astype(">c8"))
numpy.savetxt("a.txt", a[0])
numpy.savez("a.npz", a)
'
  check 0 '' '' -- shmim-post a --data big.npy
  check 0 '6 7 8
9 10 11' '' -- shmim-cat a
  compare cnt0 "$(cnt0 a)" 2
  check 0 '' '' -- shmim-post a --data a.txt
  check 0 '0 1 2
3 4 5' '' -- shmim-cat a
  check 0 '' '' -- shmim-post c --data c.npy
  check 0 '1+2j 3+0j -0-4j' '' -- shmim-cat c
  check 1 '' '~ shmim-post: a.npz: is compressed by zip*
try: unzip -p a.npz | shmim-post a --data -' -- shmim-post a --data a.npz
}

@test "text: what shmim-cat writes, for every type, and the bits are the same" {
  local type size
  for entry in uint8:1 int8:1 uint16:2 int16:2 uint32:4 int32:4 uint64:8 int64:8; do
    IFS=: read -r type size <<<"$entry"
    make "a$type" 5x3x2 -T "$type"
    make "b$type" 5x3x2 -T "$type"
    # The lowest and the highest number among them.
    { head -c $((26 * size)) /dev/urandom
      head -c $((size * 2 - 1)) /dev/zero
      printf '\x80'
      head -c $((size - 1)) /dev/zero | tr '\0' '\377'
      printf '\x7f'
      head -c "$size" /dev/zero | tr '\0' '\377'; } >frame
    check 0 '' '' -- shmim-post "a$type" --data frame --format raw
    shmim-cat "a$type" | check 0 '' '' -- shmim-post "b$type" --data -
    run_out back shmim-cat "b$type" -o raw
    cmp frame back
  done
  # 1/3, the smallest, the largest, -0, infinities, nan.
  text='0.33333334 1e-45 3.4028235e+38 -0 inf -inf nan'
  make af 7 -T float32
  check 0 '' '' -- shmim-post af --data - <<<"$text"
  check 0 "$text" '' -- shmim-cat af
  text='0.3333333333333333 5e-324 1.7976931348623157e+308 -0 inf -inf nan'
  make ad 7 -T float64
  check 0 '' '' -- shmim-post ad --data - <<<"$text"
  check 0 "$text" '' -- shmim-cat ad
  text='0.3333 6e-08 65500 -0 inf -inf nan'
  make ah 7 -T float16
  check 0 '' '' -- shmim-post ah --data - <<<"$text"
  check 0 "$text" '' -- shmim-cat ah
  text='1+2j -1e-05-1e-20j 0-0j inf-infj nan+nanj'
  for type in complex64 complex128; do
    make "a$type" 5 -T "$type"
    check 0 '' '' -- shmim-post "a$type" --data - <<<"$text"
    check 0 "$text" '' -- shmim-cat "a$type"
  done
}

@test "text as people and programs write it" {
  make 'tf32>dm' 3x2
  for text in '1 2 3\n4 5 6\n' '1 2 3 4 5 6' '1\n2\n3\n4\n5\n6' '  1.0\t2e0 +3\r\n\n' '\n 1 2 3\n4 5 6\n\n\n'; do
    printf "${text/+3\\r\\n\\n/+3\\r\\n4 5 6}" | check 0 '' '' -- shmim-post dm --data -
    check 0 '1 2 3
4 5 6' '' -- shmim-cat dm
  done
  compare cnt0 "$(cnt0 dm)" 5
  make 'tui16>n' 2
  check 0 '' '' -- shmim-post n --data - <<<'3e4 1.0'
  check 0 '30000 1' '' -- shmim-cat n
  # Several frames, of a file too, which begins again.
  seq 6 >numbers
  check 0 '' '' -- shmim-post n --data numbers -n 7
  compare cnt0 "$(cnt0 n)" 8
  check 0 '1 2' '' -- shmim-cat n
}

@test "text that is no frame of the stream is refused, with its line" {
  make 'tui8>a' 3x2 --fill 9
  # refused TEXT MESSAGE
  refused() {
    printf "$1" | check 1 '' "shmim-post: standard input: $2" -- shmim-post a --data - || return 1
    printf "$1" >text
    check 1 '' "shmim-post: text: $2" -- shmim-post a --data text || return 1
  }
  refused '1 2 3\n4 5 300\n' "line 2: '300' does not fit uint8"
  refused '1 2 3\n4 -5 6\n' "line 2: '-5' does not fit uint8"
  refused '1 2.5 3\n' "line 1: '2.5' does not fit uint8"
  refused '1 2 nan\n' "line 1: 'nan' does not fit uint8"
  refused '1 2 3e\n' "line 1: '3e' is not a number"
  refused '1,2,3\n' "line 1: '1,2,3' is not a number"
  refused '1 2\n3 4\n5 6\n' 'line 1: 2 numbers, where a row has 3'
  refused '1 2 3\n4 5\n' 'line 2: 2 numbers, where a row has 3'
  refused '1 2 3 4 5 6 7 8 9\n' 'line 1: more than the 6 numbers of a frame'
  refused '1 2 3\n' 'ends after 3 of the 6 numbers of a frame, which was not published'
  refused '1 2 3\n4\n\n5\n' 'line 3: is empty, after 4 of the 6 numbers of a frame'
  refused '12' 'ends after 1 of the 6 numbers of a frame, which was not published'
  refused ' \n' 'ended without a frame'
  head -c 5000 /dev/zero | tr '\0' ' ' | check 1 '' \
    'shmim-post: standard input: begins with thousands of blanks; if they are pixels, say --format raw' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 0
  check 0 '9 9 9
9 9 9' '' -- shmim-cat a
}

@test "a source that changes its format publishes none of it" {
  make 'tui8>a' 2
  { echo 1 2; bytes 1 2 3 4; } | check 1 '' \
    "~ shmim-post: standard input: line 2: '*' is not a number (after 1 frame)" -- shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 1
  check 0 '1 2' '' -- shmim-cat a
}

@test "digits are text, and pixels where --format says so" {
  make 'tui8>a' 4
  check 0 '' '' -- shmim-post a --data - --format raw < <(printf '1 23')
  check 0 '49 32 50 51' '' -- shmim-cat a
  check 1 '' 'shmim-post: standard input: line 1: 2 numbers, where a row has 4' -- \
    shmim-post a --data - < <(printf '1 23')
  check 1 '' '~ shmim-post: standard input: line 1: *is not a number' -- \
    shmim-post a --data - --format text < <(bytes 1 2 3 4)
  # A frame that begins with a digit is one of pixels all the same, in whatever pieces it comes.
  { printf 1; sleep 0.1; printf 2; bytes 7 8; } | check 0 '' '' -- shmim-post a --data -
  check 0 '49 50 7 8' '' -- shmim-cat a
  check 0 '' '' -- shmim-post a --data - --format auto <<<'1 2 3 4'
  compare cnt0 "$(cnt0 a)" 3
  check 2 '' '~ shmim-post: --format: *' -- shmim-post a --data - --format png
  check 2 '' '~ shmim-post: --format says what --data is, and there is none*' -- shmim-post a --format raw
}

@test "text is published frame by frame, as it comes" {
  make 'tf32>a' 2x2
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  for i in 1 2 3; do
    printf '%s 0\n%s' $i $i >&6
    printf '.5 0\n' >&6
    shmim-wait a --cnt0 $i -t 20s >/dev/null
    check 0 "$i 0
$i.5 0" '' -- shmim-cat a
    printf '\n' >&6
  done
  exec 6>&-
  finish p 0 '' ''
}

@test "a pipe from shmim-cat to shmim-post needs no option on either side" {
  make 'tf32>a' 2x2 -c 8
  make 'tf32>b' 2x2
  local count=0
  for format in text npy fits; do
    mkfifo pipe
    start p shmim-post b --data pipe
    start_ready "cat_$format" bash -c 'exec shmim-cat a -f -o "$@" >pipe' - "$format"
    for i in 1 2 3; do
      count=$((count + 1))
      printf '%s 0\n0 0.1\n' $i | shmim-post a --data -
      # Each has come before the next is written.
      shmim-wait b --cnt0 $count -t 20s >/dev/null
      check 0 "$i 0
0 0.1" '' -- shmim-cat b
    done
    kill -TERM "$last"
    finish p 0 '' ''
    rm pipe
  done
}

@test "FITS through a pipe: HDU by HDU, also such as hold no image" {
  make 'tui16>a' 3x2 --fill 7
  make 'tui16>b' 3x2 -c 8
  local -a cards=("EXTEND  =                    T")
  : | fits_file 8 >empty.fits
  shmim-cat a a -o fits >two.fits
  # A table of two rows of four bytes, with a heap of ten.
  { local card header=''
    for card in "XTENSION= 'BINTABLE'" 'BITPIX  =                    8' 'NAXIS   =                    2' \
      'NAXIS1  =                    4' 'NAXIS2  =                    2' 'PCOUNT  =                   10' \
      'GCOUNT  =                    1' 'TFIELDS =                    1' "TFORM1  = 'J'" END; do
      printf -v card '%-80s' "$card"
      header+=$card
    done
    printf '%-2880s' "$header"
    head -c 2880 /dev/zero; } >table
  { cat empty.fits table; tail -c +5761 two.fits; cat two.fits; } >all.fits
  cat all.fits | check 0 '' '' -- shmim-post b --data -
  compare cnt0 "$(cnt0 b)" 3
  check 0 '7 7 7
7 7 7' '' -- shmim-cat b
  # The last filling may be missing, the pixels may not.
  head -c $((5760 + 2880 + 12)) two.fits | check 0 '' '' -- shmim-post b --data -
  compare cnt0 "$(cnt0 b)" 5
  head -c $((5760 + 2880 + 11)) two.fits | check 1 '' \
    'shmim-post: standard input: HDU 1: ends after 11 of its 12 bytes, and was not published (after 1 frame)' -- \
    shmim-post b --data -
  head -c 7000 two.fits | check 1 '' \
    'shmim-post: standard input: HDU 1: the header has no end (after 1 frame)' -- shmim-post b --data -
  cat two.fits <(echo 1 2 3) | check 1 '' \
    'shmim-post: standard input: HDU 2: what stands here is no header of FITS (after 2 frames)' -- \
    shmim-post b --data -
  sed 's/NAXIS1  =                    3/NAXIS1  = 9999999999999999999 /' two.fits | check 1 '' \
    'shmim-post: standard input: HDU 0: the header does not say how large it is' -- shmim-post b --data -
  make 'tui16>c' 2x3
  cat two.fits | check 5 '' 'shmim-post: standard input: size is 3x2, not 2x3
try: shmim-info c' -- shmim-post c --data -
  cat two.fits | check 1 '' 'shmim-post: standard input: ended after 2 of 3 frames' -- \
    shmim-post b --data - -n 3
  check 0 '' '' -- shmim-post b --data - -n 3 <two.fits
}

@test "a cube of FITS through a pipe is published frame by frame, as it comes" {
  make 'tui16>a' 3x2
  local -a cards=("BSCALE  =                    1" "BZERO   =                32768")
  local -i value
  { for ((value = 1; value <= 24; value++)); do bytes 128 "$value"; done; } | fits_file 16 3 2 4 >cube.fits
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  # Two and a half, the rest of them, and the filling that may be lacking.
  head -c $((2880 + 30)) cube.fits >&6
  shmim-wait a --cnt0 2 -t 20s >/dev/null
  check 0 '7 8 9
10 11 12' '' -- shmim-cat a
  tail -c +$((2880 + 31)) cube.fits | head -c 18 >&6
  shmim-wait a --cnt0 4 -t 20s >/dev/null
  check 0 '19 20 21
22 23 24' '' -- shmim-cat a
  exec 6>&-
  finish p 0 '' ''
  # Another file may come behind it, and what a frame lacks is said.
  { cat cube.fits; head -c $((2880 + 42)) cube.fits; } | check 1 '' \
    'shmim-post: standard input: HDU 1: ends after 6 of the 12 bytes of frame 4 of its 4, which was not published (after 7 frames)' -- \
    shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 11
  make 'tf32>b' 3x2
  check 5 '' '~ shmim-post: standard input: type is uint16, not float32*' -- shmim-post b --data - < <(cat cube.fits)
}

@test "compressed data is read, or refused with what to type" {
  make 'tui8>a' 4x2 --fill 7
  make 'tui8>b' 4x2
  shmim-cat a -o fits >a.fits
  gzip -k a.fits
  check 0 '' '' -- shmim-post b --data a.fits.gz
  check 5 '' '~ shmim-post: a.fits.gz: size is 4x2, not 2x1*' -- shmim-post 'b[0:1,0]' --data a.fits.gz
  cat a.fits.gz | check 1 '' 'shmim-post: standard input: is compressed by gzip
try: zcat FILE | shmim-post b --data -' -- shmim-post b --data -
  check 1 '' 'shmim-post: standard input: is compressed by gzip
try: zcat FILE | shmim-post b --data - --dir '"$SHM" -- shmim-post b --data - -d "$SHM" <a.fits.gz
  zcat a.fits.gz | check 0 '' '' -- shmim-post b --data -
  compare cnt0 "$(cnt0 b)" 2
  bytes 1 2 3 4 5 6 7 8 | gzip >"raw data"
  check 1 '' "~ shmim-post: raw data: is compressed by gzip: *
try: zcat 'raw data' | shmim-post b --data -" -- shmim-post b --data 'raw data'
  # Their first bytes are enough to tell.
  for entry in 'xz:xzcat:\xfd7zXZ\0' 'zstd:zstdcat:\x28\xb5\x2f\xfd' 'lz4:lz4cat:\x04\x22\x4d\x18' \
    'bzip2:bzcat:BZh9' 'compress:zcat:\x1f\x9d\x90' 'zip:unzip -p:PK\x03\x04'; do
    IFS=: read -r name command magic <<<"$entry"
    { printf "$magic"; head -c 100 /dev/zero; } >packed
    cat packed | check 1 '' "shmim-post: standard input: is compressed by $name
try: $command FILE | shmim-post b --data -" -- shmim-post b --data -
    check 1 '' "~ shmim-post: packed: is compressed by $name*
try: $command packed | shmim-post b --data -" -- shmim-post b --data packed
  done
  compare cnt0 "$(cnt0 b)" 2
  # But pixels are what they are said to be.
  printf '\xfd7zXZ\0\0\0' | check 0 '' '' -- shmim-post b --data - --format raw
  bzip2 -k a.fits || return 0
  check 0 '' '' -- shmim-post b --data a.fits.bz2
}

@test "a file of frames on standard input without --data is wrong usage; a loop's is not" {
  make 'tui8>a' 4
  bytes 1 2 3 4 1 2 3 4 >frames
  shmim-cat a -o npy >frames.npy
  shmim-cat a >frames.txt
  shmim-cat a -o fits >frames.fits
  for file in frames frames.npy frames.txt frames.fits; do
    check 2 '' 'shmim-post: a: standard input is a file of its frames, and nothing says --data
try: shmim-post a --data -' -- shmim-post a <$file
  done
  compare posts "$(posts a)" '0 0 0 0 0 0 0 0 0 0 0'
  # What a script was given is none of it: other text, frames of another size, nothing, a pipe.
  echo 'one two' >words
  bytes 1 2 3 4 5 >other
  for file in words other /dev/null; do
    check 0 '' '' -- shmim-post a <$file
  done
  cat frames | check 0 '' '' -- shmim-post a
  compare posts "$(posts a)" '4 4 4 4 4 4 4 4 4 4 4'
  printf '%s\n' 1 2 3 4 5 6 7 8 >lines
  check 0 '' '' -- bash -c 'while read -r _; do shmim-post a --sem 1 || exit; done <lines'
  check 0 '' '' -- sh -c 'while read -r _; do shmim-post a --sem 2 || exit; done <lines'
  printf '%s\n' 'shmim-post a --sem 3' 'shmim-post a --sem 3' >script
  check 0 '' '' -- bash <script
  check 0 '' '' -- sh <script
  compare posts "$(posts a)" '4 10 10 8 4 4 4 4 4 4 4'
  # Looking at it takes nothing of it.
  check 0 'one two' '' -- bash -c 'shmim-post a && head -n 1' <words
}

@test "--rate without -n goes on until it is interrupted" {
  make 'tui8>a' 1
  start p shmim-post a --update --rate 1000
  shmim-wait a --cnt0 5 -t 20s >/dev/null
  kill -INT "$pid_p"
  finish p 130 '' '~ *'
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
}

@test "SIGINT while it waits for data leaves the stream whole" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  bytes 1 2 >&6
  kill -TERM "$pid_p"
  finish p 143 '' ''
  exec 6>&-
  compare cnt0 "$(cnt0 a)" 1
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  check 0 '1 2 3 4' '' -- shmim-cat a
}

@test "--set sets keywords with the frame" {
  make 'tui8>a' 1 --set GAIN=1
  check 0 '' '' -- shmim-post a --update --set GAIN=2 --set "EXPTIME=0.5/[s]"
  run_out out shmim-cat a -o fits
  head -c 2880 out | fold -w 80 | grep -q '^GAIN    = *2 '
  head -c 2880 out | fold -w 80 | grep -q '^EXPTIME = *0.5 / \[s\]'
  bytes 3 | check 0 '' '' -- shmim-post a --data - --set GAIN=3
  run_out out shmim-cat a -o fits
  head -c 2880 out | fold -w 80 | grep -q '^GAIN    = *3 '
  check 2 '' "~ shmim-post: keyword 'nonsense': *" -- shmim-post a --update --set nonsense
  compare cnt0 "$(cnt0 a)" 2
}

@test "a keyword slot left busy by a killed process holds no frame up" {
  make 'tui8>a' 4 --set A=1
  leave_keyword_busy a
  head -c 8000 /dev/zero >frames
  # 40 s at the 20 ms that a look at the table takes.
  check 0 '' '' -- timeout 20 shmim-post a --data frames
  check 0 '' '' -- timeout 20 shmim-post a --data frames --set B=2
  [ "$(cnt0 a)" -eq 4000 ]
  check 0 2 '' -- shmim-kw a B
}

@test "--set that finds no slot is an error, and no frame is published or harmed" {
  make 'tui8>a' 2 --fill 4 -k 1 --set A=1
  bytes 8 9 | check 1 '' "~ shmim-post: a: keyword 'B': all 1 slots are in use*" -- \
    shmim-post a --data - --set B=1
  compare cnt0 "$(cnt0 a)" 0
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  check 0 '4 4' '' -- shmim-cat a
}

@test "--atime is the time of acquisition" {
  make 'tui8>a' 1
  for stamp in 2026-11-22T01:52:49.5Z 2026-11-22T01:52:49.5 1795312369.5; do
    check 0 '' '' -- shmim-post a --update --atime "$stamp"
    check 0 2026-11-22T01:52:49.500000000Z '' -- shmim-wait a --cnt0 0 --print '{atime}'
  done
  check 0 '' '' -- shmim-post a --update --atime "$(date +%s.%N)"
  check 0 '' '' -- shmim-post a --update --atime 2026-11-22T01:52:49Z
  check 0 2026-11-22T01:52:49.000000000Z '' -- shmim-wait a --cnt0 0 --print '{atime}'
  count=$(cnt0 a)
  for stamp in yesterday 2026-11-22 '' 12x 1.2.3; do
    check 2 '' "~ shmim-post: --atime*
Try 'shmim-post --help' for more information." -- shmim-post a --update --atime "$stamp"
  done
  compare cnt0 "$(cnt0 a)" "$count"
}

@test "--data of our FITS has the time of acquisition in it" {
  make 'tui8>a' 2
  for second in 1 2; do
    bytes "$second" "$second" | shmim-post a --data - --atime "2020-01-01T00:00:0${second}Z"
    shmim-cat a -o fits >"$second.fits"
  done
  bytes 3 3 | fits_file 8 2 >3.fits
  make 'tui8>b' 2
  acquired() { shmim-wait b --cnt0 0 --print '{atime}'; }
  shmim-post b --data 1.fits
  compare atime "$(acquired)" 2020-01-01T00:00:01.000000000Z
  shmim-post b --data - <2.fits
  compare atime "$(acquired)" 2020-01-01T00:00:02.000000000Z
  # Another's file is of now; and what is asked for goes first.
  shmim-post b --data 3.fits
  check 0 '~ 20[2-9]?-*' '' -- shmim-wait b --cnt0 0 --print '{atime}'
  refute test "$(acquired)" = 2020-01-01T00:00:02.000000000Z
  shmim-post b --data 1.fits --atime 2021-01-01T00:00:00Z
  compare atime "$(acquired)" 2021-01-01T00:00:00.000000000Z
}

@test "--plane writes a z plane; a circular stream rolls, and cnt1 names the plane" {
  make 'tui8>a' 2x1x3 --circular
  for i in 1 2 3 4; do
    bytes $i $i | check 0 '' '' -- shmim-post a --data -
    compare cnt1 "$(field "$(stream_file a)" 272 u8 8)" $(((i - 1) % 3))
  done
  check 0 '4 4

2 2

3 3' '' -- shmim-cat a
  bytes 9 9 | check 0 '' '' -- shmim-post a --data - --plane 2 --format raw
  compare cnt1 "$(field "$(stream_file a)" 272 u8 8)" 2
  check 0 '~ *9 9' '' -- shmim-cat a
  # Several at once, one behind the other.
  bytes 5 5 6 6 | check 0 '' '' -- shmim-post a --data -
  check 0 '5 5

6 6

9 9' '' -- shmim-cat a
  # A stream whose z is no time: planes by name only, a frame is the whole array.
  make 'tui8>b' 2x1x3
  bytes 7 7 | check 0 '' '' -- shmim-post b --data - --plane 1
  check 0 '0 0

7 7

0 0' '' -- shmim-cat b
  bytes 1 2 3 4 5 6 | check 0 '' '' -- shmim-post b --data -
  check 2 '' "~ shmim-post: b: there is no plane 3: there are 0 to 2*" -- \
    shmim-post b --data /dev/null --plane 3
  make 'tui8>c' 2
  check 2 '' "~ shmim-post: c: has no z planes: its size is 2*" -- \
    shmim-post c --data /dev/null --plane 0
}

@test "a slice in the reference is the part that is written" {
  make 'tui8>a' 3x2
  bytes 1 2 | check 0 '' '' -- shmim-post 'a[1:2,0]' --data -
  check 0 '0 1 2
0 0 0' '' -- shmim-cat a
  bytes 7 8 9 | check 0 '' '' -- shmim-post 'a[-*,1]' --data -
  check 0 '0 1 2
9 8 7' '' -- shmim-cat a
  bytes 1 | check 1 '' '~ shmim-post: standard input: ends after 1 of the 2 bytes*' -- \
    shmim-post 'a[1:2,0]' --data -
  check 2 '' '~ shmim-post: a: a slice that averages cannot be written*' -- \
    shmim-post 'a[::2b]' --data /dev/null
  check 2 '' '~ shmim-post: a: index 3 is out of range*' -- shmim-post 'a[3]' --data /dev/null
}

@test "--trigger and --pid are for the trace" {
  make 'tui8>in' 1
  make 'tui8>out' 1
  bytes 1 | shmim-post in --data - --pid $$
  bytes 2 | check 0 '' '' -- shmim-post out --data - --trigger in --pid $$
  run_out trace shmim-trace out --json
  compare steps "$(wc -l <trace)" 2
  grep -q "\"stream\":\"out\",\"procwrite_PID\":$$,.*\"alive\":true,\"trigger\":\"in\"" trace
  grep -q "\"stream\":\"in\",\"procwrite_PID\":$$,.*\"trigger\":\"\"" trace
  check 3 '' "~ shmim-post: none: no such stream in *" -- shmim-post out --update --trigger none
  compare cnt0 "$(cnt0 out)" 1
}

@test "--claim: the only writer; a second is told who it is" {
  make 'tui8>a' 4
  mkfifo pipe
  start p shmim-post a --data pipe --claim
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  cp "$(stream_file a)" before
  for line in '--claim --update' --update '--data /dev/zero -n 1'; do
    # shellcheck disable=SC2086
    check 1 '' "shmim-post: a: process $pid_p (shmim-post) has claimed the right to write it" -- \
      shmim-post a $line
  done
  cmp before "$(stream_file a)"
  kill -INT "$pid_p"
  finish p 130 '' ''
  exec 6>&-
  check 0 '' '' -- shmim-post a --claim --update
  # A claim goes with its process, however that ends.
  start q shmim-post a --data pipe --claim
  exec 6>pipe
  bytes 1 2 3 4 >&6
  shmim-wait a --cnt0 3 -t 20s >/dev/null
  kill -KILL "$pid_q"
  finish q 137 '' ''
  exec 6>&-
  check 0 '' '' -- shmim-post a --claim --update
}

@test "options that need a frame are refused without one" {
  make 'tui8>a' 1
  for option in '--set A=1' '--atime 3' '--plane 1' '--trigger a' '--pid 3' --claim; do
    # shellcheck disable=SC2086
    check 2 '' "shmim-post: --set, --atime, --plane, --trigger, --pid and --claim need --update, --data or --pattern
Try 'shmim-post --help' for more information." -- shmim-post a $option
  done
  compare posts "$(posts a)" '0 0 0 0 0 0 0 0 0 0 0'
}

@test "it goes on with a stream re-created with the same format" {
  make 'tui8>a' 2
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 2 --recreate
  bytes 3 4 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  check 0 '3 4' '' -- shmim-cat a
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 3 --recreate
  bytes 5 6 >&6
  exec 6>&-
  finish p 5 '' '~ shmim-post: a: was re-created with another format: size is 3, not 2*'
  check 0 '0 0 0' '' -- shmim-cat a
}

@test "the stream is removed while it writes" {
  make 'tui8>a' 2
  mkfifo pipe
  start p shmim-post a --data pipe
  exec 6>pipe
  bytes 1 2 >&6
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  shmim-rm a
  bytes 1 2 >&6
  finish p 3 '' 'shmim-post: a: was removed while we wrote to it'
  exec 6>&-
  [[ -z $(listing) ]]
}

@test "a frame that a writer left unfinished is named, and the next whole frame mends it" {
  need_first_namespace
  make 'tui8>a' 2
  shmim-post a --update --pid "$(dead_pid)"
  # As a writer that was killed leaves it: the flag up, its PID without a time of writing.
  trace=$((384 + 8 + 1280 + 320 + 32 + 4 * 40))
  printf '\x01' | dd of="$(stream_file a)" bs=1 seek=288 conv=notrunc status=none
  head -c 16 /dev/zero | dd of="$(stream_file a)" bs=1 seek=$((trace + 32)) conv=notrunc status=none
  check 1 '' "~ shmim-cat: a: holds an unfinished frame by process *, dead
try: shmim-post a --data FILE" -- shmim-cat a
  check 1 '' "~ shmim-post: a: holds an unfinished frame of a writer that died; only a whole frame mends it*" \
    -- shmim-post a --update
  bytes 3 4 | check 0 '' '' -- shmim-post a --data -
  check 0 '3 4' '' -- shmim-cat a
}

@test "a stream that we may only read cannot be written" {
  need_nobody
  make 'tui8>a' 8 --mode 0644
  cp "$(stream_file a)" before
  check 1 '' "shmim-post: a: semaphores cannot be used: the stream is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a
  check 1 '' "shmim-post: a: cannot be written: it is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a --update
  check 1 '' "shmim-post: a: cannot be claimed: it is read-only for us
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-post a --update --claim
  cmp before "$(stream_file a)"
}

@test "--data of a gzip file that no name tells of" {
  make 'tui8>a' 4x2 --fill 7
  shmim-cat a -o fits | gzip -c >packed
  make 'tui8>b' 4x2
  check 0 '' '' -- shmim-post b --data packed
  check 0 '7 7 7 7
7 7 7 7' '' -- shmim-cat b
}

@test "--set: where one keyword finds no slot, none is set" {
  make 'tui8>a' 4 --keywords 1 --set A=0
  check 1 '' "shmim-post: a: keyword 'B': all 1 slots are in use" -- shmim-post a --update --set A=1 --set B=2
  check 0 0 '' -- shmim-kw a A
}

@test "--claim ends a writer that was there before, and refuses the reload of a file" {
  make 'tui8>a' 4 --fill 7
  shmim-cat a -o fits >conf/shmim.a.fits
  start w shmim-post a --update --rate 200
  shmim-wait a --cnt0 3 -t 20s >/dev/null
  start c shmim-post a --update --claim --rate 100
  finish w 1 '' "shmim-post: a: process $pid_c (shmim-post) has claimed the right to write it"
  check 1 '' "shmim-connect: a: process $pid_c (shmim-post) has claimed the right to write it" -- \
    shmim-connect a --reload
}

@test "--atime that no stream can hold, and dates there are none of" {
  make 'tui8>a' 4
  local stamp
  for stamp in 1790000000000 9223372036854775807 -5 1600-01-01T00:00:00; do
    check 2 '' "shmim-post: --atime: '$stamp' is not between the years 1970 and 2255; it is in seconds
Try 'shmim-post --help' for more information." -- shmim-post a --update --atime=$stamp
  done
  for stamp in 1.5e300 2026-02-31T00:00:00Z; do
    check 2 '' "~ shmim-post: --atime: '$stamp' is neither *" -- shmim-post a --update --atime=$stamp
  done
  compare cnt0 "$(cnt0 a)" 0
}

@test "--rate of years between two frames waits, and does not race" {
  make 'tui8>a' 4
  start p shmim-post a --update --rate 1e-300
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  until_true is_asleep "$pid_p"
  compare cnt0 "$(cnt0 a)" 1
}

@test "--loop reads a file again and again, until a signal comes" {
  make 'tui8>a' 2
  bytes 1 2 3 4 >two
  start p shmim-post a --data two --loop --rate 1000
  comes_to_ten() { (($(cnt0 a) >= 10)); }
  until_true comes_to_ten
  kill -INT "$pid_p"
  finish p 130 '' '~ shmim-post: a: *'
  check 1 '' 'shmim-post: standard input: cannot be read again from its start (after 2 frames)' -- \
    bash -c 'cat two | shmim-post a --data - --loop'
  check 1 '' '~ shmim-post: standard input: ended without a frame*' -- bash -c 'true | shmim-post a --data - --loop'
  check 2 '' '~ shmim-post: *--loop*' -- shmim-post a --data two --loop -n 3
  check 2 '' '~ shmim-post: *--loop*' -- shmim-post a --update --loop
}
