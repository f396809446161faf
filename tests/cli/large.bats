# A stream of more than 4 GiB: a file with a hole, so that it costs no memory.

load helpers

# put OFFSET BYTES-AS-PRINTF: overwrites bytes of the stream big.
put() { printf "$2" | dd of="$SHM/big.im.shm" bs=1 seek="$1" conv=notrunc status=none; }

@test "sizes are counted in 64 bits" {
  shmim-create -q big 4x4 -T float64
  extra=$(($(stat -c %s "$SHM/big.im.shm") - 4 * 4 * 8))
  put 116 '\0\0\1\0\0\100\0\0'        # 65536 x 16384
  put 128 '\0\0\0\100\0\0\0\0'        # elements: 2^30
  put 312 '\0\0\0\0\2\0\0\0'          # bytes: 8 GiB
  # The regions behind the array move: keywords and semaphores of zeros are as good as new ones.
  truncate -s 384 "$SHM/big.im.shm"
  truncate -s $((8 * 1024 * 1024 * 1024 + extra)) "$SHM/big.im.shm"
  check 0 '~ connected big float64 65536x16384 8589*' '' -- shmim-connect big
  check 0 '0 0' '' -- shmim-cat 'big[-2:-1,-1]'
  printf '\0\0\0\0\0\0\360\77' | shmim-post 'big[65535,16383]' --data -
  check 0 '0 1' '' -- shmim-cat 'big[-2:-1,-1]'
  check 0 '1' '' -- shmim-wait big --cnt0 1
  check 5 '' '~ *size is 65536x16384, not 4x4*' -- shmim-connect big 4x4
  check 0 '' '' -- shmim-rm big
}
