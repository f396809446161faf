# No tool loads cfitsio, which is slow to load, unless it reads or writes FITS at that moment.

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
  if loads_cfitsio shmim-wait im1 --cnt0 1; then false; fi
  if loads_cfitsio shmim-trace im1; then false; fi
  if loads_cfitsio shmim-rm im1; then false; fi
}

@test "and this test would notice" {
  shmim-create -q im1 4x4
  loads_cfitsio shmim-cat im1 -o fits
}
