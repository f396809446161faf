# The Python package, over the C interface.

load ../cli/helpers

export PYTHONDONTWRITEBYTECODE=1

setup() {
  own_directories
  need_python numpy
  export SHMIM_LIBRARY=$SHMIM_BUILD_DIR/lib/libshmim.so
}

@test "every class, function and error" {
  PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python check 0 '' '~ *OK' -- "$PYTHON" "$SHMIM_SOURCE_DIR/tests/python/package.py"
}

@test "the example of the README" {
  make cam 48x64 --type uint16 --circular-buffer 8
  sed -n '/^```python$/,/^```$/p' "$SHMIM_SOURCE_DIR/README.md" | sed 1d\;\$d >example.py
  start unit env PYTHONPATH="$SHMIM_SOURCE_DIR/lib/python" "$PYTHON" example.py
  until_true is_read cam
  shmim-post cam --pattern ramp -n 3 -q
  finish unit 0 '' ''
  compare cnt0 "$(cnt0 dm)" 3
  shmim-trace dm | grep -q ' cam '
}

@test "the example of the manual" {
  make cam 48x64 --type uint16 --circular-buffer 8
  sed -n '/^# EXAMPLES/,$p' "$SHMIM_SOURCE_DIR/man/shmim-python.7.scd" | sed -n '/^```$/,/^```$/p' | sed 1d\;\$d >example.py
  start unit env PYTHONPATH="$SHMIM_SOURCE_DIR/lib/python" "$PYTHON" example.py
  until_true is_read cam
  shmim-post cam --pattern ramp -n 3 -q
  finish unit 0 '' ''
  compare cnt0 "$(cnt0 half)" 3
  compare GAIN "$(shmim-kw half GAIN)" 0.5
  shmim-trace half | grep -q ' cam '
}

@test "what pydoc shows of each name is a text" {
  # shellcheck disable=SC2016
  PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python check 0 '' '' -- "$PYTHON" -c '
import inspect, shmim
import shmim.imagestreamio
for module in shmim, shmim.imagestreamio:
    for name in module.__all__:
        thing = getattr(module, name)
        assert inspect.getdoc(thing), name
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if inspect.isfunction(value) and not member.startswith("_"):
                assert inspect.getdoc(value), (name, member)'
}

@test "what the package declares of the C interface is what the header does" {
  local header=$SHMIM_SOURCE_DIR/lib/include/shmim/shmim.h
  diff <(sed -n 's/^    "\(shmim_[a-z_]*\)": .*/\1/p' "$SHMIM_SOURCE_DIR/lib/python/shmim/_abi.py" | sort) \
    <(sed -n 's/^\(shmim_.*\)@@.*/\1/p' "$SHMIM_SOURCE_DIR/tests/c/symbols.txt" | grep -v type_size | sort)
  # Sizes, and where each field lies.
  {
    printf '#include <stdio.h>\n#include <shmim/shmim.h>\nint main(void) {\n'
    PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python "$PYTHON" -c '
import re
from shmim import _abi
for name in "Error", "Format", "Frame", "Header", "Semaphore", "Step", "Keyword", "FollowOptions":
    c = "shmim_" + re.sub("(?<=[a-z])([A-Z])", r"_\1", name).lower()
    print(f"printf(\"{name} %zu\\n\", sizeof({c}));")
    for field, _ in getattr(_abi, name)._fields_:
        print(f"printf(\"{name}.{field} %zu %zu\\n\", offsetof({c}, {field}), sizeof((({c}*)0)->{field}));")'
    printf 'return 0; }\n'
  } >sizes.c
  cc -I "$SHMIM_SOURCE_DIR/lib/include" sizes.c -o sizes
  ./sizes >from_c
  PYTHONPATH=$SHMIM_SOURCE_DIR/lib/python "$PYTHON" -c '
import ctypes
from shmim import _abi
for name in "Error", "Format", "Frame", "Header", "Semaphore", "Step", "Keyword", "FollowOptions":
    struct = getattr(_abi, name)
    print(name, ctypes.sizeof(struct))
    for field, _ in struct._fields_:
        print(f"{name}.{field}", getattr(struct, field).offset, getattr(struct, field).size)' >from_python
  diff from_c from_python
}

@test "the wheel is built without the network, and is the package" {
  need_python numpy setuptools wheel pip
  compare version "$(sed -n 's/^version = "\(.*\)"/\1/p' "$SHMIM_SOURCE_DIR/lib/python/pyproject.toml")" \
    "$(sed -n 's/^  VERSION \(.*\)/\1/p' "$SHMIM_SOURCE_DIR/CMakeLists.txt")"
  cmake --build "$SHMIM_BUILD_DIR" --target shmim-wheel >/dev/null
  "$PYTHON" -m pip install -q --no-index --no-deps --target installed "$SHMIM_BUILD_DIR"/lib/python/*.whl
  check 0 "~ 0.* \\['cam'\\]" '' -- env PYTHONPATH="$PWD/installed" "$PYTHON" -c '
import shmim
shmim.create("cam", 3)
print(shmim.__version__, shmim.streams())'
}

@test "without its library the package says what it needs" {
  check 1 '' '~ *ImportError: cannot load SHMIM_LIBRARY: *none.so*; install them, or set SHMIM_LIBRARY to their libshmim.so.0' -- \
    env SHMIM_LIBRARY="$PWD/none.so" PYTHONPATH="$SHMIM_SOURCE_DIR/lib/python" "$PYTHON" -c 'import shmim'
}
