# shmim-cat: frames to standard output, each whole and never torn.

load helpers

types="uint8:tui8:1 int8:tsi8:1 uint16:tui16:2 int16:tsi16:2 uint32:tui32:4 int32:tsi32:4
uint64:tui64:8 int64:tsi64:8 float32:tf32:4 float64:tf64:8 complex64:tc64:8 complex128:tc128:16
float16:tf16:2"

python_check() { "$PYTHON" -c "$@"; }

@test "text is rows of numbers, planes apart" {
  make 'tui8>a' 3x2
  bytes 1 2 3 4 5 6 | shmim-post a --data -
  check 0 '1 2 3
4 5 6' '' -- shmim-cat a
  check 0 '1 2 3
4 5 6' '' -- shmim-cat a -o text
  make 'tui8>cube' 2x2x2
  bytes 1 2 3 4 5 6 7 8 | shmim-post cube --data -
  printf '1 2\n3 4\n\n5 6\n7 8\n' >wanted
  run_out out shmim-cat cube
  cmp wanted out
  make 'tui8>line' 4
  printf '0 0 0 0\n' >wanted
  run_out out shmim-cat line
  cmp wanted out
}

@test "text has each number in its shortest exact form" {
  make 'tf32>a' 6
  # 0.1, 1e10, 1/3, -0, the smallest, infinity
  printf '\xcd\xcc\xcc\x3d\xf9\x02\x15\x50\xab\xaa\xaa\x3e\x00\x00\x00\x80\x01\x00\x00\x00\x00\x00\x80\x7f' |
    shmim-post a --data -
  check 0 '0.1 10000000000 0.33333334 -0 1e-45 inf' '' -- shmim-cat a
  make 'tf64>b' 3
  printf '\x9a\x99\x99\x99\x99\x99\xb9\x3f\x55\x55\x55\x55\x55\x55\xd5\x3f\x00\x00\x00\x00\x00\x00\xf8\xff' |
    shmim-post b --data -
  check 0 '0.1 0.3333333333333333 nan' '' -- shmim-cat b
  make 'tui64>c' 1
  printf '\xff\xff\xff\xff\xff\xff\xff\xff' | shmim-post c --data -
  check 0 18446744073709551615 '' -- shmim-cat c
  make 'tsi64>d' 1
  printf '\x00\x00\x00\x00\x00\x00\x00\x80' | shmim-post d --data -
  check 0 -9223372036854775808 '' -- shmim-cat d
  make 'tc64>e' 1
  printf '\x00\x00\x80\x3f\x00\x00\x00\xc0' | shmim-post e --data -
  check 0 '1-2j' '' -- shmim-cat e
  make 'tf16>f' 3
  printf '\x66\x2e\xff\x7b\x00\xfc' | shmim-post f --data -
  check 0 '0.1 65500 -inf' '' -- shmim-cat f
}

@test "raw is the bytes of the array, for every type" {
  for entry in $types; do
    IFS=: read -r type prefix size <<<"$entry"
    make "$prefix>$type" 5x3x2
    sequence $((30 * size)) >frame
    check 0 '' '' -- shmim-post "$type" --data frame
    run_out out shmim-cat "$type" -o raw
    cmp frame out
    compare sum "$(shmim-cat "$type" -o raw | sha256sum)" "$(sha256sum <frame)"
  done
}

@test "FITS reads back the same, for every type, keywords and all" {
  for entry in $types; do
    IFS=: read -r type prefix size <<<"$entry"
    make "$prefix>$type" 5x3x2 --set "EXPTIME=0.1/[s]" --set COUNT=-3 --set "OBJECT=Sirius B"
    sequence $((30 * size)) >frame
    shmim-post "$type" --data frame
    run_out out.fits shmim-cat "$type" -o fits
    [[ $(($(stat -c %s out.fits) % 2880)) -eq 0 ]]
    case $type in
      complex64 | complex128)
        # A fourth axis has no place in a stream: two axes and two parts have.
        make "$prefix>${type}_2" 5x3
        head -c $((15 * size)) frame | shmim-post "${type}_2" --data -
        run_out out.fits shmim-cat "${type}_2" -o fits
        check 0 "~ created back float* 2x5x3 *" '' -- shmim-create back --from out.fits
        run_out back.raw shmim-cat back -o raw
        head -c $((15 * size)) frame | cmp - back.raw
        shmim-rm back
        continue
        ;;
      float16)
        check 0 "~ created back float32 5x3x2 *" '' -- shmim-create back --from out.fits
        shmim-cat float16 >wanted
        # Every number of half precision is one of single precision.
        run_out back.raw shmim-cat back -o raw
        [[ $(stat -c %s back.raw) -eq 120 ]]
        head -c 2880 out.fits | fold -w 80 | grep -q "^SHMIMTYP= 'float16 '"
        shmim-rm back
        continue
        ;;
    esac
    check 0 "~ created back $type 5x3x2 *" '' -- shmim-create back --from out.fits
    run_out back.raw shmim-cat back -o raw
    cmp frame back.raw
    run_out back.fits shmim-cat back -o fits
    same_image out.fits back.fits
    shmim-rm back
  done
}

@test "astropy reads our FITS: pixels, types, keywords and comments" {
  need_python numpy astropy
  make 'tui16>a' 5x3 --set "EXPTIME=0.0005/[s]" --set COUNT=-3 --set "OBJECT=O'Neill/a name" \
    --set lower_case_nm=2
  sequence 30 >frame
  shmim-post a --data frame
  shmim-cat a -o fits >a.fits
  python_check '
import numpy, warnings
from astropy.io import fits
warnings.simplefilter("error")
with fits.open("a.fits") as f:
    f.verify("exception")
    assert len(f) == 1
    data, header = f[0].data, f[0].header
    want = numpy.fromfile("frame", "<u2").reshape(3, 5)
    assert data.dtype == numpy.uint16 and (data == want).all(), data
    assert header["EXPTIME"] == 0.0005 and header.comments["EXPTIME"] == "[s]"
    assert header["COUNT"] == -3
    assert header["OBJECT"] == "O\x27Neill" and header.comments["OBJECT"] == "a name"
    assert header["lower_case_nm"] == 2
    assert f["A"] is f[0] and header["CNT0"] == 1 and header["CNT1"] == 0
'
  for entry in uint8:tui8:1 int8:tsi8:1 int16:tsi16:2 uint32:tui32:4 int32:tsi32:4 \
    uint64:tui64:8 int64:tsi64:8 float64:tf64:8; do
    IFS=: read -r type prefix size <<<"$entry"
    make "$prefix>$type" 5x3x2
    sequence $((30 * size)) >frame
    shmim-post "$type" --data frame
    shmim-cat "$type" -o fits >a.fits
    python_check '
import numpy, sys
from astropy.io import fits
want = numpy.fromfile("frame", sys.argv[1]).reshape(2, 3, 5)
data = fits.getdata("a.fits")
assert data.shape == want.shape and numpy.array_equal(data, want, equal_nan=want.dtype.kind == "f"), data
' "$type"
  done
}

@test "FITS that astropy wrote loads" {
  need_python numpy astropy
  python_check '
import numpy
from astropy.io import fits
a = numpy.arange(30, dtype="u2").reshape(3, 10) * 2000
h = fits.PrimaryHDU(a)
h.header["EXPTIME"] = (0.25, "[s]")
h.writeto("plain.fits")
h.writeto("zipped.fits.gz")
fits.CompImageHDU(a).writeto("tiled.fits.fz")
'
  shmim-create -q a --from plain.fits
  shmim-cat a -o raw >plain
  for file in zipped.fits.gz tiled.fits.fz; do
    check 0 '~ created b uint16 10x3 *' '' -- shmim-create b --from "$file"
    shmim-cat b -o raw | cmp - plain
    shmim-rm b
  done
}

@test "FITS says which frame of which stream it is, and when it was acquired and written" {
  make 'tui8>a' 2
  shmim-post a --update
  shmim-post a --update --atime 2020-01-02T03:04:05.123456789Z
  run_out a.fits shmim-cat a -o fits
  written=$(shmim-wait a --cnt0 0 --print '{writetime}')
  header_of a.fits >header
  grep -qxF "EXTNAME = 'a       '           / stream" header
  grep -qxF 'CNT0    =                    2 / frames published, up to this one' header
  grep -qxF 'CNT1    =                    0 / slice written last' header
  grep -qxF "TIMESYS = 'UTC     '           / time scale of the dates" header
  grep -qxF "DATE-OBS= '2020-01-02T03:04:05.123456789' / when the frame was acquired" header
  grep -qxF "DATE-WRT= '${written%Z}' / when the frame was written" header
  need_python astropy
  python_check '
from astropy.io import fits
from astropy.time import Time
with fits.open("a.fits") as f:
    f.verify("exception")
    header = f["a"].header
    for date, day in (("DATE-OBS", "MJD-OBS"), ("DATE-WRT", "MJD-WRT")):
        assert abs(Time(header[date], scale="utc").mjd - header[day]) < 1e-10, date
'
}

@test "the extensions of FITS are named after their streams, and each frame has its own number" {
  make 'tui8>a' 2
  make 'tui8>b' 2 -c 4
  run_out both.fits shmim-cat a b -o fits
  check 0 '~ created c uint8 2 *' '' -- shmim-create c --from 'both.fits[b]'
  start_ready reader shmim-cat b -f -o fits
  bytes 1 2 3 4 5 6 | shmim-post b --data -
  until_true bash -c '[[ $(stat -c %s reader.out) == 17280 ]]'
  kill -TERM "$pid_reader"
  finish reader 143 '~ *' ''
  compare numbers "$(fold -w 80 reader.out | grep -a '^CNT0 ' | tr -s ' ' | cut -d ' ' -f 3 | paste -sd ' ')" '1 2 3'
}

@test "a stream that no frame came to has no times in FITS" {
  make 'tui8>a' 2
  run_out a.fits shmim-cat a -o fits
  refute grep -qE '^(TIMESYS|DATE|MJD)' <(header_of a.fits)
}

@test "what a keyword says goes before the cards of the frame" {
  make 'tui8>a' 2 --set "DATE-OBS=2022-06-15/of the original" --set EXTNAME=SCI
  shmim-post a --update
  run_out a.fits shmim-cat a -o fits
  compare cards "$(header_of a.fits | grep -E '^(EXTNAME|DATE-OBS|MJD-OBS)')" \
    "DATE-OBS= '2022-06-15'         / of the original
EXTNAME = 'SCI     '"
  # Dates of another scale cannot stand beside ours.
  make 'tui8>b' 2 --set TIMESYS=TAI
  shmim-post b --update
  run_out b.fits shmim-cat b -o fits
  compare cards "$(header_of b.fits | grep -E '^(TIMESYS|DATE|MJD)')" "TIMESYS = 'TAI     '"
}

@test "the keywords of another program's dates are kept, ours come back as times" {
  local -a cards=("DATE-OBS= '2022-06-15'" "EXTNAME = 'SCI     '" "CNT0    =                   77")
  bytes 1 2 | fits_file 8 2 >other.fits
  shmim-create -q other --from other.fits
  check 0 '2022-06-15
SCI
77' '' -- shmim-kw other DATE-OBS EXTNAME CNT0
  make 'tui8>a' 2 --set GAIN=2
  shmim-post a --update --atime 2020-01-02T03:04:05.123456789Z
  shmim-cat a -o fits >a.fits
  check 0 '~ created b *' '' -- shmim-create b --from a.fits
  check 0 2020-01-02T03:04:05.123456789Z '' -- shmim-wait b --cnt0 0 --print '{atime}'
  check 0 '{"stream":"b","name":"GAIN","type":"L","value":2,"comment":""}' '' -- shmim-kw b --json
  # And so the next file has them once.
  run_out b.fits shmim-cat b -o fits
  compare cards "$(header_of b.fits | grep -cE '^(EXTNAME|CNT[01]|TIMESYS|(DATE|MJD)-(OBS|WRT)) *=')" 8
}

@test "NaN of compressed floats is NaN by every way in" {
  need_python numpy astropy
  python_check '
import gzip, numpy
from astropy.io import fits
# Floats as integers in tiles of a row, as fpack makes them: 0.25 * n + 100, and one of no value.
for name, bitpix in (("f4", -32), ("f8", -64)):
    n = numpy.arange(12, dtype=">i4").reshape(3, 4)
    n[1, 2] = -2147483647
    tiles = numpy.empty(3, object)
    for i in range(3):
        tiles[i] = numpy.frombuffer(gzip.compress(n[i].tobytes()), "u1")
    table = fits.BinTableHDU.from_columns([
        fits.Column("COMPRESSED_DATA", "PB()", array=tiles),
        fits.Column("ZSCALE", "D", array=[0.25] * 3), fits.Column("ZZERO", "D", array=[100.0] * 3)])
    h = table.header
    h["ZIMAGE"], h["ZCMPTYPE"], h["ZBITPIX"], h["ZNAXIS"] = True, "GZIP_1", bitpix, 2
    h["ZNAXIS1"], h["ZNAXIS2"], h["ZTILE1"], h["ZTILE2"] = 4, 3, 4, 1
    h["ZQUANTIZ"], h["ZBLANK"] = "NO_DITHER", -2147483647
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(name + ".fits.fz")
'
  for entry in f4:tf32 f8:tf64; do
    IFS=: read -r file prefix <<<"$entry"
    shmim-create -q "$file" --from "$file.fits.fz"
    check 0 '100 100.25 100.5 100.75
101 101.25 nan 101.75
102 102.25 102.5 102.75' '' -- shmim-cat "$file"
    shmim-create -q "part$file" --from "$file.fits.fz[2:3,2:2]"
    check 0 '101.25 nan' '' -- shmim-cat "part$file"
    cp "$file.fits.fz" "conf/shmim.conf$file.fits"
    check 0 nan '' -- shmim-cat "conf$file[2,1]"
    check 0 '~ created *' '' -- shmim-connect "conf$file"
    check 0 nan '' -- shmim-cat "@S:conf$file[2,1]"
    make "$prefix>post$file" 4x3
    check 0 '' '' -- shmim-post "post$file" --data "$file.fits.fz"
    check 0 nan '' -- shmim-cat "post$file[2,1]"
    check 0 '' '' -- shmim-post "post$file" --update
    shmim-post "post$file" --data - <"$file.fits.fz"
    check 0 nan '' -- shmim-cat "post$file[2,1]"
  done
}

@test "a slice of a stream has the world coordinates of its pixels, as a section of a file" {
  local -a cards=("CRPIX1  =                  2.0" "CRPIX2  =                  2.0" "CRVAL1  =                100.0"
    "CDELT1  =                  0.5" "CDELT2  =                  1.5" "PC2_1   =                  0.5")
  sequence 12 | fits_file 8 4 3 >w.fits
  cp w.fits conf/shmim.file.fits
  shmim-create -q w --from w.fits
  world() {
    shmim-cat "$1" -o fits >slice.fits
    header_of slice.fits | sed -nE 's/^(CRPIX|CRVAL|CDELT|PC)([0-9_]*) *= *(.*)/\1\2=\3/p' | paste -sd ' '
  }
  for name in w file; do
    compare whole "$(world "$name")" 'CRPIX1=2.0 CRPIX2=2.0 CRVAL1=100.0 CDELT1=0.5 CDELT2=1.5 PC2_1=0.5'
    compare part "$(world "$name[1:2,*]")" 'CRPIX1=1.0 CRPIX2=2.0 CRVAL1=100.0 CDELT1=0.5 CDELT2=1.5 PC2_1=0.5'
    compare step "$(world "$name[1:3::2,2]")" 'CRPIX1=1.0 CRPIX2=0.0 CRVAL1=100.0 CDELT1=1.0 CDELT2=1.5 PC2_1=1.0'
    compare back "$(world "$name[-*,*]")" 'CRPIX1=3.0 CRPIX2=2.0 CRVAL1=100.0 CDELT1=-0.5 CDELT2=1.5 PC2_1=-0.5'
    compare bins "$(world "$name[::2b,::3b]")" 'CRPIX1=1.25 CRPIX2=1.0 CRVAL1=100.0 CDELT1=1.0 CDELT2=4.5 PC2_1=0.3333333333333333'
  done
  start_ready reader shmim-cat 'w[1:2,*]' -f -n 1 -o fits
  shmim-post w --update
  wait "$pid_reader"
  header_of reader.out | grep -qxF 'CRPIX1  =                  1.0'
  # Each is what the section of the file has.
  shmim-create -q s --from 'w.fits[2:4:2,3:3]'
  shmim-cat s -o fits >section.fits
  shmim-cat 'w[1:3::2,2]' -o fits >slice.fits
  same_image section.fits slice.fits
}

@test "BLANK of integers goes through a stream" {
  local -a cards=("BLANK   =                  -99 / no value")
  bytes 0 1 255 157 | fits_file 16 2 >blank.fits
  shmim-create -q b --from blank.fits
  check 0 '1 -99' '' -- shmim-cat b
  check 0 -99 '' -- shmim-kw b BLANK
  run_out back.fits shmim-cat b -o fits
  header_of back.fits | grep -qxF 'BLANK   =                  -99 / no value'
  make 'tf32>f' 2 --set BLANK=1
  check 0 '~ *' 'shmim-cat: f: keywords altered or left out in FITS: BLANK (FITS gives the name a meaning of its own)' -- \
    shmim-cat f -o fits
}

@test "a keyword that FITS cannot hold never costs the frame" {
  make 'tui8>a' 2 --fill 7 --set A=1
  # A comment of 80 bytes, as the C library and pyMilk may write it.
  printf 'c%.0s' {1..80} | dd of="$(stream_file a)" bs=1 seek=$((392 + 48)) conv=notrunc status=none
  shmim-cat a -o fits >a.fits 2>err
  compare warning "$(<err)" 'shmim-cat: a: keywords altered or left out in FITS: A (comment of 80 bytes, 47 fit in its card)'
  header_of a.fits | grep -qxF "A       =                    1 / $(printf 'c%.0s' {1..47})"
  check 0 '~ created b uint8 2 *' '' -- shmim-create b --from a.fits
  check 0 '7 7' '' -- shmim-cat b
}

@test "npy has the header of NumPy, to the byte, and the array" {
  make 'tui16>a' 3x2
  sequence 12 >frame
  shmim-post a --data frame
  run_out out.npy shmim-cat a -o npy
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
    "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }" >wanted
  cat frame >>wanted
  cmp wanted out.npy
  make 'tui8>line' 3
  run_out out.npy shmim-cat line -o npy
  head -c 128 out.npy | grep -aq "'|u1'.*'shape': (3,), }"
}

@test "NumPy reads our npy, for every type" {
  need_python numpy
  for entry in $types; do
    IFS=: read -r type prefix size <<<"$entry"
    make "$prefix>$type" 5x3x2
    sequence $((30 * size)) >frame
    shmim-post "$type" --data frame
    shmim-cat "$type" -o npy >a.npy
    python_check '
import numpy, sys
a = numpy.load("a.npy")
assert a.shape == (2, 3, 5) and a.dtype == numpy.dtype(sys.argv[1]), (a.shape, a.dtype)
assert a.tobytes() == open("frame", "rb").read()
' "$type"
  done
}

@test "slices: ranges, indices, reversal, steps, bins, from the end" {
  make 'tui8>a' 4x3
  bytes 0 1 2 3 10 11 12 13 20 21 22 23 | shmim-post a --data -
  check 0 '1 2
11 12' '' -- shmim-cat 'a[1:2,0:1]'
  check 0 '22' '' -- shmim-cat 'a[2,2]'
  check 0 '10 11 12 13' '' -- shmim-cat 'a[,1]'
  check 0 '3
13
23' '' -- shmim-cat 'a[3]'
  check 0 '23 22 21 20
13 12 11 10
3 2 1 0' '' -- shmim-cat 'a[-*,-*]'
  check 0 '2 1' '' -- shmim-cat 'a[2:1,0]'
  check 0 '0 2
20 22' '' -- shmim-cat 'a[::2,0:2::2]'
  check 0 '0 2' '' -- shmim-cat 'a[0:3:2,0]'
  check 0 '23' '' -- shmim-cat 'a[-1,-1]'
  check 0 '2 3' '' -- shmim-cat 'a[-2:-1,0]'
  # (0+1+10+11)/4 = 5.5, rounded to the nearest; the third row is short and dropped.
  check 0 '6 8' '' -- shmim-cat 'a[0:3::2b,0:2::2b]'
  check 0 '1 2' '' -- shmim-cat 'a[ 1 : 2 , 0 ]'
  run_out out shmim-cat 'a[1:2,0:1]' -o raw
  bytes 1 2 11 12 | cmp - out
  run_out out shmim-cat 'a[1:2]' -o npy
  grep -aq "'shape': (3, 2), }" out
  run_out out shmim-cat 'a[1:2]' -o fits
  grep -aq 'NAXIS1  =                    2' out
}

@test "a slice out of range names the axis and its length" {
  make a 4x3
  check 2 '' "shmim-cat: a: index 4 is out of range: axis 0 has 4 elements, 0 to 3
Try 'shmim-cat --help' for more information." -- shmim-cat 'a[4]'
  check 2 '' '~ shmim-cat: a: index -4 is out of range: axis 1 has 3 elements*' -- shmim-cat 'a[0,-4]'
  check 2 '' '~ shmim-cat: a: the slice has 3 axes, and the stream 2 (4x3)*' -- shmim-cat 'a[0,0,0]'
}

@test "several streams" {
  make 'tui8>a' 2 --fill 1
  make 'tui8>b' 2x2 --fill 2
  printf '1 1\n\n2 2\n2 2\n' >wanted
  run_out out shmim-cat a b
  cmp wanted out
  run_out out shmim-cat a b -o raw
  bytes 1 1 2 2 2 2 | cmp - out
  # As FITS: a file with an extension for each further one.
  run_out out.fits shmim-cat a b -o fits
  check 0 '~ created c uint8 2 *' '' -- shmim-create c --from 'out.fits[0]'
  check 0 '~ created d uint8 2x2 *' '' -- shmim-create d --from 'out.fits[1]'
  # One that is missing does not keep the others.
  check 3 '1 1

2 2
2 2' "shmim-cat: none: no such stream in $SHM
try: shmim-ls" -- shmim-cat a none b
  check 2 '' '~ shmim-cat: --follow takes one stream*' -- shmim-cat a b -f
}

@test "a stream known as FITS only is printed without being made" {
  make 'tui16>dark' 3x2 --fill 7 --set EXPTIME=3
  shmim-cat dark -o fits >conf/shmim.dark.fits
  shmim-rm dark
  check 0 '7 7 7
7 7 7' '' -- shmim-cat dark
  check 0 '7 7' '' -- shmim-cat 'dark[0:1,0]'
  run_out out shmim-cat dark -o fits
  cmp out conf/shmim.dark.fits
  check 5 '' '~ shmim-cat: dark: type is uint16, not uint8*' -- shmim-cat 'tui8>dark'
  [[ -z $(listing) ]]
  mv conf/shmim.dark.fits elsewhere.fits
  echo elsewhere.fits >conf/shmim.dark.fname.txt
  check 0 '7' '' -- shmim-cat 'dark[0,0]'
  mv conf else
  check 3 '' '~ shmim-cat: dark: no such stream*' -- shmim-cat dark
  check 0 '7' '' -- shmim-cat 'dark[0,0]' --conf else
  check 3 '' '~ shmim-cat: dark: no such stream*' -- shmim-cat dark -f --conf else
}

@test "@L: prints the FITS though a stream is there" {
  make 'tui16>dark' 3 --fill 7
  shmim-cat dark -o fits >conf/shmim.dark.fits
  check 0 '~ recreated *' '' -- shmim-create 'tui8>dark' 2 --recreate
  check 0 '7 7 7' '' -- shmim-cat @L:dark
  check 0 '0 0' '' -- shmim-cat @S:dark
  check 0 '0 0' '' -- shmim-cat @E:dark
  make only 2
  check 3 '' 'shmim-cat: only: no FITS file of it in conf, and @L: passes over streams' -- shmim-cat @L:only
}

@test "--follow -n prints each new frame, in order" {
  make 'tui8>a' 2 -c 8
  start_ready reader shmim-cat a -f -n 5 -o raw
  bytes 1 1 2 2 3 3 4 4 5 5 | shmim-post a --data -
  finish reader 0 "~ *" ''
  bytes 1 1 2 2 3 3 4 4 5 5 | cmp - reader.out
}

@test "--follow of a slice, as text and as FITS extensions" {
  make 'tui8>a' 2x2 -c 8
  start_ready text shmim-cat 'a[1,*]' -f -n 2
  start_ready fits shmim-cat a -f -o fits
  start_ready npy shmim-cat a -f -n 2 -o npy
  bytes 1 2 3 4 5 6 7 8 | shmim-post a --data -
  finish text 0 '2
4

6
8' ''
  until_true bash -c '[[ $(stat -c %s fits.out) == 11520 ]]'
  kill -TERM "$pid_fits"
  finish fits 143 '~ *' ''
  check 0 '~ created b uint8 2x2 *' '' -- shmim-create b --from 'fits.out[1]'
  check 0 '5 6
7 8' '' -- shmim-cat b
  wait "$pid_npy"
  compare 'npy files' "$(grep -ac NUMPY npy.out)" 1
}

@test "-n N as npy is one array of N; without -n one for each frame" {
  make 'tui16>a' 3x2 -c 8
  head -c 60 /dev/urandom >frames
  start_ready five shmim-cat a -n 5 -o npy
  start_ready slice shmim-cat 'a[0,*]' -n 5 -o npy
  start_ready each shmim-cat a -f -o npy
  check 0 '' '' -- shmim-post a --data frames --format raw
  finish five 0 '~ *' ''
  finish slice 0 '~ *' ''
  kill -TERM "$pid_each"
  finish each 143 '~ *' ''
  head -c 128 five.out | grep -aq "'descr': '<u2', 'fortran_order': False, 'shape': (5, 2, 3), }"
  tail -c +129 five.out | cmp - frames
  head -c 128 slice.out | grep -aq "'shape': (5, 2, 1), }"
  compare size "$(stat -c %s slice.out)" $((128 + 20))
  compare arrays "$(grep -ao "'shape': (2, 3), }" each.out | wc -l)" 5
  need_python numpy
  python_check '
import numpy
a = numpy.load("five.out")
assert a.shape == (5, 2, 3) and a.tobytes() == open("frames", "rb").read(), a
with open("each.out", "rb") as f:
    for i in range(5):
        assert (numpy.load(f) == a[i]).all()
'
}

@test "-n N as FITS is a recording of N: a cube, and a table of counters, times and keywords" {
  need_python numpy astropy
  make 'tui16>a' 3x2 -c 8 --set KEPT=2
  head -c 60 /dev/urandom >frames
  start_ready file shmim-cat a -n 5 -o fits
  start_ready pipe bash -c 'shmim-cat a -n 5 -o fits "$@" | cat' -
  start_ready slice shmim-cat 'a[0,*]' -n 5 -o fits
  head -c 24 frames | shmim-post a --data - --format raw --atime 2020-01-02T03:04:05.123456789Z
  # Keywords are of the moment in which a frame is taken.
  until_true bash -c '(($(stat -c %s file.out) == 8664 && $(stat -c %s pipe.out) == 8664 && $(stat -c %s slice.out) == 8648))'
  shmim-post -q a --update --set LATE=3
  tail -c +25 frames | head -c 24 | shmim-post a --data - --format raw
  for name in file pipe slice; do finish "$name" 0 '~ *' ''; done
  python_check '
import numpy
from astropy.io import fits
for name in "file", "pipe", "slice":
    with fits.open(name + ".out") as f:
        f.verify("exception")
        cube, rows, header = f[0].data, f["FRAMES"].data, f[0].header
        frames = numpy.fromfile("frames", "<u2").reshape(5, 2, 3)[[0, 1, 1, 2, 3]]
        assert (cube == (frames if name != "slice" else frames[:, :, :1])).all(), cube
        assert rows["CNT0"].tolist() == [1, 2, 3, 4, 5] and not rows["MISSED"].any()
        assert (rows["ATIME"][0] - f["FRAMES"].header["TAIUTC"] * 10**9) % 10**9 == 123456789
        assert header["DATE-OBS"] == "2020-01-02T03:04:05.123456789" and header["KEPT"] == 2
        assert rows["LATE"][2:].tolist() == [3, 3, 3]
        # Of a pipe the header has gone before what it would say is known.
        assert ("MISSED" in header) == ("DATE-END" in header) == (name != "pipe")
'
  # It is what others of ours read, from a pipe too.
  make 'tui16>b' 3x2
  cat pipe.out | check 0 '' '~ *' -- shmim-post b --data -
  check 0 '' '' -- shmim-diff --ignore '*' a b
  check 0 '~ *' '' -- shmim-diff --frames ./pipe.out ./file.out
}

@test "an array that is interrupted has as many frames as its header says, or it is told" {
  make 'tui8>a' 3
  # two_frames NAME: of a follower that is ready.
  two_frames() {
    local before
    before=$(stat -c %s "$1.out")
    bytes 1 2 3 | shmim-post a --data -
    until_true bash -c "((\$(stat -c %s $1.out) == $before + 131))"
    bytes 4 5 6 | shmim-post a --data -
    until_true bash -c "((\$(stat -c %s $1.out) == $before + 134))"
  }
  check_two() { # FILE
    tail -c 134 "$1" | head -c 128 | grep -aq "'shape': (2, 3), } *$"
    tail -c 6 "$1" | cmp - <(bytes 1 2 3 4 5 6)
  }
  start_ready all shmim-cat a -n 1000000 -o npy
  two_frames all
  kill -INT "$pid_all"
  finish all 130 '~ *' ''
  check_two all.out
  # Also behind what stands in the file already, and where the time is over.
  start_ready late bash -c 'echo before; exec shmim-cat a -n 5 -o npy -t 1s "$@"' -
  two_frames late
  finish late 124 '~ before*' '~ shmim-cat: a: timed out: no frame for * after frame *'
  check_two late.out
  # Removed.
  start_ready gone shmim-cat a -n 3 -o npy
  two_frames gone
  shmim-rm a
  finish gone 3 '~ *' '~ *removed*'
  check_two gone.out
  # Of a pipe, and of a file that only grows, the header cannot be corrected.
  make 'tui8>a' 3
  for target in '| cat >out' '>>out'; do
    rm -f out
    start_ready told bash -c "{ shmim-cat a -n 5 -o npy -t 1s \"\$@\"; echo \$? >status; } $target" -
    until_true claimed a 1
    bytes 1 2 3 | shmim-post a --data -
    finish told 0 '' '~ shmim-cat: a: timed out: no frame for * after frame *
shmim-cat: a: 1 of the 5 frames that the npy header promises'
    compare status "$(<status)" 124
    rm -f told.ready
  done
  # So it is with FITS: what is in a file is made whole, table and all.
  make 'tui8>f' 3
  start_ready cube shmim-cat f -n 5 -o fits
  bytes 1 2 3 | shmim-post f --data -
  until_true bash -c '(($(stat -c %s cube.out) > 2880))'
  kill -INT "$pid_cube"
  finish cube 130 '~ *' ''
  header_of cube.out | grep -q '^NAXIS2  =                    1 '
  compare blocks "$(($(stat -c %s cube.out) % 2880))" 0
  check 0 '' '' -- shmim-play -q cube.out f
  rm -f out told.ready
  start_ready told bash -c '{ shmim-cat f -n 5 -o fits -t 1s "$@"; echo $? >status; } | cat >out' -
  until_true claimed f 1
  bytes 1 2 3 | shmim-post f --data -
  finish told 0 '' '~ shmim-cat: f: timed out: no frame for 1.0s after frame *
shmim-cat: f: 1 of the 5 frames that the FITS header promises'
  compare status "$(<status)" 124
  # Without a frame there is no header.
  shmim-cat a -n 5 -o npy -t 1ms >none 2>err || true
  compare size "$(stat -c %s none)" 0
}

@test "every frame comes from the circular buffer, and what was missed is said" {
  make 'tui8>a' 1 -c 4
  start_ready slow shmim-cat a -f -n 3 -o raw
  kill -STOP "$pid_slow"
  until_true grep -q '^State:.T' "/proc/$pid_slow/status"
  bytes 1 2 3 4 5 6 7 8 9 10 | shmim-post a --data -
  kill -CONT "$pid_slow"
  finish slow 0 '~ *' '~ shmim-cat: a: missed * frames'
  # The oldest slot may be about to be written, so a reader may leave it.
  missed=$(sed 's/.*missed \([0-9]*\) frames/\1/' slow.err)
  [[ $missed -eq 6 || $missed -eq 7 ]]
}

@test "a keyword slot left busy by a killed process holds no reader up, but of FITS" {
  make 'tui8>a' 4 --circular-buffer 3000 --set A=1
  leave_keyword_busy a
  head -c 8000 /dev/zero >frames
  start_ready follower timeout 20 shmim-cat a -f -n 2000 -o raw
  check 0 '' '' -- shmim-post a --data frames
  finish follower 0 '' ''
  [ "$(wc -c <follower.out)" -eq 8000 ]
}

@test "--latest skips what was missed, and says nothing" {
  make 'tui8>a' 1 -c 8
  start_ready slow shmim-cat a -f --latest -n 1 -o raw
  kill -STOP "$pid_slow"
  until_true grep -q '^State:.T' "/proc/$pid_slow/status"
  bytes 1 2 3 4 5 | shmim-post a --data -
  kill -CONT "$pid_slow"
  finish slow 0 '~ *' ''
  bytes 5 | cmp - slow.out
}

@test "every frame is the default; options of --follow need it" {
  make 'tui8>a' 1 -c 8
  start_ready reader shmim-cat a -f -n 2 -o raw
  bytes 1 2 | shmim-post a --data -
  finish reader 0 '~ *' ''
  bytes 1 2 | cmp - reader.out
  check 2 '' '~ shmim-cat: --latest requires --follow*' -- shmim-cat a --latest
  # -n is --follow.
  start_ready counted shmim-cat a -n 2 --latest
  shmim-post a --update
  until_true grep -q 2 counted.out
  bytes 7 | shmim-post a --data -
  finish counted 0 '2
7' ''
  check 2 '' '~ shmim-cat: -n takes one stream*' -- shmim-cat a a -n 1
}

@test "--timeout" {
  make a 1
  check 124 '' '~ shmim-cat: a: timed out: no frame for * after frame *' -- shmim-cat a -f --timeout 10ms
  check 124 '' '~ shmim-cat: a: timed out: no frame for * after frame *' -- shmim-cat a -f -t 10ms -n 3
  check 0 0 '' -- shmim-cat a -t 1s
}

@test "--follow ends when the stream goes, goes on with one of the same format" {
  make 'tui8>a' 1 -c 4
  start_ready gone shmim-cat a -f
  start_ready on shmim-cat a -f -n 2
  check 0 '~ recreated *' '' -- shmim-create 'tui8>a' 1 -c 4 --recreate
  # Both have come over to the new one when they have claimed semaphores there.
  until_true claimed a 2
  bytes 7 | shmim-post a --data -
  until_true grep -q 7 on.out
  until_true grep -q 7 gone.out
  bytes 8 | shmim-post a --data -
  finish on 0 '7
8' ''
  shmim-rm a
  finish gone 3 '~ 7*' "shmim-cat: a: was removed while we waited for its next frame"
}

@test "--follow ends by SIGINT, and gives its semaphore back" {
  make 'tui8>a' 1
  start_ready reader shmim-cat a -f
  claimed a 1
  kill -INT "$pid_reader"
  finish reader 130 '' ''
  claimed a 0
  start_ready second shmim-cat a -f
  kill -TERM "$pid_second"
  finish second 143 '' ''
  claimed a 0
}

@test "--follow ends quietly when its reader goes" {
  make 'tui8>a' 1
  mkfifo pipe
  exec 6<>pipe
  start_ready reader bash -c 'exec "$@" >pipe 6>&-' - shmim-cat a -f -o raw
  exec 6<&-
  shmim-post a --update
  finish reader 141 '' ''
  claimed a 0
}

@test "a frame is whole, whatever the writer does" {
  make 'tui32>a' 64x64
  make 'tui32>b' 64x64
  start writer shmim-post a --pattern counter --rate 20000
  shmim-wait a --cnt0 1 -t 20s >/dev/null
  for i in {1..60}; do
    shmim-cat a -o raw | shmim-post b --data - --format raw
    check 0 '' '' -- shmim-cat b --verify -q
    check 0 '' '' -- shmim-cat a --verify -q
  done
}

@test "looking never disturbs: the file stays as it is, and one may look who may only read" {
  make 'tui8>a' 3 --fill 3 --mode 0644
  cp "$(stream_file a)" before
  check 0 '3 3 3' '' -- shmim-cat a
  run_out out shmim-cat a -o fits
  cmp before "$(stream_file a)"
  need_nobody
  check 0 '3 3 3' '' -- "${nobody[@]}" shmim-cat a
  start_ready reader "${nobody[@]}" shmim-cat a -f -n 1
  bytes 1 2 3 | shmim-post a --data -
  finish reader 0 '1 2 3' ''
  chmod 600 "$(stream_file a)"
  check 1 '' "shmim-cat: $SHM/a.im.shm: cannot open: Permission denied
try: ls -l $SHM/a.im.shm" -- "${nobody[@]}" shmim-cat a
}

@test "raw frames are not for a terminal" {
  make a 2
  script -qec "shmim-cat a -o raw" /dev/null >out || true
  grep -q 'raw frames are not for a terminal' out
  script -qec "shmim-cat a" /dev/null >out
  grep -q '0 0' out
}

@test "raw frames to a file: at its end, appended, and in the middle" {
  make 'tui8>a' 300x1000
  head -c 300000 /dev/urandom >frame
  shmim-post a --data frame
  shmim-cat a -o raw >out
  cmp frame out
  { echo before; shmim-cat a -o raw; echo between; shmim-cat a a -o raw; } >out
  { echo before; cat frame; echo between; cat frame frame; } | cmp - out
  shmim-cat a -o raw >>out
  compare size "$(stat -c %s out)" $((4 * 300000 + 15))
  tail -c 300000 out | cmp - frame
  # Over what is in a file already.
  head -c 400000 /dev/zero >out
  shmim-cat a -o raw 1<>out
  head -c 300000 out | cmp - frame
  compare size "$(stat -c %s out)" 400000
  check 0 '' '' -- sh -c 'shmim-cat a -o raw >/dev/null'
}

@test "a frame that is not whole leaves nothing in a file" {
  make 'tui8>a' 1000
  shmim-post a --update
  # A program of the C library died in mid-frame.
  printf '\x01' | dd of="$(stream_file a)" bs=1 seek=288 conv=notrunc status=none
  for before in '' before; do
    printf %s "$before" >out
    local status=0
    shmim-cat a -o raw -t 20ms >>out 2>/dev/null || status=$?
    compare status "$status" 1
    compare out "$(<out)" "$before"
    { printf %s "$before"; shmim-cat a -o raw -t 20ms; } >out 2>/dev/null || true
    compare out "$(<out)" "$before"
  done
}

@test "a file that a writer comes in between gets whole frames all the same" {
  make 'tui8>a' 2000000
  # Frames of one value each.
  for value in 1 2 3 4; do
    head -c 2000000 /dev/zero | tr '\0' "\\$value"
  done >frames
  start writer shmim-post a --data frames -n 100000000 --rate 200
  counted() { (($(cnt0 a) > 0)); }
  until_true counted
  for ((i = 0; i < 20; ++i)); do
    shmim-cat a -o raw >out 2>err || grep -q 'keeps writing' err
    [[ ! -s out ]] || {
      compare size "$(stat -c %s out)" 2000000
      compare values "$(tr -d "$(head -c 1 out)" <out | wc -c)" 0
    }
  done
  kill "$pid_writer"
}

@test "large raw frames through a pipe" {
  make 'tui8>a' 3000001
  head -c 3000001 /dev/urandom >frame
  shmim-post a --data frame
  shmim-cat a -o raw | cmp - frame
  { shmim-cat a a -o raw; echo end; } | cmp - <(cat frame frame; echo end)
  # A reader that is slower than the writer's end gets the frame, not what came after it.
  mkfifo pipe
  start cat sh -c 'shmim-cat a -o raw >pipe'
  exec 6<pipe
  head -c 1 <&6 >first
  shmim-post a --data /dev/zero -n 1
  cat <&6 >rest
  exec 6<&-
  finish cat 0 '' ''
  cat first rest | cmp - frame
  # A reader that leaves ends it as it ends everything.
  local status=0
  { shmim-cat a -o raw || echo $? >status; } | head -c 1 >/dev/null
  compare status "$(<status)" 141
}

@test "a pipe gets room for one frame, as far as any user may have it" {
  make 'tui8>small' 4
  make 'tui8>camera' 300000
  make 'tui8>huge' 2000000
  mkfifo pipe
  capacity() {
    python3 -c 'import fcntl; print(fcntl.fcntl(6, fcntl.F_GETPIPE_SZ))'
  }
  # follow NAME CAPACITY
  follow() {
    exec 6<>pipe
    check 124 '' "~ shmim-cat: $1: timed out: no frame for * after frame *" -- \
      bash -c 'exec shmim-cat "$1" -f -o raw -t 1ms >&6' - "$1"
    compare "capacity for $1" "$(capacity)" "$2"
    exec 6>&-
  }
  follow small 65536
  follow camera 524288
  follow huge 1048576
  exec 6<>pipe
  head -c 300000 /dev/zero >&6 &
  shmim-post camera --data - -n 1 <&6
  compare 'capacity for shmim-post' "$(capacity)" 524288
  exec 6>&-
}

@test "means of groups of any size are exact" {
  make 'tf64>ones' 196 --fill 1
  local group
  for group in 49 98 196; do
    check 0 "$(yes 1 | head -n $((196 / group)) | paste -sd ' ')" '' -- shmim-cat "ones[::${group}b]"
  done
}

@test "what FITS cannot hold of a keyword is said" {
  make 'tui8>a' 2 --keywords 4 --set "A=1/$(printf 'c%.0s' {1..60})" --set NANV=nan --set BSCALE=7 --set B=2/kept
  shmim-cat a -o fits >a.fits 2>err
  compare warning "$(<err)" 'shmim-cat: a: keywords altered or left out in FITS: A (comment of 60 bytes, 47 fit in its card), NANV (its value is not a finite number), BSCALE (FITS gives the name a meaning of its own)'
  check 0 '~ *' '' -- shmim-cat a -o fits -q
}

@test "a signal ends the text of a large frame before its last line" {
  make 'tf32>a' 4000x4000
  start t bash -c 'exec shmim-cat a >/dev/null'
  until_true handles_signals "$pid_t"
  kill -TERM "$pid_t"
  finish t 143 '' ''
}

@test "where z is time, --follow gives planes in order, and shmim-post takes them" {
  make c 2x1x3 --type uint8 --circular
  make d 2x1x3 --type uint8 --circular
  start_ready cat shmim-cat c -f -n 4 -o raw -t 10s
  for frame in ab cd ef gh; do
    printf %s $frame | shmim-post c --data - --format raw
    until [[ $(tail -c 2 cat.out) == "$frame" ]]; do sleep .01; done
  done
  finish cat 0 'abcdefgh' ''
  check 0 '' '' -- shmim-post d --data - --format raw <cat.out
  check 0 '4' '' -- shmim-ls --noheadings -o cnt0 d
  check 0 $'103 104\n\n99 100\n\n101 102' '' -- shmim-cat d
}

@test "planes that came while nobody looked are read in order" {
  make c 2x1x4 --type uint8 --circular
  start_ready cat shmim-cat c -f -n 6 -o raw -t 10s
  kill -STOP "$pid_cat"
  printf abcdefgh | shmim-post c --data - --format raw
  kill -CONT "$pid_cat"
  until [[ $(<cat.out) == abcdefgh ]]; do sleep .01; done
  printf ijkl | shmim-post c --data - --format raw
  finish cat 0 'abcdefghijkl' ''
}

@test "[*,*,@] is the newest plane, of a stream of image type 0x1 alone too" {
  make c 2x1x3 --type uint8 --circular
  make k 2x1x3 --type uint8
  printf '\x01' | dd of="$(stream_file k)" bs=1 seek=144 conv=notrunc status=none
  for stream in c k; do
    printf 'abcdefgh' | shmim-post $stream --data - --format raw
    check 0 '103 104' '' -- shmim-cat "$stream[*,*,@]"
    check 0 '104' '' -- shmim-cat "$stream[1,*,@]"
    shmim-cat "$stream[*,*,@]" -o fits >plane.fits
    check 0 '~ *NAXIS   =                    2*' '' -- cat plane.fits
    start_ready f$stream shmim-cat $stream -f -n 2 -t 10s
    printf 'ij' | shmim-post $stream --data - --format raw
    until [[ -s f$stream.out ]]; do sleep .01; done
    printf 'kl' | shmim-post $stream --data - --format raw
    finish f$stream 0 $'105 106\n\n107 108' ''
    start_ready a$stream shmim-cat "$stream[*,*,*]" -f -n 1 -t 10s -o raw
    printf 'mn' | shmim-post $stream --data - --format raw
    finish a$stream 0 mnijkl ''
  done
  message="'@' is the newest plane, in the place of z: "
  make flat 3x2
  check 2 '' "~ shmim-cat: c: $message*" -- shmim-cat 'c[@]'
  check 2 '' "~ shmim-cat: flat: $message*" -- shmim-cat 'flat[*,@]'
}

@test "a ring of planes takes a cube as its planes, in every format that cat writes" {
  make c 2x1x3 --type uint8 --circular
  make d 2x1x3 --type uint8 --circular
  printf 'abcdef' | shmim-post c --data - --format raw
  for format in raw npy fits text; do
    shmim-cat c -o $format >cube
    options=()
    [[ $format == raw ]] && options=(--format raw)
    check 0 '' '' -- shmim-post d --data cube ${options[@]+"${options[@]}"}
  done
  check 0 '12' '' -- shmim-ls --noheadings -o cnt0 d
  check 0 $'97 98\n\n99 100\n\n101 102' '' -- shmim-cat d
}

@test "--for ends following, with what came" {
  make a 1 --type uint8
  start p shmim-post a --update --rate 500 -q
  check 0 '~ *' '~ *' -- shmim-cat a --for 100ms
  check 124 '~ *' '~ *timed out: * of 10000 frames came in 50.0ms*' -- shmim-cat a -n 10000 --for 50ms
  make b 1
  check 0 '' '' -- shmim-cat b -f --for 10ms
  check 124 '' 'shmim-cat: b: timed out: no frame for 10.0ms after frame 0' -- shmim-cat b -f --for 10s -t 10ms
}

@test "--print: a line a frame with its values, of that very frame" {
  make 'tf32>cam' 3x2 -c 8 --set TEMP=-40.5
  start_ready w shmim-cat 'cam[1:2,*]' -f -n 2 -t 20s --print '{writetime:unix} {cnt0} {data} {missed}'
  start_ready k shmim-cat 'cam[0,0]' -n 2 -t 20s --print '{name}\t{kw.TEMP:.2f}\t{data:>6}|'
  kill -STOP "$pid_w" "$pid_k" # so that both frames are there at once
  printf '0 1.5 2\n3 4 nan\n' | shmim-post cam --data -
  first=$(shmim-wait cam --cnt0 1 --print '{writetime:unix}')
  printf '7 1e9 -2\n3 4 0.1\n' | shmim-post cam --data -
  second=$(shmim-wait cam --cnt0 2 --print '{writetime:unix}')
  kill -CONT "$pid_w" "$pid_k"
  finish w 0 "$first 1 1.5 2 4 nan 0
$second 2 1000000000 -2 4 0.1 0" ''
  finish k 0 $'cam\t-40.50\t     0|\ncam\t-40.50\t     7|' ''
}

@test "--print: what came before and was missed, of planes, and of a writer that stamps no time" {
  make 'tui8>cam' 2
  start_ready m shmim-cat cam -n 1 -t 20s --print '{cnt0} {missed} {semaphore}'
  kill -STOP "$pid_m"
  shmim-post cam --update -n 3
  kill -CONT "$pid_m"
  finish m 0 '3 2 9' 'shmim-cat: cam: missed 2 frames'
  start_ready n shmim-cat cam -n 1 -t 20s --print '{writetime}{atime}{latency:.3f} {cnt0} {data}'
  printf '\x04' | dd of="$(stream_file cam)" bs=1 seek=264 conv=notrunc status=none
  shmim-post cam
  finish n 0 'nullnullnull 4 0 0' ''
  make 'tui8>ring' 2x1x3 --circular
  start_ready p shmim-cat ring -n 1 -t 20s --print '{cnt0} {cnt1} {data}'
  bytes 3 4 | shmim-post ring --data -
  finish p 0 '1 0 3 4' ''
}

@test "--print: a mistake is told before the first frame, and what it goes with" {
  make 'tui8>cam' 2
  check 2 '' "shmim-cat: --print '{foo}': argument not found; the fields are name cnt0 cnt1 atime writetime latency missed semaphore data kw.NAME
Try 'shmim-cat --help' for more information." -- shmim-cat cam -f --print '{foo}'
  check 2 '' "~ shmim-cat: --print '{data:d}': *" -- shmim-cat cam -f --print '{data:d}'
  check 2 '' '~ shmim-cat: --print requires --follow*' -- shmim-cat cam --print '{data}'
  check 2 '' '~ shmim-cat: --output-format excludes --print*' -- shmim-cat cam -f -o npy --print '{data}'
  claimed cam 0
}

@test "which frames were missed is told, the first and the last of each gap" {
  make 'tui8>a' 1
  start_ready slow bash -c 'exec shmim-cat a -f -n 3 -o raw --missed-fd 9 "$@" 9>missed' -
  shmim-post a --update
  until_true test -s slow.out
  kill -STOP "$pid_slow"
  shmim-post a --update -n 4
  kill -CONT "$pid_slow"
  until_true bash -c '(($(stat -c %s slow.out) == 2))'
  shmim-post a --update
  finish slow 0 '' 'shmim-cat: a: missed 3 frames'
  compare missed "$(<missed)" '2 4'
  check 2 '' '~ shmim-cat: --missed-fd requires --follow*' -- shmim-cat a --missed-fd 9
  start_ready closed shmim-cat a -f --missed-fd 77
  kill -STOP "$pid_closed"
  shmim-post a --update -n 4
  kill -CONT "$pid_closed"
  finish closed 1 '' 'shmim-cat: descriptor 77: cannot write which frames were missed: Bad file descriptor'
}

@test "a pipe has room for a page with --latest, and for a frame without" {
  need_python fcntl
  make 'tui8>a' 200000
  room() { # OPTION...
    mkfifo fifo
    start reader "$PYTHON" -c 'import fcntl, sys; f = open("fifo", "rb"); f.read(1); print(fcntl.fcntl(f, 1032))'
    start_ready writer bash -c 'exec shmim-cat a -f -o raw "$@" >fifo' - "$@"
    shmim-post a --update
    wait "$pid_reader"
    kill "$pid_writer"
    rm fifo writer.ready
    cat reader.out
  }
  compare latest "$(room --latest)" 4096
  compare every "$(room)" 262144
}
