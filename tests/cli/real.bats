# FITS files from real instruments, where they lie beside the source tree.

load helpers

setup() {
  [[ -d $real ]] || skip "no real FITS files beside the source tree"
  own_directories
}

real=$SHMIM_SOURCE_DIR/../shared/real

each_real() {
  local file
  for file in "$real"/*.fits "$real"/*.fits.*; do
    [[ -e $file ]] || continue
    name=$(basename "$file")
    name=${name%%.fits*}
    "$@" "$name" "$file" || {
      echo "of: $file" >&2
      return 1
    }
  done
}

@test "connect by conf FITS or conf name, and cat a corner" {
  corner() {
    if [[ $2 == *.fits ]]; then
      ln -s "$(realpath "$2")" "conf/shmim.$1.fits"
    else
      realpath "$2" >"conf/shmim.$1.fname.txt"
    fi
    shmim-connect "$1" >out 2>err || { cat err; return 1; }
    # At most the one warning about keywords that a stream cannot hold.
    refute grep -v "^shmim-connect: $1: keywords left out: " err || return 1
    compare connect "$(<out)" "~ created $1 * found as conf *" || return 1
    run_out out shmim-cat "$1[0:1]" || return 1
    [[ -s out ]]
  }
  each_real corner
}

@test "a round trip through FITS changes neither pixels nor keywords" {
  roundtrip() {
    shmim-create a --from "$2" -q || return 1
    run_out a.fits shmim-cat a -o fits || return 1
    check 0 '~ created b *' '' -- shmim-create b --from a.fits || return 1
    shmim-cat a -o raw >a.raw
    shmim-cat b -o raw | cmp - a.raw || return 1
    run_out b.fits shmim-cat b -o fits || return 1
    same_image a.fits b.fits || return 1
    shmim-rm a b
  }
  each_real roundtrip
}

@test "astropy finds in our FITS what it finds in theirs" {
  need_python numpy astropy
  same() {
    shmim-create a --from "$2" -q || return 1
    run_out a.fits shmim-cat a -o fits || return 1
    "$PYTHON" - "$2" <<'PYTHON' || return 1
import sys, numpy
from astropy.io import fits
theirs = numpy.squeeze(fits.getdata(sys.argv[1]))
ours = numpy.squeeze(fits.getdata("a.fits"))
assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
assert numpy.array_equal(ours, theirs, equal_nan=theirs.dtype.kind == "f")
PYTHON
    shmim-rm a
  }
  each_real same
}

@test "frames of them, posted and followed" {
  post() {
    shmim-create a --from "$2" -q || return 1
    shmim-cat a -o fits >a.fits
    start_ready "r_$1" shmim-cat a -f -n 2 -o raw
    check 0 '' '' -- shmim-post a --data a.fits || return 1
    until_true test -s "r_$1.out"
    until_true test "$(stat -c %s "r_$1.out")" -ge 1
    shmim-wait a --cnt0 2 >/dev/null
    until_true complete "r_$1.out" a.raw
    check 0 '' '' -- shmim-post a --data a.fits || return 1
    wait "$last" || return 1
    shmim-cat a -o raw >a.raw
    cat a.raw a.raw | cmp - "r_$1.out" || return 1
    shmim-rm a
  }
  complete() { shmim-cat a -o raw >"$2"; [[ $(stat -c %s "$1") -ge $(stat -c %s "$2") ]]; }
  declare -g last
  i=0
  numbered() {
    i=$((i + 1))
    post "$i" "$2"
  }
  each_real numbered
}

@test "DATE is all that a stream cannot hold of them" {
  date_only() {
    shmim-create -q @L:a --from "$2" 2>notes || return 1
    shmim-create @L:a --from "$2" >out 2>notes || return 1
    [[ ! -s notes ]] ||
      compare notes "$(<notes)" 'shmim-create: a: keywords left out: DATE (string of 19 bytes, at most 16 fit)'
  }
  each_real date_only
}

@test "the response matrix is a cube of 144 planes" {
  cp "$real/KalAO-dmloop_respM.fits" conf/shmim.respM.fits
  check 0 '~ created respM float32 22x11x144 *' '~ *' -- shmim-connect respM
  compare rows "$(shmim-cat 'respM[*,*,0]' | wc -l)" 11
  compare planes "$(shmim-cat respM | grep -c '^$')" 143
}

@test "a tile-compressed image is read by way of a name file" {
  echo "$real/scexao-NIRPL_wfsref.fits.fz" >conf/shmim.wfsref.fname.txt
  check 0 "~ created wfsref float32 224x200 * found as conf name $real/scexao-NIRPL_wfsref.fits.fz" \
    '~ *' -- shmim-connect wfsref
}
