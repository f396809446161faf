# shmim-kw: lists, reads and writes the keywords of a stream.

load helpers

# The counter of keyword slot N of a stream of up to 8 bytes.
counter() { field "$(stream_file a)" $((392 + 128 * $1 + 40)) u8 8; }

@test "set, get and list" {
  make a 2
  check 0 '' '' -- shmim-kw a EXPTIME=0.5/'[s]' GAIN=3 OBJECT="'51 Peg'" FILTER=H
  check 0 0.5 '' -- shmim-kw a EXPTIME
  check 0 '51 Peg' '' -- shmim-kw a OBJECT
  check 0 '3
H' '' -- shmim-kw a GAIN FILTER
  check 0 'NAME     TYPE  VALUE   COMMENT
EXPTIME  D     0.5     [s]
GAIN     L     3       
OBJECT   S     51 Peg  
FILTER   S     H       ' '' -- shmim-kw a
  [[ "exposure $(shmim-kw a EXPTIME)" == 'exposure 0.5' ]]
}

@test "a stream without keywords lists nothing" {
  make a 2
  check 0 '' '' -- shmim-kw a
  check 0 '' '' -- shmim-kw a --json
}

@test "setting again keeps the comment, and raises the counter of the slot" {
  make a 2
  shmim-kw a EXPTIME=0.5/'[s]'
  before=$(counter 0)
  shmim-kw a EXPTIME=0.25
  check 0 '~ *EXPTIME  D     0.25   \[s\]' '' -- shmim-kw a
  compare counter "$(counter 0)" $((before + 1))
  shmim-kw a EXPTIME=1/'new'
  check 0 '~ *EXPTIME  L     1      new' '' -- shmim-kw a
  compare counter "$(counter 0)" $((before + 2))
}

@test "names are exact" {
  make a 2
  shmim-kw a GAIN=1 GAINS=2 gain=3
  check 0 1 '' -- shmim-kw a GAIN
  check 0 3 '' -- shmim-kw a gain
  check 1 '' "shmim-kw: a: has no keyword 'GAI'" -- shmim-kw a GAI
  check 1 2 "shmim-kw: a: has no keyword 'none'" -- shmim-kw a none GAINS
}

@test "a name with blanks is set, waited for and deleted like any other" {
  local -a cards=("HIERARCH ESO DET DIT = 1.5 / [s]")
  bytes 1 2 | fits_file 8 2 >eso.fits
  shmim-create -q h --from eso.fits
  check 0 1.5 '' -- shmim-kw h 'ESO DET DIT'
  check 0 '' '' -- shmim-kw h 'ESO DET DIT=2' 'ESO TEL=NTT'
  check 0 '' '' -- shmim-kw h --wait 'ESO DET DIT=2' -t 10s
  check 0 '~ *ESO DET DIT  L     2      \[s\]*' '' -- shmim-kw h
  check 0 '' '' -- shmim-post h --update --set 'ESO DET DIT=3'
  check 0 3 '' -- shmim-kw h 'ESO DET DIT'
  check 0 '' '' -- shmim-kw h --delete 'ESO DET DIT' 'ESO TEL'
  check 2 '' "~ shmim-kw: h: keyword 'A =1': its name begins or ends with a blank*" -- shmim-kw h 'A =1'
  check 2 '' "~ shmim-kw: h: keyword 'A\\\\x09B=1': its name holds a control character*" -- shmim-kw h $'A\tB=1'
}

@test "--as where it is not to be told from the value" {
  make a 2
  shmim-kw a --as string ID=0012
  shmim-kw a --as real GAIN=3
  shmim-kw a --as integer N=7
  check 0 '{"stream":"a","name":"ID","type":"S","value":"0012","comment":""}
{"stream":"a","name":"GAIN","type":"D","value":3.0,"comment":""}
{"stream":"a","name":"N","type":"L","value":7,"comment":""}' '' -- shmim-kw a --json
  check 2 '' "~ shmim-kw: a: keyword 'N=1.5': '1.5' is not an integer*" -- shmim-kw a --as integer N=1.5
  check 2 '' "~ shmim-kw: a: keyword 'N=x': 'x' is not a number*" -- shmim-kw a --as real N=x
  check 2 '' "~ shmim-kw: a: keyword 'N='1'': what stands in quotes is a string*" -- \
    shmim-kw a --as real "N='1'"
  check 0 7 '' -- shmim-kw a N
}

@test "a wrong assignment keeps all the others from being made" {
  make a 2
  check 2 '' "~ shmim-kw: a: keyword 'NAME_OF_17_BYTES_=1': name of 17 bytes, at most 16 fit*" -- \
    shmim-kw a GOOD=1 NAME_OF_17_BYTES_=1
  check 2 '' "~ shmim-kw: a: keyword 'S=*': string of 17 bytes, at most 16 fit*" -- \
    shmim-kw a GOOD=1 S=abcdefghijklmnopq
  check 0 '' '' -- shmim-kw a
}

@test "several are set all together, or none if one finds no slot" {
  make cam 4 --keywords 3
  check 1 '' "shmim-kw: cam: keyword 'D': all 3 slots are in use" -- shmim-kw cam A=1 B=2 C=3 D=4
  check 0 '' '' -- shmim-kw cam
}

@test "nothing is set where a name that is to be printed is missing" {
  make a 2 --keywords 2 --set OLD=1
  check 1 '' "shmim-kw: a: has no keyword 'none'" -- shmim-kw a A=1 none OLD=2
  check 0 1 '' -- shmim-kw a OLD
  check 1 '' "shmim-kw: a: has no keyword 'A'" -- shmim-kw a A
  # What is set by then is not missing.
  check 0 '2
1' '' -- shmim-kw a A OLD A=2
}

@test "a file's keywords and those of the command line are set all together, or none" {
  make a 2 --keywords 2
  cards=("ONE     =                    1" "TWO     =                    2")
  printf 'ab' | fits_file 8 2 >keys.fits
  check 1 '' "shmim-kw: a: keyword 'THREE': all 2 slots are in use" -- shmim-kw a --from keys.fits THREE=3
  check 0 '' '' -- shmim-kw a
  check 0 '5
2' '' -- shmim-kw a --from keys.fits ONE=5 ONE TWO
}

@test "a full table says how many slots there are" {
  make a 2 --keywords 2
  check 0 '' '' -- shmim-kw a A=1 B=2
  check 1 '' "shmim-kw: a: keyword 'C': all 2 slots are in use" -- shmim-kw a C=3
  check 0 2 '' -- shmim-kw a B
  make none 2 --keywords 0
  check 1 '' "shmim-kw: none: keyword 'A': all 0 slots are in use" -- shmim-kw none A=1
}

@test "--delete" {
  make a 2 --keywords 2
  shmim-kw a A=1 B=2
  check 0 '' '' -- shmim-kw a --delete A
  check 1 '' "shmim-kw: a: has no keyword 'A'" -- shmim-kw a --delete A
  shmim-kw a C=3
  check 0 'NAME  TYPE  VALUE  COMMENT
B     L     2      
C     L     3      ' '' -- shmim-kw a
  check 2 '' '~ shmim-kw: --delete takes the names of keywords*' -- shmim-kw a --delete
  check 2 '' "~ shmim-kw: --delete takes names, and 'A=1' is not one*" -- shmim-kw a --delete A=1
}

@test "--delete closes up, so that a reader that stops at the first gap finds the rest" {
  make g 2 --keywords 6 --set A=1 --set B=2 --set C=3
  check 0 '' '' -- shmim-kw --delete g A
  compare 'names in the file' "$(for slot in 0 1 2; do
    dd if="$(stream_file g)" bs=1 skip=$((392 + 128 * slot)) count=16 status=none | tr -d '\0'
    echo
  done)" $'B\nC'
}

@test "a slot of zeros ends the list, as pyMilk ends one that was longer" {
  make g 2 --keywords 5 --set X=1 --set B=2 --set C=3 --set D=4 --set E=5
  dd if=/dev/zero of="$(stream_file g)" bs=1 seek=$((392 + 128)) count=128 conv=notrunc status=none
  check 0 '~ *X *L *1*' '' -- shmim-kw g
  check 1 '' "shmim-kw: g: has no keyword 'D'" -- shmim-kw g D
  check 0 '' '' -- shmim-kw g NEW=7
  check 0 'NAME  TYPE  VALUE  COMMENT
X     L     1      
NEW   L     7      ' '' -- shmim-kw g
}

@test "what fills its place is set, with a warning; a comment of 80 bytes costs no frame" {
  make a 2
  check 0 '' "~ shmim-kw: a: keywords that fill their place, one byte too many for programs of the C library: \
SIXTEEN_BYTE_KEY (name of 16 bytes), S (string of 16 bytes)" -- \
    shmim-kw a SIXTEEN_BYTE_KEY=1 FIFTEEN_BYTEKEY=2 S=abcdefghijklmnop
  check 0 '' "~ shmim-post: --set: keywords that fill their place*T (string of 16 bytes)" -- \
    shmim-post a --update --set T=abcdefghijklmnop
  check 0 '~ created*' "~ shmim-create: b: keywords that fill*T (string of 16 bytes)" -- \
    shmim-create b 2 --type uint8 --set T=abcdefghijklmnop
  long=$(printf 'c%.0s' {1..80})
  check 0 '' "~ shmim-kw: a: keywords that fill their place*: C (comment of 80 bytes)" -- shmim-kw a "C=1/$long"
  shmim-cat -q a -o fits >a.fits
  check 0 '' '~ *S (string of 16 bytes), T (string*' -- shmim-kw b --from a.fits
}

@test "technical names are listed with --all, and read by name" {
  make a 2
  shmim-kw a _state=7 A=1
  check 0 'NAME  TYPE  VALUE  COMMENT
A     L     1      ' '' -- shmim-kw a
  check 0 'NAME    TYPE  VALUE  COMMENT
_state  L     7      
A       L     1      ' '' -- shmim-kw a --all
  check 0 7 '' -- shmim-kw a _state
}

@test "--from a FITS file, with what does not fit named" {
  make a 2
  cards=("EXPTIME =                  0.5 / [s]" "OBJECT  = 'a string of more than sixteen bytes'")
  printf 'ab' | fits_file 8 2 >keys.fits
  check 0 '' '~ shmim-kw: a: keywords left out: OBJECT (string of * bytes, at most 16 fit)' -- \
    shmim-kw a --from keys.fits
  check 0 0.5 '' -- shmim-kw a EXPTIME
  check 1 '' 'shmim-kw: none.fits: cannot be read: No such file or directory' -- shmim-kw a --from none.fits
}

@test "--wait until a keyword has a value" {
  make a 2
  start_ready p shmim-kw a --wait SHUTTER=open -t 20s
  shmim-kw a SHUTTER=closed
  shmim-kw a SHUTTER=open
  finish p 0 '' ''
  check 0 '' '' -- shmim-kw a GAIN=2.0 --wait GAIN=2
  check 124 '' 'shmim-kw: a: timed out: SHUTTER is open' -- shmim-kw a --wait SHUTTER=half -t 5ms
  check 124 '' 'shmim-kw: a: timed out: NONE is not there' -- shmim-kw a --wait NONE=1 -t 5ms
  start_ready q shmim-kw a --wait SHUTTER=half
  shmim-rm a
  finish q 3 '' 'shmim-kw: a: was removed while we waited for SHUTTER=half'
  make a 2
  start_ready r shmim-kw a --wait SHUTTER=half
  kill -TERM "$pid_r"
  finish r 143 '' ''
}

@test "a reader of a slot never sees parts of two writes" {
  make a 2
  shmim-kw -q a V=aaaaaaaaaaaaaaaa/aaaa
  start p bash -c 'while :; do shmim-kw -q a V=bbbbbbbbbbbbbbbb/bbbb V=aaaaaaaaaaaaaaaa/aaaa; done'
  for _ in {1..100}; do
    shmim-kw a | sed -n '2s/ \+/ /gp'
  done | sort -u >seen
  refute grep -vxE 'V S (a{16} aaaa|b{16} bbbb)' seen
}

@test "a stream that we may not write can be read, and not set" {
  need_nobody
  make a 2 --set A=1 --mode 0644
  check 0 1 '' -- "${nobody[@]}" shmim-kw a A
  check 1 '' "~ shmim-kw: a: keywords cannot be written: the stream is read-only*" -- \
    "${nobody[@]}" shmim-kw a A=2
}

@test "what a hostile keyword holds never reaches the terminal" {
  make a 2
  shmim-kw a A=$'x\e[31m/c\e[31m'
  run_out out shmim-kw a
  run_out value shmim-kw a A
  refute grep -q $'\e' out value
  compare value "$(<value)" 'x\x1b[31m'
}

@test "--timeout without --wait is refused" {
  make a 4
  check 2 '' '~ *--timeout requires --wait or --follow*' -- shmim-kw a -t 1s
}

@test "--wait with every sign: numbers as numbers, text as text" {
  make a 2 --set TEMP=-45.5 --set N=9 --set MODE=open
  for held in 'TEMP=-45.5' 'TEMP!=-40' 'TEMP<-40' 'TEMP<=-45.5' 'TEMP>-50' 'TEMP>=-45.50' 'N>10e-1' 'N<10' \
    "N='9'" 'TEMP < -40' 'MODE!=closed' 'MODE<p' 'MODE>=open' 'N!=nine'; do
    check 0 '' '' -- shmim-kw a --wait "$held" -t 10s
  done
  for other in 'TEMP>-40' 'N>10' 'N<9' 'N!=9.0' 'MODE>open' 'MODE<5' 'MODE>5'; do
    check 124 '' '~ shmim-kw: a: timed out: * is *' -- shmim-kw a --wait "$other" -t 1ms
  done
  check 124 '' 'shmim-kw: a: timed out: NONE is not there' -- shmim-kw a --wait 'NONE!=1' -t 1ms
  start_ready w shmim-kw a --wait 'TEMP>-40' -t 20s
  shmim-kw a TEMP=-41
  kill -0 "$pid_w"
  shmim-kw a TEMP=-39
  finish w 0 '' ''
  start_ready later shmim-kw a --wait 'GAIN>=2' -t 20s
  shmim-kw a GAIN=1
  shmim-kw a GAIN=3
  finish later 0 '' ''
}

@test "--wait until a keyword changes" {
  make a 2 --set TEMP=1
  start_ready w shmim-kw a --wait 'TEMP changed' -t 20s
  start_ready new shmim-kw a --wait 'ESO DET DIT changed' -t 20s
  shmim-kw a TEMP=1/comment OTHER=3
  until_true claimed a 2
  shmim-kw a TEMP=2
  finish w 0 '' ''
  shmim-kw a 'ESO DET DIT=5'
  finish new 0 '' ''
  check 124 '' 'shmim-kw: a: timed out: TEMP is 2' -- shmim-kw a --wait 'TEMP changed' -t 5ms
  claimed a 0
}

@test "--wait: what is no condition says how one is written" {
  make a 2
  for wrong in TEMP 'TEMP==1' 'TEMP!5' changed; do
    check 2 '' "shmim-kw: a: '$wrong' is no condition: write NAME=VALUE, or != < <= > >=, or 'NAME changed'
Try 'shmim-kw --help' for more information." -- shmim-kw a --wait "$wrong"
  done
  check 2 '' "~ shmim-kw: a: keyword '=1': *" -- shmim-kw a --wait '>1'
  check 2 '' "~ shmim-kw: a: keyword 'N=x': 'x' is not a number*" -- shmim-kw a --wait 'N>x' --as real
}

@test "--wait goes on with a stream that is re-created, and tells what ends it" {
  make a 2
  start_ready w shmim-kw a --wait GAIN=2 -t 20s
  make a 2 --recreate
  shmim-kw a GAIN=2
  finish w 0 '' ''
  start_ready x shmim-kw a --wait GAIN=3
  make a 3 --recreate
  finish x 5 '' 'shmim-kw: a: was re-created with another format: size is 3, not 2
try: shmim-info a'
  check 124 '' 'shmim-kw: a: timed out: GAIN is not there' -- shmim-kw a --wait GAIN=3 --for 5ms
}

@test "--follow: a line when a keyword changes, with the frame with which it did" {
  make a 2 --set TEMP=1 --set OTHER=1
  start_ready w shmim-kw a TEMP EXPTIME -n 3 -t 20s
  shmim-post a --update --set TEMP=2
  until_true grep -q 'Z 1 TEMP=2 EXPTIME=null$' w.out
  shmim-post a --update --set OTHER=2
  shmim-post a --update --set EXPTIME=0.5 --set TEMP=3
  until_true grep -q 'Z 3 TEMP=3 EXPTIME=0.5$' w.out
  written=$(shmim-wait a --cnt0 3 --print '{writetime}')
  shmim-kw a TEMP="'51 Peg'"
  finish w 0 "~ 20*Z 1 TEMP=2 EXPTIME=null
$written 3 TEMP=3 EXPTIME=0.5
$written 3 TEMP=51 Peg EXPTIME=0.5" ''
  claimed a 0
  # All of them, where none is named; and a comment is no value.
  start_ready all shmim-kw a -n 2 -t 20s
  shmim-kw a "TEMP='51 Peg'/comment" _state=1
  shmim-post a --update
  shmim-kw a TEMP=4
  until_true grep -q 'Z 4 TEMP=4 OTHER=2 EXPTIME=0.5$' all.out
  shmim-kw a NEW=1
  finish all 0 '~ *Z 4 TEMP=4 OTHER=2 EXPTIME=0.5
20*Z 4 TEMP=4 OTHER=2 EXPTIME=0.5 NEW=1' ''
  refute grep -q comment all.out
}

@test "--follow --csv has names above and quotes what needs them; --json a line a change" {
  make a 2
  start_ready w shmim-kw a OBJECT 'A,B' --csv -n 2 -t 20s
  start_ready j shmim-kw a OBJECT --json -n 1 -t 20s
  compare header "$(<w.out)" 'writetime,cnt0,OBJECT,"A,B"'
  shmim-kw a OBJECT="say \"x, y\"" 'A,B=1'
  until_true grep -qx ',0,"say ""x, y""",1' w.out
  finish j 0 '{"stream":"a","cnt0":0,"writetime":null,"keywords":{"OBJECT":"say \"x, y\""}}' ''
  shmim-post a --update --set 'A,B=2'
  finish w 0 '~ writetime,cnt0,OBJECT,"A,B"
,0,"say ""x, y""",1
20*Z,1,"say ""x, y""",2' ''
  # Of all keywords those are columns that there are when it begins.
  start_ready all shmim-kw a --csv -n 1 -t 20s
  shmim-kw a NEW=1
  shmim-kw a 'A,B=3'
  finish all 0 '~ writetime,cnt0,OBJECT,"A,B"
20*Z,1,"say ""x, y""",3' ''
}

@test "--follow: the frame whose writer stamps no time, and a stream that is re-created" {
  make a 2
  start_ready w shmim-kw a GAIN -n 2 -t 20s
  printf '\x05' | dd of="$(stream_file a)" bs=1 seek=264 conv=notrunc status=none
  shmim-kw a GAIN=1
  until_true grep -qx 'null 5 GAIN=1' w.out
  make a 2 --recreate --set GAIN=2
  finish w 0 '~ null 5 GAIN=1
null 0 GAIN=2' ''
}

@test "--follow ends in time, when its stream goes, or when its output has gone" {
  make a 2
  check 124 '' 'shmim-kw: a: timed out: no change for 20.0ms after frame 0' -- shmim-kw a -f -t 20ms
  check 124 '' 'shmim-kw: a: timed out: 0 of 2 changes came in 20.0ms' -- shmim-kw a -n 2 --for 20ms
  check 0 '' '' -- shmim-kw a --for 20ms
  start_ready w shmim-kw a -f
  shmim-rm a
  finish w 3 '' 'shmim-kw: a: was removed while we waited for its keywords to change'
  make a 2
  start_ready s shmim-kw a -f
  kill -TERM "$pid_s"
  finish s 143 '' ''
  local status=0
  timeout 20 bash -c 'shmim-kw a -f | true; exit ${PIPESTATUS[0]}' || status=$?
  compare status "$status" 141
}

@test "--follow: what it takes" {
  make a 2
  check 2 '' "~ shmim-kw: --follow takes names, and 'A=1' is not one*" -- shmim-kw a A=1 -f
  check 2 '' '~ shmim-kw: --follow takes one stream, and no pattern*' -- shmim-kw '*' -f
  check 2 '' '~ shmim-kw: --csv requires --follow*' -- shmim-kw a --csv
  check 2 '' '~ shmim-kw: --from and --follow exclude one another*' -- shmim-kw a -f --from x.fits
  check 2 '' '~ shmim-kw: --wait excludes --follow*' -- shmim-kw a -f --wait A=1
  check 2 '' '~ shmim-kw: --csv excludes --json*' -- shmim-kw a -f --csv --json
}

@test "a pattern: the keywords of all streams that match" {
  for name in wfs1 wfs2 dm; do make "$name" 2; done
  check 0 '' '' -- shmim-kw 'wfs*' GAIN=2/loop
  check 0 '' '' -- shmim-kw wfs2 EXPTIME=0.5
  check 0 'STREAM  NAME     TYPE  VALUE  COMMENT
wfs1    GAIN     L     2      loop
wfs2    GAIN     L     2      loop
wfs2    EXPTIME  D     0.5    ' '' -- shmim-kw '*'
  check 0 'wfs1 2
wfs2 2' '' -- shmim-kw '*' GAIN
  check 0 'wfs2 0.5' '' -- shmim-kw 'wfs[12]' EXPTIME
  check 0 '{"stream":"wfs2","name":"EXPTIME","type":"D","value":0.5,"comment":""}' '' -- shmim-kw '*' EXPTIME --json
  check 1 '' "shmim-kw: *: none has a keyword 'NOTHING'" -- shmim-kw '*' NOTHING
  check 3 '' "shmim-kw: x*: no such stream in $SHM" -- shmim-kw 'x*' GAIN
  check 2 '' '~ shmim-kw: --wait takes one stream, and no pattern*' -- shmim-kw '*' --wait GAIN=2
  check 0 '' '' -- shmim-kw 'tf32>*' --delete EXPTIME
  check 0 '' '' -- shmim-kw wfs2 --delete GAIN
  check 0 'wfs1 2' '' -- shmim-kw '*' GAIN
  # A file that is no stream keeps no other back.
  echo garbage >"$(stream_file aaa)"
  check 1 'wfs1 2' '~ shmim-kw: aaa: *' -- shmim-kw '*' GAIN
  check 0 'wfs1 2' '' -- shmim-kw 'tf32>*' GAIN
}
