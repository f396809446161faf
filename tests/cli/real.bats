# FITS files of real instruments, where they are at hand.

load helpers

real() {
  REAL=$SHMIM_SOURCE_DIR/../shared/real
  [ -d "$REAL" ] || skip "no real FITS files at ../shared/real"
}

@test "each real file becomes a stream, and comes back from it as it was" {
  real
  for file in "$REAL"/*; do
    name=$(basename "$file" .fz)
    name=${name%.fits}
    ln -s "$file" "conf/shmim.$name.fits"
    shmim-connect "@S:$name" >line 2>notes
    grep -q "^created $name float32 " line
    grep -q "found as conf FITS conf/shmim.$name.fits$" line
    # DATE is all that a stream cannot hold.
    [ ! -s notes ] || [ "$(cat notes)" = \
      "shmim-connect: $name: keywords left out: DATE (string of 19 bytes, at most 16 fit)" ]
    shmim-cat "$name" -o raw >direct
    shmim-cat "$name" -o fits >copy.fits
    shmim-create -q copy --from copy.fits
    shmim-cat copy -o raw | cmp - direct
    shmim-cat "@L:$name" -o raw | cmp - direct
    shmim-rm copy
  done
}

@test "the response matrix is a cube of 144 planes" {
  real
  cp "$REAL/KalAO-dmloop_respM.fits" conf/shmim.respM.fits
  check 0 '~ created respM float32 22x11x144 *' '~ *' -- shmim-connect respM
  [ "$(shmim-cat 'respM[*,*,0]' | wc -l)" -eq 11 ]
  [ "$(shmim-cat respM | grep -c '^$')" -eq 143 ]
}

@test "a tile-compressed image is read by way of a name file" {
  real
  echo "$REAL/scexao-NIRPL_wfsref.fits.fz" >conf/shmim.wfsref.fname.txt
  check 0 "~ created wfsref float32 224x200 * found as conf name $REAL/scexao-NIRPL_wfsref.fits.fz" \
    '~ *' -- shmim-connect wfsref
}
