# Streams that the C library wrote, through the tools.

load helpers

golden() { echo "$SHMIM_SOURCE_DIR"/tests/golden/*.im.shm; }

setup_golden() {
  local file
  for file in $(golden); do
    cp "$file" "$SHM"
  done
  chmod u+w "$SHM"/*
}

@test "the pixels are those that the C library hashed" {
  setup_golden
  count=0
  for file in $(golden); do
    name=$(basename "$file" .im.shm)
    wanted=$(sed -n 's/.*"payload_sha256": "\([0-9a-f]*\)".*/\1/p' "${file%.im.shm}.json")
    [ -n "$wanted" ]
    [ "$(shmim-cat "$name" -o raw | sha256sum | cut -d ' ' -f 1)" = "$wanted" ]
    count=$((count + 1))
  done
  [ "$count" -eq 19 ]
}

@test "looking changes no byte" {
  setup_golden
  for file in $(golden); do
    name=$(basename "$file" .im.shm)
    for format in text raw fits npy; do
      shmim-cat "$name" -o "$format" >/dev/null
    done
    shmim-trace "$name" >/dev/null
    shmim-connect -q "$name"
    cmp "$file" "$SHM/$name.im.shm"
  done
}

@test "they are written on where the C library left off" {
  setup_golden
  check 0 '' '' -- shmim-post g_cb16 --update --set EXPTIME=0.5
  check 0 '21' '' -- shmim-wait g_cb16 --cnt0 21
  shmim-cat g_cb16 -o raw >after
  cp "$SHMIM_SOURCE_DIR/tests/golden/g_cb16.im.shm" "$SHM/before.im.shm"
  shmim-cat before -o raw | cmp - after
}
