# Bad input: each has its message and its exit status, and loses nothing.

load helpers

# refused FILE-NAME STATUS MESSAGE HINT: every tool that opens the stream refuses it in the same words,
# and nothing has changed afterwards.
refused() {
  local name=$1 status=$2 message=$3 hint=$4 before after line
  before=$(cd "$SHM" && ls -lA --time-style=+%s.%N && cat ./*.im.shm 2>/dev/null | sha256sum)
  for line in "cat" "wait -t 1s" "trace" "post" "post --update" "connect" "create 4x4" \
    "create fresh --like" "rm"; do
    # shellcheck disable=SC2086
    set -- $line
    if [[ $line == *--like ]]; then
      set -- create fresh --like "$name"
    elif [[ $1 == create ]]; then
      set -- create "$name" 4x4
    else
      set -- "$1" "$name" "${@:2}"
    fi
    local tail=$hint
    [[ $1 != rm ]] || tail=${hint/--dry-run --force/--force}
    check "$status" '' "shmim-$1: $message${tail:+
try: $tail}" -- "shmim-$1" "${@:2}" || return 1
  done
  after=$(cd "$SHM" && ls -lA --time-style=+%s.%N && cat ./*.im.shm 2>/dev/null | sha256sum)
  compare 'shm directory' "$after" "$before"
}

# change NAME OFFSET BYTES: overwrites bytes of a stream's file.
change() { printf "$3" | dd of="$(stream_file "$1")" bs=1 seek="$2" conv=notrunc status=none; }

@test "a missing stream" {
  for tool in cat trace; do
    check 3 '' "shmim-$tool: a: no such stream in $SHM
try: shmim-ls" -- "shmim-$tool" a
  done
  check 3 '' "shmim-post: a: no such stream in $SHM
try: shmim-create a SIZE" -- shmim-post a
  compare listing "$(listing)" ''
}

@test "an empty file" {
  make a 4
  truncate -s 0 "$(stream_file a)"
  refused a 1 "$SHM/a.im.shm: is empty, so no stream (yet)" 'shmim-rm --dry-run --force a'
}

@test "a file shorter than a header" {
  echo garbage >"$(stream_file a)"
  refused a 1 'a: has 8 bytes, fewer than the 384 of a header: no stream (yet)' \
    'shmim-rm --dry-run --force a'
}

@test "a file of the DAO toolkit" {
  { printf 'dao_stream_name'; head -c 4096 /dev/zero; } >"$(stream_file a)"
  refused a 1 "a: is not an ImageStreamIO stream: it begins with 'dao_stream_name', as files of the DAO toolkit do with their name" ''
}

@test "a file that would send a terminal astray" {
  { printf '\033[31mred'; head -c 4096 /dev/zero; } >"$(stream_file a)"
  refused a 1 "a: is not an ImageStreamIO stream: it begins with '\\x1b[31mred', as files of the DAO toolkit do with their name" ''
}

@test "a file whose name would send a terminal astray" {
  # ESC [ and its form of one character, in UTF-8; and a byte that is not UTF-8.
  make 'tui8>a' 4
  name=$'a\033[31m\302\233x\377'
  mv "$(stream_file a)" "$(stream_file "$name")"
  check 0 "removed $SHM/a\\x1b[31m\\xc2\\x9bx\\xff.im.shm" '' -- shmim-rm -v 'a*'
}

@test "a stream of a DAO build of the C library, which is longer" {
  make a 4
  { head -c 384 "$(stream_file a)"; head -c 4112 /dev/zero; tail -c +385 "$(stream_file a)"; } >dao
  mv dao "$(stream_file a)"
  refused a 1 'a: was made by a DAO build of the C library, whose header is longer than ours' ''
}

@test "another version of the layout: both are named" {
  make a 4
  change a 0 '3.01'
  refused a 1 'a: has version 3.01 of the layout, and we read version 2.00' ''
}

@test "a size that is not what the header asks for" {
  make a 4
  bytes=$(stat -c %s "$(stream_file a)")
  truncate -s +8 "$(stream_file a)"
  refused a 1 "a: has $((bytes + 8)) bytes, but its header asks for $bytes" \
    'shmim-rm --dry-run --force a'
  truncate -s -16 "$(stream_file a)"
  refused a 1 "a: has $((bytes - 8)) bytes, but its header asks for $bytes" \
    'shmim-rm --dry-run --force a'
}

@test "a half-made file: no version yet" {
  make a 4
  change a 0 '\0\0\0\0'
  refused a 1 'a: has no version string: it is being made by another program, or is not a stream' \
    'shmim-rm --dry-run --force a'
}

@test "a header whose numbers make no stream" {
  for change in '112 \004' '112 \000' '136 \000' '136 \016' '116 \000'; do
    make a 4
    # shellcheck disable=SC2086
    change a ${change% *} "${change#* }"
    refused a 1 "~ a: its header makes no stream: *" 'shmim-rm --dry-run --force a' ||
      refused a 1 "$(shmim-cat a 2>&1 | sed -n '1s/^shmim-cat: //p')" 'shmim-rm --dry-run --force a'
    shmim-cat a 2>&1 | grep -q 'its header makes no stream'
    rm "$(stream_file a)"
  done
}

@test "a file that we may not read" {
  need_nobody
  make a 4 --mode 0600
  chmod 777 "$SHM"
  for tool in cat wait trace post connect; do
    check 1 '' "shmim-$tool: $SHM/a.im.shm: cannot open: Permission denied
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" "shmim-$tool" a
  done
  check 1 '' "~ shmim-create: $SHM/a.im.shm: cannot open: Permission denied*" -- \
    "${nobody[@]}" shmim-create a 4
  compare listing "$(listing)" a.im.shm
}

@test "what is not a regular file" {
  mkdir "$(stream_file dir)"
  mkfifo "$(stream_file fifo)"
  for name in dir fifo; do
    for tool in cat trace connect; do
      check 1 '' "~ shmim-$tool: $SHM/$name.im.shm: *" -- "shmim-$tool" "$name"
    done
  done
  compare listing "$(listing)" 'dir.im.shm
fifo.im.shm'
  rmdir "$(stream_file dir)"
}

@test "a dangling link" {
  ln -s /nowhere/a "$(stream_file a)"
  for tool in cat wait trace post connect; do
    check 1 '' "shmim-$tool: $SHM/a.im.shm: is a link to /nowhere/a, which is not there
try: shmim-rm --dry-run --force a" -- "shmim-$tool" a
  done
  [[ -L $(stream_file a) ]]
}

@test "an array in the memory of a GPU" {
  make a 4
  bytes=$(stat -c %s "$(stream_file a)")
  change a 240 '\000'
  # Without region 2 the file is shorter by the array.
  truncate -s $((bytes - 16)) "$(stream_file a)"
  check 1 '' '~ shmim-cat: a: its array is in the memory of GPU 0, which we cannot read*' -- shmim-cat a
  check 1 '' '~ shmim-post: a: *GPU 0*' -- shmim-post a --update
}

@test "a full tmpfs" {
  need_small_tmpfs
  cat >full.sh <<'SCRIPT'
mount -t tmpfs -o size=1M none small
shmim-create keep 16x16 --fill 7 -d small >/dev/null
shmim-create big 4096x4096 -d small
echo "create: $?"
shmim-create keep 4096x4096 -d small --recreate
echo "recreate: $?"
shmim-connect dark -d small
echo "connect: $?"
ls -A small
shmim-cat 'keep[0:1,0]' -d small
SCRIPT
  make dark 1024x1024
  shmim-cat dark -o fits >conf/shmim.dark.fits
  shmim-rm dark
  check 0 'create: 1
recreate: 1
connect: 1
keep.im.shm
7 7' '~ shmim-create: small: cannot reserve 67111680 bytes: No space left on device
try: df -h small
shmim-create: small: cannot reserve 67111680 bytes: No space left on device
try: df -h small
shmim-connect: small: cannot reserve * bytes: No space left on device
try: df -h small' -- unshare -m bash full.sh
}

@test "a directory that is not there" {
  check 1 '' "shmim-create: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- shmim-create a 4 -d "$WORK/none"
  check 1 '' "shmim-connect: $WORK/none: no such directory
try: mkdir -p $WORK/none" -- shmim-connect a --conf "$WORK/none"
  [[ ! -e $WORK/none ]]
}

# fits_refused MESSAGE [SIZE]: x.fits is refused wherever a FITS file is taken, also for a stream of
# that size, and nothing is made.
fits_refused() {
  local status=1
  cp x.fits conf/shmim.x.fits
  check "$status" '' "~ shmim-create: x.fits: $1" -- shmim-create a --from x.fits || return 1
  check "$status" '' "~ shmim-connect: conf/shmim.x.fits: $1" -- shmim-connect x || return 1
  check "$status" '' "~ shmim-connect: conf/shmim.x.fits: $1" -- shmim-connect @L:x || return 1
  check "$status" '' "~ shmim-cat: conf/shmim.x.fits: $1" -- shmim-cat x || return 1
  compare listing "$(listing)" '' || return 1
  make 'tui8>target' "${2:-2}" --fill 3
  cp "$(stream_file target)" before
  check "$status" '' "~ shmim-post: x.fits: $1" -- shmim-post target --data x.fits || return 1
  cmp before "$(stream_file target)" || return 1
  cp x.fits conf/shmim.target.fits
  check "$status" '' "~ shmim-connect: conf/shmim.target.fits: $1" -- shmim-connect target --reload ||
    return 1
  cmp before "$(stream_file target)" || return 1
  shmim-rm target
}

@test "a FITS file without an image" {
  local -a cards=("EXTEND  =                    T")
  : | fits_file 8 >x.fits
  fits_refused '*no image*'
}

@test "a FITS file with four real axes" {
  head -c 16 /dev/zero | fits_file 8 2 2 2 2 >x.fits
  fits_refused '*2x2x2x2*'
  # Longer ones of length 1 are dropped.
  head -c 4 /dev/zero | fits_file 8 2 1 2 1 >y.fits
  check 0 '~ created y uint8 2x*' '' -- shmim-create y --from y.fits
}

@test "a truncated FITS file" {
  head -c 4000 /dev/zero | fits_file 8 4000 >whole.fits
  head -c 5000 whole.fits >x.fits
  fits_refused '*' 4000
  grep -q -i -E 'truncated|short|ends|too few|bytes' "$WORK/.err"
  head -c 1000 whole.fits >x.fits
  check 1 '' '~ shmim-create: x.fits: *' -- shmim-create a --from x.fits
  compare listing "$(listing)" ''
}

@test "a FITS file of a type that no stream has" {
  head -c 8 /dev/zero | fits_file 24 2 >x.fits
  check 1 '' '~ shmim-create: x.fits: *24*' -- shmim-create a --from x.fits
  compare listing "$(listing)" ''
}

@test "a file that is no FITS at all" {
  echo garbage >x.fits
  check 1 '' '~ shmim-create: x.fits: *' -- shmim-create a --from x.fits
  cp x.fits conf/shmim.x.fits
  check 1 '' '~ shmim-connect: conf/shmim.x.fits: *' -- shmim-connect x
  compare listing "$(listing)" ''
}

@test "a FITS name with what we do not take in brackets" {
  head -c 4 /dev/zero | fits_file 8 2 2 >x.fits
  check 2 '' '~ shmim-create: x.fits\[col x\]: *' -- shmim-create a --from 'x.fits[col x]'
  check 2 '' '~ shmim-create: x.fits\[bin 2\]: *' -- shmim-create a --from 'x.fits[bin 2]'
  check 2 '' '~ shmim-create: x.fits\[\]: *' -- shmim-create a --from 'x.fits[]'
  check 2 '' '~ shmim-create: x.fits\[1:2: *' -- shmim-create a --from 'x.fits[1:2'
  compare listing "$(listing)" ''
}

@test "a raw frame of the wrong length" {
  make 'tui16>a' 2x2 --fill 5
  bytes 1 2 3 4 5 6 7 >short
  check 1 '' 'shmim-post: short: its 7 bytes are no whole number of frames, of 8 bytes each' -- \
    shmim-post a --data short
  compare cnt0 "$(cnt0 a)" 0
  check 0 '5 5
5 5' '' -- shmim-cat a
  compare write "$(field "$(stream_file a)" 288 u1 1)" 0
  compare listing "$(listing)" a.im.shm
}

@test "keywords that do not fit: the reason is said" {
  make a 2
  check 2 '' "~ *: keyword 'A=12345678901234567x': string of 18 bytes, at most 16 fit*" -- \
    shmim-create b 4 --set A=12345678901234567x
  check 2 '' "~ *: keyword 'ABCDEFGHIJKLMNOPQ=1': name of 17 bytes, at most 16 fit*" -- \
    shmim-post a --update --set ABCDEFGHIJKLMNOPQ=1
  check 2 '' "~ *: keyword 'A': it is written NAME=VALUE or NAME=VALUE/comment*" -- \
    shmim-post a --update --set A
  compare cnt0 "$(cnt0 a)" 0
}

@test "keywords that do not fit, of the command line" {
  make a 2 -k 1
  cp "$(stream_file a)" before
  for text in 'SEVENTEEN_LETTERS=1' "TEXT='a text of 17 byte'" =1 NAME; do
    check 2 '' "~ shmim-create: keyword '$text': *
Try 'shmim-create --help' for more information." -- shmim-create b 2 --set "$text"
    check 2 '' "~ shmim-post: keyword '$text': *
Try 'shmim-post --help' for more information." -- shmim-post a --update --set "$text"
  done
  cmp before "$(stream_file a)"
  compare listing "$(listing)" a.im.shm
}

@test "keywords that do not fit, of a FITS file: one warning names them, the rest goes along" {
  local -a cards=("FITS1   =                    1" "LONG    = 'a text of more than 16 bytes'"
    "HIERARCH a name of more than 16 bytes = 3" "C       = (1.0, 2.0)" "EMPTY   ="
    "LAST    =                  2.5 / kept")
  bytes 1 2 | fits_file 8 2 >x.fits
  shmim-create a --from x.fits >out 2>err
  compare lines "$(wc -l <err)" 1
  compare stderr "$(<err)" '~ shmim-create: a: keywords left out: LONG (*), *16*, C (complex value), EMPTY (undefined value)'
  check 0 '1 2' '' -- shmim-cat a
  shmim-cat a -o fits | head -c 2880 | fold -w 80 >header
  grep -q '^FITS1   = *1' header
  grep -q '^LAST    = *2.5 / kept' header
  refute grep -q '^LONG' header
}

@test "every stream of a pattern that is bad is named, the good ones are served" {
  make 'tui8>good' 2 --fill 4
  echo garbage >"$(stream_file bad)"
  check 1 '4 4' '~ shmim-cat: bad: has 8 bytes*' -- shmim-cat bad good
  check 1 '~ STREAM*
good *' '~ shmim-trace: bad: has 8 bytes*' -- bash -c 'shmim-post good --update; shmim-trace bad good'
}

@test "sizes that no memory has, in npy and compressed FITS, are refused by all that read them" {
  need_python numpy astropy
  "$PYTHON" - <<'S'
import re, numpy
from astropy.io import fits
# As numbers of 64 bits these would be none, or few.
head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1048576, 4194304, 4194304), }"
head += b" " * (117 - len(head)) + b"\n"
open("huge.npy", "wb").write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(64))
image = fits.CompImageHDU(numpy.zeros((4, 4, 4), "u1"))
fits.HDUList([fits.PrimaryHDU(), image]).writeto("plain.fits")
text = open("plain.fits", "rb").read()
for number, length in (1, 4194304), (2, 4194304), (3, 1048576):
    # As many tiles as before: one for each row of 4.
    tile = length if number == 1 else length // 4
    for name, value in (b"ZNAXIS%d" % number, length), (b"ZTILE%d" % number, tile):
        text, count = re.subn(b"%-8b= +[0-9]+ " % name, b"%-8b=%21d " % (name, value), text)
        assert count == 1, name
open("huge.fits", "wb").write(text)
S
  make cam 4x4 --type uint8
  local line
  check 5 '' '~ *huge.npy: size is 4194304x4194304x1048576, not 4x4*' -- shmim-post cam --data huge.npy
  for line in "post new --create --data huge.npy" "play huge.npy cam --rate 10" "diff huge.npy cam"; do
    read -ra words <<<"$line"
    compare "$line" "$("shmim-${words[0]}" "${words[@]:1}" 2>&1)" '~ *huge.npy: *1048576*4194304*'
  done
  for line in "post cam --data huge.fits" "create new --from huge.fits" "play huge.fits cam --rate 10" "diff huge.fits cam"; do
    read -ra words <<<"$line"
    compare "$line" "$("shmim-${words[0]}" "${words[@]:1}" 2>&1)" \
      '~ *huge.fits: has an image of 4194304x4194304x1048576, which is more than there can be*'
  done
}
