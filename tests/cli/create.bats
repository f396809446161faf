# shmim-create: makes a stream.

load helpers

size_of() { stat -c %s "$(stream_file "$1")"; }

@test "prints what happened, name, type, size, bytes and path" {
  check 0 "created cam float32 8x4 2944 bytes $SHM/cam.im.shm" '' -- shmim-create cam 8x4
  compare bytes "$(size_of cam)" 2944
  check 0 "created cam2 uint16 8x4x3 3008 bytes $SHM/cam2.im.shm" '' -- \
    shmim-create cam2 8 4 3 -T uint16
  compare listing "$(listing)" 'cam.im.shm
cam2.im.shm'
}

@test "a size is written in one word or in several" {
  check 0 '~ created a float32 5 *' '' -- shmim-create a 5
  check 0 '~ created b float32 5x4 *' '' -- shmim-create b 5 4
  check 0 '~ created c float32 5x4x3 *' '' -- shmim-create c 5x4 3
  check 0 '~ created d float32 5x4x3 *' '' -- shmim-create d 5x4x3
  for size in 0 5x0 x5 5x 5xx4 -3 five 5.0 4294967296 1x2x3x4; do
    check 2 '' "~ shmim-create: e: *
Try 'shmim-create --help' for more information." -- shmim-create e -- "$size"
  done
  check 2 '' '~ shmim-create: e: a size of 4 axes: a stream has one to three*' -- \
    shmim-create e 1 2 3 4
  check 2 '' "shmim-create: SIZE is missing: write it, or --from FILE or --like REF
Try 'shmim-create --help' for more information." -- shmim-create e
  check 2 '' '~ shmim-create: e: *more than a file can hold*' -- \
    shmim-create e 4294967295x4294967295x4294967295
  [[ ! -e $(stream_file e) ]]
}

@test "--type and the prefix make each data type" {
  code=1
  while read -r type prefix bytes; do
    check 0 "~ created a_$type $type 3 *" '' -- shmim-create "a_$type" 3 --type "$type"
    check 0 "~ created b_$type $type 3 *" '' -- shmim-create "$prefix>b_$type" 3
    compare code "$(field "$(stream_file "a_$type")" 136 u1 1)" "$code"
    compare code "$(field "$(stream_file "b_$type")" 136 u1 1)" "$code"
    compare bytes "$(field "$(stream_file "b_$type")" 312 u8 8)" "$((bytes * 3))"
    code=$((code + 1))
  done <<<'uint8 tui8 1
int8 tsi8 1
uint16 tui16 2
int16 tsi16 2
uint32 tui32 4
int32 tsi32 4
uint64 tui64 8
int64 tsi64 8
float32 tf32 4
float64 tf64 8
complex64 tc64 8
complex128 tc128 16
float16 tf16 2'
  check 0 '~ created both uint8 3 *' '' -- shmim-create 'tui8>both' 3 -T uint8
  check 2 '' '~ shmim-create: the reference says uint8, --type says int8*' -- \
    shmim-create 'tui8>no' 3 -T int8
  check 2 '' "~ shmim-create: --type: there is no type 'dubble'; there are uint8 int8 *float16*" -- \
    shmim-create no 3 -T dubble
}

@test "keywords, semaphores, circular buffer and trace have the defaults of the C library" {
  make a 2
  file=$(stream_file a)
  compare version "$(head -c 4 "$file")" 2.00
  compare naxis "$(field "$file" 112 u1 1)" 1
  compare size "$(field "$file" 116 u4 12)" '2 0 0'
  compare nelement "$(field "$file" 128 u8 8)" 2
  compare imagetype "$(field "$file" 144 u8 8)" 2
  compare shared "$(field "$file" 224 u1 1)" 1
  compare owner "$(field "$file" 220 d4 4)" 0
  compare location "$(field "$file" 240 d1 1)" -1
  compare sem "$(field "$file" 258 u2 2)" 10
  compare proctrace "$(field "$file" 260 u2 2)" 10
  compare cnt0 "$(field "$file" 264 u8 8)" 0
  compare write "$(field "$file" 288 u1 1)" 0
  compare kw "$(field "$file" 290 u2 2)" 10
  compare cbsize "$(field "$file" 292 u4 4)" 0
  compare inode "$(field "$file" 232 u8 8)" "$(stat -c %i "$file")"
}

@test "--keywords, --circular-buffer and --semaphores" {
  make a 2 -k 3 -c 4 -s 5
  file=$(stream_file a)
  compare kw "$(field "$file" 290 u2 2)" 3
  compare cbsize "$(field "$file" 292 u4 4)" 4
  compare sem "$(field "$file" 258 u2 2)" 5
  make b 2 --keywords 3 --circular-buffer 4 --semaphores 5
  compare bytes "$(size_of a)" "$(size_of b)"
  make c 2 -k 0 -s 0
  compare kw "$(field "$(stream_file c)" 290 u2 2)" 0
  compare sem "$(field "$(stream_file c)" 258 u2 2)" 0
  check 0 '0 0' '' -- shmim-cat c
}

@test "--circular makes z time" {
  make a 4x3x5 --circular
  compare imagetype "$(field "$(stream_file a)" 144 u8 8)" $((0x20001))
  check 2 '' "shmim-create: b: a stream whose z axis is time needs three axes, and 4x3 has 2
Try 'shmim-create --help' for more information." -- shmim-create b 4x3 --circular
  compare listing "$(listing)" a.im.shm
}

@test "--imagetype sets the bits" {
  make a 4 --imagetype 0x30002
  compare imagetype "$(field "$(stream_file a)" 144 u8 8)" $((0x30002))
  make b 4 --imagetype 6
  compare imagetype "$(field "$(stream_file b)" 144 u8 8)" 6
  check 2 '' '~ shmim-create: --circular and --imagetype exclude one another*' -- \
    shmim-create c 4x4x4 --circular --imagetype 2
}

@test "--fill sets every element" {
  check 0 '~ created a *' '' -- shmim-create 'tui16>a' 3x2 --fill 513
  check 0 '513 513 513
513 513 513' '' -- shmim-cat a
  make 'tf32>b' 2 --fill -1.5e-3
  check 0 '-0.0015 -0.0015' '' -- shmim-cat b
  make 'tf64>c' 2 --fill nan
  check 0 'nan nan' '' -- shmim-cat c
  make 'tc64>d' 1 --fill 2
  check 0 '2+0j' '' -- shmim-cat d
  make 'tf16>e' 1 --fill 0.1
  check 0 '0.1' '' -- shmim-cat e
  make 'tsi8>f' 1 --fill -128
  check 0 '-128' '' -- shmim-cat f
  for value in 65536 -1 1.5 x; do
    check 2 '' "shmim-create: --fill: '$value' does not fit uint16
Try 'shmim-create --help' for more information." -- shmim-create 'tui16>g' 2 --fill="$value"
  done
  [[ ! -e $(stream_file g) ]]
}

@test "--set sets keywords, with their comments" {
  make a 2 --set "EXPTIME=0.0005/[s]" --set 'GAIN=12' --set NAME=Sirius --set "TEXT='42'/a string" \
    --set "SLASH='a/b'" --set 'NEG=-3/minus'
  run_out out shmim-cat a -o fits
  head -c 2880 out | fold -w 80 | grep -a -E '^(EXPTIME|GAIN|NAME|TEXT|SLASH|NEG)' |
    sed 's/ *$//' >cards
  compare cards "$(<cards)" "EXPTIME =               0.0005 / [s]
GAIN    =                   12
NAME    = 'Sirius  '
TEXT    = '42      '           / a string
SLASH   = 'a/b     '
NEG     =                   -3 / minus"
  check 0 '~ created b *' '' -- shmim-create b 2 --set 'A=1' --set 'A=2'
  run_out out shmim-cat b -o fits
  [[ $(head -c 2880 out | fold -w 80 | grep -c '^A  ') -eq 1 ]]
}

@test "--set takes a name with blanks, as HIERARCH has them" {
  make a 2 --set 'ESO DET DIT=1.5/[s]'
  check 0 1.5 '' -- shmim-kw a 'ESO DET DIT'
}

@test "--set that is not a keyword, or does not fit, makes nothing" {
  for text in GAIN =3 "T='x" "NAME_OF_17_LETTRS=1" "S='a text of 17 byte'"; do
    check 2 '' "~ shmim-create: keyword '$text': *
Try 'shmim-create --help' for more information." -- shmim-create a 2 --set "$text"
  done
  check 2 '' "shmim-create: a: keyword 'B': all 1 slots are in use; --keywords makes more
Try 'shmim-create --help' for more information." -- shmim-create a 2 -k 1 --set A=1 --set B=2
  [[ -z $(listing) ]]
}

@test "--mode is not masked, the default is" {
  (umask 027 && make a 2 && make b 2 --mode 0666 && make c 2 --mode 600)
  compare mode "$(stat -c %a "$(stream_file a)")" 640
  compare mode "$(stat -c %a "$(stream_file b)")" 666
  compare mode "$(stat -c %a "$(stream_file c)")" 600
  (umask 0 && make d 2)
  compare mode "$(stat -c %a "$(stream_file d)")" 666
}

@test "--owner" {
  make a 2 --owner 1
  compare owner "$(field "$(stream_file a)" 220 d4 4)" 1
  make b 2 --owner $$
  compare owner "$(field "$(stream_file b)" 220 d4 4)" $$
}

@test "--from takes format, pixels and keywords" {
  make a 3x2 -T int16 --fill -7 --set "EXPTIME=0.5/[s]"
  shmim-cat a -o fits >a.fits
  check 0 "~ created b int16 3x2 * bytes $SHM/b.im.shm" '' -- shmim-create b --from a.fits
  run_out b.fits shmim-cat b -o fits
  same_image a.fits b.fits
  # SIZE and type may be said too, and must agree.
  check 0 '~ created c int16 3x2 *' '' -- shmim-create 'tsi16>c' 3x2 --from a.fits
  check 5 '' 'shmim-create: a.fits: type is int16, not float32; size is 3x2, not 3x3' -- \
    shmim-create 'tf32>d' 3x3 --from a.fits
  check 2 '' '~ shmim-create: --from excludes --like and --fill*' -- \
    shmim-create d --from a.fits --fill 1
  check 2 '' '~ shmim-create: --from excludes --like and --fill*' -- \
    shmim-create d --from a.fits --like a
  [[ ! -e $(stream_file d) ]]
  # Keywords of --set go on top.
  check 0 '~ created e *' '' -- shmim-create e --from a.fits --set EXPTIME=2 --set MORE=1
  run_out e.fits shmim-cat e -o fits
  head -c 2880 e.fits | fold -w 80 | grep -q '^EXPTIME = *2 '
  head -c 2880 e.fits | fold -w 80 | grep -q '^MORE    = *1 '
}

@test "--from reads an HDU by number or name, and a section" {
  make a 4x3 -T uint8 --fill 1
  make b 2x2 -T uint8 --fill 2
  shmim-cat a b -o fits >both.fits
  check 0 '~ created x uint8 4x3 *' '' -- shmim-create x --from both.fits
  check 0 '~ created y uint8 2x2 *' '' -- shmim-create y --from 'both.fits[1]'
  check 0 '2 2
2 2' '' -- shmim-cat y
  check 0 '~ created z uint8 2x3 *' '' -- shmim-create z --from 'both.fits[0][2:3,*]'
  check 1 '' '~ shmim-create: both.fits*7*' -- shmim-create w --from 'both.fits[7]'
  check 1 '' '~ shmim-create: none.fits: *' -- shmim-create w --from none.fits
}

@test "--from makes room for all keywords, and names those that do not fit" {
  local -a cards=()
  for i in {1..12}; do cards+=("$(printf 'KEY%-5d= %20d' "$i" "$i")"); done
  head -c 4 /dev/zero | fits_file 8 4 >many.fits
  check 0 '~ created a *' '' -- shmim-create a --from many.fits
  compare kw "$(field "$(stream_file a)" 290 u2 2)" 12
  check 0 '~ created b *' \
    'shmim-create: b: keywords left out: KEY11 (no slot left of 10), KEY12 (no slot left of 10)' -- \
    shmim-create b --from many.fits -k 10
  cards=("LONG    = 'a text of more than 16 bytes'" "C       = (1.0, 2.0)")
  head -c 4 /dev/zero | fits_file 8 4 >unfit.fits
  check 0 '~ created c *' '~ shmim-create: c: keywords left out: LONG (*16*), C (complex value)' -- \
    shmim-create c --from unfit.fits
}

@test "--from keeps the first of a keyword that stands twice, and names the other" {
  local -a cards=("DEWPOINT=                  5.1" "DEWPOINT=                  7.2" "GAIN    =                    1"
    "GAIN    =                    1")
  bytes 1 2 | fits_file 8 2 >twice.fits
  check 0 '~ created a *' 'shmim-create: a: keywords left out: DEWPOINT (stands there again, as 7.2)' -- \
    shmim-create a --from twice.fits
  check 0 '5.1
1' '' -- shmim-kw a DEWPOINT GAIN
}

@test "--from of an image that inherits takes the keywords of the primary HDU too" {
  local -a cards=("EXPTIME =                  1.5" "GAIN    =                  1.0")
  : | fits_file 8 >primary
  cards=("PCOUNT  =                    0" "GCOUNT  =                    1" "GAIN    =                  2.0"
    "INHERIT =                    T")
  bytes 1 2 | fits_file 8 2 | sed "1s/^SIMPLE  =                    T/XTENSION= 'IMAGE   '          /" >image
  cat primary image >inherit.fits
  check 0 '~ created a *' '' -- shmim-create a --from inherit.fits
  check 0 '1.5
2' '' -- shmim-kw a EXPTIME GAIN
}

@test "--from of a file whose last block is not filled" {
  bytes 1 2 3 4 5 6 | fits_file 8 3 2 >whole.fits
  head -c $((2880 + 6)) whole.fits >bare.fits
  check 0 '~ created a uint8 3x2 *' '' -- shmim-create a --from bare.fits
  check 0 '1 2 3
4 5 6' '' -- shmim-cat a
  head -c $((2880 + 5)) whole.fits >short.fits
  check 1 '' 'shmim-create: short.fits: is truncated: it has 2885 bytes, and HDU 0 needs 2886' -- \
    shmim-create b --from short.fits
  # Filled with pixels of two blocks and a bit, by a pipe and gzip.
  sequence 6000 | fits_file 8 100 60 | head -c $((2880 + 6000)) >more.fits
  gzip -k more.fits
  for file in more.fits more.fits.gz; do
    shmim-create -q "from_${file//./_}" --from "$file"
    shmim-cat "from_${file//./_}" -o raw | cmp - <(sequence 6000)
  done
  make 'tui8>c' 100x60
  check 0 '' '' -- shmim-post c --data - <more.fits
  shmim-cat c -o raw | cmp - <(sequence 6000)
}

@test "--from of gzip with several members reads all of them" {
  sequence 6000 | fits_file 8 100 60 >whole.fits
  split -b 2000 whole.fits part.
  for part in part.*; do gzip -c "$part"; done >members.fits.gz
  check 0 '~ created a uint8 100x60 *' '' -- shmim-create a --from members.fits.gz
  shmim-cat a -o raw | cmp - <(sequence 6000)
  head -c -10 members.fits.gz >cut.fits.gz
  check 1 '' 'shmim-create: cut.fits.gz: is truncated or damaged: unexpected end of file (zlib -5)' -- \
    shmim-create b --from cut.fits.gz
  { head -c 40 members.fits.gz && head -c 400 /dev/urandom; } >broken.fits.gz
  check 1 '' '~ shmim-create: broken.fits.gz: is truncated or damaged: * (zlib -?)' -- shmim-create b --from broken.fits.gz
}

@test "--from of an absurd size is the file's fault, with the true number" {
  : | fits_file 64 2147483648 1073741824 >huge.fits
  check 1 '' 'shmim-create: huge.fits: is truncated: it has 2880 bytes, and HDU 0 needs 18446744073709554496' -- \
    shmim-create a --from huge.fits
  : | fits_file 32 4294967295 4294967295 >huge.fits
  check 1 '' 'shmim-create: huge.fits: is truncated: it has 2880 bytes, and HDU 0 needs 73786976260478470980' -- \
    shmim-create a --from huge.fits
  : | fits_file 8 9223372036854775807 9223372036854775807 9223372036854775807 >huge.fits
  check 1 '' 'shmim-create: huge.fits: is truncated: it has 2880 bytes, and HDU 0 needs more than 2^128' -- \
    shmim-create a --from huge.fits
}

@test "--like takes the format of a stream" {
  make 'tui16>a' 4x3x2 -k 3 -c 4 -s 5 --circular
  check 0 "~ created b uint16 4x3x2 $(size_of a) bytes *" '' -- shmim-create b --like a
  compare imagetype "$(field "$(stream_file b)" 144 u8 8)" $((0x20001))
  compare kw "$(field "$(stream_file b)" 290 u2 2)" 3
  check 0 '~ exists b *' '' -- shmim-create b --like a
  # What is said besides goes before it.
  check 0 '~ created c int8 4x3x2 *' '' -- shmim-create 'tsi8>c' --like a
  check 0 '~ created d uint16 9x9x9 *' '' -- shmim-create d 9x9x9 --like @SE:a
  make e 4x3x2 -T uint16
  check 5 '' 'shmim-create: e: exists with another format: keywords is 10, not 3; circular buffer is 0, not 4; semaphores is 10, not 5; image type is 2, not 131073
try: shmim-info e' -- shmim-create e --like a
}

@test "a stream of the same format is kept and left untouched" {
  make 'tui8>a' 3 --fill 7
  cp "$(stream_file a)" before
  check 0 "exists a uint8 3 2824 bytes $SHM/a.im.shm" '' -- shmim-create 'tui8>a' 3
  check 0 "exists a uint8 3 2824 bytes $SHM/a.im.shm" '' -- \
    shmim-create 'tui8>a' 3 --fill 9 --set A=1 --owner 77 --mode 0600
  cmp before "$(stream_file a)"
  compare mode "$(stat -c %a "$(stream_file a)")" "$(stat -c %a before)"
}

@test "a stream of another format is a mismatch that lists every field, and is left untouched" {
  make 'tui8>a' 3
  cp "$(stream_file a)" before
  check 5 '' 'shmim-create: a: exists with another format: type is uint8, not float64; size is 3, not 4x4; keywords is 10, not 1; circular buffer is 0, not 2; semaphores is 10, not 3; image type is 2, not 6
try: shmim-info a' -- shmim-create 'tf64>a' 4x4 -k 1 -c 2 -s 3 --imagetype 6
  cmp before "$(stream_file a)"
}

@test "--recreate makes it anew, with another format too" {
  make 'tui8>a' 3 --fill 7
  inode=$(stat -c %i "$(stream_file a)")
  exec 6<"$(stream_file a)" # or the file system may give its inode away again
  check 0 "recreated a float64 4 2848 bytes $SHM/a.im.shm" '' -- shmim-create 'tf64>a' 4 --recreate
  [[ $(stat -c %i "$(stream_file a)") != "$inode" ]]
  check 0 '0 0 0 0' '' -- shmim-cat a
  check 0 '~ created b *' '' -- shmim-create b 4 --recreate
  check 2 '' '~ shmim-create: @N: and --recreate exclude one another*' -- \
    shmim-create @N:b 4 --recreate
  compare listing "$(listing)" 'a.im.shm
b.im.shm'
}

@test "--recreate puts a stream in the place of what is none" {
  echo garbage >"$(stream_file a)"
  check 1 '' '~ shmim-create: a: has 8 bytes, fewer than the 384 of a header*' -- shmim-create a 4
  check 0 '~ recreated a float32 4 *' '' -- shmim-create a 4 --recreate
  check 0 '0 0 0 0' '' -- shmim-cat a
}

@test "--recreate wakes who waits on the old stream" {
  make a 3
  start_ready same shmim-wait a -t 20s
  start_ready other shmim-wait 'tf32>a' -t 20s
  check 0 '~ recreated a float32 3 *' '' -- shmim-create a 3 --recreate
  check 0 '~ recreated a uint8 3 *' '' -- shmim-create 'tui8>a' 3 --recreate
  finish same 5 '' 'shmim-wait: a: was re-created with another format: type is uint8, not float32
try: shmim-info a'
  finish other 5 '' 'shmim-wait: a: was re-created with another format: type is uint8, not float32
try: shmim-info a'
}

@test "@N: there must be none" {
  check 0 '~ created a *' '' -- shmim-create @N:a 3
  cp "$(stream_file a)" before
  check 4 '' "shmim-create: a: exists already: $SHM/a.im.shm
try: shmim-create a SIZE --recreate" -- shmim-create @SN:a 3
  cmp before "$(stream_file a)"
}

@test "@S: says what is the default" {
  check 0 "~ created a * $SHM/a.im.shm" '' -- shmim-create @S:a 3
}

@test "@L: rehearses: size and memory, and leaves nothing" {
  check 0 'rehearsed a float32 3x2 2840 bytes -' '' -- shmim-create @L:a 3x2 --fill 3 --set A=1
  [[ -z $(listing) ]]
  check 2 '' "~ shmim-create: --fill: 'x' does not fit float32*" -- shmim-create @L:a 3x2 --fill x
  make b 2
  cp "$(stream_file b)" before
  check 0 '~ rehearsed b uint8 3 *' '' -- shmim-create '@L:tui8>b' 3
  check 0 '~ rehearsed b uint8 3 *' '' -- shmim-create '@LN:tui8>b' 3
  check 0 '~ rehearsed b uint8 3 *' '' -- shmim-create '@L:tui8>b' 3 --recreate
  cmp before "$(stream_file b)"
  compare listing "$(listing)" b.im.shm
}

@test "@E: is wrong usage" {
  check 2 '' "shmim-create: @E:a: modifier E has no meaning here; shmim-create takes @S: @L: @N:
Try 'shmim-create --help' for more information." -- shmim-create @E:a 3
  [[ -z $(listing) ]]
}

@test "--json prints one object" {
  check 0 "{\"outcome\":\"created\",\"name\":\"a\",\"datatype\":\"float32\",\"size\":[3,2],\"bytes\":2840,\"path\":\"$SHM/a.im.shm\"}" \
    '' -- shmim-create a 3x2 --json
  check 0 '~ {"outcome":"exists",*' '' -- shmim-create a 3x2 --json
  check 0 '~ {"outcome":"recreated",*' '' -- shmim-create a 3x2 --json --recreate
  check 0 '~ {"outcome":"rehearsed",*"path":""}' '' -- shmim-create @L:a 3x2 --json
}

@test "--quiet prints nothing" {
  check 0 '' '' -- shmim-create a 3 -q
  check 0 '' '' -- shmim-create a 3 --quiet
}

@test "of many creators at once one makes it" {
  for i in {1..20}; do start "c$i" shmim-create @N:race 64x64 --fill "$i"; done
  made=0
  for i in {1..20}; do
    eval "pid=\$pid_c$i"
    status=0
    wait "$pid" || status=$?
    [[ $status -eq 0 || $status -eq 4 ]]
    [[ $status -ne 0 ]] || made=$((made + 1))
  done
  compare made "$made" 1
  compare listing "$(listing)" race.im.shm
  # And it is whole, the work of one.
  [[ $(shmim-cat race | tr ' ' '\n' | sort -u | wc -l) -eq 1 ]]
}

@test "a name that a link has is followed" {
  make real 3 -d "$WORK/conf"
  ln -s "$WORK/conf/real.im.shm" "$(stream_file link)"
  check 0 '~ exists link float32 3 *' '' -- shmim-create link 3
  ln -s "$WORK/nowhere.im.shm" "$(stream_file dangling)"
  check 1 '' "~ shmim-create: $SHM/dangling.im.shm: is a link to $WORK/nowhere.im.shm, which is not there*" -- \
    shmim-create dangling 3
}

@test "a name of 79 bytes, and one with bytes that are not ASCII" {
  long=$(printf 'x%.0s' {1..79})
  check 0 "~ created $long *" '' -- shmim-create "$long" 2
  check 0 "~ created caméra *" '' -- shmim-create caméra 2
  check 0 '0 0' '' -- shmim-cat "$long"
  check 0 '0 0' '' -- shmim-cat caméra
}

@test "--fill beyond what float16 holds is refused" {
  check 2 '' '~ shmim-create: *100000*' -- shmim-create 'tf16>a' 2 --fill 100000
  check 0 '' '' -- shmim-create -q 'tf16>a' 2 --fill inf
  check 0 'inf inf' '' -- shmim-cat a
}
