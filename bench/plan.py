"""What `sightline plan` says of a recipe, then what its run takes: ratios of time and memory.

    python3 bench/plan.py build/release/sightline recipes/demo.toml --steps 20 [--set KEY=VALUE ...]

Plan and run follow each other in one go, so that both meet the same machine. The run goes into a
temporary folder, without evaluation; of each stage's steps the first, which sets up, is left out.
Peaks are of the process: a stage's is the highest until then.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("recipe")
    parser.add_argument("--steps", type=int, default=0, help="of each stage; 0: all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        plan, lines = planned_and_run(arguments, pathlib.Path(folder))
    print("| stage | steps | tokens, planned / run | a step, planned | run | planned / run |"
          " peak, counted / run | peak, probe / run |")
    print("|---|---|---|---|---|---|---|---|")
    counted = 0
    for stage in plan["stages"]:
        steps = [line for line in lines if line["stage"] == stage["name"]]
        seconds = [line["seconds"] for line in steps[1:]]
        took = statistics.mean(seconds)
        told = (stage["seconds"]["steps"] + stage["seconds"]["reading"]) / stage["data"]["steps"]
        memory = stage["memory"]
        counted = max(counted, plan["program_memory"] + memory["all"] + memory["host_batches"])
        peak = max(line["peak_memory_mib"] for line in steps) * 2**20
        probe = stage.get("probe_peak_memory")
        tokens = stage["data"]["tokens"] / sum(line["tokens"] for line in steps)
        print(f"| {stage['name']} | {len(steps)} | {tokens:.3f} | {told:.3f} s | {took:.3f} s"
              f" | {told / took:.2f} | {counted / peak:.2f}"
              f" | {f'{probe / peak:.2f}' if probe else 'no probe'} |")
    print(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
