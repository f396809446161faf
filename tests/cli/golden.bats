# Streams that the C library wrote: the tools read them, and do not disturb them.

load helpers

golden=$SHMIM_SOURCE_DIR/tests/golden

# value KEY FILE: of a JSON file with a key a line or all in one.
value() { tr ',{}' '\n' <"$2" | sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\"]*\)\"\{0,1\} *$/\1/p" | head -n 1; }

each_golden() {
  local json
  for json in "$golden"/*.json; do
    name=$(basename "$json" .json)
    cp "$golden/$name.im.shm" "$SHM/"
    "$@" "$name" "$json" || {
      echo "of: $name" >&2
      return 1
    }
  done
}

@test "pixels are those that the C library wrote" {
  pixels() {
    run_out raw shmim-cat "$1" -o raw
    compare sha256 "$(sha256sum raw | cut -d' ' -f1)" "$(value payload_sha256 "$2")"
  }
  each_golden pixels
}

@test "every format, and the trace, can be printed" {
  print() {
    run_out out shmim-cat "$1" || return 1
    [[ -s out ]] || return 1
    run_out out shmim-cat "$1" -o npy && grep -aq NUMPY out || return 1
    run_out out shmim-trace "$1" || return 1
    run_out out shmim-trace "$1" --json || return 1
    run_out out shmim-connect "$1" || return 1
    compare connect "$(<out)" "~ connected $1 * $(stat -c %s "$golden/$1.im.shm") bytes *, found in shm"
  }
  each_golden print
}

@test "FITS of them reads back the same, and keywords go along" {
  roundtrip() {
    local type keyword back
    run_out out.fits shmim-cat "$1" -o fits || return 1
    type=$(shmim-connect "$1" | cut -d' ' -f3)
    case $type in
      complex* | float16) return 0 ;;
    esac
    check 0 '~ created back *' '' -- shmim-create back --from out.fits || return 1
    shmim-cat "$1" -o raw >one
    shmim-cat back -o raw | cmp - one || return 1
    run_out back.fits shmim-cat back -o fits || return 1
    same_image out.fits back.fits || return 1
    shmim-rm back
  }
  each_golden roundtrip
}

@test "cnt0 is theirs" {
  counted() { check 0 "$(value cnt0 "$2")" '' -- shmim-wait "$1" --cnt0 0 -t 1s; }
  each_golden counted
}

@test "looking never disturbs: the files stay the same to the byte" {
  look() {
    shmim-cat "$1" >/dev/null
    shmim-cat "$1" -o fits >/dev/null
    shmim-trace "$1" >/dev/null
    shmim-connect "$1" >/dev/null
    shmim-create other --like "$1" >/dev/null
    shmim-rm other
    cmp "$golden/$1.im.shm" "$(stream_file "$1")"
  }
  each_golden look
}

@test "what we make like them has their size" {
  like() {
    check 0 '~ created ours *' '' -- shmim-create ours --like "$1" || return 1
    compare bytes "$(stat -c %s "$(stream_file ours)")" "$(stat -c %s "$golden/$1.im.shm")" || return 1
    shmim-rm ours
  }
  each_golden like
}

@test "they can be written, followed and removed like ours" {
  use() {
    local before
    before=$(cnt0 "$1")
    shmim-cat "$1" -o raw >frame
    start_ready "w_$1" shmim-wait "$1" -t 20s
    if shmim-connect "$1" --imagetype $((0x20001)) -q 2>/dev/null; then
      check 0 '' '' -- shmim-post "$1" --update || return 1
    else
      check 0 '' '' -- shmim-post "$1" --data frame || return 1
    fi
    finish "w_$1" 0 $((before + 1)) '' || return 1
    shmim-cat "$1" -o raw | cmp - frame || return 1
    check 0 '' '' -- shmim-rm "$1"
  }
  each_golden use
}

@test "there are as many as the C library was made to write" {
  compare streams "$(ls "$golden"/*.im.shm | wc -l)" 19
}

@test "a circular buffer is written on where the C library left off" {
  cp "$golden/g_cb16.im.shm" "$SHM"
  before=$(cnt0 g_cb16)
  shmim-cat g_cb16 -o raw >frame
  start_ready reader shmim-cat g_cb16 -f -n 1 -o raw
  check 0 '' '' -- shmim-post g_cb16 --update --set EXPTIME=0.5
  finish reader 0 '~ *' ''
  cmp frame reader.out
  compare cnt0 "$(cnt0 g_cb16)" $((before + 1))
}
