# The limits of a process. Not under sanitizers: they want terabytes of addresses, and descriptors of their own.

load ../cli/helpers

@test "no file descriptor left" {
  make 'tui8>a' 4
  printf '\1\1\1\1' >ones
  # One more than the standard three: what the loader needs, and then the stream has.
  with_four() { (exec 3>&-; ulimit -n 4; exec "$@"); }
  check 0 '0 0 0 0' '' -- with_four shmim-cat a
  check 1 '' '~ shmim-cat: a: cannot duplicate a descriptor: Too many open files*' -- with_four shmim-cat a -f
  check 1 '' '~ shmim-post: *ones: *Too many open files*' -- with_four shmim-post a --data ones
  check 1 '' '~ shmim-post: a: cannot open the file to claim it: Too many open files*' \
    -- with_four shmim-post a --update --claim
  check 1 '' '~ shmim-create: *cannot open the directory: Too many open files*' \
    -- with_four shmim-create 'tui8>a' 4 --recreate
  check 1 '' '~ shmim-rm: *cannot open the directory: Too many open files*' -- with_four shmim-rm a
  compare names "$(listing)" a.im.shm
  check 0 '0 0 0 0' '' -- shmim-cat a
}

@test "no memory left" {
  make 'tui8>a' 64000000
  with_memory() { (ulimit -v "$1"; shift; exec "$@"); }
  check 1 '' '~ shmim-cat: *a.im.shm: cannot map 64*bytes: Cannot allocate memory*' -- with_memory 60000 shmim-cat a
  check 1 '' 'shmim-cat: not enough memory' -- with_memory 110000 shmim-cat a -o npy
  check 1 '' '~ shmim-create: *cannot map*Cannot allocate memory*' -- with_memory 60000 shmim-create b 8000x8000
  compare names "$(listing)" a.im.shm
}

@test "streams that there are no descriptors for are left out by name and number" {
  for i in $(seq 40); do make "s$i" 2; done
  few() { (ulimit -n 30; exec "$@"); }
  check 1 '~ *s9 *' "~ shmim-top: $SHM: * streams left out: no more files may be open, see ulimit -Hn" -- \
    few shmim-top -b -n 1 -i 1ms
  check 1 '~ *' "~ shmim-ls: $SHM: * streams left out: *" -- few shmim-ls --over 1ms
  check 1 '~ *' "~ shmim-trace: $SHM: * streams left out: *" -- few shmim-trace --graph
  check 0 '~ *' '' -- few shmim-ls
}

@test "sequences are compared in less memory than they take" {
  with_memory() { (ulimit -v "$1"; shift; exec "$@"); }
  # Cubes of 200 planes of a MiB, as sparse files.
  make 'tf32>one' 512x512
  run_out one.npy shmim-cat one -o npy
  { head -c 128 one.npy | sed 's/(512, 512), }     /(200, 512, 512), }/'; } >cube.npy
  truncate -s $((128 + 200 * 1048576)) cube.npy
  fits_file -32 512 512 200 </dev/null >cube.fits
  truncate -s $((2880 + 209715840)) cube.fits
  check 0 '' '' -- with_memory 150000 shmim-diff --frames cube.npy cube.fits
  check 2 '' '~ shmim-diff: *not enough memory*' -- with_memory 150000 shmim-diff cube.npy cube.npy
}

@test "a cube of FITS comes through a pipe in less memory than it takes" {
  with_memory() { (ulimit -v "$1"; shift; exec "$@"); }
  make 'tui8>a' 512x512
  { fits_file 8 512 512 800 </dev/null; head -c 200M /dev/zero; } | check 0 '' '' -- \
    with_memory 150000 shmim-post a --data -
  compare cnt0 "$(cnt0 a)" 800
}
