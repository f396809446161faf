# Bad input has its message and its exit status, loses nothing, and leaves nothing behind.

load helpers

# A small stream im1, and its bytes in the file `before`.
have_stream() {
  make im1 4x3 -t uint16 --fill 5
  cp "$(stream_file im1)" before
}

unharmed() { cmp before "$(stream_file im1)" && [ "$(listing)" = im1.im.shm ]; }

# patch OFFSET TEXT-AS-PRINTF: overwrites bytes of im1.
patch_stream() {
  # shellcheck disable=SC2059
  printf "$2" | dd of="$(stream_file im1)" bs=1 seek="$1" conv=notrunc status=none
}

# Every tool that opens the stream im1 says the same of it, and changes nothing.
all_say() {
  cp "$(stream_file im1)" broken
  for tool in 'cat im1' 'connect im1' 'post im1' 'post im1 --update' 'wait im1 -t 1s' 'trace im1' 'rm im1' \
    'create im1 4x3 -t uint16'; do
    # shellcheck disable=SC2086
    check 1 '' "~ shmim-${tool%% *}: im1: $1
try: *" -- shmim-$tool
    cmp broken "$(stream_file im1)"
  done
  check 0 '' '' -- shmim-rm --force im1
  [ -z "$(listing)" ]
}

@test "a missing stream is 3, and the way to it is shown" {
  for tool in cat post wait trace; do
    check 3 '' "~ shmim-$tool: im1: no such stream in $SHM
try: shmim-* im1*" -- shmim-$tool im1
  done
  check 3 '' '~ shmim-rm: im1: no such stream*' -- shmim-rm im1
  check 3 '' '~ shmim-connect: im1: found neither in memory nor in the conf directory*' -- shmim-connect im1
  make im1 4
  shmim-cat im1 -o fits >conf/shmim.im1.fits
  shmim-rm im1
  check 3 '' "shmim-wait: im1: no such stream in $SHM
try: shmim-connect im1" -- shmim-wait im1
}

@test "a short file" {
  have_stream
  truncate -s 100 "$(stream_file im1)"
  all_say 'has 100 bytes, fewer than the 384 of a header: no stream (yet)'
}

@test "an empty file" {
  have_stream
  truncate -s 0 "$(stream_file im1)"
  for tool in cat post trace; do
    check 1 '' "~ shmim-$tool: *is empty, so no stream (yet)*" -- shmim-$tool im1
  done
}

@test "a half-made file: everything there but the version, which a creator writes last" {
  have_stream
  patch_stream 0 '\0\0\0\0'
  all_say 'has no version string: it is being made by another program, or is no stream'
}

@test "another version: both are printed" {
  have_stream
  patch_stream 0 '3.14'
  for tool in cat post trace; do
    check 1 '' "~ shmim-$tool: im1: has version 3.14 of the layout, and we read version 2.00*" -- shmim-$tool im1
  done
}

@test "a file of the DAO toolkit, whose name is at the beginning" {
  have_stream
  patch_stream 0 'pup\0'
  for tool in cat post trace; do
    check 1 '' "~ shmim-$tool: im1: is no ImageStreamIO stream: it begins with 'pup', as files of the DAO*" \
      -- shmim-$tool im1
  done
}

@test "a stream of the C library's DAO build" {
  have_stream
  truncate -s +4112 "$(stream_file im1)"
  check 1 '' '~ shmim-cat: im1: was made by a DAO build of the C library*' -- shmim-cat im1
}

@test "a file of the wrong size for its header" {
  have_stream
  size=$(stat -c %s "$(stream_file im1)")
  truncate -s +8 "$(stream_file im1)"
  all_say "has $((size + 8)) bytes, but its header asks for $size"
}

@test "nonsense in the header" {
  have_stream
  patch_stream 112 '\11'
  all_say 'its header makes no stream: 9 axes, size *, data type 3'
}

@test "what is in a file is not printed raw" {
  have_stream
  patch_stream 0 '\033[2J\0'
  check 1 '' "~ shmim-cat: im1: *it begins with '\\\\x1b\[2J'*" -- shmim-cat im1
}

@test "a dangling link" {
  ln -s gone.im.shm "$(stream_file im1)"
  check 1 '' '~ shmim-cat: *is a link to gone.im.shm, which is not there*' -- shmim-cat im1
  check 0 '' '' -- shmim-rm im1
  [ -z "$(listing)" ]
}

@test "an unreadable stream" {
  ((EUID == 0)) || skip "needs root, to be somebody else"
  command -v setpriv >/dev/null || skip "needs setpriv"
  have_stream
  chmod 600 "$(stream_file im1)"
  chmod 755 "$SHM"
  check 1 '' '~ shmim-cat: *cannot open: Permission denied*' -- \
    setpriv --reuid=65534 --regid=65534 --clear-groups shmim-cat im1
  unharmed
}

@test "a full file system is a message, and no crash later" {
  ((EUID == 0)) || skip "needs root, to mount a small file system"
  unshare -m true 2>/dev/null || skip "mounting is not allowed here"
  # shellcheck disable=SC2016
  check 0 '' '~ shmim-create: *cannot reserve *bytes: No space left on device
try: df -h *' -- unshare -m bash -c '
    mount -t tmpfs -o size=2m none "$MILK_SHM_DIR" &&
    { shmim-create im1 1024x1024; [ $? -eq 1 ]; } &&
    [ -z "$(ls -A "$MILK_SHM_DIR")" ]'
}

@test "a directory that is not there" {
  check 1 '' "shmim-cat: /nowhere: no such directory
try: mkdir -p /nowhere" -- shmim-cat -d /nowhere im1
  check 1 '' '~ shmim-connect: /nowhere: no such directory*' -- shmim-connect --conf /nowhere im1
  MILK_SHM_DIR=/nowhere check 1 '' 'shmim-create: MILK_SHM_DIR: /nowhere: no such directory
try: mkdir -p "$MILK_SHM_DIR"' -- shmim-create im1 4
}

@test "a FITS file without an image" {
  fits_file 8 </dev/null >conf/shmim.im1.fits
  check 1 '' '~ shmim-connect: *holds no image*' -- shmim-connect im1
  [ -z "$(listing)" ]
}

@test "a FITS file with four real axes" {
  head -c 48 /dev/zero | fits_file 16 2 3 2 2 >conf/shmim.im1.fits
  check 1 '' '~ shmim-connect: *has 4 axes (2x3x2x2)*' -- shmim-connect im1
  [ -z "$(listing)" ]
  # Axes of length 1 are none.
  head -c 24 /dev/zero | fits_file 16 2 3 2 1 >conf/shmim.im1.fits
  check 0 '~ created im1 int16 2x3x2 *' '' -- shmim-connect im1
}

@test "a FITS file that is truncated leaves no stream, and a stream as it was" {
  have_stream
  shmim-cat im1 -o fits | head -c 2890 >conf/shmim.im1.fits
  check 1 '' '~ shmim-connect: *' -- shmim-connect im1 --reload
  unharmed
  shmim-rm im1
  check 1 '' '~ shmim-connect: *' -- shmim-connect im1
  [ -z "$(listing)" ]
}

@test "a FITS file of a type that no stream has" {
  head -c 24 /dev/zero | fits_file 24 4 2 >conf/shmim.im1.fits
  check 1 '' '~ shmim-connect: *conf/shmim.im1.fits*' -- shmim-connect im1
  [ -z "$(listing)" ]
}

@test "what is no FITS file at all" {
  echo 'not a FITS file' >conf/shmim.im1.fits
  check 1 '' '~ shmim-connect: *conf/shmim.im1.fits*' -- shmim-connect im1
  [ -z "$(listing)" ]
}

@test "a raw frame of the wrong length is not published" {
  have_stream
  head -c 23 /dev/zero >frame
  check 1 '' 'shmim-post: frame: ends after 23 of the 24 bytes of a frame, which was not published' -- \
    shmim-post im1 --data frame
  unharmed
  head -c 47 /dev/zero >frames
  check 1 '' 'shmim-post: frames: ends after 23 of the 24 bytes of a frame, which was not published' -- \
    shmim-post im1 --data frames
  [ "$(cnt0 im1)" -eq 1 ]
}

@test "keywords that do not fit" {
  have_stream
  check 2 '' "~ *: keyword 'A=12345678901234567x': string of 18 bytes, at most 16 fit*" -- \
    shmim-create im2 4 --set A=12345678901234567x
  check 2 '' "~ *: keyword 'ABCDEFGHIJKLMNOPQ=1': name of 17 bytes, at most 16 fit*" -- \
    shmim-post im1 --update --set ABCDEFGHIJKLMNOPQ=1
  check 2 '' "~ *: keyword 'A': it is written NAME=VALUE or NAME=VALUE/comment*" -- \
    shmim-post im1 --update --set A
  unharmed
}

@test "keywords for which there is no slot leave no frame, and nothing half done" {
  make im1 4x3 -t uint16 -k 1 --set A=1
  check 1 '' "~ shmim-post: im1: keyword 'B': all 1 slots are in use*" -- shmim-post im1 --update --set B=2
  [ "$(cnt0 im1)" -eq 0 ]
  check 0 $'0 0 0 0\n0 0 0 0\n0 0 0 0' '' -- shmim-cat im1
}

@test "an unfinished frame is told, and only a whole one mends it" {
  have_stream
  patch_stream 288 '\1' # the write flag, as a writer leaves it that dies
  dead=$(dead_pid)
  trace=$((384 + 24 + 1280 + 320 + 32 + 4 * 40))
  patch_stream $((trace + 4)) "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((dead & 255)) $((dead >> 8 & 255)) $((dead >> 16 & 255)) 0)"
  check 1 '' "shmim-cat: im1: holds an unfinished frame by process $dead, dead
try: shmim-post im1 --data FILE" -- shmim-cat im1
  check 1 '' '~ shmim-post: im1: holds an unfinished frame of a writer that died*' -- shmim-post im1 --update
  head -c 24 /dev/zero | check 0 '' '' -- shmim-post im1 --data -
  check 0 $'0 0 0 0\n0 0 0 0\n0 0 0 0' '' -- shmim-cat im1
}
