# What is slow to load is not loaded: cfitsio, unless FITS is read or written at that moment, and libm.

load helpers

loads_cfitsio() { LD_DEBUG=files "$@" 2>&1 >/dev/null | grep -q 'libcfitsio'; }

@test "tools that touch no FITS file do not load cfitsio" {
  shmim-create -q im1 4x4
  if loads_cfitsio shmim-create im2 4x4; then false; fi
  if loads_cfitsio shmim-connect im1; then false; fi
  if loads_cfitsio shmim-cat im1; then false; fi
  if loads_cfitsio shmim-cat im1 -o npy; then false; fi
  if loads_cfitsio shmim-post im1 --update; then false; fi
  if loads_cfitsio shmim-post im1 --data /dev/null; then false; fi
  shmim-cat im1 -o npy >im1.npy
  if loads_cfitsio shmim-play im1.npy im1 --rate 1; then false; fi
  if loads_cfitsio shmim-run im1 --for 1ms -- true; then false; fi
  if loads_cfitsio shmim-wait im1 --cnt0 1; then false; fi
  if loads_cfitsio shmim-trace im1; then false; fi
  if loads_cfitsio shmim-rm im1; then false; fi
}

@test "and this test would notice" {
  shmim-create -q im1 4x4
  loads_cfitsio shmim-cat im1 -o fits
}

@test "the tools that scripts start at every step do not load libm" {
  local tool
  for tool in create connect cat post play run wait ls kw link trace rm; do
    if LD_DEBUG=files "shmim-$tool" --version 2>&1 | grep 'libm\.'; then false; fi
  done
  LD_DEBUG=files shmim-info --version 2>&1 | grep -q 'libm\.'  # which has statistics
}
