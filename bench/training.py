"""Training: samples a second against transformers, the share of matrix products, peak memory, waiting.

    .deps/oracle/bin/python bench/training.py --work FOLDER [--quick]   (see bench/common.py)

The same towers, pictures and words on both sides: Flickr8k's photographs, and either one text of 24
tokens a picture (196 + 24 = 220 rows a sample, 8 samples a step, no padding anywhere) or its five
captions, which Sightline trains as branches over one picture's rows and the peer as five samples.
A turn of ours is a run of a few steps, of which the first, which sets up, is left out; the peer
stays loaded and makes a step a turn. Bench's stored features are filled by a run before the turns.
"""

import json
import statistics

from common import (Served, alternate, goals, idle_mib, peer_numbers, python, ratios, recipe_of,
                    say, setup_of, spread, table, train)

PICTURES, BATCH, TEXT = 320, 8, 24


def captions_of(data):
    captions = {}
    for line in (data / "flickr8k/Flickr8k.token.txt").read_text().splitlines():
        name, caption = line.split("\t")
        captions.setdefault(name.split("#")[0], []).append(caption)
    return captions


def text_of(tokenizer, captions, length):
    """The picture's captions one after the other, cut to exactly `length` tokens; None if it can't."""
    words = " ".join(captions).split(" ")
    for count in range(1, len(words)):
        tokens = len(tokenizer.encode(" ".join(words[:count])).ids)
        if tokens >= length:
            return " ".join(words[:count]) if tokens == length else None
    return None


def write_lines(setup):
    """one.jsonl and five.jsonl: both sides read these."""
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(setup.towers / "language/tokenizer.json"))
    one, five = [], []
    for name, captions in captions_of(setup.data).items():
        if len(five) < PICTURES:
            five.append({"image": name, "captions": captions})
        # Beside the words: the first token, the line break behind the picture, the end.
        text = text_of(tokenizer, captions, TEXT - 3)
        if text and len(one) < PICTURES:
            one.append({"image": name, "captions": [text]})
    for name, lines in (("one", one), ("five", five)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (setup.work / f"{name}.jsonl").write_text(text)


class Setting:
    """One row: what trains, on which lines, with how many rows a forward of ours."""

    def __init__(self, setup, what, lines, micro_tokens, steps, factor=1):
        self.setup, self.what, self.lines, self.factor = setup, what, lines, factor
        parts = '["vision", "connector", "language"]' if what == "all" else '["connector"]'
        connector = '"mlp"' if factor == 1 else f'{{ kind = "shuffle", factor = {factor} }}'
        data = (f'format = "jsonl"\nannotations = "{setup.work}/{lines}.jsonl"\n'
                f'images = "{setup.data}/flickr8k/images"')
        stage = (f"train = {parts}\nstep_tokens = {micro_tokens}\nmicro_tokens = {micro_tokens}\n"
                 f"max_steps = {steps}\nlr = 1e-5")
        self.recipe = recipe_of(setup, data, stage, connector)

    def ours(self):
        first, *steps = train(self.setup, self.recipe)
        captions = 1 if self.lines == "one" else 5
        return {"rate": statistics.median(captions * step["samples"] / step["seconds"]
                                          for step in steps),
                "seconds": statistics.median(step["seconds"] for step in steps),
                # A line holds the sum so far.
                "waited": (steps[-1]["waited_for_data"] - first["waited_for_data"])
                / sum(step["seconds"] for step in steps),
                "peak_mib": max(step["peak_memory_mib"] for step in steps),
                "samples": steps[-1]["samples"], "rows": steps[-1]["tokens"]}

    def peer(self, *more):
        return Served(python("peer_llava.py", "--towers", self.setup.towers, "--data",
                             self.setup.work / f"{self.lines}.jsonl", "--images",
                             self.setup.data / "flickr8k/images", "--train", self.what, "--batch",
                             BATCH, "--shuffle-factor", self.factor, "--numbers", peer_numbers(),
                             *more))

    def products(self):
        return Served(python("products.py", "--train", self.what, "--pictures", BATCH,
                             "--text", TEXT, "--learnt", TEXT - 2,
                             "--numbers", peer_numbers()))


def rate_of(answer):
    return answer["samples"] / answer["seconds"]


class Row:
    """The turns of one setting: ours, the peer's and, for one text a picture, the products alone."""

    def __init__(self, setting, turns, with_products):
        self.setting = setting
        with setting.peer() as peer:
            peer()  # the first step sets up
            if with_products:
                with setting.products() as products:
                    self.results = alternate(turns, ours=setting.ours, peer=peer,
                                             products=products)
            else:
                self.results = alternate(turns, ours=setting.ours, peer=peer)
        self.ours = [turn["rate"] for turn in self.results["ours"]]
        self.theirs = [rate_of(turn) for turn in self.results["peer"]]
        self.faster = ratios(self.ours, self.theirs)

    def share(self):
        return [products["seconds"] / ours["seconds"] for products, ours
                in zip(self.results["products"], self.results["ours"])]

    def waits(self):
        return statistics.median(turn["waited"] for turn in self.results["ours"])

    def line(self, name):
        update = statistics.median(turn["update"] / turn["seconds"]
                                   for turn in self.results["peer"])
        return [name, spread(self.ours), spread(self.theirs), spread(self.faster, 2, "x"),
                f"{100 * update:.0f} %", f"{100 * self.waits():.2f} %"]


def peaks(setting, turns):
    """MiB above idle: ours, and the peer's with fp32 masters and moments, as ours are."""
    idle = idle_mib(setting.setup, setting.recipe)
    ours = setting.ours()
    with setting.peer("--masters") as peer:
        theirs = [peer() for _ in range(turns)]
    return ours["peak_mib"] - idle, theirs[-1]["peak_mib"]


def main():
    setup = setup_of(__doc__)
    write_lines(setup)
    settings = {
        "full training, one caption a picture": Setting(setup, "all", "one", 1760, 3),
        "full training, Flickr8k's five captions in branches":
            Setting(setup, "all", "five", 2048, 3),
        "alignment, one caption a picture, features stored":
            Setting(setup, "connector", "one", 1760, 5),
        "alignment, Flickr8k's five captions in branches, features stored":
            Setting(setup, "connector", "five", 2048, 5),
        "alignment, five captions in branches, nanoVLM's shapes (49 rows a picture)":
            Setting(setup, "connector", "five", 2048, 5, factor=2),
    }
    rows = {}
    for name, setting in settings.items():
        say(name)
        if setting.what == "connector":
            setting.ours()  # fills the store
        rows[name] = Row(setting, setup.turns, with_products=setting.lines == "one")
    full, full_five, align, align_five, nano = rows.values()
    say("memory")
    memory = {name: peaks(setting, 3) for name, setting in settings.items()
              if setting.lines == "one"}
    print_section(settings, rows, memory, full, full_five, align, align_five, nano)


def print_section(settings, rows, memory, full, full_five, align, align_five, nano):
    def goal(row, name, least):
        median = statistics.median(row.faster)
        return name, f">= {least:g}x", spread(row.faster, 2, "x"), median >= least

    names = list(settings)
    share = statistics.median(full.share())
    full_memory = memory[names[0]]
    waits = max(row.waits() for row in rows.values())
    print("## Training\n")
    print(goals(
        goal(full, f"{names[0]}, against transformers", 1.8),
        ("its step's own matrix products, timed alone, of the step", ">= 85 %",
         spread((100 * value for value in full.share()), 0, " %"), share >= 0.85),
        goal(full_five, f"{names[1]}, against transformers", 3),
        goal(align, f"{names[2]}, against transformers", 2.5),
        goal(align_five, f"{names[3]}, against transformers", 6),
        goal(nano, f"{names[4]}, against transformers' Idefics3 class", 3),
        ("the trainer waits for data, the most of these settings", "< 1 %",
         f"{100 * waits:.2f} %", waits < 0.01),
        ("peak memory above idle, full training, of transformers' with fp32 masters and moments",
         "<= 60 %", f"{100 * full_memory[0] / full_memory[1]:.0f} %",
         full_memory[0] <= 0.6 * full_memory[1])))
    print("\nCaptions a second. *Update*: the share of the peer's step that AdamW takes; *waits*:"
          " the share of ours\nthat the trainer waits for data. Ours compute in"
          f" bf16, the peer and the products alone in {peer_numbers()}.\n")
    print(table(["setting", "ours", "transformers", "ratio", "update", "waits"],
                [row.line(name) for name, row in rows.items()]))
    print("\nThe step's matrix products alone (bench/products.py), beside the step:\n")
    print(table(["setting", "step", "products alone", "share", "products' rate"],
                [[name, spread((turn["seconds"] for turn in row.results["ours"]), 2, " s"),
                  spread((turn["seconds"] for turn in row.results["products"]), 2, " s"),
                  spread((100 * value for value in row.share()), 0, " %"),
                  spread((turn["flops"] / turn["seconds"] / 1e9
                          for turn in row.results["products"]), 0, " GFLOP/s")]
                 for name, row in rows.items() if row.setting.lines == "one"]))
    print("\nPeak memory above idle, the peer with fp32 masters and moments as ours:\n")
    print(table(["setting", "ours", "transformers", "share"],
                [[name, f"{ours:,.0f} MiB", f"{theirs:,.0f} MiB", f"{100 * ours / theirs:.0f} %"]
                 for name, (ours, theirs) in memory.items()]))


if __name__ == "__main__":
    main()
