"""Two ranks, one core each, against two independent runs side by side on the same cores.

    python3 bench/ranks.py build/release/sightline recipes/demo.toml --steps 40 [--times 3] [--zero 1]

In turns; of each stage's steps the first three, which set up, are left out. Prints rows a second of
the launched run over the sum of the two alone, by stage: the median of all turns. Beside it, of the
launched run's time, what rank 0 waited for the other and what it spent on exchanging; and what the
loopback device carried a step, over what a ring of sums must send at least.
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


def steps_of(run):
    """The measured steps by stage."""
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    stages = {}
    for line in lines:
        if "loss" in line:
            stages.setdefault(line["stage"], []).append(line)
    return {name: steps[SETS_UP:] for name, steps in stages.items()}


def total(steps, key):
    return sum(step[key] for step in steps)


def rates(run):
    return {name: total(steps, "tokens") / total(steps, "seconds")
            for name, steps in steps_of(run).items()}


def loopback_bytes():
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[0])
    raise SystemExit("no loopback device in /proc/net/dev")


def exchanged_mib(run):
    """Over the whole run, both ranks."""
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    return 2 * sum(line.get("exchanged_mib", 0) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=40, help="of each stage")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--step-tokens", type=int, default=0, help="of each stage; 0: the recipe's")
    parser.add_argument("--zero", default="0", help="of the launched run")
    arguments = parser.parse_args()
    recipe = tomllib.loads(pathlib.Path(arguments.recipe).read_text())
    settings = ["--set", "side_by_side=1", "--set", "threads=1", "--set", "eval.tasks=[]",
                "--set", 'eval.validation=""', "--set", 'eval.best=""',
                "--set", "checkpoint.every=0"]
    for stage in recipe["stage"]:
        settings += ["--set", f"stage.{stage['name']}.max_steps={arguments.steps}"]
        if arguments.step_tokens:
            settings += ["--set", f"stage.{stage['name']}.step_tokens={arguments.step_tokens}"]
    ratios = {stage["name"]: [] for stage in recipe["stage"]}
    waited = {name: [] for name in ratios}
    exchanging = {name: [] for name in ratios}
    traffic = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train = ["train", arguments.recipe, *settings, "--set", f"cache={folder}/cache"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        subprocess.run([arguments.binary, *train, "--output", folder / "store"], **quiet)
        for turn in range(arguments.times):
            together = folder / f"together-{turn}"
            before = loopback_bytes()
            subprocess.run([arguments.binary, "launch", "--nproc", "2", "--", *train, "--zero",
                            arguments.zero, "--output", str(together)], **quiet)
            traffic.append((loopback_bytes() - before) / 2**20 / exchanged_mib(together))
            for stage, steps in steps_of(together).items():
                seconds = total(steps, "seconds")
                waited[stage].append(total(steps, "waited_for_ranks") / seconds)
                exchanging[stage].append(total(steps, "exchanging") / seconds)
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
    print("| stage | together / alone, median | least | most | waiting for the other | exchanging |"
          "\n|---|---|---|---|---|---|")
    for stage, values in ratios.items():
        print(f"| {stage} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f}"
              f" | {100 * statistics.median(waited[stage]):.1f} %"
              f" | {100 * statistics.median(exchanging[stage]):.1f} % |")
    print(f"traffic over the least possible: {statistics.median(traffic):.3f}")


if __name__ == "__main__":
    main()
