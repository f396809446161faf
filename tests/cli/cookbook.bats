# The recipes of shmim-cookbook(7), as they stand there: each test is named after its recipe and runs every
# block of it. Only what a test cannot have or wait for is another: a port, a directory of the system, how long.

load helpers

page=$SHMIM_SOURCE_DIR/man/shmim-cookbook.7.scd

setup() {
  own_directories
  blocks DESCRIPTION
  mv block.1 camera
  blocks "$BATS_TEST_DESCRIPTION"
}

teardown() {
  local pid block status=0
  for block in block.*; do
    [[ ! -e $block || -e used/$block ]] || {
      printf 'not run: %s\n' "$(<"$block")" >&2
      status=1
    }
  done
  for pid in ${STARTED[@]+"${STARTED[@]}"}; do
    kill -KILL -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  cd / && rm -rf "$SHM" "$WORK"
  return $status
}

# blocks HEADING: what stands there between lines of ```, in files block.1, block.2...
blocks() {
  awk -v heading="$1" '
    /^```$/ { open = !open; if (open && here) file = "block." ++n; next }
    !open && /^#/ { sub(/^#+ /, ""); here = ($0 == heading) }
    open && here { gsub(/\\\\/, "\\"); print > file }' "$page"
}

# block N [SED]: the text of the block, altered for the test's sake.
block() {
  mkdir -p used
  touch "used/block.$1"
  sed -e "${2-}" "block.$1"
}

# cook N [SED]: runs the block, as if it were typed.
cook() { bash -ec "$(block "$@")"; }

# cook_on NAME N [SED]: in the background, until the test ends; output in NAME.out and NAME.err.
cook_on() {
  local name=$1 text
  shift
  text=$(block "$@")
  start "$name" setsid bash -ec "$text"
}

# stop NAME: ends what cook_on has begun, or camera.
stop() {
  local pid
  eval "pid=\$pid_$1"
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# camera: frames come, as the page's first block has it.
camera() {
  start camera setsid bash -ec "$(<camera)"$'\nwait'
  until_true shmim-wait cam -t 5s -q
}

# still_camera: the same frame again and again, so that what is made of it can be compared.
still_camera() {
  bash -ec "$(sed -n /create/p camera)" >/dev/null
  shmim-post cam --pattern noise --seed 1 -n 1 -q
  shmim-cat cam -o raw >still.raw
  start camera setsid shmim-post cam --data still.raw --loop --rate 100 -q
}

# python PROGRAM ARGUMENT...: with an array `stream(name)` of the newest frame of a stream.
python() {
  "$PYTHON" -c "
import io, subprocess, sys, numpy
def stream(name):
    return numpy.load(io.BytesIO(subprocess.check_output(['shmim-cat', name, '-o', 'npy'])))
$1" "${@:2}"
}

@test "every recipe of the page is tried here" {
  diff <(sed -n 's/^## //p' "$page" | sort) \
    <(sed -n 's/^@test "\(.*\)" {$/\1/p' "$BATS_TEST_FILENAME" | grep -vE '^(every|each) ' | sort)
}

@test "A dark, by hand" {
  need_python numpy astropy
  ln -s "$(command -v "$PYTHON")" python3
  export PATH=$PWD:$PATH
  camera
  cook 1
  python 'assert (stream("dark") == numpy.load("dark.npy").mean(axis=0).astype("f4")).all()'
  cook 1
  python 'assert (stream("dark") == numpy.load("dark.npy").mean(axis=0).astype("f4")).all()'
}

@test "The dark, subtracted" {
  need_python numpy
  ln -s "$(command -v "$PYTHON")" python3
  export PATH=$PWD:$PATH
  still_camera
  make dark 320 240 --fill 100
  block 1 >subtract.py
  cook_on unit 2
  until_true has_frames cam_dark 5
  python 'assert (stream("cam_dark") == stream("cam") - numpy.float32(100)).all()'
  make --recreate dark 320 240 --fill 7
  until_true python 'assert (stream("cam_dark") == stream("cam") - numpy.float32(7)).all()'
}

@test "Zero a mirror, poke an actuator, copy a shape" {
  cook 1
  compare sum "$(shmim-cat dm | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')" ' 96 0 1 0.1 '
  compare poked "$(shmim-cat 'dm[5]')" 0.1
  cmp <(shmim-cat dm -o raw) <(shmim-cat dm_flat -o raw)
}

@test "Keep a stream for the next start" {
  make dm 97
  seq 97 | shmim-post dm --data -
  shmim-cat dm >before
  cook 1
  cmp before <(shmim-cat dm)
}

@test "SAOImage ds9" {
  still_camera
  start screen setsid Xvfb -displayfd 1 -screen 0 800x600x24
  until_true test -s screen.out
  export DISPLAY=:$(<screen.out) XPA_METHOD=local HOME=$WORK XPA_TMPDIR=$WORK
  cook_on looker 1
  until_true shows_the_pixel
  stop camera
  finish looker 0 '' '~ *'
}
shows_the_pixel() {
  [[ $(xpaget ds9 data image 101 51 1 1 yes) == "$(shmim-cat 'cam[100,50]')" ]]
}

# package: programs in Python find ours.
package() {
  need_python numpy
  ln -s "$(command -v "$PYTHON")" python3
  export PATH=$PWD:$PATH PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python SHMIM_LIBRARY=$SHMIM_BUILD_DIR/lib/libshmim.so
}

@test "NumPy" {
  package
  camera
  python3 -c "$(block 1)" >one
  compare frame "$(<one)" '~ (240, 320) uint16 [0-9]* 20*'
  start all python3 -u -c "$(block 2)"
  until_true grep -q . all.out
  sleep 0.5
  stop camera
  finish all 0 '~ *' ''
  # Each number is the one before, and how many were missed.
  awk 'NR > 1 && $1 != last + 1 + $2 { exit 1 } { last = $1 } END { exit NR < 10 }' all.out
}

@test "A terminal of four, with tmux" {
  unset TMUX
  export TMUX_TMPDIR=$WORK TERM=xterm-256color
  camera
  cook 1
  until_true pane_shows 0 'cam .*[0-9]Hz'
  until_true pane_shows 1 '^[0-9]* -'
  until_true pane_shows 2 '^20[0-9-]*T'
  until_true pane_shows 3 'EXPTIME'
  compare panes "$(tmux list-panes -t streams | wc -l)" 4
  start attached setsid script -qec "$(block 2)" /dev/null
  until_true has_client
  tmux kill-server
}
pane_shows() { tmux capture-pane -p -t "streams.$1" | grep -q "$2"; }
has_client() { [[ -n $(tmux list-clients -t streams) ]]; }

@test "To ffmpeg" {
  still_camera
  cook 1 s/10s/2s/
  compare video "$(ffprobe -v error -show_entries stream=codec_name,width,height,pix_fmt,r_frame_rate -of csv=p=0 cam.mkv)" \
    'ffv1,320,240,gray16le,25/1'
  ffmpeg -v error -i cam.mkv -f rawvideo frames.raw
  compare frames "$(($(stat -c %s frames.raw) / 153600 >= 10))" 1
  cmp still.raw <(tail -c 153600 frames.raw)
}

@test "From ffmpeg" {
  need_python numpy
  head -c 153600 /dev/urandom >still.raw
  ffmpeg -v error -f rawvideo -pixel_format gray16le -video_size 320x240 -framerate 25 -stream_loop 9 \
    -i still.raw -c:v ffv1 cam.mkv
  cook 1 >/dev/null
  compare frames "$(cnt0 movie)" 10
  python 'sent = numpy.fromfile("still.raw", "u2").reshape(240, 320) / 257
assert numpy.abs(stream("movie") - sent).max() <= 1'
}

@test "To GStreamer" {
  still_camera
  cook 1 s/10s/1s/
  compare video "$(ffprobe -v error -show_entries stream=codec_name,width,height,r_frame_rate -of csv=p=0 cam.ogv)" \
    'theora,320,240,25/1'
}

@test "From GStreamer" {
  cook 1 s/=250/=10/ >/dev/null
  compare frames "$(cnt0 scene)" 10
  compare 'values are many' "$(($(shmim-cat scene | tr ' ' '\n' | sort -u | wc -l) > 5))" 1
}

@test "Prometheus, over socat" {
  need_python socket
  camera
  block 1 >scrape
  chmod +x scrape
  local port
  port=$("$PYTHON" -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cook_on server 2 "s/9101/$port/"
  until_true scraped
  compare type "$(head -n 1 scraped)" 'application/openmetrics-text; version=1.0.0'
  grep -q '^shmim_stream_frames_total{stream="cam"' scraped
  compare end "$(tail -n 1 scraped)" '# EOF'
}
scraped() {
  "$PYTHON" -c 'import sys, urllib.request
answer = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics")
print(answer.headers["Content-Type"])
sys.stdout.write(answer.read().decode())' "$port" >scraped
}

@test "The textfile of node_exporter" {
  camera
  cook_on exporter 1 "s|/var/lib/prometheus/node-exporter|$WORK|"
  until_true grep -q '^shmim_stream_frames_total{stream="cam"' shmim.prom
}

@test "An alarm" {
  camera
  cook_on alarm 1
  sleep 0.5
  refute test -e alarms
  stop camera
  until_true alarms_are 1
  shmim-post cam --update
  until_true alarms_are 2
}
alarms_are() { [[ $(grep -cx 'cam has stopped: status 124' alarms) == "$1" ]]; }

@test "The ten seconds before it" {
  camera
  cook_on flight 1
  until_true has_threads "$pid_flight" 3
  sleep 0.3
  refute compgen -G 'cam-*.fits'
  stop camera
  until_true compgen -G 'cam-*.fits'
  grep -q 'shmim-record: cam: stopped:2s: no frame for 2.0s after frame' flight.err
}
has_threads() { (($(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l) >= $2)); }

@test "A log of temperatures" {
  camera
  cook_on log 1
  until_true test -s temperature.csv
  compare names "$(<temperature.csv)" 'writetime,cnt0,TEMP,EXPTIME'
  shmim-kw cam TEMP=-41.5
  until_true grep -q -- ',-41.5,0.01' temperature.csv
}

@test "A compute unit as a service" {
  need_python numpy
  ln -s "$(command -v "$PYTHON")" python3
  block 1 >subtract.service
  sed "s|=shmim-|=$SHMIM_BIN_DIR/shmim-|; s|=/opt/unit|=$WORK|" subtract.service >here.service
  systemd-analyze verify ./here.service
  still_camera
  make dark 320 240 --fill 100
  (BATS_TEST_DESCRIPTION='The dark, subtracted' && mkdir other && cd other && blocks "$BATS_TEST_DESCRIPTION" &&
    mv block.1 ../subtract.py)
  export PATH=$PWD:$PATH
  bash -ec "$(sed -n 's/^ExecStartPre=//p' subtract.service)" >/dev/null
  start unit setsid bash -ec "exec $(sed -n 's/^ExecStart=//p' subtract.service)"
  until_true has_frames cam_dark 5
}

# The other host is another shm directory, behind a true ssh.
other_host() {
  need_python asyncssh
  mkdir "$WORK/keys" "$WORK/bin" "$SHM/far"
  FAR=$SHM/far
  start server setsid env MILK_SHM_DIR="$FAR" "$PYTHON" "$SHMIM_SOURCE_DIR/tests/support/ssh_server.py" "$WORK/keys"
  until_true test -e "$WORK/keys/config"
  printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$(command -v ssh)" "$WORK/keys/config" >"$WORK/bin/ssh"
  chmod +x "$WORK/bin/ssh"
  export PATH=$WORK/bin:$PATH
}

@test "Over ssh" {
  other_host
  still_camera
  cook_on there 1
  until_true shmim-wait -d "$FAR" cam --cnt0 20 -q
  cmp still.raw <(shmim-cat -d "$FAR" cam -o raw)
  compare keyword "$(shmim-kw -d "$FAR" cam TEMP)" -40.5
  stop camera
  until_true same_time
  stop there

  mv "$SHM/cam.im.shm" "$FAR/wfs.im.shm"
  start camera setsid shmim-post -d "$FAR" wfs --data still.raw --loop --rate 100 -q
  cook_on here 2
  until_true shmim-wait wfs -t 5s -q
  cmp still.raw <(shmim-cat wfs -o raw)

  cook_on thin 3
  until_true shmim-wait wfs_small -t 5s -q
  compare size "$(shmim-ls --noheadings -o size wfs_small)" 80x60
  cmp <(shmim-cat 'wfs[::4b,::4b]') <(shmim-cat wfs_small)
}
same_time() { [[ $(shmim-cat cam --print '{atime}') == "$(shmim-cat -d "$FAR" cam --print '{atime}')" ]]; }

@test "In C++" {
  need_python numpy
  cmake --install "$SHMIM_BUILD_DIR" --prefix "$WORK/usr" >/dev/null
  PKG_CONFIG_PATH=$(echo "$WORK"/usr/lib*/pkgconfig "$WORK"/usr/lib/*/pkgconfig | tr ' ' :)
  export PKG_CONFIG_PATH
  still_camera
  block 1 >slopes.cpp
  cook_on unit 2
  until_true has_frames slopes 5
  python 'image = stream("cam").astype(float)
y, x = numpy.indices(image.shape)
centre = numpy.array([(image * x).sum(), (image * y).sum()]) / image.sum()
assert numpy.allclose(stream("slopes"), centre, rtol=1e-6)'
  shmim-trace slopes | grep -q ' cam '
}

@test "In Python" {
  package
  still_camera
  block 1 >half.py
  cook_on unit 2
  until_true has_frames half 3
  python 'assert (stream("half") == stream("cam") / numpy.float32(2)).all()'
  shmim-trace half | grep -q ' cam '
}

@test "In a line of shell" {
  need_python numpy
  still_camera
  cook_on unit 1
  until_true has_frames half 3
  python 'assert (stream("half") == stream("cam") / numpy.float32(2)).all()'
}

@test "Something done for each frame" {
  camera
  cook 1 >lines 2>/dev/null
  compare lines "$(wc -l <lines)" 10
  compare line "$(tail -n 1 lines)" '~ [0-9]* 20[0-9][0-9]-*Z'
}

@test "How long it all takes" {
  camera
  start unit setsid shmim-run cam half --type uint16 -- cat
  until_true has_frames half 3
  run_out hops cook 1 s/1000/20/
  grep -q 'cam.*half' hops
}

# commands: the right column of the tables of the page, but for what is found above.
commands() { sed -n '/^# FROM MILK/,/^# SEE/p' "$page" | sed -n 's/^:  \([^_]\)/\1/p' | sed 's/\\\\*\*/*/g'; }

@test "each command beside one of milk's or pyMilk's does what it says" {
  other_host
  mkdir -p conf
  local command count=0
  while read -r command; do
    rm -f "$SHM"/*.im.shm
    camera
    make dm 97
    shmim-cat cam -o npy >cam.npy
    shmim-cat cam -o fits >cam.fits
    case $command in
      shmim-top) # a screen, left by its key
        (sleep 1 && printf q) | TERM=xterm script -qec "$command" /dev/null >screen
        grep -q cam screen
        ;;
      *' ssh '* | *' -- cat' | *' -f '*) # for ever
        start forever setsid bash -ec "$command"
        sleep 1
        kill -0 "$last"
        stop forever
        case $command in
          *ssh*) has_frames cam 1 -d "$FAR" ;;
          *' -- cat') has_frames "$(awk '{print $3}' <<<"$command")" 1 ;;
          *) test -s forever.out ;;
        esac
        ;;
      *) timeout 60 bash -ec "$command" >out ;;
    esac
    stop camera
    count=$((count + 1))
  done < <(commands)
  compare commands "$count" 35
}
