# The C interface: every function by a C program, and what the library shows.

load ../cli/helpers

library=$SHMIM_BUILD_DIR/lib/libshmim.so
program=$SHMIM_BUILD_DIR/tests/c/shmim-c-interface

@test "each function gives what its header says, and fails as it says" {
  chmod 755 "$SHM"
  check 0 '' '' -- "$program" "$SHM"
}

@test "what the library shows is what it has shown in each version, and what the header declares" {
  diff "$SHMIM_SOURCE_DIR/tests/c/symbols.txt" <(nm -D --defined-only "$library" | sed 's/^[0-9a-f]* . //' | LC_ALL=C sort)
  diff <(grep -oE '^SHMIM_API .*\(' "$SHMIM_SOURCE_DIR/lib/include/shmim/shmim.h" | grep -oE 'shmim_[a-z0-9_]+\(' | tr -d '(' | LC_ALL=C sort) \
    <(sed -n 's/^\(shmim_.*\)@@.*/\1/p' "$SHMIM_SOURCE_DIR/tests/c/symbols.txt")
}

@test "the header is C99 and C++, and needs no other before it" {
  local header=$SHMIM_SOURCE_DIR/lib/include/shmim/shmim.h
  cc -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -x c "$header"
  c++ -std=c++98 -Wall -Wextra -Werror -fsyntax-only -x c++ "$header"
}
