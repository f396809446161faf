# What others find in recordings: astropy, and fitsverify, which is NASA's judge of what is FITS.

load ../cli/helpers

record_types() { "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer record-types "$PWD"; }

@test "astropy reads recordings of every type: pixels, rows, keywords and dates" {
  need_python numpy astropy
  record_types
  cat >read.py <<'SCRIPT'
import warnings
from datetime import datetime, timedelta

import numpy as np
from astropy.io import fits

warnings.simplefilter("error")
n = 50
frames = range(1, n + 1)
missed = [0 if f in (1, 3) else f for f in frames]
cnt0 = np.cumsum([m + 1 for m in missed])
atime = [1_700_000_000_123_456_789 + f * 1_000_001 for f in frames]
types = {
    "uint8": "u1", "int8": "i1", "uint16": "u2", "int16": "i2", "uint32": "u4", "int32": "i4",
    "uint64": "u8", "int64": "i8", "float32": "f4", "float64": "f8", "complex64": "f4",
    "complex128": "f8", "float16": "f2",
}


def same(what, found, wanted):
    assert np.array_equal(found, wanted), (what, found, wanted)


def look(name, code):
    parts = 2 if name.startswith("complex") else 1
    size = 1200 * parts * np.dtype(code).itemsize
    raw = ((np.arange(size) * 7 + np.array(frames)[:, None] * 31) % 256).astype("u1")
    pixels = raw.view(np.dtype(code).newbyteorder("<")).reshape((n, 30, 40) + ((2,) if parts == 2 else ()))
    with fits.open(f"{name}.fits", uint=True) as hdus:
        hdus.verify("exception")
        is_compressed = isinstance(hdus[1], fits.CompImageHDU)
        assert len(hdus) == 2 + is_compressed
        data, header = hdus["cam"].data, hdus["cam"].header
        if code == "f2":
            pixels = pixels.astype("f4")
        if code == "i1" and is_compressed and data.dtype.kind == "f":  # not every astropy
            pixels = pixels.astype("f4")
        assert data.dtype.newbyteorder("=") == pixels.dtype.newbyteorder("="), data.dtype
        assert data.shape == pixels.shape, data.shape
        assert np.array_equal(data, pixels, equal_nan=pixels.dtype.kind == "f")
        if pixels.dtype.kind == "f" and code != "f2":
            assert data.astype(pixels.dtype).tobytes() == pixels.tobytes()
        assert header.get("SHMIMTYP") == (name if parts == 2 or code == "f2" else None)
        assert header["EXTNAME"] == "cam"
        assert header["CONST"] == 42 and header.comments["CONST"] == "stays"
        assert header["long.name"] == "it's"
        assert header["TRACE1"] == "by pid 7, of frame 8 of inode 9"
        for changing in ("GAIN", "TEMP", "FILTER", "LATE", "GONE", "MIXED"):
            assert changing not in header
        assert header["MISSED"] == sum(missed)
        gaps = [(c - m, c - 1) for c, m in zip(cnt0, missed) if m]
        for i, (first, last) in enumerate(gaps[:40], 1):
            assert header[f"LOST{i}"] == f"{first}-{last}"
        assert len(gaps) > 40 and "LOST41" not in header

        table = hdus["FRAMES"]
        rows = table.data
        utc = lambda ns: (datetime(1970, 1, 1) + timedelta(seconds=ns // 10**9 - table.header["TAIUTC"])
                          ).isoformat() + f".{ns % 10**9:09}"
        assert header["TIMESYS"] == "UTC"
        assert header["DATE-OBS"] == utc(atime[0]), header["DATE-OBS"]
        assert header["DATE-END"] == utc(atime[-1])

        same("CNT0", rows["CNT0"], cnt0)
        same("CNT1", rows["CNT1"], [f % 4 for f in frames])
        same("MISSED", rows["MISSED"], missed)
        null = -(2**63)
        assert table.header["TNULL3"] == table.header["TNULL4"] == null
        same("ATIME", rows["ATIME"], [null if f == 3 else t for f, t in zip(frames, atime)])
        same("WRITETIME", rows["WRITETIME"], [null if f == 3 else t + 4321 for f, t in zip(frames, atime)])
        same("GAIN", rows["GAIN"], [f * f for f in frames])
        same("TEMP", rows["TEMP"], [21.5 + 0.1 * f for f in frames])
        same("FILTER", rows["FILTER"], ["R" if f % 2 == 0 else "sloan r'" for f in frames])
        same("MIXED", rows["MIXED"], [f if f < 3 else 0.5 * f for f in frames])
        same("ATIME_KW", rows["ATIME_KW"], frames)
        same("Temp_KW", rows["Temp_KW"], frames)
        same("x_y_z", rows["x_y_z"], frames)
        same("LATE", rows["LATE"], [-f if f >= 4 else null for f in frames])
        assert np.array_equal(rows["GONE"], [0.25 * f if f < 5 else np.nan for f in frames], equal_nan=True)
        same("GONEINT", rows["GONEINT"], [f if f < 5 else null for f in frames])
        same("GONETEXT", rows["GONETEXT"], ["here" if f < 5 else "" for f in frames])
        for column in ("LATE", "GONEINT"):
            assert table.columns[column].null == null
        assert [c.unit for c in table.columns[2:4]] == ["ns", "ns"]


for name, code in types.items():
    try:
        look(name, code)
    except Exception as error:
        raise SystemExit(f"{name}: {error!r}")
SCRIPT
  check 0 '' '' -- "$PYTHON" read.py
  # Compressed they are the same; what is left as it was cannot be compressed, or only to more bytes.
  check 0 '~ *' '' -- "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer compress-types "$PWD"
  compare left "$(sort .out | xargs)" 'complex128 complex64 int32 int64 uint32 uint64'
  check 0 '' '' -- "$PYTHON" read.py
}

@test "fitsverify finds nothing wrong with recordings, compressed or not" {
  command -v fitsverify >/dev/null || skip "no fitsverify"
  record_types
  mkdir plain
  cp ./*.fits plain
  "$SHMIM_BUILD_DIR/tests/faults/shmim-faults" --tools "$SHMIM_BIN_DIR" peer compress-types "$PWD" >left
  for file in *.fits plain/*.fits; do
    fitsverify -q "$file" >"$file.verdict" || true
    compare "$file" "$(<"$file.verdict")" '~ verification OK: *' || {
      fitsverify -e "$file" >&2
      return 1
    }
  done
}
