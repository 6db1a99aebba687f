"""What the scripts of `./dev bench` share: how they are called, how peers take turns, how rows look.

A script measures one subject and prints one section of docs/results/speed.md (Markdown, beginning
with "## Title") on stdout; what it is doing goes to stderr. bench/speed.py calls each as

    .deps/oracle/bin/python bench/NAME.py --binary build/release/sightline --data ../shared/data \
        --work FOLDER [--quick]

FOLDER is a temporary one that all scripts of a run share: FOLDER/towers holds the models that
bench/towers.py makes. --quick takes fewer turns and says so by its numbers' spread.

Peers take turns in one run, so that what else the machine does falls on all of them: what is
reported is the ratio of two that followed each other, as a median with its least and most.
"""

import argparse
import collections
import dataclasses
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).parent
# As ./dev sets it: on few cores OpenMP's workers that spin cost up to half the time. For all alike.
ENVIRONMENT = os.environ | {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "3000",
                            "TRANSFORMERS_VERBOSITY": "error",
                            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "true"}


@dataclasses.dataclass
class Setup:
    binary: str
    data: pathlib.Path
    work: pathlib.Path
    quick: bool

    @property
    def turns(self):
        return 2 if self.quick else 5

    @property
    def towers(self):
        return self.work / "towers"


def setup_of(documentation):
    """The arguments that every script takes."""
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0])
    parser.add_argument("--binary", default="build/release/sightline")
    parser.add_argument("--data", type=pathlib.Path,
                        default=os.environ.get("SIGHTLINE_DATA", "../shared/data"))
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    return Setup(str(pathlib.Path(arguments.binary).resolve()), arguments.data.resolve(),
                 arguments.work.resolve(), arguments.quick)


def say(text):
    print(f"   {text}", file=sys.stderr, flush=True)


# --- Processes ---

LLAMA = BENCH.parent / ".deps/llama"  # where ./dev bench installs llama.cpp's Python package

def call(*command, **environment):
    """Runs a program that must succeed; returns what it printed. Its stderr is shown if it fails."""
    done = subprocess.run([str(word) for word in command], env=ENVIRONMENT | environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def python(script, *arguments):
    """The command of a script in this folder, in the Python that runs this one."""
    return [sys.executable, str(BENCH / script), *map(str, arguments)]


@functools.cache
def peer_numbers():
    """What peers compute in: whichever of bf16 and fp32 LibTorch multiplies faster here. Where the
    processor has no AVX-512 it sums bf16 a number at a time, ten times slower than fp32."""
    import torch
    seconds = {}
    for name, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        a, b = (torch.randn(512, 512).to(dtype) for _ in range(2))
        torch.mm(a, b)
        begin = time.perf_counter()
        torch.mm(a, b)
        seconds[name] = time.perf_counter() - begin
    return min(seconds, key=seconds.get)


class Served:
    """A peer that stays loaded between turns: it answers a line on stdin with a line of JSON."""

    def __init__(self, command, **environment):
        self.errors = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill
        self.process = subprocess.Popen(command, env=ENVIRONMENT | environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            sys.exit(f"{' '.join(map(str, self.process.args))}\nended:\n{self.errors.read()}")
        return json.loads(line)

    def __call__(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def alternate(turns, **sides):
    """Calls every side once a turn, in an order that reverses; returns each side's results."""
    results = collections.defaultdict(list)
    for turn in range(turns):
        for name in list(sides)[:: -1 if turn % 2 else 1]:
            results[name].append(sides[name]())
    return results


# --- Sightline's runs ---

def recipe_of(setup, data, stage, connector='"mlp"'):
    """A recipe of one stage on the towers, in bf16. `data` and `stage` are TOML's lines."""
    return f"""
name = "speed"
numbers = "bf16"
cache = "{setup.work}/cache"
[model]
vision = "{setup.towers}/vision"
language = "{setup.towers}/language"
connector = {connector}
[data.train]
{data}
[[stage]]
name = "stage"
mixture = [{{ data = "train" }}]
{stage}
"""


def train(setup, recipe, *settings):
    """Trains a recipe into FOLDER/run; returns the lines of its steps (docs: run.jsonl)."""
    file, run = setup.work / "recipe.toml", setup.work / "run"
    file.write_text(recipe)
    call("rm", "-rf", run)
    call(setup.binary, "train", file, "--output", run,
         *[word for setting in settings for word in ("--set", setting)])
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    call("rm", "-rf", run)
    return [line for line in lines if "loss" in line]


def idle_mib(setup, recipe):
    """MiB of the program by itself, before it loads a model: what peaks are counted above."""
    file = setup.work / "recipe.toml"
    file.write_text(recipe)
    plan = json.loads(call(setup.binary, "plan", file, "--json", "--device", "h100",
                           "--samples", 1))
    return plan["program_memory"] / 2**20


# --- Numbers and rows ---

def spread(values, digits=2, unit=""):
    """A median with its least and most."""
    values = list(values)
    text = f"{statistics.median(values):.{digits}f}{unit}"
    return text + f" ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratios(above, below):
    """Of results that took turns: one ratio a turn."""
    return [a / b for a, b in zip(above, below, strict=True)]


GOALS = ["work", "goal", "measured", "reached"]


def table(header, rows):
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}",
                      *[f"| {' | '.join(map(str, row))} |" for row in rows]])


def goals(*rows):
    """A table of goals; bench/speed.py gathers the rows of all sections at the head of the page.

    Each row: work, goal (text), measured (text), and whether it is reached.
    """
    return table(GOALS, [[work, goal, measured, "yes" if reached else "**no**"]
                         for work, goal, measured, reached in rows])
