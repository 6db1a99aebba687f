"""The machine's own limits: how fast it multiplies matrices, by number type, and reads memory.

    .deps/oracle/bin/python bench/limits.py --work FOLDER [--quick]   (see bench/common.py)

Products are LibTorch's, 2,048 x 2,048 x 2,048, on all cores; reading is the sum of 1 GB that no cache
holds, on all cores. What a training step's own shapes reach stands beside the step in "Training".
"""

import time

import torch

from common import setup_of, spread, table

SIDE = 2048


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def products(dtype):
    if dtype == torch.int8:
        a, b = (torch.randint(-9, 9, (SIDE, SIDE), dtype=dtype) for _ in range(2))
        return lambda: torch._int_mm(a, b)
    a, b = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    return lambda: torch.mm(a, b)


def main():
    setup = setup_of(__doc__)
    rounds = 5 if setup.quick else 15
    limits = {f"products, {name}": (products(dtype), 2 * SIDE**3 / 1e9, "GFLOP/s")
              for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16),
                                  ("int8", torch.int8))}
    gigabyte = torch.ones(10**9 // 8, dtype=torch.int64)
    limits["reading 1 GB"] = (lambda: gigabyte.sum(), 1.0, "GB/s")
    times = {name: [] for name in limits}
    for round_ in range(rounds + 1):
        for name, (call, _, _) in limits.items():
            taken = seconds(call)
            if round_ > 0:  # the first sets up
                times[name].append(taken)
    print("## The machine's limits\n")
    print(f"On {torch.get_num_threads()} threads, LibTorch {torch.__version__}, medians of {rounds}"
          " (least to most):\n")
    print(table(["limit", "rate"], [[name, spread((amount / taken for taken in times[name]), 0 if
                                                  amount > 1 else 1, f" {unit}")]
                                    for name, (_, amount, unit) in limits.items()]))


if __name__ == "__main__":
    main()
