"""soak_network.py --for SECONDS --tools FOLDER [--seed N]: streams between two hosts, while all that can break breaks
at random; see README.md. Where networks of our own cannot be made it says so, and breaks all but the cable."""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import cbor2

# Name, format and frames per second; what is called `changing` becomes otherwise every now and then.
STREAMS = {"tiny": (["16", "--type", "uint16"], 1000), "small": (["64x64", "--type", "uint16"], 400),
           "wide": (["128x128", "--type", "float32"], 100), "large": (["512x256", "--type", "uint16"], 40),
           "changing": (["32x32", "--type", "uint16"], 200)}
FORMATS = [["32x32", "--type", "uint16"], ["64x16x2", "--type", "int32"], ["48x8", "--type", "uint8"],
           ["32x32", "--type", "float64", "--circular-buffer", "4"]]
RECEIVERS = {"newest": [], "every": ["--every"], "packed": ["--compress", "auto"]}
FOUND = re.compile(r"(\d+) frames checked: (\d+) torn, (\d+) lost, (\d+) doubled, (\d+) out of order")


class Hosts:
    """Two networks with a cable between them, or this host twice."""

    def __init__(self, folder):
        self.names = [f"shmim-soak-{os.getpid()}-{end}" for end in ("there", "here")]
        self.endpoint, self.security = f"ipc://{folder}/socket", []
        self.has_cable = os.getuid() == 0 and shutil.which("ip") is not None and self._connect()
        if self.has_cable:
            self.endpoint, self.security = "tcp://10.99.0.1:5555", ["--insecure"]
        else:
            print("soak: no networks of our own can be made here: all but the cable is broken")

    def _connect(self):
        first, second = self.names
        steps = [["netns", "add", first], ["netns", "add", second],
                 ["link", "add", "cable", "netns", first, "type", "veth", "peer", "name", "cable", "netns", second]]
        for name, address in ((first, "10.99.0.1/24"), (second, "10.99.0.2/24")):
            steps += [["-n", name, "address", "add", address, "dev", "cable"], ["-n", name, "link", "set", "cable", "up"]]
        return all(subprocess.run(["ip", *step], capture_output=True).returncode == 0 for step in steps)

    def cable(self, *words):
        for name in self.names:
            subprocess.run(["ip", "-n", name, "link", "set", "cable", *words], check=True)

    def line(self, *discipline):
        """How the line from there to here is; where this kernel cannot make it so, as it was."""
        tc = ["tc", "-n", self.names[0], "qdisc"]
        subprocess.run([*tc, "del", "dev", "cable", "root"], capture_output=True)
        if discipline:
            subprocess.run([*tc, "add", "dev", "cable", "root", *discipline], capture_output=True)

    def command(self, end, words):
        return ["ip", "netns", "exec", self.names[end], *words] if self.has_cable else words

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


class Soak:
    def __init__(self, options):
        self.tools, self.seconds = options.tools, options.seconds
        self.random = random.Random(options.seed)
        self.folder = tempfile.mkdtemp(prefix="shmim-soak.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.there = self.directory("there")
        self.here = {name: self.directory(name) for name in RECEIVERS}
        self.hosts = Hosts(self.folder)
        self.programs, self.killed, self.breaks, self.failures = {}, set(), {}, []
        self.checked = {}
        self.is_over = threading.Event()

    def directory(self, name):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        return path

    def tool(self, name, *words, there=True):
        return [os.path.join(self.tools, f"shmim-{name}"), *(["--dir", self.there] if there else []), *words]

    def run_tool(self, *words):
        subprocess.run(self.tool(*words), check=True, stderr=subprocess.PIPE)

    def start(self, name, words, end=None, **more):
        log = open(os.path.join(self.folder, f"{name}.err"), "ab")
        command = words if end is None else self.hosts.command(end, words)
        self.programs[name] = subprocess.Popen(command, stderr=log, stdout=log, **more)
        return self.programs[name]

    def start_sender(self):
        """Waits until it has its streams, which must all be there then: the next break may remove one."""
        ready, told = os.pipe()
        self.start("sender", self.tool("send", *STREAMS, "keyed", "--bind", self.hosts.endpoint, *self.hosts.security,
                                       "--ready-fd", str(told)), 0, pass_fds=[told])
        os.close(told)
        with open(ready, "rb") as end:
            end.read(1)

    def start_receiver(self, name):
        self.start(name, self.tool("receive", self.hosts.endpoint, *self.hosts.security, *RECEIVERS[name], "--dir",
                                   self.here[name], there=False), 1)

    def start_writer(self, name):
        self.start(f"writer of {name}", self.tool("post", name, "--pattern", "counter", "--rate", str(STREAMS[name][1]), "-q"))

    def end(self, name, how=signal.SIGKILL):
        program = self.programs.pop(name)
        program.send_signal(how)
        program.wait()

    # ---- What must hold, all the time.

    def verify(self, receiver, stream):
        """Frames of a counter, whatever becomes of the stream between them."""
        key = f"{receiver}/{stream}"
        self.checked[key] = 0
        while (left := self.ends - time.monotonic()) > 0.1:
            said = subprocess.run(self.tool("cat", stream, "-f", "--verify", "--for", f"{left:.3f}s", "--dir", self.here[receiver],
                                            there=False), capture_output=True, text=True).stderr
            if found := FOUND.search(said):
                frames, torn, _, doubled, disordered = map(int, found.groups())
                self.checked[key] += frames
                if torn or doubled or disordered:
                    self.failures.append(f"{key}: {found[0]}")
            else:
                time.sleep(0.05)

    def verify_keywords(self, receiver):
        """Each frame of `keyed` has its own number in a keyword, or, since keywords are the stream's, a later one."""
        key = f"{receiver}/keyed"
        self.checked[key] = 0
        while (left := self.ends - time.monotonic()) > 0.1:
            said = subprocess.run(self.tool("cat", "keyed", "-f", "--for", f"{left:.3f}s", "--print", "{kw.SEQ} {data}", "--dir",
                                            self.here[receiver], there=False), capture_output=True, text=True).stdout
            for line in said.splitlines():
                number, pixel = map(int, line.split())
                self.checked[key] += 1
                if number < pixel:
                    self.failures.append(f"{key}: frame {pixel} with a keyword of frame {number}")
            time.sleep(0.05)

    def write_keyed(self):
        program = self.start("writer of keyed", self.tool("post", "keyed", "--data", "-", "--format", "frames", "-q"),
                             stdin=subprocess.PIPE)
        for number in range(1, 2**31):
            if self.is_over.wait(0.004):
                break
            pixels = cbor2.CBORTag(40, [[1], cbor2.CBORTag(70, number.to_bytes(4, "little"))])
            keywords = [{"name": "SEQ", "value": number, "comment": ""}]
            if number % 3:
                keywords.append({"name": f"K{number % 5}", "value": number / 7, "comment": "comes and goes"})
            program.stdin.write(cbor2.dumps({"shmim": 1, "keywords": keywords, "pixels": pixels}))
            program.stdin.flush()
        program.stdin.close()

    # ---- What breaks.

    def pause(self, longest):
        self.is_over.wait(self.random.uniform(0, longest))

    def kill_sender(self):
        self.end("sender")
        self.pause(1)
        self.start_sender()

    def kill_receiver(self):
        name = self.random.choice(list(RECEIVERS))
        self.end(name)
        self.pause(1)
        self.start_receiver(name)

    def kill_both(self):
        name = self.random.choice(list(RECEIVERS))
        for program in self.random.sample(["sender", name], 2):
            self.end(program)
        self.start_receiver(name)
        self.pause(1)
        self.start_sender()

    def stop_receiver(self):
        program = self.programs[self.random.choice(list(RECEIVERS))]
        program.send_signal(signal.SIGSTOP)
        self.pause(3)
        program.send_signal(signal.SIGCONT)

    def change_format(self):
        self.end("writer of changing", signal.SIGTERM)
        if self.random.random() < 0.5:
            self.run_tool("rm", "-q", "changing")
            self.pause(0.5)
        self.run_tool("create", "-q", "--recreate", "changing", *self.random.choice(FORMATS))
        self.start_writer("changing")

    def pull_cable(self):
        self.hosts.cable("down")
        self.pause(3)
        self.hosts.cable("up")

    def change_line(self):
        self.hosts.line(*self.random.choice([[], ["netem", "loss", "0.1%", "delay", "1ms"], ["netem", "delay", "25ms"],
                                             ["tbf", "rate", "100mbit", "burst", "64kb", "latency", "50ms"]]))

    def change_packets(self):
        self.hosts.cable("mtu", self.random.choice(["600", "1500", "9000"]))

    # ----

    def check_alive(self):
        for name, program in self.programs.items():
            if program.poll() is not None:
                self.failures.append(f"{name}: ended by itself, with status {program.returncode}")

    def is_same(self, receiver, stream):
        def pixels(directory):
            return subprocess.run(self.tool("cat", stream, "-o", "raw", "--dir", directory, there=False),
                                  capture_output=True).stdout
        return pixels(self.there) == pixels(self.here[receiver])

    def run(self):
        for name, (format_, _) in STREAMS.items():
            self.run_tool("create", "-q", name, *format_, "--circular-buffer", "16")
            self.start_writer(name)
        self.run_tool("create", "-q", "keyed", "1", "--type", "uint32")
        self.start_sender()
        for name in RECEIVERS:
            self.start_receiver(name)
        self.ends = time.monotonic() + self.seconds
        watchers = [threading.Thread(target=self.write_keyed)]
        for receiver in RECEIVERS:
            watchers += [threading.Thread(target=self.verify, args=(receiver, stream)) for stream in STREAMS]
            watchers.append(threading.Thread(target=self.verify_keywords, args=(receiver,)))
        for watcher in watchers:
            watcher.start()
        breaks = [self.kill_sender, self.kill_receiver, self.kill_both, self.stop_receiver, self.change_format]
        if self.hosts.has_cable:
            breaks += [self.pull_cable, self.change_line, self.change_packets]
        while time.monotonic() < self.ends and not self.failures:
            self.pause(1.5)
            chosen = self.random.choice(breaks)
            self.breaks[chosen.__name__] = self.breaks.get(chosen.__name__, 0) + 1
            chosen()
            self.check_alive()
        self.is_over.set()
        if self.hosts.has_cable:
            self.hosts.line()
        for watcher in watchers:
            watcher.join()
        self.settle()

    def settle(self):
        """When nothing breaks any more, all is here as it is there."""
        self.programs.pop("writer of keyed").wait()
        for name in STREAMS:
            self.end(f"writer of {name}", signal.SIGTERM)
        latest = time.monotonic() + 20
        for receiver in RECEIVERS:
            for stream in [*STREAMS, "keyed"]:
                while not self.is_same(receiver, stream):
                    if time.monotonic() > latest:
                        self.failures.append(f"{receiver}/{stream}: is not as it is there, long after the last break")
                        break
                    time.sleep(0.1)
                if self.checked[f"{receiver}/{stream}"] == 0:
                    self.failures.append(f"{receiver}/{stream}: nothing of it was checked")

    def clean_up(self):
        for program in self.programs.values():
            program.kill()
            program.wait()
        self.hosts.remove()
        if self.failures:
            print(f"soak: what they said is in {self.folder}")
        else:
            shutil.rmtree(self.folder)


parser = argparse.ArgumentParser()
parser.add_argument("--for", dest="seconds", type=float, required=True)
parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
parser.add_argument("--tools", required=True)
options = parser.parse_args()
soak = Soak(options)
try:
    soak.run()
finally:
    soak.clean_up()
total = sum(soak.checked.values())
print(f"soak: {options.seconds:g} s, seed {options.seed}: {total} frames checked, {len(soak.failures)} failures; " +
      ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(soak.breaks.items())))
for failure in soak.failures:
    print(f"soak: {failure}")
sys.exit(1 if soak.failures else 0)
