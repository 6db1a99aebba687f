"""What `sightline plan` says of a recipe, then what its run takes: ratios of time and memory.

    python3 bench/plan.py build/release/sightline recipes/demo.toml --steps 20 [--goes 7] [--set KEY=VALUE ...]

Plan and run follow each other in each go, so that both meet the same machine; a shared machine's
speed moves by a third within minutes, so the table holds medians over the goes, and the least and
most of each ratio. A run goes into a temporary folder, without evaluation; of each stage's steps
the first, which sets up, is left out. Peaks are of the process: a stage's is the highest until then.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import tomllib


def planned_and_run(arguments, folder):
    settings = [word for value in arguments.set for word in ("--set", value)]
    if arguments.steps:
        recipe = tomllib.loads(pathlib.Path(arguments.recipe).read_text())
        for stage in recipe["stage"]:
            settings += ["--set", f"stage.{stage['name']}.max_steps={arguments.steps}"]
    call = [arguments.binary, "plan", arguments.recipe, "--json", *settings]
    plan = json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE).stdout)
    run = folder / "run"
    subprocess.run([arguments.binary, "train", arguments.recipe, "--output", run, *settings,
                    "--set", f"cache={folder}/cache", "--set", "eval.tasks=[]",
                    "--set", 'eval.validation=""', "--set", 'eval.best=""',
                    "--set", "checkpoint.every=0"], check=True)
    lines = [json.loads(line) for line in (run / "run.jsonl").read_text().splitlines()]
    return plan, [line for line in lines if "loss" in line]


def rows_of(plan, lines):
    """A row a stage, and one of all stages' time: what the user of the plan waits for."""
    counted = 0
    rows = []
    for stage in plan["stages"]:
        steps = [line for line in lines if line["stage"] == stage["name"]]
        memory = stage["memory"]
        counted = max(counted, plan["program_memory"] + memory["all"] + memory["host_batches"])
        peak = max(line["peak_memory_mib"] for line in steps) * 2**20
        seconds = stage["seconds"]["steps"] + stage["seconds"]["reading"]
        rows.append({"stage": stage["name"], "steps": len(steps),
                     "tokens": stage["data"]["tokens"] / sum(line["tokens"] for line in steps),
                     "planned": seconds / stage["data"]["steps"],
                     "run": statistics.mean(line["seconds"] for line in steps[1:]),
                     "counted": counted / peak,
                     "probe": stage.get("probe_peak_memory", 0) / peak})
    total = {name: sum(row["steps"] * row[name] for row in rows) for name in ("planned", "run")}
    return [*rows, {"stage": "all", "steps": sum(row["steps"] for row in rows), "tokens": 1,
                    "counted": rows[-1]["counted"], "probe": rows[-1]["probe"],
                    **{name: value / sum(row["steps"] for row in rows)
                       for name, value in total.items()}}]


def line_of(goes):
    def median(name):
        return statistics.median(row[name] for row in goes)

    ratios = [row["planned"] / row["run"] for row in goes]
    return (f"| {goes[0]['stage']} | {goes[0]['steps']} | {median('tokens'):.3f}"
            f" | {median('planned'):.3f} s | {median('run'):.3f} s"
            f" | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            f" | {median('counted'):.2f}"
            f" | {format(median('probe'), '.2f') if median('probe') else 'no probe'} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=0, help="of each stage; 0: all")
    parser.add_argument("--goes", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    goes = []
    for _ in range(arguments.goes):
        with tempfile.TemporaryDirectory() as folder:
            goes.append(rows_of(*planned_and_run(arguments, pathlib.Path(folder))))
    print("| stage | steps | tokens, planned / run | a step, planned | run | planned / run |"
          " peak, counted / run | peak, probe / run |")
    print("|---|---|---|---|---|---|---|---|")
    for stage in zip(*goes):
        print(line_of(stage))
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
