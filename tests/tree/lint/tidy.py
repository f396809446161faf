#!/usr/bin/env python3
"""tidy.py CLANG_TIDY BUILD_DIR: clang-tidy over our own sources; a warning fails.

clang-tidy takes ten times as long over the headers of a source as over the source, so it is given
several sources in one, one after the other; those that do not go together are parted. It looks only
at what has changed since it was found clean.
"""
import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

SOURCES_AT_ONCE = 120

tool = sys.argv[1]
build = pathlib.Path(sys.argv[2]).resolve()
root = pathlib.Path(__file__).resolve().parents[3]
work = build / "tests" / "tidy"


def ours(compiled):
    """Our own sources in a file that is compiled: a unity build compiles lists of them."""
    if "/Unity/unity_" in compiled:
        return re.findall(r'^#include "(.*\.cpp)"', (build / compiled).read_text(), re.MULTILINE)
    return [compiled] if pathlib.Path(compiled).is_relative_to(root) and compiled.endswith(".cpp") else []


def compile_flags():
    """Our own sources, and what they are compiled with: the macros and folders of all of them, but for
    how {fmt} is linked, which is nothing to a judgement of ours."""
    flags, compiled = {}, {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if sources := ours(entry["file"]):
            flags.update(dict.fromkeys(word for word in shlex.split(entry["command"])
                                       if re.match(r"-I|-std=|-D(?!FMT_(SHARED|HEADER_ONLY)\b)", word)))
            compiled.update(dict.fromkeys(sources))
    return sorted(compiled), tuple(flags)


def dependencies():
    """What each source includes, itself too, as Ninja knows it from the last build."""
    depends = {}
    said = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True)
    for block in said.stdout.split("\n\n"):
        files = [line.strip() for line in block.splitlines()[1:]]
        for source in ours(files[0]) if files else []:
            depends.setdefault(source, set()).update(files)
    return depends


def state(sources, flags):
    """A sum over all that the judgement of the sources rests on; none if that is not known."""
    if not all(source in depends for source in sources):
        return None
    total = hashlib.sha256(repr((sources, flags, version)).encode())
    for file in sorted(set().union(*(depends[source] for source in sources))):
        total.update((build / file).read_bytes())
    return total.hexdigest()


def named(include):
    """What a line includes, in brackets or in quotes."""
    return re.sub("[<>\"]", "", include)


def joined(sources, path):
    """Writes the sources to `path`, without what those before have included, each main under a name
    of its own; gives the line in it at which each begins."""
    begins, lines, included = [], [], set()
    for number, source in enumerate(sources):
        begins.append((len(lines) + 1, source))
        its = pathlib.Path(source).read_text().splitlines()
        lines += ["" if named(line) in included else re.sub(r"^int main\(", f"int main_{number}(", line)
                  for line in its]
        included.update(named(line) for line in its if line.startswith("#include"))
    path.write_text("\n".join(lines) + "\n")
    return begins


def includes_cli11(source):
    """CLI11 is all inline: a check that looks at every function takes the longer over it, the more is beside it."""
    return "#include <CLI/" in pathlib.Path(source).read_text()


def parted(sources, parts):
    """So many lists of them, which are as long as one another to read."""
    lists, sizes = [[] for _ in range(parts)], [os.path.getsize(source) for source in sources]
    for source, before in zip(sources, itertools.accumulate(sizes, initial=0)):
        lists[parts * before // sum(sizes)].append(source)
    return lists


def judge(sources, flags):
    """What clang-tidy has to say of the sources, as one text."""
    name = hashlib.sha256(repr(sources).encode()).hexdigest()[:16]
    stamp = work / name
    now = state(sources, flags)
    if now and stamp.is_file() and stamp.read_text() == now:
        return ""
    path = work / f"{name}.cpp"
    begins = joined(sources, path)

    def source_of(line):
        return next(begin for begin in reversed(begins) if begin[0] <= line)

    folders = sorted({f"-iquote{os.path.dirname(source)}" for source in sources})
    command = [*flags, *folders, "-w"]  # what compilers warn of, the builds show
    mains = ",".join(f"main_{number}" for number in range(len(sources)))
    config = path.with_suffix(".yaml")
    config.write_text((root / ".clang-tidy").read_text() +  # which ends with the options of checks
                      "  - { key: bugprone-exception-escape.FunctionsThatShouldNotThrow, "
                      f"value: '{mains}' }}\n")
    ran = subprocess.run([tool, "--quiet", "--warnings-as-errors=*", f"--config-file={config}",
                          path, "--", *command], cwd=build, capture_output=True, text=True)

    # A batch that does not compile has one source in it that does not go with those before it.
    odd = re.search(re.escape(str(path)) + r":(\d+):\d+: (error: .*) \[clang-diagnostic-error", ran.stdout)
    if odd and len(sources) > 1:
        alone = source_of(int(odd[1]))[1]
        print(f"{alone}: by itself, since beside others: {odd[2]}", file=sys.stderr)
        return judge([source for source in sources if source != alone], flags) + judge([alone], flags)

    def original(found):
        line = int(found[1])
        begin, source = source_of(line)
        return f"{source}:{line - begin + 1}:"

    said = re.sub(re.escape(str(path)) + r":(\d+):", original, ran.stdout)
    if ran.returncode:
        return said or ran.stderr
    if now:
        stamp.write_text(now)
    return said


os.chdir(root)
work.mkdir(parents=True, exist_ok=True)
version = subprocess.run([tool, "--version"], check=True, capture_output=True, text=True).stdout
version += (root / ".clang-tidy").read_text()
depends = dependencies()
sources, flags = compile_flags()
others, of_cli11 = ([source for source in sources if includes_cli11(source) == which] for which in (False, True))
cpus = os.cpu_count()
batches = [batch for batch in (of_cli11, *parted(others, cpus * -(-len(others) // (cpus * SOURCES_AT_ONCE)))) if batch]
if not batches:  # or every one of them would be clean
    sys.exit(f"{build}: no sources")
with concurrent.futures.ThreadPoolExecutor(cpus) as pool:
    said = list(pool.map(lambda batch: judge(batch, flags), batches))
print("".join(said), end="")
sys.exit(any(said))
