"""Pictures and packing: decoding and resizing against Pillow, and how full packed batches are.

    .deps/oracle/bin/python bench/input.py --work FOLDER [--quick]   (see bench/common.py)

Pictures: COCO's photographs of about 640 x 480 (data/README: coco_mini), from the file cache, on one
core each side, to 224 x 224 pixels whose bytes equal Pillow's (tests/image). Packing: Flickr8k,
LLaVA's 2,183 pictures and DAQUAR mixed, forwards of at most 4,096 rows; `sightline plan` draws and
packs a whole epoch as training does, without training.
"""

import json
import pathlib
import statistics

from common import Served, alternate, call, goals, python, ratios, say, setup_of, spread, table

SIDE, SLOTS = 224, 4096


def pictures(setup):
    """Seconds of each side for all photographs, by turns; and how many they are."""
    files = sorted((setup.data / "coco_mini/val2017").glob("*.jpg"))
    program = pathlib.Path(setup.binary).parent / "bench/served/bench_pictures"
    with (Served([program, str(SIDE), *map(str, files)]) as ours,
          Served(python("peer_pillow.py", SIDE, *files)) as pillow):
        results = alternate(2 * setup.turns + 1, ours=ours, pillow=pillow)
    return {name: [turn["seconds"] for turn in turns] for name, turns in results.items()}, len(files)


def mixed_recipe(setup, captions):
    """The three sets drawn until each is spent once. `captions`: "all" in branches, or "one"."""
    data = setup.data
    return f"""
name = "packing"
[model]
vision = "{setup.towers}/vision"
language = "{setup.towers}/language"
[data.flickr]
format = "flickr"
annotations = "{data}/flickr8k/Flickr8k.token.txt"
images = "{data}/flickr8k/images"
split = "{data}/flickr8k/Flickr_8k.trainImages.txt"
captions = "{captions}"
[data.web]
format = "llava"
annotations = "{data}/llava_pretrain_2k/blip_laion_cc_sbu_2k.json"
images = "{data}/llava_pretrain_2k/images"
[data.rooms]
format = "daquar"
annotations = "{data}/daquar/data_train.csv"
images = "{data}/daquar/images"
captions = "{captions}"
[[stage]]
name = "packing"
train = ["connector"]
mixture = [{{ data = "flickr" }}, {{ data = "web", weight = 0.36 }}, {{ data = "rooms", weight = 0.2 }}]
step_tokens = {SLOTS}
micro_tokens = {SLOTS}
"""


def packing(setup, captions):
    file = setup.work / "packing.toml"
    file.write_text(mixed_recipe(setup, captions))
    plan = json.loads(call(setup.binary, "plan", file, "--json", "--device", "h100"))
    data = plan["stages"][0]["data"]
    return data, data["tokens"] / (data["micro_batches"] * SLOTS)


def main():
    setup = setup_of(__doc__)
    say("pictures")
    seconds, count = pictures(setup)
    faster = ratios(seconds["pillow"], seconds["ours"])
    say("packing")
    packed = {captions: packing(setup, captions) for captions in ("all", "one")}
    least = min(share for _, share in packed.values())
    print("## Pictures and packing\n")
    print(goals(
        (f"decode and exact resize, JPEG 640 x 480 to {SIDE}, per core, against Pillow", ">= 1.5x",
         spread(faster, 2, "x"), statistics.median(faster) >= 1.5),
        (f"packing, Flickr8k + LLaVA-2k + DAQUAR mixed, {SLOTS:,} slots", ">= 98 % real tokens",
         f"{100 * least:.2f} %", least >= 0.98)))
    print(f"\nMilliseconds a photograph ({count} of COCO, one core):\n")
    print(table(["Sightline", "Pillow", "ratio"],
                [[*(spread((1000 * taken / count for taken in seconds[side]), 2)
                    for side in ("ours", "pillow")), spread(faster, 2, "x")]]))
    print("\nAn epoch, packed. A forward is as long as its rows: no row of padding is computed, and"
          " what is missing\nto the full slots only makes forwards more.\n")
    print(table(["captions of a picture", "samples", "rows", "forwards", "share of slots"],
                [[{"all": "all, in branches", "one": "one"}[captions],
                  *(f"{data[what]:,.0f}" for what in ("samples", "tokens", "micro_batches")),
                  f"{100 * share:.2f} %"] for captions, (data, share) in packed.items()]))


if __name__ == "__main__":
    main()
