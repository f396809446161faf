#!/usr/bin/env python3
"""recording.py FILE [KEY=VALUE...]: writes a recording, as shmim-recording(5) has it, of the counter.

name=cam type=uint16 size=16x4 frames=10 rate=1000 first=1 (its cnt0) start=2026-11-22T01:52:49Z; gap=I:N lacks N
frames before the one with index I; constant=1 has keywords that do not change, changing=1 some that do; times=none
has no time, times=atime those of acquisition alone; compress=TYPE is in tiles; tai=S has TAI so far
ahead of UTC (default: as the kernel has it).
"""

import calendar
import sys
import time

import numpy
from astropy.io import fits

NONE = -(2**63)
given = dict(name="cam", type="uint16", size="16x4", frames="10", rate="1000", first="1", gap="",
             start="2026-11-22T01:52:49Z", constant="", changing="", times="all", compress="",
             tai=str(round(time.clock_gettime(time.CLOCK_TAI) - time.time())))
given.update(argument.split("=", 1) for argument in sys.argv[2:])
frames = int(given["frames"])
axes = [int(length) for length in given["size"].split("x")]
tai = int(given["tai"])
start = (calendar.timegm(time.strptime(given["start"], "%Y-%m-%dT%H:%M:%SZ")) + tai) * 10**9
gap_before, gap = (int(number) for number in (given["gap"] or "0:0").split(":"))

index = numpy.arange(frames)
cnt0 = int(given["first"]) + index + numpy.where((gap > 0) & (index >= gap_before), gap, 0)
ticks = (cnt0 - cnt0[0]) * 10**9 // int(given["rate"])
written = start + ticks
acquired = written - 250_000
missed = numpy.where((gap > 0) & (index == gap_before), gap, 0)

# The counter: number and time in groups of 16.
digits = lambda number, count: [(int(number) >> 6 * i & 63) + 64 * (i == 0) for i in range(count)]
type = numpy.dtype(given["type"])
part = numpy.empty(0, type).real.dtype  # a complex element is two numbers
rows = [numpy.resize(digits(n, 7) + digits(t // 1000, 9), axes[0] * type.itemsize // part.itemsize)
        .astype(part).view(type) for n, t in zip(cnt0, written)]
cube = numpy.stack([numpy.broadcast_to(row, axes[::-1]) for row in rows])
card = {}
if numpy.iscomplexobj(cube):
    card["SHMIMTYP"] = (cube.dtype.name, "element type of the stream")
    cube = numpy.stack([cube.real, cube.imag], axis=-1)
elif cube.dtype == numpy.float16:
    card["SHMIMTYP"] = ("float16", "element type of the stream")
    cube = cube.astype(numpy.float32)
cube = numpy.ascontiguousarray(cube)

header = fits.Header([(name, *value) for name, value in card.items()])
header["EXTNAME"] = (given["name"], "stream")
header["IMGTYPE"] = (4, "image type of the stream")
header["TIMESYS"] = ("UTC", "time scale of the dates")
header["DATE-OBS"] = (given["start"][:-1], "when the first frame was acquired")
header["MISSED"] = (int(gap), "frames that are lacking")
if gap:
    header["LOST1"] = (f"{cnt0[gap_before] - gap}-{cnt0[gap_before] - 1}", "cnt0 of such frames")
if given["constant"]:
    header["GAIN"] = (2, "electrons")
    header["OBSERVER"] = "Ada"

column = lambda name, form, array, **more: fits.Column(name=name, format=form, array=array, **more)
never = numpy.full(frames, NONE)
times = given["times"]
columns = [column("CNT0", "K", cnt0), column("CNT1", "K", index * 0),
           column("ATIME", "K", never if times == "none" else acquired, unit="ns", null=NONE),
           column("WRITETIME", "K", never if times != "all" else written, unit="ns", null=NONE),
           column("MISSED", "K", missed)]
if given["changing"]:
    # The second frame has none of them.
    columns += [column("FOCUS", "K", numpy.where(index == 1, NONE, 100 + index), null=NONE),
                column("TEMP", "D", numpy.where(index == 1, numpy.nan, 77.5 + index)),
                column("FILTER", "24A", ["" if i == 1 else f"H{i}" for i in index])]
table = fits.BinTableHDU.from_columns(columns, name="FRAMES")
table.header["TAIUTC"] = tai
if given["compress"]:
    image = fits.CompImageHDU(cube, header=header, compression_type=given["compress"])
    images = [fits.PrimaryHDU(), image]
else:
    images = [fits.PrimaryHDU(cube, header=header)]
fits.HDUList(images + [table]).writeto(sys.argv[1], overwrite=True, output_verify="silentfix")
