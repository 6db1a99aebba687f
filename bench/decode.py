"""Decoding: how soon a caption is there, tokens a second, many photographs, against peers.

    .deps/oracle/bin/python bench/decode.py --work FOLDER [--quick]   (see bench/common.py)

SigLIP-B/16-224 with SmolLM2-135M's shapes, 196 rows an image, 24 tokens a caption, greedily, from the
picture's file to words, by the weights as they are and rounded: the goals of int8 are held to
int8_products, whose prompts and pictures multiply bytes too. Against transformers' generate() on the
same towers, in bf16 or, where that is faster, in fp32; and, for one picture, llama.cpp, the language
model in Q8_0 and the vision model in Q8_0 or, where that is faster, in fp16. A token's own time is the
difference between captions of 88 and of 24 tokens. What it is held against is the time that reading
the language model's weights once takes at the rate at which this machine reads 1 GB, measured in the
same turns.
"""

import json
import pathlib
import statistics
import time

import torch

from common import (LLAMA, Served, alternate, call, goals, peer_numbers, python, ratios, say,
                    setup_of, spread, table)

TOKENS, MORE = 24, 64
LLAMA_KINDS = ("q8_0", "f16")
KINDS = ("whole", "int8", "int4", "int8_products")
BITS = {"whole": 16, "int8": 8 + 32 / 64, "int4": 4 + 64 / 64, "int8_products": 8 + 32 / 64}


def photographs(setup, count):
    return sorted((setup.data / "flickr8k/images").glob("*.jpg"))[:count]


def weights_of(folder):
    """Numbers that a token's products read: all but the norms and the embedding, whose matrix is
    the head."""
    config = json.loads((folder / "language/config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    size = hidden // heads
    layer = hidden * size * 2 * (heads + groups) + 3 * hidden * inner
    return config["num_hidden_layers"] * layer + config["vocab_size"] * hidden


def sides_of(setup, tokens, batch, images, kinds=KINDS):
    """Programs that are loaded and caption the pictures once a call."""
    program = pathlib.Path(setup.binary).parent / "bench/served/bench_captions"
    sides = {kind: Served([str(program), str(setup.work / "captions"), kind, str(tokens), str(batch),
                           *map(str, images)]) for kind in kinds}
    sides["transformers"] = Served(python("peer_captions.py", "--towers", setup.work / "captions",
                                          "--tokens", tokens, "--batch", batch, "--numbers",
                                          peer_numbers(), *images))
    return sides


def llama_of(setup, tokens, images, matrices):
    """llama.cpp, which takes pictures one by one, with the vision model's matrices as told."""
    return Served(python("peer_llama.py", "--towers", setup.work / "captions", "--tokens", tokens,
                         "--matrices", matrices, *images), PYTHONPATH=str(LLAMA))


def measure(setup, turns, tokens, batch, images, llama=(), **more):
    """Seconds of each side, a turn each; `llama`: with llama.cpp, by its kinds of matrices."""
    sides = sides_of(setup, tokens, batch, images)
    sides |= {f"llama.cpp, {kind}": llama_of(setup, tokens, images, kind) for kind in llama}
    try:
        results = alternate(turns, **sides, **more)
    finally:
        for served in sides.values():
            served.__exit__()
    return {side: [turn["seconds"] for turn in turns] for side, turns in results.items()}


GIGABYTE = None


def read_gigabyte():
    global GIGABYTE
    if GIGABYTE is None:
        GIGABYTE = torch.ones(10**9 // 8, dtype=torch.int64)
        GIGABYTE.sum()
    begin = time.perf_counter()
    GIGABYTE.sum()
    return {"seconds": time.perf_counter() - begin}


def main():
    setup = setup_of(__doc__)
    folder = setup.work / "captions"
    call(*python("towers.py", folder, "--data", setup.data, "--model"))
    for matrices in LLAMA_KINDS:
        call(*python("gguf_towers.py", folder, "--matrices", matrices), PYTHONPATH=str(LLAMA))
    turns = 2 * setup.turns + 1
    one = photographs(setup, 1)
    say("one picture, one token")
    first = measure(setup, turns, 1, 1, one, LLAMA_KINDS)
    say(f"one picture, {TOKENS} tokens")
    short = measure(setup, turns, TOKENS, 1, one, LLAMA_KINDS)
    say(f"one picture, {TOKENS + MORE} tokens")
    long = measure(setup, turns, TOKENS + MORE, 1, one, LLAMA_KINDS, gigabyte=read_gigabyte)
    count, batch = (64, 64) if setup.quick else (256, 64)
    say(f"{count} photographs, {batch} at a time")
    many = measure(setup, 2 if setup.quick else 3, TOKENS, batch, photographs(setup, count))

    # One of llama.cpp's, by what its vision model's matrices do to the first token.
    best = min((f"llama.cpp, {kind}" for kind in LLAMA_KINDS),
               key=lambda side: statistics.median(first[side]))

    def faster(seconds, kind, peer="transformers"):
        return ratios(seconds[peer], seconds[kind])

    token = {side: (statistics.median(long[side]) - statistics.median(short[side])) / MORE
             for side in short}
    rate = 1e9 / statistics.median(long["gigabyte"])
    least = {kind: weights_of(folder) * BITS[kind] / 8 / rate for kind in KINDS}
    share = least["int8"] / token["int8"]
    rows = []
    for kind, goal, seconds, what in (
            ("whole", 3, short, "caption latency, 24 tokens, one image, bf16"),
            ("int8_products", 4, short, "caption latency, int8"),
            ("whole", 2, many, f"captioning {count} photographs, batched, bf16"),
            ("int8_products", 3, many, f"captioning {count} photographs, batched, int8")):
        found = faster(seconds, kind)
        rows.append((what, f">= {goal}x transformers", spread(found, 2, "x"),
                     statistics.median(found) >= goal))
    rows.append(("decode, int8, batch 1", ">= 80 % of reading / bytes of weights", f"{share:.0%}",
                 share >= 0.8))
    soon = max((faster(first, kind, best) for kind in KINDS), key=statistics.median)
    rows.append(("decode, int8, batch 1, a token", ">= 1.0x llama.cpp Q8_0",
                 f"{token[best] / token['int8']:.2f}x", token[best] >= token["int8"]))
    rows.append(("image to first token", ">= 2x llama.cpp's mtmd", spread(soon, 2, "x"),
                 statistics.median(soon) >= 2))
    print("## Decoding\n")
    print(goals(*rows))
    print(f"\nReading 1 GB: {rate / 1e9:.1f} GB/s, in the same turns.\n")
    names = {"whole": "Sightline, bf16", "int8": "Sightline, int8", "int4": "Sightline, int4",
             "int8_products": "Sightline, int8_products",
             "transformers": f"transformers, {peer_numbers()}",
             "llama.cpp, q8_0": "llama.cpp, Q8_0, pictures too",
             "llama.cpp, f16": "llama.cpp, Q8_0, pictures fp16"}
    print(table(["program", "to the first token", f"{TOKENS} tokens", "a token more",
                 "reading its weights", f"{count} photographs, each"],
                [[names[side], spread((1000 * s for s in first[side]), 0, " ms"),
                  spread((1000 * s for s in short[side]), 0, " ms"), f"{1000 * token[side]:.1f} ms",
                  f"{1000 * least[side]:.1f} ms" if side in least else "",
                  spread((1000 * s / count for s in many[side]), 1, " ms") if side in many else ""]
                 for side in names]))


if __name__ == "__main__":
    main()
