# What the tests share that have recordings made.

# start_record NAME OPTION...: a recorder, which is ready.
start_record() {
  local name=$1
  shift
  start_ready "$name" shmim-record "$@"
}

# reads_as FILE ASSERTION: of its HDUs `run` in Python, with `cube`, `table`, `header` and numpy.
reads_as() {
  "$PYTHON" -W error -c '
import numpy, sys
from astropy.io import fits
with fits.open(sys.argv[1]) as run:
    run.verify("exception")
    cube, header, table = run[0].data, run[0].header, run["FRAMES"].data
    card = run["FRAMES"].header
    assert eval("(%s)" % sys.argv[2]), (sys.argv[2], repr(header), table)' "$1" "$2"
}

# has_recorded FILE N: at least so many frames are on their way to it, and on the disk.
has_recorded() {
  "$PYTHON" -c '
import cbor2, os, sys
name = os.path.join(os.path.dirname(sys.argv[1]), "." + os.path.basename(sys.argv[1]) + ".times")
with open(name, "rb") as journal:
    size, items = os.path.getsize(name), 0
    while journal.tell() < size:
        cbor2.load(journal)
        items += 1
assert items > int(sys.argv[2]), items' "$@"
}

# start_stalling NAME OPTION...: a recorder as start_record has it, whose disk stalls while there is the file `stall`.
start_stalling() {
  local name=$1
  shift
  start_ready "$name" env STALL="$WORK/stall" LD_PRELOAD="$SHMIM_BUILD_DIR/tests/stalling_disk.so" \
    shmim-record "$@"
}
