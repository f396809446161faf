# The C interface and the example programs in C, watched by valgrind.

load ../cli/helpers

watched=(valgrind -q --error-exitcode=9 --leak-check=full)
program=$SHMIM_BUILD_DIR/tests/c/shmim-c-interface
examples=$SHMIM_BUILD_DIR/tests/tree/package/consumer

@test "nothing is lost or read beyond its end, by valgrind" {
  chmod 755 "$SHM"
  check 0 '' '' -- "${watched[@]}" "$program" "$SHM"
}

@test "the examples" {
  make cam 4 3 --type uint16 --circular-buffer 8 --set GAIN=2
  start unit "${watched[@]}" "$examples/consumer-halve"
  until_true is_read cam
  seq 60 | shmim-post cam --data - -q
  until_true shmim-wait half --cnt0 5 -t 10ms -q
  compare frame "$(shmim-cat half | tr '\n' ' ')" '24.5 25 25.5 26 26.5 27 27.5 28 28.5 29 29.5 30 '
  finish unit 0 '' ''
  check 0 '~ cam uint16 4x3 frame 5*GAIN = 2*half float32 4x3 frame 5*made of frame 5' '' -- \
    "${watched[@]}" "$examples/consumer-describe"
}
