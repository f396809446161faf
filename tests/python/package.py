"""The Python package: run by python.bats, in a shm directory of its own."""

import contextlib
import datetime
import io
import os
import signal
import subprocess
import threading
import time
import unittest

import numpy
import shmim
from shmim import pymilk
from shmim.imagestreamio import Image, Image_kw, ImageStreamIODataType, ImageStreamIOType
from shmim.pymilk import SHM


def tool(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True, **options).stdout


class Case(unittest.TestCase):
    def tearDown(self):
        for name in shmim.streams():
            shmim.remove(name)


class Streams(Case):
    def test_made_by_either_and_seen_by_the_other(self):
        tool("shmim-create", "-q", "cam", "320x240", "--type", "uint16", "--circular-buffer", "4", "--set", "GAIN=2")
        cam = shmim.open("cam")
        self.assertEqual((cam.name, cam.shape, cam.dtype), ("cam", (240, 320), numpy.dtype("u2")))
        self.assertEqual(cam.format.circular_buffer, 4)
        self.assertEqual(dict(cam.keywords), {"GAIN": 2})
        self.assertEqual(repr(cam), "<stream cam: (240, 320) uint16>")
        cube = shmim.create("cube", (3, 4, 5), "f8")
        self.assertEqual(tool("shmim-ls", "--noheadings", "-o", "type,size", "cube").split(), ["float64", "5x4x3"])
        cube.write(numpy.arange(60.0).reshape(3, 4, 5))
        self.assertEqual(tool("shmim-cat", "cube[4,1,2]"), "49\n")
        self.assertEqual(shmim.streams(), ["cam", "cube"])
        self.assertEqual(shmim.streams("cu*"), ["cube"])

    def test_every_type(self):
        for name in "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8 c8 c16 f2".split():
            array = numpy.arange(12).reshape(3, 4).astype(name)
            stream = shmim.create("x", (3, 4), name, replace=True)
            stream.write(array)
            frame = stream.read()
            self.assertEqual(frame.array.dtype, numpy.dtype(name))
            numpy.testing.assert_array_equal(frame.array, array)
            numpy.testing.assert_array_equal(numpy.array(stream.live()), array)

    def test_the_live_array_keeps_its_stream(self):
        shmim.create("cam", (300, 300)).write(numpy.ones((300, 300)))
        live = shmim.open("cam").live()
        self.assertEqual(live.sum(), 90000)
        # And is of it, when another has its name and is written to.
        cam = shmim.open("cam")
        live = cam.live()
        shmim.create("cam", (300, 300), replace=True)
        cam.write(numpy.zeros((300, 300)))
        self.assertEqual((live.sum(), cam.live().sum()), (90000, 0))

    def test_ways_to_make_one(self):
        first = shmim.create("x", 7)
        with self.assertRaisesRegex(shmim.Exists, "^x: exists already"):
            shmim.create("x", 7)
        self.assertEqual(shmim.create("x", 7, exist_ok=True).inode, first.inode)
        with self.assertRaisesRegex(shmim.Mismatch, "^x: size is 7, not 8$"):
            shmim.create("x", 8, exist_ok=True)
        self.assertTrue(first.is_current)
        second = shmim.create("x", 8, "u1", replace=True)
        self.assertFalse(first.is_current)
        self.assertEqual(second.shape, (8,))
        for wrong in (0, (1, 2, 3, 4), ()):
            with self.assertRaises(shmim.UsageError):
                shmim.create("y", wrong)
        with self.assertRaisesRegex(shmim.UsageError, "no streams of bool"):
            shmim.create("y", 3, bool)

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(shmim.NotFound, "^none: no such stream"):
            shmim.open("none")
        with self.assertRaises(LookupError):
            shmim.remove("none")
        with self.assertRaisesRegex(shmim.NoDirectory, "/nowhere"):
            shmim.open("cam", "/nowhere")
        with self.assertRaisesRegex(shmim.UsageError, "slice"):
            shmim.open("cam[1]")
        stream = shmim.create("x", 3)
        stream.close()
        stream.close()
        with self.assertRaisesRegex(shmim.UsageError, "closed"):
            stream.read()
        self.assertEqual(repr(stream), "<closed stream>")


class Frames(Case):
    def test_a_frame_has_its_number_and_times(self):
        stream = shmim.create("x", 3)
        when = numpy.datetime64("2026-11-22T01:52:49.123456789")
        before = time.time()
        self.assertEqual(stream.write([1, 2, 3], atime=when), 1)
        frame = stream.read()
        self.assertEqual((frame.cnt0, frame.missed, frame.atime), (1, 0, when))
        self.assertLess(abs(frame.written - before), 5)
        self.assertEqual(round(frame.acquired), 1795312369)
        self.assertEqual(
            frame.atime.astype("datetime64[us]").item(), datetime.datetime(2026, 11, 22, 1, 52, 49, 123456)
        )
        self.assertEqual(stream.write([1, 2, 3], atime=1e9, lost=4), 6)
        self.assertEqual(stream.read().atime, numpy.datetime64("2001-09-09T01:46:40", "ns"))
        self.assertTrue(numpy.isnat(shmim.create("y", 3).read().writetime))

    def test_what_is_written_must_fit(self):
        stream = shmim.create("x", (2, 3), "i2")
        for wrong in (numpy.zeros((3, 2), "i2"), numpy.zeros(6, "i2")):
            with self.assertRaisesRegex(shmim.UsageError, r"^x: an array of \(.*\), not \(2, 3\)$"):
                stream.write(wrong)
        with self.assertRaises(TypeError):
            stream.write(numpy.zeros((2, 3)))
        # Any order in memory, and any integer.
        stream.write(numpy.arange(6).reshape(3, 2).T)
        self.assertEqual(stream.read().array.tolist(), [[0, 2, 4], [1, 3, 5]])

    def test_in_place(self):
        stream = shmim.create("x", (2, 3), "i2")
        with stream.writing() as pixels:
            pixels[1, 2] = 9
        self.assertEqual(stream.read().array.tolist(), [[0, 0, 0], [0, 0, 9]])
        with self.assertRaises(ZeroDivisionError):
            with stream.writing() as pixels:
                pixels[0, 0] = 1 / 0
        with self.assertRaisesRegex(shmim.Unfinished, "^x: "):
            stream.read(timeout=0)
        self.assertEqual(stream.cnt0, 1)
        stream.write(numpy.ones((2, 3), "i2"))
        self.assertEqual(stream.read().cnt0, 2)
        with self.assertRaises(ValueError):
            stream.live()[0, 0] = 1

    def test_planes(self):
        ring = shmim.create("ring", (3, 2, 2), "u1", image_type=0x20001)
        self.assertEqual(ring.frame_shape, (1, 2, 2))
        frames = ring.frames(timeout=5)
        for n in range(1, 5):
            ring.write(numpy.full((2, 2), n, "u1"))
            self.assertEqual(next(frames).array.tolist(), [[[n, n], [n, n]]])
        self.assertEqual(ring.read().array[:, 0, 0].tolist(), [4, 2, 3])


class Following(Case):
    def test_frames_in_order_until_none_comes(self):
        shmim.create("cam", (4, 4), "u4", circular_buffer=100).close()
        follower = shmim.frames("cam", timeout=1)
        tool("shmim-post", "cam", "--pattern", "counter", "-n", "50", "--rate", "500", "-q")
        frames = list(follower)
        self.assertEqual([frame.cnt0 for frame in frames], list(range(1, 51)))
        self.assertEqual(sum(frame.missed for frame in frames), 0)
        self.assertEqual(list(follower), [])
        follower.close()
        self.assertEqual(list(follower), [])

    def test_the_newest(self):
        cam = shmim.create("cam", 4, "u1")
        follower = cam.frames(timeout=0, newest=True, passive=True)
        self.assertEqual(tool("shmim-ls", "--noheadings", "-o", "readers", "cam").strip(), "0")
        for n in range(1, 6):
            cam.write(numpy.full(4, n, "u1"))
        frame = next(follower)
        self.assertEqual((frame.cnt0, frame.missed, frame.array.tolist()), (5, 4, [5] * 4))

    def test_a_trace_that_is_true_however_late(self):
        cam = shmim.create("cam", 4, "u1", circular_buffer=10)
        dm = shmim.create("dm", 4)
        follower = cam.frames(timeout=5)
        cam.write(numpy.full(4, 1, "u1"))
        frame = next(follower)
        cam.write(numpy.full(4, 2, "u1"))
        dm.write(frame.array.astype("f4"), trigger=frame.trigger)
        steps = dm.trace()
        self.assertEqual([(step.pid, step.cnt0) for step in steps], [(os.getpid(), 1), (os.getpid(), 0)])
        self.assertEqual(steps[0].trigger_inode, cam.inode)
        with dm.writing(trigger=cam.trigger()) as pixels:
            pixels[:] = 0
        self.assertEqual(dm.trace()[0].cnt0, 2)

    def test_the_end_of_a_stream(self):
        cam = shmim.create("cam", 4, "u1")
        follower = cam.frames()
        again = shmim.create("cam", 4, "u1", replace=True)
        again.write(numpy.ones(4, "u1"))
        self.assertEqual(next(follower).array.tolist(), [1] * 4)
        shmim.create("cam", 5, "u1", replace=True)
        with self.assertRaisesRegex(shmim.Mismatch, "size is 5, not 4"):
            next(follower)
        follower = shmim.frames("cam")
        shmim.remove("cam")
        with self.assertRaises(shmim.Removed):
            next(follower)

    def test_others_run_while_it_waits(self):
        cam = shmim.create("cam", 4, "u1")
        follower = cam.frames(timeout=0.5)
        counted = 0
        done = threading.Event()

        def count():
            nonlocal counted
            while not done.is_set():
                counted += 1
                time.sleep(0.001)

        thread = threading.Thread(target=count)
        thread.start()
        self.assertEqual(list(follower), [])
        done.set()
        thread.join()
        self.assertGreater(counted, 50)

    def test_a_signal_ends_the_waiting(self):
        follower = shmim.create("cam", 4, "u1").frames()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            next(follower)

    def test_two_thousand_a_second_and_none_missed(self):
        shmim.create("cam", (64, 128), "u2", circular_buffer=1000).close()
        follower = shmim.frames("cam", timeout=5)
        writer = subprocess.Popen(
            ["shmim-post", "cam", "--pattern", "counter", "-n", "4000", "--rate", "2000", "-q"]
        )
        frames = [(frame.cnt0, frame.missed) for _, frame in zip(range(4000), follower)]
        self.assertEqual(writer.wait(), 0)
        self.assertEqual(frames, [(n, 0) for n in range(1, 4001)])


class Keywords(Case):
    def test_as_a_mapping(self):
        keywords = shmim.create("cam", 4, keywords=4).keywords
        keywords["GAIN"] = 2.5, "e-/ADU"
        keywords.update(N=3, FILTER="H")
        self.assertEqual(dict(keywords), {"GAIN": 2.5, "N": 3, "FILTER": "H"})
        self.assertEqual(tool("shmim-kw", "cam", "GAIN", "N", "FILTER").split(), ["2.5", "3", "H"])
        keywords["GAIN"] = numpy.float32(0.5)
        keywords["N"] = numpy.int16(-7)
        self.assertEqual((keywords["GAIN"], keywords.comment("GAIN"), keywords["N"]), (0.5, "e-/ADU", -7))
        del keywords["FILTER"]
        self.assertEqual((len(keywords), "FILTER" in keywords, keywords.get("FILTER")), (2, False, None))
        with self.assertRaises(KeyError):
            keywords["FILTER"]
        with self.assertRaises(KeyError):
            del keywords["FILTER"]
        for wrong in ("x" * 17, 2**63, ("x", "c" * 81)):
            with self.assertRaises(ValueError):
                keywords["N"] = wrong
        with self.assertRaises(ValueError):
            keywords["SEVENTEEN_BYTES__"] = 1
        with self.assertRaisesRegex(shmim.Error, "cam: "):
            keywords.update(A=1, B=2, C=3)
        self.assertEqual(dict(keywords), {"GAIN": 0.5, "N": -7})


class PyMilk(Case):
    """What pyMilk gives; the orders are those that pyMilk 2026-03 makes of the same arrays."""

    def test_orders(self):
        array = numpy.array([[1, 2, 3], [4, 5, 6]])
        in_stream = {
            0: [[1, 2, 3], [4, 5, 6]],
            1: [[4, 5, 6], [1, 2, 3]],
            2: [[3, 2, 1], [6, 5, 4]],
            3: [[6, 5, 4], [3, 2, 1]],
            4: [[1, 4], [2, 5], [3, 6]],
            5: [[3, 6], [2, 5], [1, 4]],
            6: [[4, 1], [5, 2], [6, 3]],
            7: [[6, 3], [5, 2], [4, 1]],
        }
        for symcode, expected in in_stream.items():
            shm = SHM("cam", array, symcode=symcode)
            self.assertEqual(shm.IMAGE.copy().tolist(), expected)
            self.assertEqual(shm.IMAGE.md.size, list(numpy.shape(expected)))
            self.assertEqual(shm.get_data().tolist(), array.tolist())
            self.assertEqual(SHM("cam", symcode=symcode).get_data().tolist(), array.tolist())
        with self.assertRaisesRegex(ValueError, "symcode"):
            SHM("cam", symcode=8)
        cube = numpy.arange(24).reshape(2, 3, 4)
        in_stream = {
            0: ((3, 2, 4), [8, 9, 10, 11, 20, 21]),
            1: ((4, 3, 2), [8, 20, 4, 16, 0, 12]),
            2: ((2, 4, 3), [3, 7, 11, 2, 6, 10]),
            3: ((4, 3, 2), [3, 15, 7, 19, 11, 23]),
        }
        for tri_dim, (shape, first) in in_stream.items():
            shm = SHM("cam", cube, symcode=5, triDim=tri_dim)
            held = shm.IMAGE.copy()
            self.assertEqual((held.shape, held.ravel()[:6].tolist()), (shape, first))
            self.assertEqual(SHM("cam", symcode=5, triDim=tri_dim).get_data().tolist(), cube.tolist())

    def test_an_image_is_as_the_tools_have_it(self):
        shm = SHM("cam", numpy.arange(6.0).reshape(2, 3))
        self.assertEqual(tool("shmim-cat", "cam"), "0 1 2\n3 4 5\n")
        shm.set_data(numpy.ones((2, 3)))
        self.assertEqual(tool("shmim-cat", "cam"), "1 1 1\n1 1 1\n")
        with self.assertRaisesRegex(shmim.UsageError, "an array of"):
            shm.set_data(numpy.ones((3, 2)))
        shm.set_data(numpy.ones((2, 3), "i4"), check_dt=True)
        self.assertEqual(shm.get_counter(), 3)
        shm.repost()
        self.assertEqual(shm.get_counter(), 4)
        self.assertEqual(SHM(shm.FILEPATH).FNAME, "cam")
        with self.assertRaises(ValueError):
            SHM("/nowhere/cam.im.shm")
        with self.assertRaises(FileNotFoundError):
            SHM("none")
        with shm:
            shm.destroy()
        self.assertEqual(shmim.streams(), [])

    def test_squeezed(self):
        shmim.create("cam", (1, 3), "u1")
        shm = SHM("cam")
        self.assertEqual((shm.shape, shm.shape_c, shm.nDim), ((3,), (3, 1), 1))
        shm.set_data(numpy.array([1, 2, 3], "u1"))
        self.assertEqual(shm.get_data().tolist(), [1, 2, 3])
        self.assertEqual(SHM("cam", autoSqueeze=False).get_data().tolist(), [[1, 2, 3]])

    def test_waiting(self):
        writer = SHM("cam", numpy.zeros((2, 3), "u2"))
        reader = SHM("cam")
        for n in range(1, 4):
            writer.set_data(numpy.full((2, 3), n, "u2"))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            # What came before the call does not count.
            self.assertIsNone(reader.get_data(check=True, timeout=0.05, return_none_on_timeout=True))
            self.assertEqual(reader.get_data(check=True, timeout=0.05)[0, 0], 3)
        self.assertEqual(said.getvalue().count("timed out"), 2)
        threading.Timer(0.1, writer.set_data, (numpy.full((2, 3), 9, "u2"),)).start()
        self.assertEqual(reader.get_data(check=True)[0, 0], 9)
        self.assertFalse(reader.check_sem_trywait())
        writer.set_data(numpy.full((2, 3), 10, "u2"))
        self.assertTrue(reader.check_sem_trywait())
        source = subprocess.Popen(
            ["shmim-post", "cam", "--pattern", "ramp", "-n", "1000", "--rate", "200", "-q"]
        )
        self.assertEqual(reader.multi_recv_data(5, output_as_cube=True).shape, (5, 2, 3))
        self.assertEqual(len(reader.multi_recv_data(5)), 5)
        source.kill()
        source.wait()
        reader.close()
        reader.close()
        self.assertEqual(tool("shmim-ls", "--noheadings", "-o", "readers", "cam").strip(), "0")

    def test_re_creation(self):
        reader = SHM("cam", numpy.zeros((2, 3), "u2"))
        SHM("cam", numpy.ones((2, 3), "u2"))
        self.assertEqual(reader.get_data()[0, 0], 1)
        SHM("cam", numpy.ones((2, 4), "u2"))
        with self.assertRaisesRegex(pymilk.AutoRelinkSizeError, "cam: size mismatch"):
            reader.get_data()
        SHM("cam", numpy.ones((2, 3), "f4"))
        with self.assertRaisesRegex(pymilk.AutoRelinkTypeError, "cam: type mismatch"):
            reader.get_data()
        self.assertEqual(reader.non_block_wait_until_recreation(0.01).nptype, numpy.dtype("f4"))

    def test_keywords(self):
        shm = SHM("cam", numpy.zeros(3), nbkw=6)
        shm.set_keywords({"EXPTIME": (0.5, "[s]"), "FRATE": 100, "DET-NSMP": (4,)})
        self.assertEqual(shm.get_keywords(), {"EXPTIME": 0.5, "FRATE": 100, "DET-NSMP": 4})
        self.assertEqual(shm.get_keywords(comments=True)["EXPTIME"], (0.5, "[s]"))
        self.assertEqual((shm.get_expt(), shm.get_fps(), shm.get_ndr()), (0.5, 100.0, 4))
        shm.update_keyword("EXPTIME", 0.25)
        self.assertEqual(shm.get_keywords(True)["EXPTIME"], (0.25, "[s]"))
        shm.set_keywords({"EXPTIME": 1.0})
        self.assertEqual(shm.get_keywords(True)["EXPTIME"], (1.0, ""))
        with self.assertRaises(AssertionError):
            shm.update_keyword("NONE", 1)
        shm.reset_keywords({"CROP_OR1": 1, "CROP_EN1": 10, "CROP_OR2": 2, "CROP_EN2": 20})
        self.assertEqual(shm.get_crop(), (1, 10, 2, 20))
        shm.reset_keywords({"x0": 1, "x1": 10, "y0": 2, "y1": 20})
        self.assertEqual(shm.get_crop(), (1, 10, 2, 21))
        shm.reset_keywords({})
        self.assertEqual(shm.keywords, {})
        self.assertEqual(SHM("image", numpy.zeros((2, 3))).get_crop(), (0, 0, 2, 3))

    def test_the_image(self):
        shm = SHM("cam", numpy.arange(6.0).reshape(2, 3))
        self.assertIsInstance(shm.IMAGE, Image)
        self.assertEqual((shm.IMAGE.md.cnt0, shm.IMAGE.semvalue(0)), (1, 1))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            shm.print_meta_data()
        self.assertIn("\nsize: [3, 2]\n", said.getvalue())
        SHM("cam", numpy.ones((2, 3)))
        self.assertEqual(shm.get_data()[0, 0], 1)
        self.assertEqual(shm.IMAGE.copy()[0, 0], 1)
        shm.IMAGE.destroy()
        shm.destroy()
        self.assertEqual(shmim.streams(), [])


def said_by(call):
    """What a call gives, and what it says on standard error."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        return call(), said.getvalue()


class ImageStreamIO(Case):
    """What the Python module of ImageStreamIO gives."""

    def made(self, name, array, **options):
        image = Image()
        self.assertEqual(image.create(name, array, **options), 0)
        return image

    def test_opened_and_made(self):
        image = Image()
        self.assertEqual((image.used, repr(image)), (0, "<image None>"))
        for call in (image.copy, image.update, image.destroy, image.close, lambda: image.shape, lambda: image.md.cnt0):
            with self.assertRaisesRegex(RuntimeError, "no stream is open here"):
                call()
        given, said = said_by(lambda: image.open("cam"))
        self.assertEqual(given, 40)
        self.assertRegex(said, "^cam: no such stream")
        array = numpy.arange(6, dtype="u2").reshape(2, 3)
        self.assertEqual(image.create("cam", array), 0)
        self.assertEqual((image.used, image.shape, image.copy().tolist()), (1, (2, 3), array.tolist()))
        self.assertEqual(tool("shmim-cat", "cam"), "0 3\n1 4\n2 5\n")
        other = Image()
        self.assertEqual((other.open("cam"), other.md.inode), (0, image.md.inode))
        # One of that name gives way.
        cube = self.made("cam", numpy.zeros((4, 3, 2)), NBsem=3, NBkw=7, CBsize=5)
        self.assertEqual((cube.shape, cube.md.sem, cube.md.NBkw, cube.md.CBsize), ((4, 3, 2), 3, 7, 5))
        self.assertEqual(other.destroy(), 0)
        self.assertEqual(shmim.streams(), ["cam"])
        self.assertEqual((cube.destroy(), cube.used, image.close(), image.used), (0, 0, 0, 0))
        self.assertEqual(shmim.streams(), [])

    def test_what_cannot_be_made(self):
        image = Image()
        with self.assertRaisesRegex(TypeError, r"numpy.zeros\(\(2, 3\)\)"):
            image.create("cam", (2, 3))
        with self.assertRaisesRegex(NotImplementedError, "shared memory of the CPU"):
            image.create("cam", numpy.zeros(3), 0)
        with self.assertRaisesRegex(ValueError, "no streams of bool"):
            image.create("cam", numpy.zeros(3, bool))
        self.made("cam", numpy.zeros(3))
        for name in "streamproctrace0", "cntarray", "acqtimearray", "writetimearray", "flagarray", "memsize":
            with self.assertRaisesRegex(AttributeError, f"^{name} is not to be had here: "):
                getattr(image, name)
        with self.assertRaisesRegex(AttributeError, "has no attribute 'nonsense'"):
            image.nonsense
        usual = os.environ["MILK_SHM_DIR"]
        os.environ["MILK_SHM_DIR"] = "/nowhere"
        try:
            given, said = said_by(lambda: image.create("cam", numpy.zeros(3)))
        finally:
            os.environ["MILK_SHM_DIR"] = usual
        self.assertEqual(given, 40)
        self.assertIn("/nowhere", said)

    def test_every_type(self):
        for kind, name in zip(ImageStreamIODataType, "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8 c8 c16 f2".split()):
            array = numpy.arange(6).reshape(3, 2).astype(name)
            image = self.made("x", array)
            self.assertEqual((image.md.datatype, kind.size), (kind, array.itemsize))
            numpy.testing.assert_array_equal(image.copy(), array)
            numpy.testing.assert_array_equal(image.view(), array)
            self.assertEqual(image.copy().dtype, array.dtype)

    def test_writing(self):
        image = self.made("cam", numpy.zeros((2, 3), "f4"), CBsize=4)
        array = numpy.arange(6, dtype="f4").reshape(2, 3)
        for laid_out in (array, numpy.asfortranarray(array), array[::-1][::-1]):
            self.assertIsNone(image.write(laid_out))
            self.assertEqual(image.copy().tolist(), array.tolist())
        with self.assertRaisesRegex(ValueError, r"^cam: an array of float64 of \(2, 3\), not float32 of \(2, 3\)$"):
            image.write(array.astype("f8"))
        with self.assertRaisesRegex(ValueError, r"of \(3, 2\), not"):
            image.write(array.T)
        self.assertEqual(image.md.cnt0, 4)
        live = numpy.array(image, copy=False, order="F")
        live[1, 2] = 99
        self.assertEqual((image.update(), image.copy()[1, 2], image.md.cnt0), (0, 99, 5))
        self.assertEqual(image.update_atime(1e9), 0)
        self.assertEqual(image.md.acqtime, 1e9)
        image.update_atime(datetime.datetime(2001, 9, 9, 1, 46, 41, tzinfo=datetime.timezone.utc))
        self.assertEqual(image.md.acqtime, 1e9 + 1)
        self.assertLess(abs(image.md.writetime - time.time()), 5)
        # What is looked at stays what it was, whatever has its name by now.
        other = self.made("cam", numpy.zeros((2, 3), "f4"))
        image.write(array)
        self.assertEqual((live[1, 2], other.md.cnt0, image.md.cnt0), (5, 1, 8))

    def test_planes(self):
        kind = ImageStreamIOType.CIRCULAR_BUFFER_TYPE | ImageStreamIOType.ZAXIS_TEMPORAL_TYPE
        cube = numpy.arange(8, dtype="u1").reshape(2, 2, 2)
        ring = self.made("ring", cube, imagetype=kind)
        self.assertEqual(ring.md.imagetype, ImageStreamIOType.CIRCULAR_BUFFER_TYPE)
        self.assertEqual(ring.copy().tolist(), cube.tolist())

    def test_the_header(self):
        image = self.made("cam", numpy.zeros((2, 3), "u2"))
        md = image.md
        image.write(numpy.ones((2, 3), "u2"))
        self.assertEqual((md.name, md.version, md.naxis, md.size, md.nelement), ("cam", "2.00", 2, [2, 3], 6))
        self.assertEqual((md.datatype, md.imagetype), (ImageStreamIODataType.UINT16, ImageStreamIOType.MATH_DATA_TYPE))
        self.assertEqual((md.cnt0, md.cnt1, md.cnt2, md.write, md.shared), (2, 0, 0, 0, 1))
        self.assertEqual((md.location, md.location_str, md.status, md.flag, md.logflag), (-1, "CPU RAM", 0, 0, 0))
        self.assertLess(abs(md.creationtime - time.time()), 20)
        self.assertLessEqual(md.creationtime, md.writetime)
        self.assertGreaterEqual(md.lastaccesstime, md.creationtime)
        self.assertIn("\ncnt0: 2\n", repr(md))

    def test_semaphores(self):
        image = self.made("cam", numpy.zeros(3))
        index = image.getsemwaitindex(4)
        self.assertEqual((index, image.getsemwaitindex(0)), (4, 4))
        self.assertEqual(image.semReadPID, [os.getpid() if n == 4 else -1 for n in range(10)])
        self.assertEqual((image.semflush(-1), image.semvalue(4), image.semtrywait(4)), (0, 0, -1))
        image.write(numpy.ones(3))
        self.assertEqual((image.semvalue(4), image.semtrywait(4), image.semvalue(5)), (1, 0, 1))
        self.assertEqual(image.semWritePID, [os.getpid()] * 10)
        self.assertEqual((image.sempost(4), image.sempost(), image.semvalue(4)), (0, 0, 2))
        self.assertEqual((image.semwait(4), image.semflush(4), image.semvalue(4)), (0, 0, 0))
        self.assertEqual((image.semtimedwait(4, 0.01), image.semtimedwait(index=4, timeoutsec=0)), (-1, -1))
        threading.Timer(0.1, Image.write, (image, numpy.zeros(3))).start()
        self.assertEqual(image.semtimedwait(4, 20), 0)
        threading.Timer(0.1, tool, ("shmim-post", "cam", "--update", "-q")).start()
        self.assertEqual(image.semwait(4), 0)
        for wrong in (image.semwait, image.semtrywait, image.semvalue, image.semflush, image.sempost):
            with self.assertRaisesRegex(shmim.UsageError, "^cam: .*semaphore"):
                wrong(10)
        self.assertEqual(self.made("none", numpy.zeros(3), NBsem=0).getsemwaitindex(0), -1)

    def test_a_signal_ends_the_waiting(self):
        image = self.made("cam", numpy.zeros(3))
        image.semflush(0)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            image.semwait(0)

    def test_keywords(self):
        image = self.made("cam", numpy.zeros(3), NBkw=3)
        self.assertEqual(image.get_kws(), {})
        keywords = [Image_kw("GAIN", 2.5, "e-/ADU"), Image_kw("N", 3), Image_kw("FILTER", "H")]
        image.set_kws_list(keywords)
        self.assertEqual(tool("shmim-kw", "cam", "GAIN", "N", "FILTER").split(), ["2.5", "3", "H"])
        found = image.get_kws()
        self.assertEqual([(k, v.name, v.type, v.value) for k, v in found.items()],
                         [("GAIN", "GAIN", "D", 2.5), ("N", "N", "L", 3), ("FILTER", "FILTER", "S", "H")])
        self.assertEqual((found["GAIN"].comment, repr(found["GAIN"])), ("e-/ADU", "2.5 e-/ADU"))
        with self.assertRaisesRegex(ValueError, "^cam: 4 keywords, at most 3 fit$"):
            image.set_kws_list(keywords + [Image_kw("MORE", 1)])
        self.assertEqual(len(image.get_kws_list()), 3)
        image.set_kws({"N": Image_kw("N", 4, "now")})
        self.assertEqual([repr(keyword) for keyword in image.get_kws_list()], ["4 now"])
        with self.assertRaisesRegex(ValueError, "the name is longer than 16"):
            Image_kw("SEVENTEEN_BYTES__", 1)

    def test_a_class_of_ones_own(self):
        class Turned(Image):
            def __init__(self, name):
                super().__init__()
                self._write = super().write
                self.name = name
                self.open()
                self.buffer = numpy.array(self, copy=False, order="F").T

            def open(self):
                return super().open(self.name)

            def write(self, array):
                return self._write(numpy.asfortranarray(array.T, dtype=self.buffer.dtype))

            def copy(self):
                return super().copy().T

        self.made("dm", numpy.zeros((3, 2), "f4"))
        turned = Turned("dm")
        turned.write(numpy.arange(6).reshape(2, 3))
        self.assertEqual(turned.copy().tolist(), [[0, 1, 2], [3, 4, 5]])
        buffer = turned.buffer
        del turned
        self.assertEqual(buffer.tolist(), [[0, 1, 2], [3, 4, 5]])


if __name__ == "__main__":
    unittest.main()
