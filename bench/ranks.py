"""Two ranks, one core each, against two independent runs side by side on the same cores.

    python3 bench/ranks.py build/release/sightline recipes/demo.toml --steps 40 [--times 3] [--zero 1]

In turns; of each stage's steps the first three, which set up, are left out. Prints rows a second of
the launched run over the sum of the two alone, by stage: the median of all turns.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import tomllib

SETS_UP = 3


def rates(run):
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    stages = {}
    for line in lines:
        if "loss" in line:
            stages.setdefault(line["stage"], []).append(line)
    return {name: sum(line["tokens"] for line in steps[SETS_UP:])
            / sum(line["seconds"] for line in steps[SETS_UP:]) for name, steps in stages.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=40, help="of each stage")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--zero", default="0", help="of the launched run")
    arguments = parser.parse_args()
    recipe = tomllib.loads(pathlib.Path(arguments.recipe).read_text())
    settings = ["--set", "side_by_side=1", "--set", "threads=1", "--set", "eval.tasks=[]",
                "--set", 'eval.validation=""', "--set", 'eval.best=""',
                "--set", "checkpoint.every=0"]
    for stage in recipe["stage"]:
        settings += ["--set", f"stage.{stage['name']}.max_steps={arguments.steps}"]
    ratios = {stage["name"]: [] for stage in recipe["stage"]}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train = ["train", arguments.recipe, *settings, "--set", f"cache={folder}/cache"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        subprocess.run([arguments.binary, *train, "--output", folder / "store"], **quiet)
        for turn in range(arguments.times):
            together = folder / f"together-{turn}"
            subprocess.run([arguments.binary, "launch", "--nproc", "2", "--", *train, "--zero",
                            arguments.zero, "--output", str(together)], **quiet)
            alone = [folder / f"alone-{turn}-{core}" for core in (0, 1)]
            runs = [subprocess.Popen(["taskset", "-c", str(core), arguments.binary, *train,
                                      "--output", run], stderr=subprocess.DEVNULL)
                    for core, run in enumerate(alone)]
            assert all(run.wait() == 0 for run in runs)
            for stage, rate in rates(together).items():
                sum_alone = sum(rates(run)[stage] for run in alone)
                ratios[stage].append(rate / sum_alone)
                print(f"{stage}: {rate:.0f} rows/s together, {sum_alone:.0f} alone, "
                      f"load {os.getloadavg()[0]:.1f}", flush=True)
    print("| stage | together / alone, median | least | most |\n|---|---|---|---|")
    for stage, values in ratios.items():
        print(f"| {stage} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f} |")


if __name__ == "__main__":
    main()
