# shmim-connect: makes a stream available by the search order.

load helpers

# conf NAME VALUE: conf/shmim.NAME.fits, 3x2 of uint16, with a keyword; no stream is left.
conf() {
  make "tui16>$1" 3x2 --fill "$2" --set "EXPTIME=0.5/[s]"
  shmim-cat "$1" -o fits >"conf/shmim.$1.fits"
  shmim-rm "$1"
}

@test "found in shared memory, the FITS file is not looked at" {
  echo garbage >conf/shmim.a.fits
  make a 3
  check 0 "connected a float32 3 2832 bytes $SHM/a.im.shm, found in shm" '' -- shmim-connect a
}

@test "a conf FITS is loaded into shared memory, and said so" {
  conf dark 7
  check 0 "created dark uint16 3x2 2832 bytes $SHM/dark.im.shm, found as conf FITS conf/shmim.dark.fits" \
    '' -- shmim-connect dark
  check 0 '7 7 7
7 7 7' '' -- shmim-cat dark
  compare cnt0 "$(cnt0 dark)" 1
  run_out out shmim-cat dark -o fits
  same_image out conf/shmim.dark.fits
  check 0 "~ connected dark *, found in shm" '' -- shmim-connect dark
}

@test "a frame has the time that the conf FITS says, when it is loaded and loaded again" {
  make 'tui8>dark' 2
  shmim-post dark --update --atime 2020-01-02T03:04:05.25Z
  shmim-cat dark -o fits >conf/shmim.dark.fits
  shmim-rm dark
  acquired() { check 0 "$1" '' -- shmim-wait dark --cnt0 0 --print '{cnt0} {atime}'; }
  check 0 '~ created dark *' '' -- shmim-connect dark
  acquired '1 2020-01-02T03:04:05.250000000Z'
  shmim-post dark --update
  check 0 '~ reloaded dark *' '' -- shmim-connect dark --reload
  acquired '3 2020-01-02T03:04:05.250000000Z'
}

@test "the conf FITS may be a link" {
  conf dark 7
  mkdir data
  mv conf/shmim.dark.fits data/night1.fits
  ln -s ../data/night1.fits conf/shmim.dark.fits
  check 0 '~ created dark * found as conf FITS conf/shmim.dark.fits' '' -- shmim-connect dark
  shmim-rm dark
  rm data/night1.fits
  check 1 '' '~ shmim-connect: conf/shmim.dark.fits: *link*' -- shmim-connect dark
  [[ -z $(listing) ]]
}

@test "a conf name is the path of a FITS file, from the working directory" {
  conf dark 7
  mkdir data
  mv conf/shmim.dark.fits data/night1.fits
  echo data/night1.fits >conf/shmim.dark.fname.txt
  check 0 "~ created dark uint16 3x2 * found as conf name data/night1.fits" '' -- shmim-connect dark
  shmim-rm dark
  printf '  data/night1.fits \r\nmore lines\n' >conf/shmim.dark.fname.txt
  check 0 "~ created dark * found as conf name data/night1.fits" '' -- shmim-connect dark
  shmim-rm dark
  echo data/night2.fits >conf/shmim.dark.fname.txt
  check 1 '' '~ shmim-connect: data/night2.fits: *' -- shmim-connect dark
  : >conf/shmim.dark.fname.txt
  check 1 '' '~ shmim-connect: conf/shmim.dark.fname.txt: *' -- shmim-connect dark
  echo >conf/shmim.dark.fname.txt
  check 1 '' '~ shmim-connect: conf/shmim.dark.fname.txt: its first line is to name a FITS file*' -- \
    shmim-connect dark
  [[ -z $(listing) ]]
}

@test "conf FITS goes before conf name" {
  conf dark 7
  conf other 8
  mv conf/shmim.other.fits other.fits
  echo other.fits >conf/shmim.dark.fname.txt
  check 0 '~ * found as conf FITS conf/shmim.dark.fits' '' -- shmim-connect dark
}

@test "--conf names another conf directory" {
  conf dark 7
  mv conf else
  check 3 '' "shmim-connect: dark: found neither in memory nor in the conf directory
try: shmim-create dark SIZE" -- shmim-connect dark
  check 0 '~ created dark * found as conf FITS else/shmim.dark.fits' '' -- shmim-connect dark --conf else
  check 1 '' 'shmim-connect: none: no such directory
try: mkdir -p none' -- shmim-connect dark --conf none
}

@test "not found is exit 3, with @E: too" {
  for ref in none @E:none @SE:none; do
    check 3 '' "shmim-connect: none: found neither in memory nor in the conf directory
try: shmim-create none SIZE" -- shmim-connect "$ref"
  done
  check 3 '' 'shmim-connect: none: no FITS file of it in the conf directory, and @L: passes over streams' -- \
    shmim-connect @LE:none
  # @E: of what a FITS file holds: it is there.
  conf dark 7
  check 0 '~ created dark *' '' -- shmim-connect @E:dark
}

@test "@L: proves that the FITS loads, and leaves nothing" {
  conf dark 7
  check 0 'created dark uint16 3x2 2832 bytes -, found as conf FITS conf/shmim.dark.fits' '' -- \
    shmim-connect @L:dark
  [[ -z $(listing) ]]
  # What is in shared memory is not looked at.
  make 'tf64>dark' 9
  check 0 '~ created dark uint16 3x2 * -, found as conf FITS *' '' -- shmim-connect @L:dark
  echo garbage >conf/shmim.dark.fits
  check 1 '' '~ shmim-connect: conf/shmim.dark.fits: *' -- shmim-connect @L:dark
  make only 2
  check 3 '' 'shmim-connect: only: no FITS file of it in the conf directory, and @L: passes over streams' -- \
    shmim-connect @L:only
}

@test "a type, a size or an option of create's is a demand; a mismatch lists every field" {
  make 'tui16>a' 3x2
  check 0 '~ connected a *' '' -- shmim-connect 'tui16>a' 3x2
  check 0 '~ connected a *' '' -- \
    shmim-connect a 3 2 -T uint16 -k 10 -c 0 -s 10 --imagetype 2
  check 5 '' 'shmim-connect: a: exists with another format: type is uint16, not uint8; size is 3x2, not 3x3; keywords is 10, not 1; circular buffer is 0, not 2; semaphores is 10, not 3; image type is 2, not 131073
try: shmim-info a' -- shmim-connect 'tui8>a' 3x3 -k 1 -c 2 -s 3 --circular
  check 5 '' '~ shmim-connect: a: *: size is 3x2, not 3*' -- shmim-connect a 3
  check 3 '' '~ shmim-connect: none: *' -- shmim-connect none 3
}

@test "a conf FITS that differs is a mismatch, and is not loaded" {
  conf dark 7
  check 5 '' '~ shmim-connect: dark: *type is uint16, not float32; size is 3x2, not 4x4*' -- \
    shmim-connect 'tf32>dark' 4x4
  [[ -z $(listing) ]]
  # Slots and buffers are as asked for.
  check 0 '~ created dark uint16 3x2 *' '' -- shmim-connect dark -c 4 -k 3 -s 2 --mode 0640
  file=$(stream_file dark)
  compare made "$(field "$file" 258 u2 2) $(field "$file" 290 u2 2) $(field "$file" 292 u4 4)" '2 3 4'
  compare mode "$(stat -c %a "$file")" 640
}

@test "--create makes it where it is missing or differs" {
  check 0 "created a uint16 4x4 2848 bytes $SHM/a.im.shm, found in no place" '' -- \
    shmim-connect 'tui16>a' 4x4 --create
  check 0 '~ connected a *' '' -- shmim-connect 'tui16>a' 4x4 --create
  check 0 "~ recreated a uint8 4x4 *, found in shm" '' -- shmim-connect 'tui8>a' 4x4 --create
  # What is not said stays as it was.
  check 0 "~ recreated a float64 4x4 *" '' -- shmim-connect 'tf64>a' --create
  check 0 "~ recreated a float64 4x4 *" '' -- shmim-connect a --create -k 3
  compare kw "$(field "$(stream_file a)" 290 u2 2)" 3
  check 2 '' "~ shmim-connect: --create: SIZE is missing*" -- shmim-connect none --create
  check 2 '' "~ shmim-connect: @E: and --create exclude one another*" -- \
    shmim-connect @E:a 3 --create
}

@test "--create takes a conf FITS first, and makes it where that differs" {
  conf dark 7
  check 0 '~ created dark uint16 3x2 *, found as conf FITS *' '' -- shmim-connect dark --create
  shmim-rm dark
  check 0 '~ created dark uint16 3x2 *, found as conf FITS *' '' -- shmim-connect dark 3x2 --create
  shmim-rm dark
  check 0 '~ created dark uint16 5x5 *, found in no place' '' -- \
    shmim-connect 'tui16>dark' 5x5 --create
}

@test "@N: needs --create, and that there is none" {
  check 2 '' "shmim-connect: @N: is for streams to be made: it needs --create
Try 'shmim-connect --help' for more information." -- shmim-connect @N:a
  check 0 '~ created a *' '' -- shmim-connect @N:a 3 --create
  check 4 '' "shmim-connect: a: exists already: $SHM/a.im.shm
try: shmim-connect a" -- shmim-connect @N:a 3 --create
}

@test "--reload loads the FITS again, as a new frame" {
  conf dark 7
  check 0 '~ created dark *' '' -- shmim-connect dark
  inode=$(stat -c %i "$(stream_file dark)")
  conf8() {
    make 'tui16>tmp' 3x2 --fill 8 --set GAIN=3
    shmim-cat tmp -o fits >conf/shmim.dark.fits
    shmim-rm tmp
  }
  conf8
  # Without it, what is in shared memory is taken.
  check 0 '~ connected dark *' '' -- shmim-connect dark
  check 0 "~ 7 7 7*" '' -- shmim-cat dark
  start_ready waiter shmim-wait dark -t 20s
  check 0 "reloaded dark uint16 3x2 2832 bytes $SHM/dark.im.shm, found as conf FITS conf/shmim.dark.fits" \
    '' -- shmim-connect dark --reload
  finish waiter 0 2 ''
  check 0 "~ 8 8 8*" '' -- shmim-cat dark
  compare inode "$(stat -c %i "$(stream_file dark)")" "$inode"
  run_out out shmim-cat dark -o fits
  head -c 2880 out | fold -w 80 | grep -q '^GAIN    = *3'
}

@test "--reload of another format is exit 5, or with --create a new stream" {
  conf dark 7
  make 'tf32>dark' 4
  check 5 '' '~ shmim-connect: dark: *type is float32, not uint16; size is 4, not 3x2*' -- \
    shmim-connect dark --reload
  check 0 '0 0 0 0' '' -- shmim-cat dark
  check 0 '~ recreated dark uint16 3x2 *' '' -- shmim-connect dark --reload --create
  check 0 "~ 7 7 7*" '' -- shmim-cat dark
  check 5 '' '~ shmim-connect: conf/shmim.dark.fits: size is 3x2, not 9*' -- \
    shmim-connect dark 9 --reload
  shmim-rm dark
  check 0 '~ created dark uint16 3x2 *found as conf FITS *' '' -- shmim-connect dark --reload
  make none 2
  check 3 '' '~ shmim-connect: none: no FITS file of it in conf*' -- shmim-connect none --reload
}

@test "--reload of a damaged file loses nothing" {
  conf dark 7
  check 0 '~ created dark *' '' -- shmim-connect dark
  truncate -s 2891 conf/shmim.dark.fits  # a byte of the pixels is lacking
  cp "$(stream_file dark)" before
  check 1 '' '~ shmim-connect: conf/shmim.dark.fits: *' -- shmim-connect dark --reload
  cmp before "$(stream_file dark)"
}

@test "--appear -t waits for it to appear" {
  start_ready waiter shmim-connect a --appear -t 20s
  make a 3
  finish waiter 0 "connected a float32 3 2832 bytes $SHM/a.im.shm, found in shm" ''
  start_ready upstream shmim-connect dark --appear -t 20s
  make 'tui16>tmp' 2 --fill 3
  shmim-cat tmp -o fits >tmp.fits
  mv tmp.fits conf/shmim.dark.fits
  finish upstream 0 "~ created dark uint16 2 *, found as conf FITS conf/shmim.dark.fits" ''
  check 124 '' 'shmim-connect: none: timed out: it did not appear' -- shmim-connect none --appear -t 20ms
  check 124 '' 'shmim-connect: none: timed out: it did not appear' -- shmim-connect none --appear -t 0
  check 0 '~ connected a *' '' -- shmim-connect a --appear -t 0
  # One that appears with another format.
  start_ready other shmim-connect 'tui8>b' --appear -t 20s
  make 'tf32>b' 3
  finish other 5 '' '~ shmim-connect: b: exists with another format: type is float32, not uint8*'
}

@test "--appear -t ends by a signal" {
  start_ready waiter shmim-connect none --appear -t 1m
  kill -INT "$last"
  finish waiter 130 '' ''
}

@test "--json and --quiet" {
  conf dark 7
  check 0 "{\"outcome\":\"created\",\"name\":\"dark\",\"datatype\":\"uint16\",\"size\":[3,2],\"bytes\":2832,\"path\":\"$SHM/dark.im.shm\",\"found\":\"conf FITS\",\"file\":\"conf/shmim.dark.fits\"}" \
    '' -- shmim-connect dark --json
  check 0 "~ {\"outcome\":\"connected\",*,\"found\":\"shm\",\"file\":\"$SHM/dark.im.shm\"}" '' -- \
    shmim-connect dark --json
  check 0 '' '' -- shmim-connect dark -q
}

@test "of many that connect at once one loads it" {
  conf dark 7
  for i in {1..10}; do start "c$i" shmim-connect dark; done
  for i in {1..10}; do finish "c$i" 0 "~ c[or]* dark uint16 3x2 *" ''; done
  compare created "$(cat c*.out | grep -c '^created')" 1
  compare cnt0 "$(cnt0 dark)" 1
}

@test "--appear -t waits for a stream that another program is half through making" {
  make 'tui8>whole' 4
  head -c 100 "$(stream_file whole)" | tr '\0-\377' '\0' >"$(stream_file a)"
  start_ready c shmim-connect a --appear -t 20s -q
  mv "$(stream_file whole)" "$(stream_file a)"
  finish c 0 '' ''
  head -c 100 /dev/zero >"$(stream_file b)"
  check 1 '' '~ shmim-connect: b: has 100 bytes, fewer than *' -- shmim-connect b --appear -t 1ms
}

@test "--mode of a stream that is made from a file, whatever the umask" {
  make 'tui8>a' 4
  shmim-cat a -o fits >conf/shmim.b.fits
  (umask 077 && shmim-connect b --mode 0770 -q)
  compare mode "$(stat -c %a "$(stream_file b)")" 770
}

@test "what to try is about the stream, and not about its file" {
  ln -s nowhere.fits conf/shmim.a.fits
  check 1 '' '~ shmim-connect: *conf/shmim.a.fits: is a link to a file that is not there' -- shmim-connect a
  check 1 '' "~ shmim-connect: no such place: no such directory
try: mkdir -p 'no such place'" -- shmim-connect a -d 'no such place'
}
