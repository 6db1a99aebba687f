"""Two ranks, one core each, against two independent runs side by side on the same cores.

    python3 bench/ranks.py build/release/sightline recipes/demo.toml --steps 40 [--times 3] [--zero 1]

In turns; of each stage's steps the first ones, which set up, are left out. Prints rows a second of
the launched run over the sum of the two alone, by stage: the median of all turns. Beside it, of the
launched run's time, what rank 0 waited for the other and what it spent on exchanging; and what the
loopback device carried, by step, and with --sums sockets over what a ring of sums must send at
least.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import tomllib


def steps_of(run, sets_up):
    """The steps by stage but for each stage's first."""
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    stages = {}
    for line in lines:
        if "loss" in line:
            stages.setdefault(line["stage"], []).append(line)
    return {name: steps[sets_up:] for name, steps in stages.items()}


def total(steps, key):
    return sum(step[key] for step in steps)


def rates(stages):
    return {name: total(steps, "tokens") / total(steps, "seconds")
            for name, steps in stages.items()}


def loopback_bytes():
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == "lo":
            return int(counts.split()[0])
    raise SystemExit("no loopback device in /proc/net/dev")


def exchanged_mib(stages):
    """Over all steps, both ranks."""
    return 2 * sum(total(steps, "exchanged_mib") for steps in stages.values())


def settings(recipe, steps, step_tokens):
    """What makes a training of steps alone out of a recipe; no step_tokens: the recipe's."""
    values = ["side_by_side=1", "threads=1", "eval.tasks=[]", 'eval.validation=""',
              'eval.best=""', "checkpoint.every=0"]
    for stage in recipe["stage"]:
        values.append(f"stage.{stage['name']}.max_steps={steps}")
        if step_tokens:
            values.append(f"stage.{stage['name']}.step_tokens={step_tokens}")
    return [word for value in values for word in ("--set", value)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=40, help="of each stage")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--step-tokens", type=int, default=0, help="of each stage; 0: the recipe's")
    parser.add_argument("--sets-up", type=int, default=3, help="steps of each stage left out")
    parser.add_argument("--zero", default="0", help="of the launched run")
    parser.add_argument("--sums", default="memory", help="of the launched run: memory or sockets")
    arguments = parser.parse_args()
    recipe = tomllib.loads(pathlib.Path(arguments.recipe).read_text())
    ratios = {stage["name"]: [] for stage in recipe["stage"]}
    waited = {name: [] for name in ratios}
    exchanging = {name: [] for name in ratios}
    by_step, traffic = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def train_of(steps):
            return ["train", arguments.recipe, "--set", f"cache={folder}/cache",
                    *settings(recipe, steps, arguments.step_tokens)]

        train = train_of(arguments.steps)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
        # Stores the features.
        subprocess.run([arguments.binary, *train_of(1), "--output", folder / "store"], **quiet)
        for turn in range(arguments.times):
            together = folder / f"together-{turn}"
            before = loopback_bytes()
            subprocess.run([arguments.binary, "launch", "--nproc", "2", "--", *train, "--zero",
                            arguments.zero, "--sums", arguments.sums, "--output",
                            str(together)], **quiet)
            carried = (loopback_bytes() - before) / 2**20
            every_step = steps_of(together, sets_up=0)
            by_step.append(carried / sum(len(steps) for steps in every_step.values()))
            if exchanged_mib(every_step) > 0:
                traffic.append(carried / exchanged_mib(every_step))
            measured = steps_of(together, arguments.sets_up)
            for stage, steps in measured.items():
                seconds = total(steps, "seconds")
                waited[stage].append(total(steps, "waited_for_ranks") / seconds)
                exchanging[stage].append(total(steps, "exchanging") / seconds)
            alone = [folder / f"alone-{turn}-{core}" for core in (0, 1)]
            runs = [subprocess.Popen(["taskset", "-c", str(core), arguments.binary, *train,
                                      "--output", run], stderr=subprocess.DEVNULL)
                    for core, run in enumerate(alone)]
            assert all(run.wait() == 0 for run in runs)
            rates_alone = [rates(steps_of(run, arguments.sets_up)) for run in alone]
            for stage, rate in rates(measured).items():
                sum_alone = sum(rates[stage] for rates in rates_alone)
                ratios[stage].append(rate / sum_alone)
                print(f"{stage}: {rate:.0f} rows/s together, {sum_alone:.0f} alone, "
                      f"load {os.getloadavg()[0]:.1f}", flush=True)
    print("| stage | together / alone, median | least | most | waiting for the other | exchanging |"
          "\n|---|---|---|---|---|---|")
    for stage, values in ratios.items():
        print(f"| {stage} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f}"
              f" | {100 * statistics.median(waited[stage]):.1f} %"
              f" | {100 * statistics.median(exchanging[stage]):.1f} % |")
    print(f"loopback carried {statistics.median(by_step):.1f} MiB a step" +
          (f", {statistics.median(traffic):.3f} times the least" if traffic else ""))


if __name__ == "__main__":
    main()
