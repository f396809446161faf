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
  finish q 3 '' '~ shmim-kw: a: was removed or re-created while we waited for SHUTTER=half*'
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
  check 2 '' '~ *--timeout requires --wait*' -- shmim-kw a -t 1s
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
