# What a script can do with the tools: each line of it, as a script would write it.

load helpers

# Frames of 320x256 uint16, each filled with its number: 0x0101, 0x0202, ...
my_camera() {
  local i=1 byte
  while ((i <= ${frames:-400})); do
    printf -v byte '\\%03o' $((i % 250 + 1))
    head -c $((320 * 256 * 2)) /dev/zero | tr '\0' "$byte"
    i=$((i + 1))
  done
}

# Turns frames into others of the same size.
my_filter() { tr '\001-\372' '\002-\373'; }

dark() {
  make 'tf32>dark' 320x256 --fill 0.5
  shmim-cat dark -o fits >conf/shmim.dark.fits
  shmim-rm dark
}

camera() {
  check 0 "~ created cam uint16 320x256 *" '' -- \
    shmim-create 'tui16>cam' 320x256 --circular-buffer 16 --set EXPTIME=0.0005/'[s]'
}

@test "shmim-connect loads the dark from conf, and says so" {
  dark
  check 0 "created dark float32 320x256 330496 bytes $SHM/dark.im.shm, found as conf FITS conf/shmim.dark.fits" \
    '' -- shmim-connect @S:dark
}

@test "shmim-create makes the camera's stream" {
  camera
  compare slots "$(field "$(stream_file cam)" 292 u4 4)" 16
}

@test "raw frames from any program, at a steady rate" {
  camera
  frames=21
  my_camera | check 0 '' '~ shmim-post: cam: 21 in * s: * Hz of 1000 Hz' -- \
    shmim-post cam --data - --rate 1000
  compare cnt0 "$(cnt0 cam)" 21
  check 0 '5654' '' -- shmim-cat 'cam[0,0]' # 0x1616
}

@test "shmim-wait with a time limit, or a word about it" {
  camera
  check 0 'no frame in 2 s: status 124' '~ shmim-wait: cam: timed out: no frame for * after frame *' -- \
    bash -c 'shmim-wait cam -t 20ms || echo "no frame in 2 s: status $?"'
  frames=200
  my_camera | shmim-post cam --data - --rate 200 2>/dev/null &
  STARTED+=("$!")
  check 0 '~ [0-9]*' '' -- bash -c 'shmim-wait cam -t 2s || echo "no frame in 2 s: status $?"'
}

@test "a filter in a pipe: a region of interest, frame by frame, to another stream" {
  camera
  make 'tui16>roi' 64x64 -c 128
  start_ready consumer shmim-cat roi -f -n 100 -o raw
  # The reader must be there before the camera.
  mkfifo go
  { read -r _ <go; frames=130; my_camera; } | shmim-post cam --data - --rate 200 2>/dev/null &
  STARTED+=("$!")
  mkfifo ready
  shmim-cat 'cam[0:63,0:63]' -f -n 100 -o raw --ready-fd 8 8>ready 2>cat.err |
    my_filter |
    shmim-post @E:roi --data - --trigger cam --pid $$ >post.out 2>post.err &
  STARTED+=("$!")
  read -r _ <ready
  echo >go
  finish consumer 0 '~ *' ''
  compare 'stderr of cat' "$(<cat.err)" ''
  shmim-wait roi --cnt0 100 -t 20s >/dev/null
  compare 'output of post' "$(cat post.out post.err)" ''
  compare bytes "$(stat -c %s consumer.out)" $((100 * 64 * 64 * 2))
  # Frame by frame, each whole, none missing, every element raised by the filter.
  od -An -v -tu1 -w8192 consumer.out | awk '
    { for (i = 2; i <= NF; ++i) if ($i != $1) exit 1 }
    { first = NR == 1 ? $1 : first; if ($1 != first + NR - 1) exit 1 }
    END { exit NR == 100 ? 0 : 1 }'
  # The trace names this shell, which lives on, and the camera's stream.
  run_out trace shmim-trace roi
  compare newest "$(sed -n '2s/  */ /gp' trace)" "~ roi $$ bash cam cnt0 received - * *Z *Z *s"
}

@test "a snapshot as FITS, keywords and all" {
  camera
  frames=1
  my_camera | shmim-post cam --data -
  shmim-cat cam -o fits >snapshot.fits
  check 0 '~ created back uint16 320x256 *' '' -- shmim-create back --from snapshot.fits
  shmim-cat cam -o raw >raw
  shmim-cat back -o raw | cmp - raw
  need_python astropy numpy
  "$PYTHON" -c '
from astropy.io import fits
with fits.open("snapshot.fits") as f:
    assert f[0].data.shape == (256, 320) and (f[0].data == 0x0202).all()
    assert f[0].header["EXPTIME"] == 0.0005 and f[0].header.comments["EXPTIME"] == "[s]"
'
}

@test "a loop over frames, which ends when the stream goes" {
  camera
  start loop bash -c 'while c=$(shmim-wait cam --print "{cnt0}"); do echo "frame $c"; done'
  feed() {
    shmim-post cam --update
    [[ $(wc -l <loop.out) -ge 3 ]]
  }
  until_true feed
  shmim-rm cam
  # Between two waits it is not found, within one it is removed: exit 3 either way.
  finish loop 0 '~ frame *' '~ shmim-wait: cam: *'
  refute grep -qv '^frame [0-9]*$' loop.out
}

@test "who wrote it, triggered by what, how long each hop took" {
  camera
  make 'tui16>roi' 64x64
  shmim-post cam --update --pid $$
  shmim-post roi --update --trigger cam --pid $$
  run_out trace shmim-trace roi
  compare steps "$(wc -l <trace)" 4
  compare total "$(tail -n 1 trace)" '~ oldest to newest: *s'
}

@test "the pipeline as a picture" {
  camera
  make 'tui16>roi' 64x64
  shmim-post cam --update
  shmim-post roi --update --trigger cam
  shmim-trace --all --dot | dot -Tsvg >pipeline.svg
  grep -q '<svg' pipeline.svg
  grep -q '>cam<' pipeline.svg
}

@test "shmim-rm tells what a pattern would remove" {
  make test_a 2
  make test_b 2
  make cam 2
  check 0 "would remove $SHM/test_a.im.shm
would remove $SHM/test_b.im.shm" '' -- shmim-rm --dry-run 'test_*'
  compare streams "$(listing | wc -l)" 3
}
