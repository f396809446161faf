# What a script can do: the lines that the documentation promises, to the letter.

load helpers

# Frames of 320x256 uint16, more than anybody asks for: a busy machine may miss some.
my_camera() {
  local i
  for ((i = 1; i <= 400; ++i)); do
    cat frame
  done
}

# A filter that changes nothing.
my_filter() { cat; }

@test "a FITS file in conf becomes a stream" {
  shmim-create -q dark 4x3 -t uint16 --fill 7
  shmim-cat dark -o fits >conf/shmim.dark.fits
  shmim-rm dark
  check 0 "~ created dark uint16 4x3 [0-9]* bytes $SHM/dark.im.shm, found as conf FITS conf/shmim.dark.fits" \
    '' -- shmim-connect @S:dark
  check 0 $'7 7 7 7\n7 7 7 7\n7 7 7 7' '' -- shmim-cat dark
}

@test "a camera, a filter triggered by it, and a trace of both" {
  check 0 '~ created cam uint16 320x256 *' '' -- \
    shmim-create 'tui16>cam' 320x256 --circular-buffer 16 --set EXPTIME=0.0005/'[s]'
  shmim-create -q 'tui16>roi' 64x64
  head -c 163840 /dev/zero | tr '\0' x >frame
  mkfifo ready
  (shmim-cat 'cam[0:63,0:63]' -f -n 100 -o raw --ready-fd 8 8>ready |
    my_filter | shmim-post @E:roi --data - --trigger cam --pid $$) 2>pipeline.err &
  pipeline=$!
  STARTED+=("$pipeline")
  read -r <ready
  start_ready waiter shmim-wait cam -t 20s
  my_camera | shmim-post cam --data - --rate 1000 2>post.err
  wait "$pipeline"
  finish waiter 0 '~ [0-9]*' ''
  [ ! -s pipeline.err ] || grep -q 'frames were missed' pipeline.err
  grep -q '400 in .* Hz of 1000 Hz' post.err
  check 0 '400' '' -- shmim-wait cam --cnt0 400
  check 0 '100' '' -- shmim-wait roi --cnt0 100

  shmim-cat cam -o fits >snapshot.fits
  head -c 2880 snapshot.fits | fold -w 80 | grep -q '^EXPTIME = *0.0005 / \[s\] *$'

  shmim-trace roi >trace
  [ "$(sed -n '2s/ .*//p' trace)" = roi ]
  [ "$(sed -n '3s/ .*//p' trace)" = cam ]
  [ "$(sed -n 2p trace | awk '{ print $2 }')" = $$ ]
  grep -q '^oldest to newest: ' trace
  shmim-trace --all --dot >pipeline.dot
  grep -q '"cam" -> "roi"' pipeline.dot
  if command -v dot >/dev/null; then
    dot -Tsvg <pipeline.dot | grep -q '</svg>'
  fi
}

@test "no frame in time is 124" {
  shmim-create -q 'tui16>cam' 320x256
  check 0 'no frame in 2 s: status 124' '~ *timed out*' -- \
    bash -c 'shmim-wait cam -t 0.1s || echo "no frame in 2 s: status $?"'
}

@test "a loop over frames ends when the stream is removed" {
  shmim-create -q 'tui16>cam' 320x256
  start loop bash -c 'while c=$(shmim-wait cam --print "{cnt0}"); do echo "frame $c"; done'
  post_until_heard() { shmim-post cam --update && test -s "$WORK/loop.out"; }
  until_true post_until_heard
  shmim-rm cam
  wait "$last"
  [ "$(head -n 1 loop.out | cut -d ' ' -f 1)" = frame ]
  [ "$(wc -l <loop.err)" -ge 1 ]
}

@test "patterns are matched by the tool" {
  shmim-create -q test_1 4
  shmim-create -q test_2 4
  shmim-create -q other 4
  check 0 "would remove $SHM/test_1.im.shm
would remove $SHM/test_2.im.shm" '' -- shmim-rm --dry-run 'test_*'
  check 0 '' '' -- shmim-rm 'test_*'
  [ "$(listing)" = other.im.shm ]
}
