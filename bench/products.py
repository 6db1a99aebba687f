"""The matrix products of a training step, alone: what no implementation of the step can do without.

    .deps/oracle/bin/python bench/products.py --train all --pictures 8 --text 24 --learnt 22 \
        [--numbers fp32]

lists them for the towers' shapes (bench/towers.py), with the calls (bf16's by default) that LibTorch's
autograd makes, on buffers that are there: each weight's product forward, the one for its input's gradient
and the one for its own where it trains; attention's six over the pairs that are seen; the head's on
learnt rows. With --train connector the language model's weights have no gradients and the pictures'
features are stored. Prints a line of JSON when ready; then one for each line on stdin.
"""

import argparse
import json
import sys
import time

import torch

PATCHES, WIDE, LAYERS, HEADS, MLP = 196, 768, 12, 12, 3072          # SigLIP-B/16-224
HIDDEN, DEEP, QUERIES, KEYS, INNER, WORDS = 576, 30, 9, 3, 1536, 49152  # SmolLM2-135M
HEAD = 64


class Products:
    def __init__(self, dtype):
        self.dtype, self.calls, self.flops, self.buffers = dtype, [], 0, {}

    def buffer(self, *shape):
        return self.buffers.setdefault(shape, torch.randn(shape).to(self.dtype))

    def add(self, times, flops, call):
        self.calls += [call] * times
        self.flops += times * flops

    def linear(self, times, rows, width, out, input_grad=True, weight_grad=True):
        x, w, g = self.buffer(rows, width), self.buffer(out, width), self.buffer(rows, out)
        flops = 2 * rows * width * out
        self.add(times, flops, lambda: torch.nn.functional.linear(x, w))
        if input_grad:
            self.add(times, flops, lambda: torch.mm(g, w))
        if weight_grad:
            self.add(times, flops, lambda: torch.mm(g.t(), x))

    def attention(self, times, batch, queries, keys):
        q, k = self.buffer(batch, queries, HEAD), self.buffer(batch, keys, HEAD)
        s = self.buffer(batch, queries, keys)
        flops = 2 * batch * queries * keys * HEAD
        self.add(2 * times, flops, lambda: torch.bmm(q, k.transpose(1, 2)))   # S, dP
        self.add(2 * times, flops, lambda: torch.bmm(s, k))                   # O, dQ
        self.add(2 * times, flops, lambda: torch.bmm(s.transpose(1, 2), q))   # dV, dK

    def run(self):
        for product in self.calls:
            product()


def vision(products, pictures):
    rows = pictures * PATCHES
    products.linear(1, rows, WIDE, WIDE, input_grad=False)  # patches: 16 x 16 x 3 = 768
    products.linear(4 * LAYERS, rows, WIDE, WIDE)
    products.linear(LAYERS, rows, WIDE, MLP)
    products.linear(LAYERS, rows, MLP, WIDE)
    products.attention(LAYERS, pictures * HEADS, PATCHES, PATCHES)


def language(products, pictures, text, learnt, trains):
    rows = pictures * (PATCHES + text)
    for times, width, out in ((2, HIDDEN, HIDDEN), (2, HIDDEN, KEYS * HEAD), (2, HIDDEN, INNER),
                              (1, INNER, HIDDEN)):
        products.linear(times * DEEP, rows, width, out, weight_grad=trains)
    # Each key head serves three query heads, whose rows stand below one another.
    each = QUERIES // KEYS
    products.attention(DEEP, pictures * KEYS, each * PATCHES, PATCHES + 1)
    products.attention(DEEP, pictures * KEYS, each * text, PATCHES + text)
    products.linear(1, pictures * learnt, HIDDEN, WORDS, weight_grad=trains)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", choices=["all", "connector"], required=True)
    parser.add_argument("--pictures", type=int, required=True)
    parser.add_argument("--text", type=int, required=True, help="rows a picture beside its own")
    parser.add_argument("--learnt", type=int, required=True, help="rows a picture that predict")
    parser.add_argument("--numbers", choices=["bf16", "fp32"], default="bf16")
    arguments = parser.parse_args()
    trains = arguments.train == "all"
    products = Products(torch.bfloat16 if arguments.numbers == "bf16" else torch.float32)
    if trains:
        vision(products, arguments.pictures)
    rows = arguments.pictures * PATCHES
    products.linear(1, rows, WIDE, HIDDEN, input_grad=trains)
    products.linear(1, rows, HIDDEN, HIDDEN)
    language(products, arguments.pictures, arguments.text, arguments.learnt, trains)
    with torch.no_grad():
        products.run()
        print(json.dumps({"ready": True}), flush=True)
        for _ in sys.stdin:
            begin = time.perf_counter()
            products.run()
            print(json.dumps({"seconds": time.perf_counter() - begin, "flops": products.flops}),
                  flush=True)


if __name__ == "__main__":
    main()
