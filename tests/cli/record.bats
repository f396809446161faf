# shmim-record: frames on disk, each with its times. What is in the files astropy says, and our own tools.

load helpers
load recordings

@test "each frame is in the file, once, with its counters and times" {
  need_python numpy astropy
  make 'tui16>cam' 32x16 -c 50
  shmim-kw -q cam GAIN=2/dB OBS=ann
  start_record run cam -n 30 -o run.fits
  shmim-post -q cam --pattern counter --rate 500 -n 30
  finish run 0 '' 'shmim-record: cam: 30 frames in run.fits'
  compare files "$(ls -A | grep -c run.fits)" 1
  reads_as run.fits 'cube.shape == (30, 16, 32) and cube.dtype == numpy.dtype("uint16")'
  reads_as run.fits '(table["CNT0"] == numpy.arange(1, 31)).all() and (table["MISSED"] == 0).all()'
  reads_as run.fits 'header["EXTNAME"] == "cam" and header["GAIN"] == 2 and header["OBS"] == "ann"'
  reads_as run.fits 'header["MISSED"] == 0 and header.comments["GAIN"] == "dB"'
  # The newest frame is the last, to the bit and to the nanosecond.
  shmim-cat cam -o npy >last.npy
  reads_as run.fits '(cube[-1] == numpy.load("last.npy")).all()'
  read -r seconds <<<"$(shmim-info cam --json | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["writetime"])')"
  reads_as run.fits "abs(table['WRITETIME'][-1] / 1e9 - card['TAIUTC'] - numpy.datetime64('${seconds%Z}').astype('datetime64[ns]').astype(float) / 1e9) < 1e-6"
}

@test "every type opens as it was" {
  need_python numpy astropy
  local type
  for type in uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64; do
    make --type "$type" "$type" 7x5
    start_record run "$type" -n 1 -o "$type.fits"
    shmim-post -q "$type" --pattern counter -n 1
    finish run 0 '' "~ shmim-record: *1 frame in *"
    rm run.ready
    shmim-cat "$type" -o npy >wanted.npy
    reads_as "$type.fits" "cube.dtype.newbyteorder('=') == numpy.dtype('$type') and (cube[0] == numpy.load('wanted.npy')).all()"
  done
  for type in float16 complex64 complex128; do
    make --type "$type" "$type" 7x5
    start_record run "$type" -n 1 -o "$type.fits"
    shmim-post -q "$type" --pattern counter -n 1
    finish run 0 '' "~ shmim-record: *1 frame in *"
    rm run.ready
    reads_as "$type.fits" "header['SHMIMTYP'] == '$type'"
  done
}

@test "a keyword that changes has a column, and others are in the header" {
  need_python numpy astropy cbor2
  make 'tui8>cam' 4x4 -c 50
  shmim-kw -q cam GAIN=2 FILTER=H EXPTIME=0.5 KEPT=1
  start_record run cam -n 3 -o run.fits
  # Keywords are of the moment in which a frame is taken: each is to be, before the next.
  shmim-post -q cam --update --set GAIN=2
  until_true has_recorded run.fits 1
  shmim-post -q cam --update --set GAIN=3 --set 'FILTER=Ks'
  until_true has_recorded run.fits 2
  shmim-post -q cam --update --set EXPTIME=0.25 --set LATE=7
  finish run 0 '' '~ *3 frames in run.fits'
  reads_as run.fits 'table["GAIN"].tolist() == [2, 3, 3] and table["EXPTIME"].tolist() == [0.5, 0.5, 0.25]'
  reads_as run.fits 'list(table["FILTER"]) == ["H", "Ks", "Ks"] and table["LATE"][2] == 7'
  reads_as run.fits 'table["LATE"][0] == card[card["TTYPE*"].keys().__iter__().__next__().replace("TTYPE1", "TNULL%d" % (1 + table.names.index("LATE")))]'
  reads_as run.fits 'header["KEPT"] == 1 and "GAIN" not in header'
}

@test "frames that were not in the buffer in time are named, and are in the file" {
  need_python numpy astropy cbor2
  make 'tui8>cam' 4x4 -c 4
  start_record run cam -o run.fits
  shmim-post -q cam --pattern counter -n 2
  until_true has_recorded run.fits 2
  kill -STOP "$pid_run"
  shmim-post -q cam --pattern counter -n 20
  kill -CONT "$pid_run"
  until_true has_recorded run.fits 5
  kill -INT "$pid_run"
  finish run 130 '' '~ *frames lacking: * (not in the buffer in time)*'
  reads_as run.fits 'header["MISSED"] == table["MISSED"].sum() > 0 and "-" in header["LOST1"]'
  reads_as run.fits '(numpy.diff(table["CNT0"]) == table["MISSED"][1:] + 1).all()'
}

@test "slices, one frame in so many, and two streams at once" {
  need_python numpy astropy
  make 'tui16>cam' 8x8 -c 50
  make 'tf32>dm' 4 -c 50
  start_record run 'cam[0:3,2:3]' dm -n 3 --decimate 2 -o '{name}-{n:03}.fits'
  shmim-post -q cam --pattern ramp -n 6
  shmim-post -q dm --pattern ramp -n 6
  finish run 0 '' '~ *3 frames in *'
  reads_as cam-001.fits 'cube.shape == (3, 2, 4) and table["CNT0"].tolist() == [1, 3, 5]'
  reads_as cam-001.fits '(cube[0] == 8 * numpy.array([[2], [3]]) + numpy.arange(4)).all()'
  reads_as dm-001.fits 'cube.shape == (3, 4) and table["MISSED"].tolist() == [0, 1, 1]'
}

@test "--split begins another file, without a gap" {
  need_python numpy astropy
  make 'tui8>cam' 10x10 -c 50
  start_record run cam -n 10 --split 4 -o 'run-{n}.fits'
  shmim-post -q cam --pattern counter --rate 200 -n 10
  finish run 0 '' '~ *4 frames in run-1.fits*4 frames in run-2.fits*2 frames in run-3.fits*'
  reads_as run-3.fits 'table["CNT0"].tolist() == [9, 10]'
  rm run.ready
  start_record run cam -n 10 --split 1KiB -o run.fits
  shmim-post -q cam --pattern counter --rate 200 -n 11
  finish run 0 '' '~ *10 frames in run.fits*'
  check 2 '' "~ shmim-record: --split: '4parsecs' is not like 10000, 1GiB or 60s*" -- shmim-record cam --split 4parsecs
}

@test "a stream that is re-created goes on in another file" {
  need_python numpy astropy cbor2
  make 'tui8>cam' 4x4 -c 10
  start_record run cam -o run.fits
  shmim-post -q cam --pattern counter -n 2
  until_true has_recorded run.fits 2
  shmim-create -q 'tui8>cam' 4x4 -c 10 --recreate
  shmim-post -q cam --pattern counter -n 3
  until_true has_recorded run-2.fits 3
  shmim-create -q 'tf32>cam' 2x2 -c 10 --recreate
  until_true test -e run-2.fits
  until_true bash -c 'shmim-wait cam --cnt0 0 -q && shmim-ls cam --noheadings -o readers | grep -q 1'
  shmim-post -q cam --pattern counter -n 1
  until_true has_recorded run-3.fits 1
  kill -TERM "$pid_run"
  finish run 143 '' '~ *2 frames in run.fits*re-created: another file begins*3 frames in run-2.fits*re-created with another format: *1 frame in run-3.fits*'
  reads_as run-2.fits 'len(table) == 3'
  reads_as run-3.fits 'cube.shape == (1, 2, 2) and cube.dtype == numpy.dtype(">f4")'
}

@test "a stream that is removed, and one that stops" {
  need_python cbor2
  make cam 4
  start_record run cam -o run.fits
  shmim-post -q cam --update
  until_true has_recorded run.fits 1
  shmim-rm -q cam
  finish run 3 '' '~ *1 frame in run.fits*shmim-record: cam: was removed while it was recorded*'
  rm run.ready
  make cam 4
  start_record run cam -t 300ms -o stopped.fits
  shmim-post -q cam --update
  finish run 124 '' '~ *1 frame in stopped.fits*timed out: no frame for 300.0ms after frame 1*'
  [[ -e stopped.fits ]]
  check 124 '' '~ *timed out: 0 of 5 frames came in 50.0ms*' -- shmim-record cam -n 5 --for 50ms -o none.fits
  [[ ! -e none.fits ]]
}

@test "killed, it leaves what --repair makes whole" {
  need_python numpy astropy cbor2
  make 'tui16>cam' 64x64 -c 50
  start_record run cam -o run.fits
  shmim-post -q cam --pattern counter -n 20
  until_true has_recorded run.fits 20
  check 1 '' '~ shmim-record: *run.fits: is being recorded*' -- shmim-record --repair run.fits
  kill -KILL "$pid_run"
  finish run 137 '' ''
  [[ ! -e run.fits && -e .run.fits.part ]]
  check 4 '' '~ *run.fits: is being recorded, or was left unfinished by a recorder that is gone*' -- \
    shmim-record cam -n 1 -t 100ms -o run.fits
  check 0 '' 'shmim-record: run.fits: is whole, with 20 frames' -- shmim-record --repair .run.fits.part
  reads_as run.fits 'table["CNT0"].tolist() == list(range(1, 21)) and cube.shape == (20, 64, 64)'
  compare left "$(ls -A | grep -c 'fits.')" 0
  # A stream could be called so: what helps where there is none is no help here.
  check 3 '' 'shmim-record: run.fits: is whole: there is nothing to repair' -- shmim-record --repair run.fits
  check 3 '' 'shmim-record: none.fits: no recording of that name was left' -- shmim-record --repair none.fits
}

@test "what is left of a recorder is whole as soon as it is played, or compared" {
  need_python cbor2
  make 'tui16>cam' 8x8 -c 50
  local tool
  for tool in 'play run.fits --rate 1000' 'diff --frames run.fits frames.frames'; do
    rm -f run.fits run.ready
    start_record run cam -o run.fits
    start frames shmim-cat cam -f -n 5 -o frames
    until_true bash -c '[[ $(shmim-ls cam --noheadings -o readers) == 2 ]]'
    shmim-post -q cam --pattern counter -n 5
    until_true has_recorded run.fits 5
    wait "$pid_frames"
    mv frames.out frames.frames
    check 1 '' '~ *run.fits: is being recorded*' -- shmim-play run.fits
    kill -KILL "$pid_run"
    finish run 137 '' ''
    read -ra words <<<"$tool"
    check 0 '' '~ *run.fits: was left unfinished, and is whole now, with 5 frames*' -- "shmim-${words[0]}" "${words[@]:1}"
    [[ -e run.fits ]]
  done
}

@test "--compress: what reads recordings reads them compressed, as they were" {
  need_python numpy astropy
  make 'tui16>cam' 64x48 -c 50
  shmim-kw -q cam GAIN=2/dB long.name=3
  start_record run cam -n 10 --compress -o run.fits --json
  start_ready frames shmim-cat cam -f -n 10 -o frames
  shmim-post -q cam --pattern spots,noise=3 --rate 500 -n 10
  finish run 0 '~ *"event":"end"*{"event":"compressed","name":"cam","file":"run.fits","bytes_before":77760,"bytes":*}' \
    '~ shmim-record: cam: 10 frames in run.fits*shmim-record: run.fits: compressed from 77760 to ????? bytes'
  compare files "$(ls -A | grep -c run.fits)" 1
  "$PYTHON" -W error - <<'S'
from astropy.io import fits
with fits.open("run.fits") as run:
    run.verify("exception")
    assert len(run) == 3 and isinstance(run["cam"], fits.CompImageHDU)
    assert run["cam"].data.shape == (10, 48, 64) and run["cam"].data.dtype == "uint16"
    assert run["cam"].header["GAIN"] == 2 and run["cam"].header["long.name"] == 3
    assert run["FRAMES"].data["CNT0"].tolist() == list(range(1, 11))
S
  wait "$pid_frames"
  check 0 '~ *' '' -- shmim-diff --frames run.fits ./frames.out
  check 0 '~ created cube uint16 64x48x10 *' '~ *' -- shmim-create cube --from run.fits
  check 0 '~ *' '' -- shmim-diff --ignore '*' cam 'cube[*,*,9]'
  check 0 '' '' -- shmim-play -q --create run.fits again --rate 500
  check 0 '~ *' '' -- shmim-diff --ignore '*' cam again
  check 0 '' '' -- shmim-post -q again --data run.fits
  check 0 '~ *' '' -- shmim-diff --ignore '*' cam again
}

@test "--compress while the next file is recorded, and afterwards with --repair" {
  make 'tui16>cam' 64x48 -c 50
  start_record run cam --split 10 --compress -o 'run-{n}.fits'
  shmim-post -q cam --pattern spots --rate 500 -n 25
  until_true grep -q 'run-1.fits: compressed from' run.err
  until_true grep -q 'run-2.fits: compressed from' run.err
  kill -INT "$pid_run"
  finish run 130 '' '~ *run-3.fits: compressed from 46080 to * bytes'
  check 0 '' 'shmim-record: run-3.fits: stays as it is: it is compressed already' -- shmim-record --compress --repair run-3.fits
  make --type int64 long 8x8 -c 50
  start_record long long -n 1 --compress -o long.fits
  shmim-post -q long --update
  finish long 0 '' '~ *long.fits: stays as it is: 64-bit integers and cubes of four axes are not compressed'
  rm run.ready
  start_record run cam -o left.fits
  shmim-post -q cam --pattern spots --rate 500 -n 10
  until_true bash -c '[[ -s .left.fits.times && $(stat -c %s .left.fits.part) -ge 61440 ]]'
  kill -KILL "$pid_run"
  finish run 137 '' ''
  check 0 '' '~ shmim-record: left.fits: is whole, with * frames*left.fits: compressed from * bytes' -- shmim-record --compress --repair left.fits
  check 3 '' '~ *none.fits: no recording of that name was left*' -- shmim-record --compress --repair none.fits
}

@test "--compress that is interrupted, or has no room, leaves whole files" {
  # Doubles of noise take seconds, of which the first is enough for us.
  make 'tf64>cam' 512x512 -c 40
  start_record run cam -n 40 --compress -o run.fits
  shmim-post -q cam --pattern noise --rate 100 -n 40
  until_true grep -q '40 frames in run.fits' run.err
  # One that came before the recording had ended would have ended that.
  until_true bash -c 'kill -INT "$1"; grep -q "is not compressed" run.err' - "$pid_run"
  finish run 130 '' '~ *run.fits: is not compressed: shmim-record --compress --repair FILE does it'
  compare files "$(ls -A | grep -c run.fits)" 1
  cp run.fits before.fits
  check 1 '' 'shmim-record: run.fits: is not compressed: cannot be written: File too large' -- \
    bash -c 'ulimit -f 1000; shmim-record --compress --repair run.fits'
  cmp run.fits before.fits
  compare files "$(ls -A | grep -c run.fits)" 1
}

@test "--compress leaves of the disk what --reserve says" {
  # More cannot be reserved.
  (($(df --output=avail -B 1 . | tail -n 1) < 1000 * 2 ** 30)) || skip 'more is free than can be reserved'
  make cam 4
  start_record run cam -n 1 --compress -o one.fits --reserve 1000GiB --json
  shmim-post -q cam --update
  finish run 1 '~ *{"event":"uncompressed","name":"cam","file":"one.fits","why":"is not compressed: the disk is nearly full"}' \
    '~ *shmim-record: one.fits: is not compressed: the disk is nearly full*'
  [[ -e one.fits ]]
}

@test "nothing is overwritten without --force" {
  make cam 4
  echo mine >run.fits
  check 4 '' '~ shmim-record: *run.fits: exists*' -- shmim-record cam -n 1 -o run.fits
  compare content "$(<run.fits)" mine
  start_record run cam -n 1 --force -o run.fits
  shmim-post -q cam --update
  finish run 0 '' 'shmim-record: cam: 1 frame in run.fits'
  head -c 6 run.fits | grep -q SIMPLE
}

@test "--json tells what happens" {
  make 'tui8>cam' 4 -c 10
  start run shmim-record cam -n 2 -o run.fits --json -q
  until_true bash -c 'shmim-post -q cam --update; grep -q begin "$1"' - run.out
  shmim-post -q cam --update
  finish run 0 '~ {"event":"begin","name":"cam","file":"run.fits"}*{"event":"end","name":"cam","file":"run.fits","frames":2,"missed":*}' ''
}

@test "what cannot be meant" {
  make cam 4
  make dm 4
  check 2 '' '~ shmim-record: REF is required*' -- shmim-record
  check 2 '' '~ shmim-record: --repair is in the place of REF*' -- shmim-record cam --repair run.fits
  check 2 '' '~ shmim-record: --output: several streams need {name} in it*' -- shmim-record cam dm -o run.fits
  check 2 '' "~ shmim-record: --output: '{nmae}.fits' is not like run.fits*" -- shmim-record cam -o '{nmae}.fits'
  check 2 '' "~ shmim-record: --buffer: 'much' is not like 524288, 512KiB or 8MiB*" -- shmim-record cam --buffer much
  check 2 '' "~ shmim-record: --reserve: '0' is not like 524288, 512KiB or 8MiB*" -- shmim-record cam --reserve 0
  check 2 '' "~ shmim-record: --cpu: 'x' is not like 2 or 2,3*" -- shmim-record cam --cpu x
  check 3 '' '~ shmim-record: none: no such stream in *' -- shmim-record none
  check 1 '' '~ *no/such/run.fits: cannot be made: there is no such directory*' -- shmim-record cam -n 1 -o no/such/run.fits
}

@test "a full disk ends with a whole file, and says what is lacking" {
  ((EUID == 0)) && unshare -m true 2>/dev/null || skip 'mounting a small file system is not allowed here'
  need_python numpy astropy
  make 'tui8>cam' 100x100 -c 150
  mkdir small
  cat >full.sh <<'S'
mount -t tmpfs -o size=1m tmpfs small && exec 9>&8 && shmim-record cam -o small/run.fits --direct off --ready-fd 8
status=$?
cp small/run.fits .
exit $status
S
  start_ready run unshare -m bash -c 'bash full.sh'
  shmim-post -q cam --pattern counter --rate 1000 -n 150
  finish run 1 '' '~ *in small/run.fits*No space left on device*'
  reads_as run.fits 'len(table) == len(cube) > 80 and table["CNT0"].tolist() == list(range(1, 1 + len(cube)))'
}

@test "a disk that is found to be full only when a file ends is no less so" {
  need_small_tmpfs
  make 'tui8>cam' 100x100 -c 150
  cat >full.sh <<'S'
mount -t tmpfs -o size=1m tmpfs small && exec 9>&8 && shmim-record cam -o small/run.fits -n 150 --ready-fd 8
S
  start_ready run unshare -m bash full.sh
  shmim-post -q cam --pattern counter --rate 1000 -n 150
  finish run 1 '' '~ *in small/run.fits*lacking: *the last * (the disk is full)
shmim-record: small/*run.fits*: cannot be written: *
try: df -h small'
}
