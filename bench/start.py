"""Start: how soon a model is ready.

    .deps/oracle/bin/python bench/start.py --work FOLDER [--quick]   (see bench/common.py)

A Sightline folder of 1 GB (the towers with a language model of 110 layers), read before, so that it is
in the file cache. Timed is a program that loads it in bf16 and ends (bench/served/ready.cpp): from its start,
LibTorch's included, and the processor's time that it took on all cores, which others' load does not
move. The peer is a Python that imports transformers and loads the two towers of the same folder.
"""

import pathlib
import resource
import statistics
import time

from common import alternate, call, goals, python, ratios, say, setup_of, spread, table

LAYERS = 110


def timed(*command):
    """Seconds of a program's life, and of processor time."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call(*command)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": seconds, "processor": after.ru_utime - before.ru_utime
            + after.ru_stime - before.ru_stime}


def main():
    setup = setup_of(__doc__)
    folder = setup.work / "gigabyte"
    say("a folder of 1 GB")
    call(*python("towers.py", folder, "--data", setup.data, "--layers", LAYERS, "--model"))
    size = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    program = pathlib.Path(setup.binary).parent / "bench/served/bench_ready"
    results = alternate(
        2 * setup.turns + 1, ours=lambda: timed(program, folder),
        peer=lambda: timed(*python("peer_ready.py", folder)),
        empty=lambda: timed(setup.binary, "--version"))
    seconds = {side: [turn["seconds"] for turn in turns] for side, turns in results.items()}
    ours = statistics.median(seconds["ours"])
    print("## Start\n")
    print(goals((f"model ready from a folder of {size / 1e9:.2f} GB, file cache warm", "< 0.5 s",
                 spread(seconds["ours"], 2, " s"), ours < 0.5)))
    print("\nFrom the program's start; the peer's Python imports transformers first.\n")
    names = {"ours": "Sightline", "peer": "transformers", "empty": "`sightline --version`: the program"
             " alone"}
    print(table(["program", "seconds", "processor time", "ratio to Sightline"],
                [[names[side], spread(seconds[side], 2, " s"),
                  spread((turn["processor"] for turn in turns), 2, " s"),
                  spread(ratios(seconds[side], seconds["ours"]), 1, "x")]
                 for side, turns in results.items()]))


if __name__ == "__main__":
    main()
