# shmim-record --keep: frames held in memory, and on disk when something happened.

load helpers
load recordings

# Each event waits until its files are on the disk: here in memory, that is at once.
setup() {
  [[ -w /dev/shm ]] && export TMPDIR=/dev/shm
  own_directories
}

# has_said NAME TEXT
has_said() { grep -qF -- "$2" "$WORK/$1.err"; }

# looks_again NAME: it has since taken what was there, and looked at what it watches, as it does between two sleeps.
looks_again() {
  local pid before
  eval "pid=\$pid_$1"
  before=$(sleeps "$pid")
  until_true has_slept "$pid" $((before + 20))
}
# sleeps PID: of the thread that does most.
sleeps() {
  cat /proc/"$1"/task/*/status 2>/dev/null |
    awk '/^voluntary_ctxt_switches/ && $2 > most { most = $2 } END { print most + 0 }'
}
has_slept() { (($(sleeps "$1") >= $2)); }

@test "a signal has what was held written, and what follows" {
  need_python numpy astropy
  make 'tui16>cam' 8x6 -c 50
  start_record run cam --keep 1m --on lost --on USR1 --max 1 -o run.fits
  shmim-post -q cam --pattern counter -n 10
  kill -USR1 "$pid_run"
  until_true has_said run 'SIGUSR1: came;'
  shmim-post -q cam --pattern counter -n 5
  finish run 0 '' '~ shmim-record: SIGUSR1: came; * held
shmim-record: cam: 15 frames in run.fits'
  reads_as run.fits 'header["RECTRIG"] == "SIGUSR1" and "RECTRIGS" not in header and
    (numpy.diff(table["CNT0"]) == 1).all() and (table["MISSED"] == 0).all() and header["MISSED"] == 0 and
    header["DATE-OBS"] <= header["DATE-TRG"] <= header["DATE-END"] and header.comments["DATE-TRG"] == "when that was seen"'
}

@test "frames that were not in the buffer in time have those that are there written" {
  need_python numpy astropy
  make 'tui8>cam' 4 -c 4
  start_record run cam --keep 1m --on lost --on USR1 --after 300ms --max 2 -o run.fits --json
  shmim-post -q cam --pattern counter -n 2
  kill -USR1 "$pid_run"
  until_true test -e run.fits
  shmim-post -q cam --pattern counter -n 2
  kill -STOP "$pid_run"
  shmim-post -q cam --pattern counter -n 20
  kill -CONT "$pid_run"
  finish run 0 '~ *{"event":"trigger","name":"cam","trigger":"lost","why":"* not in the buffer in time","held":*,"goes_on":false}*{"event":"begin","name":"cam","file":"run-2.fits","trigger":"lost"}*{"event":"end",*' \
    '~ *shmim-record: cam: lost: * before frame * not in the buffer in time; * held*lacking between them*'
  reads_as run-2.fits 'table["CNT0"][-1] == 24 and header["RECTRIG"] == "lost" and header["RECTRIGS"] == "cam" and
    (numpy.diff(table["CNT0"]) == table["MISSED"][1:] + 1).all() and table["MISSED"].sum() == header["MISSED"] > 0'
}

@test "a keyword has them written when it comes to be so, and not for as long as it is" {
  need_python numpy astropy
  make 'tui8>cam' 4x4 -c 50
  shmim-kw -q cam LOOP=open TEMP=-50.0
  start_record run cam --keep 1m --on keyword:LOOP=open --on 'keyword:TEMP>-40' --after 300ms --max 2 -o 'run-{n}.fits'
  shmim-post -q cam --pattern counter -n 3
  shmim-post -q cam --update --set LOOP=closed
  shmim-post -q cam --update
  looks_again run
  shmim-kw -q cam LOOP=open
  until_true test -e run-1.fits
  shmim-post -q cam --pattern counter -n 4
  looks_again run
  shmim-kw -q cam TEMP=-39.5
  finish run 0 '' '~ shmim-record: cam: keyword:LOOP=open: it is open; * held*5 frames in run-1.fits*: keyword:TEMP>-40: it is -39.5; 4 frames held*4 frames in run-2.fits'
  reads_as run-1.fits 'header["RECTRIG"] == "keyword:LOOP=open" and table["CNT0"].tolist() == [1, 2, 3, 4, 5]'
  reads_as run-2.fits 'header["RECTRIG"] == "keyword:TEMP>-40" and table["CNT0"].tolist() == [6, 7, 8, 9]'
}

@test "a stream that stops has its last frames written, once until it goes on" {
  need_python numpy astropy
  make 'tui8>cam' 4x4 -c 50
  start_record run cam --keep 1m --on stopped:300ms --after 0s --max 2 -o run.fits
  shmim-post -q cam --pattern counter -n 3
  until_true test -e run.fits
  shmim-post -q cam --pattern counter -n 2
  finish run 0 '' 'shmim-record: cam: stopped:300ms: no frame for 300.0ms after frame 3; 3 frames held
shmim-record: cam: 3 frames in run.fits
shmim-record: cam: stopped:300ms: no frame for 300.0ms after frame 5; 2 frames held
shmim-record: cam: 2 frames in run-2.fits'
  reads_as run-2.fits 'table["CNT0"].tolist() == [4, 5] and header["RECTRIG"] == "stopped:300ms"'
}

@test "a frame that takes longer than its budget, by its trace, has them written" {
  need_python numpy astropy
  make 'tui8>cam' 4
  make 'tui8>dm' 4 -c 50
  start_record run dm --keep 1m --on budget:10ms --on budget:1m --after 0s --max 1 -o run.fits
  shmim-post -q dm --update  # nothing says how long it took
  shmim-post -q cam --update
  sleep 0.05
  shmim-post -q dm --update --trigger cam
  finish run 0 '' '~ shmim-record: dm: budget:10ms: frame 2 took *ms; 2 frames held*2 frames in run.fits'
  reads_as run.fits 'header["RECTRIG"] == "budget:10ms"'
}

@test "a post of a semaphore has them written" {
  need_python numpy astropy
  make 'tui8>cam' 4x4 -c 50
  start_record run cam --keep 1m --on sem:3 --after 0s --max 1 -o run.fits
  shmim-post -q cam --pattern counter -n 3 --except 3
  looks_again run
  check 1 '' '~ shmim-wait: cam: semaphore 3 is claimed by *shmim-record*' -- shmim-wait cam --sem 3 -t 10ms
  check 1 '' '~ shmim-record: cam: semaphore 3 is claimed by *shmim-record*' -- shmim-record cam --keep 1m --on sem:3
  shmim-post -q cam --sem 3
  finish run 0 '' 'shmim-record: cam: sem:3: semaphore 3 was posted; 3 frames held
shmim-record: cam: 3 frames in run.fits'
  reads_as run.fits 'header["RECTRIG"] == "sem:3"'
}

@test "of several streams what all hold is written" {
  need_python numpy astropy
  make 'tui8>cam' 4x4 -c 50
  make 'tf32>dm' 4 -c 50
  start_record run cam dm --keep 1m --on keyword:LOOP=open --after 300ms -o '{name}.fits'
  shmim-post -q cam --pattern counter -n 3
  shmim-post -q dm --pattern counter -n 1
  looks_again run
  shmim-kw -q dm LOOP=open
  until_true test -e cam.fits -a -e dm.fits
  kill -INT "$pid_run"
  finish run 130 '' '~ shmim-record: dm: keyword:LOOP=open: it is open; * held*'
  reads_as cam.fits 'len(table) == 3 and header["RECTRIG"] == "keyword:LOOP=open" and header["RECTRIGS"] == "dm"'
  reads_as dm.fits 'len(table) == 1 and header["EXTNAME"] == "dm"'
}

@test "what happens while frames are written makes that longer" {
  need_python numpy astropy cbor2
  make 'tui8>cam' 4x4 -c 50
  start_record run cam --keep 1m --on USR1 --on USR2 --after 2s --max 1 -o run.fits -v
  shmim-post -q cam --pattern counter -n 2
  looks_again run
  kill -USR1 "$pid_run"
  until_true has_said run 'SIGUSR1: came'
  kill -USR2 "$pid_run"
  until_true has_said run 'SIGUSR2: came'
  until_true has_recorded run.fits 2
  finish run 0 '' '~ *shmim-record: SIGUSR1: came; 2 frames held*shmim-record: SIGUSR2: came*2 frames in run.fits; 1 event more meanwhile'
  reads_as run.fits 'header["RECTRIG"] == "SIGUSR1"'
}

@test "no event, no file; and what is held ends with the recorder" {
  make 'tui8>cam' 4x4 -c 50
  shmim-kw -q cam LOOP=open
  start_record run cam --keep 1m --on keyword:LOOP=open --on lost
  shmim-post -q cam --pattern counter -n 3
  kill -TERM "$pid_run"
  finish run 143 '' 'shmim-record: --keep: no event came: nothing was written'
  check 124 '' '~ *timed out: no frame for 50.0ms*no event came*' -- shmim-record cam --keep 1m --on lost -t 50ms
  check 0 '' '~ *no event came*' -- shmim-record cam --keep 1m --on lost --for 50ms
  compare files "$(ls)" "$(printf 'conf\nrun.err\nrun.out\nrun.ready')"
}

@test "memory that does not hold so long says so, and for how long it does" {
  need_python numpy astropy
  make 'tui16>cam' 32x32 -c 300
  start_record run cam --keep 10m --buffer 64KiB --on USR1 --after 0s --max 1 -o run.fits
  shmim-post -q cam --pattern counter --rate 1000 -n 200
  until_true has_said run 'of it, and not 10m00s'
  looks_again run
  kill -USR1 "$pid_run"
  finish run 0 '' '~ shmim-record: cam: memory holds *ms of it, and not 10m00s: --buffer *MiB would be enough*SIGUSR1: came; * frames held*frames in run.fits'
  reads_as run.fits '20 < len(table) < 32 and table["CNT0"].tolist() == list(range(201 - len(table), 201)) and header["MISSED"] == 0'
}

@test "as many bytes as --keep says are held" {
  need_python numpy astropy
  make 'tui16>cam' 32x32 -c 300
  start_record run cam --keep 64KiB --on SIGHUP --after 0s --max 1 -o run.fits
  shmim-post -q cam --pattern counter -n 200
  looks_again run
  kill -HUP "$pid_run"
  finish run 0 '' '~ shmim-record: SIGHUP: came; * frames held*'
  reads_as run.fits '20 < len(table) < 32 and table["CNT0"].tolist() == list(range(201 - len(table), 201))'
}

@test "a stream that is re-created is held on, and one of another format anew" {
  need_python numpy astropy
  make 'tui8>cam' 4x4 -c 10
  start_record run cam --keep 1m --on USR1 --after 0s -o run.fits -v
  shmim-post -q cam --pattern counter -n 2
  looks_again run
  shmim-create -q 'tui8>cam' 4x4 -c 10 --recreate
  shmim-post -q cam --pattern counter -n 3
  sleep 0.5  # a re-creation is noticed within 250 ms
  kill -USR1 "$pid_run"
  until_true test -e run-2.fits
  shmim-post -q cam --pattern counter -n 1
  shmim-create -q 'tf32>cam' 2x2 -c 10 --recreate
  until_true has_said run 'what was held is gone'
  until_true bash -c '(($(grep -c "watches cnt0" run.err) == 2))'
  shmim-post -q cam --pattern counter -n 1
  looks_again run
  kill -USR1 "$pid_run"
  until_true test -e run-3.fits
  shmim-rm -q cam
  finish run 3 '' '~ *5 frames held*2 frames in run.fits*re-created: another file begins*3 frames in run-2.fits*re-created with another format: *: what was held is gone*1 frame held*1 frame in run-3.fits*was removed while it was recorded*'
  reads_as run-2.fits 'len(table) == 3 and header["RECTRIG"] == "SIGUSR1"'
  reads_as run-3.fits 'cube.shape == (1, 2, 2)'
}

@test "a name that is there already is passed over" {
  make 'tui8>cam' 4x4 -c 10
  echo mine >run.fits
  start_record run cam --keep 1m --on USR1 --after 300ms --max 1 -o run.fits
  shmim-post -q cam --pattern counter -n 1
  kill -USR1 "$pid_run"
  finish run 0 '' '~ *1 frame in run-2.fits'
  compare content "$(<run.fits)" mine
}

@test "killed while it writes what was held, it leaves what --repair makes whole" {
  need_python numpy astropy cbor2
  make 'tui16>cam' 1024x512 -c 50
  start_stalling run cam --keep 1m --on USR1 --after 1m -o run.fits
  shmim-post -q cam --pattern counter --rate 200 -n 40
  echo 6 >stall  # pieces of the file go through before it stalls
  kill -USR1 "$pid_run"
  until_true has_recorded run.fits 1
  kill -KILL "$pid_run"
  finish run 137 '' '~ *'
  check 0 '' '~ shmim-record: run.fits: is whole, with *' -- shmim-record --repair run.fits
  reads_as run.fits 'header["RECTRIG"] == "SIGUSR1" and 0 < len(cube) == len(table) < 40 and
    (table["CNT0"] == numpy.arange(table["CNT0"][0], table["CNT0"][0] + len(table))).all()'
}

@test "a disk that stalls for 2 s costs no frame that memory has room for" {
  need_python numpy astropy cbor2
  make 'tui16>cam' 256x256 -c 250
  make 'tui16>kept' 256x256 -c 250
  start_stalling run cam -o cam.fits
  start_stalling kept kept --keep 1m --on USR1 --after 2s --max 1 -o kept.fits
  shmim-post -q kept --pattern counter -n 10
  shmim-post -q cam --pattern counter -n 1
  until_true has_recorded cam.fits 1
  : >stall
  kill -USR1 "$pid_kept"
  shmim-post -q kept --pattern counter --rate 100 -n 200 &
  shmim-post -q cam --pattern counter --rate 100 -n 200
  wait $!
  refute test -s .kept.fits.part
  rm stall
  until_true has_recorded cam.fits 201
  kill -INT "$pid_run"
  finish run 130 '' 'shmim-record: cam: 201 frames in cam.fits'
  finish kept 0 '' '~ shmim-record: SIGUSR1: came; * held*frames in kept.fits'
  reads_as cam.fits 'len(table) == 201 and header["MISSED"] == 0 and (table["MISSED"] == 0).all()'
  # Of these the frames of 2 s.
  reads_as kept.fits 'len(table) > 100 and header["MISSED"] == 0 and (table["CNT0"] == numpy.arange(1, len(table) + 1)).all()'
}

@test "what a disk that stalls leaves no memory for is named, and is in the file" {
  need_python numpy astropy cbor2
  make 'tui16>cam' 256x256 -c 50
  start_stalling run cam --buffer 1MiB -o cam.fits --json
  shmim-post -q cam --pattern counter -n 1
  until_true has_recorded cam.fits 1
  : >stall
  shmim-post -q cam --pattern counter --rate 400 -n 300
  rm stall
  until_true has_recorded cam.fits 2
  kill -INT "$pid_run"
  finish run 130 '~ *{"event":"lost","name":"cam","first":*,"last":*,"why":"the disk was too slow for --buffer"}*' \
    '~ *frames in cam.fits, * lacking between them*frames lacking: * (the disk was too slow for --buffer)*'
  # Every frame is in the file, or is lacking; and the last is there.
  reads_as cam.fits '(numpy.diff(table["CNT0"]) == table["MISSED"][1:] + 1).all() and table["CNT0"][-1] == 301 and header["MISSED"] == table["MISSED"].sum() == 301 - len(table) > 100'
  compare 'frames that are named' "$(grep -c '"lost"' run.out)" "$(sed -n 's/.*"missed":\([0-9]*\).*/\1/p' run.out)"
}

@test "what cannot be meant" {
  make cam 4
  local given
  check 2 '' '~ shmim-record: --keep requires --on*' -- shmim-record cam --keep 10s
  check 2 '' '~ shmim-record: --on requires --keep*' -- shmim-record cam --on lost
  check 2 '' '~ shmim-record: --after requires --keep*' -- shmim-record cam --after 2s
  check 2 '' '~ shmim-record: --max requires --keep*' -- shmim-record cam --max 2
  check 2 '' '~ shmim-record: -n excludes --keep*' -- shmim-record cam --keep 10s --on lost -n 5
  for given in 0 0s 2furlongs -5s 5GB; do
    check 2 '' "~ shmim-record: --keep: '$given' is not like 10s or 2GiB*" -- shmim-record cam "--keep=$given" --on lost
  done
  check 2 '' '~ shmim-record: --buffer: --keep 2GiB says already how much memory*' -- \
    shmim-record cam --keep 2GiB --buffer 1GiB --on lost
  check 2 '' '~ shmim-record: --latest skips frames: none is lost then (--on lost)*' -- \
    shmim-record cam --keep 10s --on lost --latest
  check 2 '' "~ shmim-record: --on: 'full-moon' is not like USR1, lost, keyword:LOOP=open, stopped:2s, budget:2ms or sem:3*" -- \
    shmim-record cam --keep 10s --on full-moon
  for given in TERM SIGINT PIPE; do
    check 2 '' "~ shmim-record: --on: '$given': it has a meaning of its own: take HUP, QUIT, USR1 or USR2*" -- \
      shmim-record cam --keep 10s --on "$given"
  done
  for given in KILL SIGSTOP; do
    check 2 '' "~ shmim-record: --on: '$given': no program can catch it: take HUP, QUIT, USR1 or USR2*" -- \
      shmim-record cam --keep 10s --on "$given"
  done
  check 2 '' "~ shmim-record: --on: 'keyword:LOOP': 'LOOP' is no condition: write NAME=VALUE*" -- \
    shmim-record cam --keep 10s --on keyword:LOOP
  check 2 '' "~ shmim-record: --on: 'stopped:soon': 'soon' is not a duration*" -- shmim-record cam --keep 10s --on stopped:soon
  check 2 '' "~ shmim-record: --on: 'budget:': '' is not a duration*" -- shmim-record cam --keep 10s --on budget:
  check 2 '' "~ shmim-record: --on: 'sem:x': *" -- shmim-record cam --keep 10s --on sem:x
  check 2 '' '~ shmim-record: *semaphore 99*' -- shmim-record cam --keep 10s --on sem:99
  check 1 '' '~ *no/such/run.fits: cannot be made: there is no such directory*' -- \
    shmim-record cam --keep 10s --on lost -o no/such/run.fits
}
