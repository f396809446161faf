"""Peers of shmim-send, shmim-serve and shmim-receive that mean no good: stranger.py receiver|sender ENDPOINT KIND

To those of `packed` belongs a file `head`, a frame of uint16 64x64 up to its pixels, as shmim-cat -o frames has it."""
import struct
import sys
import time

import cbor2
import zmq

role, endpoint, kind = sys.argv[1:4]
context = zmq.Context()
socket = context.socket(zmq.DEALER if role == "receiver" else zmq.ROUTER)
socket.linger = 0


def follow(**changes):
    return cbor2.dumps({"shmim": 1, "follow": 1, "name": "cam", "order": "latest", "session": 0, "window": 2, "taken": 0,
                        **changes})


def receiver():
    socket.connect(endpoint)
    if kind == "nonsense":
        for bad in (b"", b"\xff", b"\x9f" * 60000, b"\x81" * 60000, cbor2.dumps([1]), cbor2.dumps({"shmim": 2}),
                    cbor2.dumps({"shmim": 1}), follow(window=-1), follow(name=3), follow(rate=0), follow(rate=float("nan")),
                    follow(order="some"), follow(slice=3), follow(slice="1:2:"), follow(slice="*,*,*,*"), follow(taken=2**64 - 1), follow(name="x" * 50000)):
            socket.send(bad)
        socket.send_multipart([b"a", b"b", b"c"])
        socket.send(b"\0" * 1000000)  # longer than a sender takes: it ends the connection
        time.sleep(0.5)
    elif kind == "looks":  # asks and asks, and takes no answer
        for bad in ({"patterns": "cam"}, {"patterns": [1]}, {"patterns": ["*"] * 300}, {"patterns": ["*"], "rates": 1},
                    {"patterns": ["*a" * 5000]}):
            socket.send(cbor2.dumps({"shmim": 1, "look": 1, **bad}))
        for number in range(20000):
            socket.send(cbor2.dumps({"shmim": 1, "look": number, "patterns": ["*"], "surroundings": True}))
        for number in range(2000):  # streams that are not there, or no names
            socket.send(follow(follow=number, name=f"../none{number}"))
        time.sleep(1)
    elif kind == "greedy":  # follows again and again, all there can be, and takes nothing
        for number in range(20000):
            socket.send(follow(follow=number, window=2**63, order="every"))
        time.sleep(1)


def sender():
    socket.bind(endpoint)
    shape = {"type": "uint16", "shape": [4], "image_type": 2, "circular_buffer": 0, "keywords": 1}
    stream = {"shmim": 1, "stream": 1, "session": 7, "host": "h", "cnt0": 1, "format": shape}
    head = cbor2.dumps({"shmim": 1})
    packed = []
    if kind == "packed":
        whole = open("head", "rb").read()

        def chunk(size, flags=0x34, block=8192, length=None, rest=b"\xff" * 500):
            return struct.pack("<BBBBIII", 2, 1, flags, 2, size, block, length or 16 + len(rest)) + rest

        packed = [[cbor2.dumps({**stream, "format": {**shape, "shape": [64, 64]}})]] + [
            [cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 1, "packed": "lz4"}), whole, bad]
            for bad in (b"", b"x" * 15, b"\xff" * 16, b"\xff" * 5000, chunk(2**31 - 100), chunk(8192, length=2**31 - 1),
                        chunk(8191), chunk(8192), chunk(8192, flags=0x94), chunk(8192, flags=0x54), chunk(8192, flags=2),
                        chunk(8192, block=2**31 - 1), chunk(8192, block=0), chunk(8192, rest=struct.pack("<I", 2**31)))]
        packed.append([cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 1, "packed": "gzip"}), whole, b"x"])
    answers = {
        "nonsense": [[b""], [b"\xff"], [b"\x81" * 60000], [cbor2.dumps(stream), b"more"],
                     [cbor2.dumps({**stream, "format": {**shape, "type": "text"}})],
                     [cbor2.dumps({**stream, "format": {**shape, "shape": []}})],
                     [cbor2.dumps({**stream, "format": {**shape, "shape": [0]}})],
                     [cbor2.dumps({**stream, "format": {**shape, "shape": [1] * 40}})],
                     [cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 1})],
                     [cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 1}), b"", b""]],
        "frames": [[cbor2.dumps(stream)],
                   [cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 1}), head, b"x" * 8],
                   [cbor2.dumps({"shmim": 1, "frame": 1, "session": 7, "number": 2}), b"\x9f" * 1000, b"x" * 8]],
        "packed": packed,
        "huge": [[cbor2.dumps({**stream, "format": {**shape, "shape": [2**31, 2**31]}})]],
        "large": [[cbor2.dumps({**stream, "format": {**shape, "shape": [2**20, 2**20]}})]],
    }[kind]
    while True:
        peer, _ = socket.recv_multipart()
        for answer in answers:
            socket.send_multipart([peer, *answer])


receiver() if role == "receiver" else sender()
