"""A line between two hosts, as a TCP proxy: line.py PORT-FILE HOST:PORT [delay=SECONDS] [rate=BYTES/S] [cut=SECONDS]

Listens at a free port of 127.0.0.1, which it writes to PORT-FILE, and passes on what comes, both ways, so much
later and so fast; every `cut` seconds it ends all connections. What is on its way takes as much memory as the line
is long, so that whoever sends has to wait as at a true one. How many bytes have come from there is in PORT-FILE.came."""
import asyncio
import os
import sys

port_file, target = sys.argv[1:3]
settings = dict(delay=0.0, rate=float("inf"), cut=0.0)
settings.update((name, float(value)) for name, value in (word.split("=") for word in sys.argv[3:]))
host, port = target.rsplit(":", 1)
writers = set()
came = 0
came_file = os.open(port_file + ".came", os.O_WRONLY | os.O_CREAT, 0o600)


def count(data):
    global came
    came += len(data)
    os.pwrite(came_file, f"{came:<20}\n".encode(), 0)  # never half of it


async def carry(reader, writer, note=lambda data: None):
    loop = asyncio.get_running_loop()
    longest = 2 * settings["delay"] * min(settings["rate"], 1e9) + 65536
    on_its_way = asyncio.Queue()
    room = asyncio.Condition()
    held = 0

    async def deliver():
        nonlocal held
        while True:
            when, data = await on_its_way.get()
            await asyncio.sleep(max(0.0, when - loop.time()))
            writer.write(data)
            await writer.drain()
            async with room:
                held -= len(data)
                room.notify()

    delivery = asyncio.create_task(deliver())
    free_at = loop.time()
    try:
        while data := await reader.read(16384):
            note(data)
            free_at = max(free_at, loop.time()) + len(data) / settings["rate"]
            async with room:
                held += len(data)
                on_its_way.put_nowait((free_at + settings["delay"], data))
                await room.wait_for(lambda: held < longest)
            if free_at - loop.time() > 0.01:
                await asyncio.sleep(free_at - loop.time())
    except OSError:
        pass
    delivery.cancel()


async def connect(reader, writer):
    try:
        far_reader, far_writer = await asyncio.open_connection(host, int(port), limit=65536)
    except OSError:
        writer.close()
        return
    pair = {writer, far_writer}
    writers.update(pair)
    await asyncio.wait(
        [asyncio.create_task(carry(reader, far_writer)), asyncio.create_task(carry(far_reader, writer, count))],
        return_when=asyncio.FIRST_COMPLETED)
    for end in pair:
        end.transport.abort()
    writers.difference_update(pair)


async def main():
    server = await asyncio.start_server(connect, "127.0.0.1", 0, limit=65536)
    with open(port_file + ".new", "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    count(b"")
    os.rename(port_file + ".new", port_file)
    while True:
        await asyncio.sleep(settings["cut"] or 3600)
        for writer in list(writers):
            writer.transport.abort()


asyncio.run(main())
