"""Growth: what a row costs and what memory the data path takes, from 10^3 to 10^6 samples.

    .deps/oracle/bin/python bench/growth.py --work FOLDER [--quick]   (see bench/common.py)

A model so small that reading, decoding and packing are most of the work, on files of as many lines
{"image", "caption"} over the same 64 photographs. Anonymous memory is counted: the file of samples
itself is mapped, and its pages are the kernel's to drop.
"""

import json
import pathlib
import statistics
import subprocess
import time

from common import ENVIRONMENT, goals, say, setup_of, spread, table

SIZES = [10**3, 10**4, 10**5, 10**6]
STEPS, SETS_UP = 24, 4


def write_samples(setup, size):
    captions = []
    for line in (setup.data / "flickr8k/Flickr8k.token.txt").read_text().splitlines()[:3200]:
        name, caption = line.split("\t")
        captions.append((name.split("#")[0], caption))
    images = sorted({name for name, _ in captions})[:64]
    with open(setup.work / f"{size}.jsonl", "w", encoding="utf-8") as file:
        for i in range(size):
            caption = captions[i % len(captions)][1]
            file.write(json.dumps({"image": images[i % 64], "caption": caption}) + "\n")


def recipe(setup, size):
    return f"""
name = "growth"
numbers = "bf16"
[model]
vision = {{ kind = "siglip", hidden_size = 64, num_hidden_layers = 1, num_attention_heads = 1, intermediate_size = 128, patch_size = 32 }}
language = {{ hidden_size = 64, num_hidden_layers = 1, num_attention_heads = 1, intermediate_size = 128 }}
tokenizer = "{setup.data}/weights/TinyStories-656K"
[data.train]
format = "jsonl"
annotations = "{setup.work}/{size}.jsonl"
images = "{setup.data}/flickr8k/images"
[[stage]]
name = "stage"
train = ["vision", "connector", "language"]
mixture = [{{ data = "train" }}]
epochs = 4
step_tokens = 4096
micro_tokens = 4096
max_steps = {STEPS}
"""


def anonymous_mib(process):
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines()
                 if line.startswith("RssAnon")), 0)


def run(setup, size):
    """Seconds until the first step and a thousand rows' cost after it; MiB at the last step."""
    file, folder = setup.work / "growth.toml", setup.work / f"growth-{size}"
    file.write_text(recipe(setup, size))
    subprocess.run(["rm", "-rf", folder], check=True)
    begin = time.perf_counter()
    process = subprocess.Popen([setup.binary, "train", file, "--output", folder], env=ENVIRONMENT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = 0
    while process.poll() is None:
        memory = max(memory, anonymous_mib(process))
        time.sleep(0.02)
    wall = time.perf_counter() - begin
    assert process.returncode == 0, f"{setup.binary} train {file}"
    lines = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "loss" in line]
    return {"startup": wall - sum(step["seconds"] for step in steps), "memory": memory,
            "cost": statistics.median(1000 * step["seconds"] / step["tokens"]
                                      for step in steps[SETS_UP:])}


def main():
    setup = setup_of(__doc__)
    sizes = SIZES[::3] if setup.quick else SIZES
    for size in sizes:
        write_samples(setup, size)
    runs = {size: [] for size in sizes}
    for turn in range(setup.turns):
        say(f"turn {turn + 1}")
        for size in sizes[:: -1 if turn % 2 else 1]:
            runs[size].append(run(setup, size))
    least, most = runs[sizes[0]], runs[sizes[-1]]
    cost = [a["cost"] / b["cost"] for a, b in zip(most, least)]
    more = statistics.median(a["memory"] - b["memory"] for a, b in zip(most, least))
    print("## Growth\n")
    print(goals(
        ("cost a row, 10^6 samples over 10^3", "flat (within 5 %)", spread(cost, 2, "x"),
         statistics.median(cost) <= 1.05),
        ("memory of the data path, 10^6 samples beside 10^3", "flat (within 16 bytes a sample)",
         f"{more:+.0f} MiB, {more * 2**20 / sizes[-1]:+.0f} bytes a sample",
         more * 2**20 / sizes[-1] <= 16)))
    print()
    print(table(["samples", "ms a thousand rows", "anonymous memory, most", "before the first step"
                 " and after the last"],
                [[f"{size:,}", spread((1000 * turn["cost"] for turn in turns), 1),
                  spread((turn["memory"] for turn in turns), 0, " MiB"),
                  spread((turn["startup"] for turn in turns), 1, " s")]
                 for size, turns in runs.items()]))


if __name__ == "__main__":
    main()
