# shmim-ls: what streams there are, and how they are.

load helpers

@test "a line for each stream, sorted, with its columns" {
  make 'tui16>cam' 320x256
  make 'tf32>act' 8
  shmim-post cam --update --pid $$
  run_out out shmim-ls
  compare headings "$(sed -n '1s/  */ /gp' out)" 'NAME TYPE SIZE CNT0 AGE BYTES WRITER READERS'
  compare first "$(sed -n '2s/  */ /gp' out)" "act float32 8 0 - $(stat -c %s "$(stream_file act)") - 0"
  compare second "$(sed -n '3s/  */ /gp' out)" \
    "~ cam uint16 320x256 1 *s $(stat -c %s "$(stream_file cam)") $$ (bash) 0"
  compare lines "$(wc -l <out)" 3
}

@test "numbers are aligned right, words left" {
  make 'tui8>a' 1
  make 'longname' 100x100
  run_out out shmim-ls -o name,bytes,type
  compare table "$(<out)" "NAME      BYTES  TYPE
a          $(stat -c %s "$(stream_file a)")  uint8
longname  $(stat -c %s "$(stream_file longname)")  float32"
}

@test "wide characters are aligned as a terminal shows them" {
  make 相机 2
  make cam 2
  run_out out shmim-ls -o name,cnt0
  compare table "$(<out)" "NAME  CNT0
cam      0
相机     0"
}

@test "dead writers are marked, and readers counted" {
  need_first_namespace
  make cam 2
  make idle 2
  dead=$(dead_pid)
  shmim-post cam --update --pid "$dead"
  start_ready w shmim-wait cam -n 5 -t 20s
  start_ready v shmim-wait cam -n 5 -t 20s
  check 0 "cam   $dead (dead)  2
idle  -${dead//?/ }        0" '' -- shmim-ls -o name,writer,readers --noheadings
  check 0 "{\"writer\":{\"pid\":$dead,\"command\":\"\",\"alive\":false},\"readers\":[{\"pid\":$pid_v,\"command\":\"shmim-wait\",\"alive\":true},{\"pid\":$pid_w,\"command\":\"shmim-wait\",\"alive\":true}]}" \
    '' -- shmim-ls cam -o writer,readers --json
}

@test "who is in the middle of a frame is its writer, dead predecessors or not" {
  make m 2
  shmim-post m --update --pid "$(dead_pid)"
  start_holder holder m
  check 0 "m  $pid_holder (shmim-faults)" '' -- shmim-ls m -o name,writer --noheadings
}

@test "a writer that gave up is named by its PID, and lives" {
  make m 2
  shmim-post m --update --pid "$(dead_pid)"
  start_quitter quitter m
  check 0 "m  $pid_quitter (shmim-faults)" '' -- shmim-ls m -o name,writer --noheadings
}

@test "patterns, types and names" {
  for name in cam1 cam2 dm; do make "$name" 2; done
  make 'tui8>cam3' 2
  names() { shmim-ls -o name --noheadings "$@" | xargs; }
  compare all "$(names)" 'cam1 cam2 cam3 dm'
  compare pattern "$(names 'cam[12]')" 'cam1 cam2'
  compare several "$(names dm '@S:cam?' dm)" 'cam1 cam2 cam3 dm'
  compare type "$(names 'tui8>*')" cam3
  compare 'one by name' "$(names @E:dm)" dm
}

@test "no stream matched is exit 3" {
  check 0 '' "shmim-ls: $SHM: no streams there" -- shmim-ls
  check 0 '' '' -- shmim-ls -q
  make cam 2
  check 3 '' "shmim-ls: none: no such stream in $SHM" -- shmim-ls none
  check 3 '' "shmim-ls: x*: no such stream in $SHM" -- shmim-ls 'x*'
  check 3 cam "shmim-ls: tui8>cam: no such stream in $SHM" -- shmim-ls 'tui8>cam' cam -o name --noheadings
  check 2 '' '~ shmim-ls: a/b: a stream has no /*' -- shmim-ls a/b
}

@test "links show where they lead, dangling ones that they do" {
  make cam 2
  ln -s cam.im.shm "$(stream_file alias)"
  ln -s none.im.shm "$(stream_file lost)"
  run_out out shmim-ls
  compare alias "$(sed -n '2s/  */ /gp' out)" '~ alias -> cam float32 2 0 - *'
  compare lost "$(sed -n '4s/  */ /gp' out)" 'lost -> none dangling: it is not there'
  check 0 'alias  cam.im.shm   whole
cam    -            whole
lost   none.im.shm  dangling' '' -- shmim-ls -o name,target,state --noheadings
}

@test "every kind of broken file in one directory is a line that says why" {
  make good 2
  : >"$(stream_file empty)"
  head -c 100 /dev/zero >"$(stream_file short)"
  head -c 500 /dev/zero >"$(stream_file zeros)"
  head -c 3000 "$(stream_file good)" | { printf '1.00'; tail -c +5; } >"$(stream_file old)"
  { printf 'dao_name'; head -c 500 /dev/zero; } >"$(stream_file dao)"
  { cat "$(stream_file good)"; printf more; } >"$(stream_file long)"
  { cat "$(stream_file good)"; head -c 4112 /dev/zero; } >"$(stream_file daobuild)"
  cp "$(stream_file good)" "$(stream_file header)"
  printf '\x09' | dd of="$(stream_file header)" bs=1 seek=112 conv=notrunc status=none
  mkdir "$(stream_file directory)"
  ln -s nowhere "$(stream_file dangling)"
  ln -s loop.im.shm "$(stream_file loop)"
  run_out out shmim-ls
  line() { compare "$1" "$(grep "^$1 " out | sed 's/  */ /g')" "$2"; }
  line good '~ good float32 2 0 - *'
  line empty 'empty is empty, so no stream (yet)'
  line short 'short has 100 bytes, fewer than the 384 of a header: no stream (yet)'
  line zeros '~ zeros has no version string: *'
  line old 'old has version 1.00 of the layout, and we read version 2.00'
  line dao "~ dao is not an ImageStreamIO stream: it begins with 'dao_name'*"
  size=$(stat -c %s "$(stream_file good)")
  line long "long has $((size + 4)) bytes, but its header asks for $size"
  line daobuild '~ daobuild was made by a DAO build of the C library*'
  line header '~ header its header makes no stream: 9 axes, *'
  line directory '~ directory is *'
  line dangling 'dangling -> nowhere dangling: it is not there'
  line loop '~ loop -> loop cannot open: Too many levels of symbolic links'
  compare lines "$(wc -l <out)" 13
  check 0 '~ *"state":"too short","why":"has 100 bytes*' '' -- shmim-ls short --json
  shmim-ls --json -o name,state | grep -o '"state":"[^"]*"' | sort >states
  compare states "$(cut -d'"' -f4 states | sort -u | xargs -d'\n' printf '%s;')" \
    'DAO layout;bad header;dangling;no version;other version;too short;unreadable;whole;wrong size;'
}

@test "a stream that we may not read is a line that says so" {
  need_nobody
  make open 2
  make shut 2 --mode 0600
  check 0 '~ open *
shut  cannot open: Permission denied' '' -- "${nobody[@]}" shmim-ls --noheadings
}

@test "-l and --columns: what each column says" {
  make 'tui16>cam' 4x3 -c 8 -k 20 -s 3 --owner 1 --set 'A=1'
  shmim-post cam --update --pid $$
  run_out out shmim-ls -l
  grep -q '^NAME .* HOLDERS .* CREATOR .* OWNER .* WRITTEN$' out
  run_out out shmim-ls --json -o name,type,size,cnt0,cnt1,cnt2,array,owner,semaphores,saturated,keywords-used,keywords,circular-buffer,imagetype,location,inode,state,target
  compare json "$(<out)" "{\"name\":\"cam\",\"datatype\":\"uint16\",\"size\":[4,3],\"cnt0\":1,\"cnt1\":0,\"cnt2\":0,\"imdatamemsize\":24,\"owner\":null,\"sem\":3,\"saturated\":0,\"keywords_used\":1,\"NBkw\":20,\"CBsize\":8,\"imagetype\":2,\"location\":-1,\"inode\":$(stat -c %i "$(stream_file cam)"),\"state\":\"whole\",\"target\":null}"
  check 2 '' "~ shmim-ls: --columns: there is no column 'colour'; the columns are name target *" -- \
    shmim-ls -o name,colour
  check 2 '' "~ shmim-ls: --columns: there is no column ''; *" -- shmim-ls -o name,
}

@test "holders are counted, and we are none" {
  need_own_processes
  make held 2
  make free 2
  check 0 'free  0
held  1' '' -- "${own[@]}" bash -c 'exec 6<"$0"; shmim-ls -o name,holders --noheadings; exit $?' \
    "$(stream_file held)"
}

@test "--sort by any column, and --reverse" {
  make a 300
  make b 20
  make c 1000
  for _ in 1 2; do shmim-post b --update; done
  shmim-post a --update
  names() { shmim-ls -o name --noheadings "$@" | xargs; }
  compare bytes "$(names --sort bytes)" 'b a c'
  compare cnt0 "$(names --sort cnt0 -r)" 'b a c'
  compare age "$(names --sort age)" 'c a b'
  compare name "$(names -r)" 'c b a'
}

@test "--over: of a paced writer, from its write times" {
  make cam 2
  make idle 2
  start w shmim-post cam --update -n 100000 --rate 200
  until_true bash -c '[[ $(od -An -tu8 -j264 -N8 "$1") -gt 2 ]]' - "$(stream_file cam)"
  run_out out shmim-ls --over 500ms --json -o name,rate,throughput,missed
  compare idle "$(sed -n 2p out)" '{"name":"idle","rate":0.0,"throughput":0.0,"missed":null}'
  # The writer says what it reached: the rate of its own stamps, however busy this machine is.
  awk -F'[:,]' 'NR == 1 { exit !($4 > 20 && $4 < 250 && $6 > 7.99 * $4 && $6 < 8.01 * $4) }' out
  run_out out shmim-ls cam --over .2
  grep -q '^NAME .* RATE ' out
  grep -qE '^cam .* [0-9.]+Hz ' out
}

@test "a column that must be measured is, without --over" {
  make idle 2
  check 0 'idle 0Hz' '' -- bash -c 'shmim-ls -o name,rate --noheadings | tr -s " "'
  check 0 idle '' -- shmim-ls -o name --noheadings --sort rate
}

@test "a column's old name is answered with the new one" {
  make a 2
  check 2 '' "shmim-ls: --columns: the column slots is now keywords
Try 'shmim-ls --help' for more information." -- shmim-ls -o name,slots
  check 2 '' "shmim-ls: --sort: the column buffer is now circular-buffer
Try 'shmim-ls --help' for more information." -- shmim-ls --sort buffer
}

@test "an optional duration is not a stream" {
  make 2s 2
  make cam 2
  check 0 '~ NAME *
cam *' '' -- shmim-ls --watch 1ms -n 1 cam
  check 0 '~ NAME *
cam *' '' -- shmim-ls --watch=1ms -n 1 cam
  check 0 '~ NAME *
cam *' '' -- shmim-ls -n 1 --watch cam
}

@test "--watch lists again and again, and sees streams come and go" {
  make a 2
  run_out out shmim-ls --watch 1ms -n 3 -o name
  compare lists "$(grep -c '^NAME' out)" 3
  compare blank "$(grep -c '^$' out)" 2
  start p shmim-ls --watch 5ms -o name
  until_true grep -q '^a$' p.out
  make b 2
  until_true grep -q '^b$' p.out
  shmim-rm a b
  until_true bash -c '[[ $(tail -n 3 p.out | grep -c "^NAME") -ge 2 ]]'
  kill -INT "$pid_p"
  finish p 130 '~ NAME*' ''
}

@test "looking disturbs nobody" {
  make cam 2 -c 4
  shmim-post cam --update
  cp "$(stream_file cam)" before
  shmim-ls -l --over 1ms >/dev/null
  cmp before "$(stream_file cam)"
}

@test "what a hostile name or link holds never reaches the terminal" {
  make cam 2
  cp "$(stream_file cam)" "$SHM/"$'x\e[31m.im.shm'
  ln -s $'y\e[31m' "$(stream_file link)"
  run_out out shmim-ls
  run_out plain shmim-ls -o name,target
  refute grep -q $'\e' out plain
  grep -q 'x\\x1b\[31m' out
}

@test "--sort: sizes by elements, processes by PID" {
  names() { shmim-ls -o name --noheadings "$@" | xargs; }
  make big 128x128
  make mid 20x20
  make cube 8x8x4
  compare size "$(names --sort size)" 'cube mid big'
  shmim-post big --update --pid 9
  shmim-post mid --update --pid 100
  shmim-post cube --update --pid 20
  compare writer "$(names --sort writer)" 'big cube mid'
}

@test "--watch of no time at all is refused" {
  check 2 '' "shmim-ls: --watch: at least 1ms
Try 'shmim-ls --help' for more information." -- shmim-ls --watch=0
}
