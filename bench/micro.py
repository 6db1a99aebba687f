"""The C++ benchmarks of single functions beside their plain twins and peers (bench/*.cpp).

    .deps/oracle/bin/python bench/micro.py --work FOLDER [--quick]   (see bench/common.py)
"""

import pathlib

from common import call, say, setup_of

# Program -> its arguments: of bench_branches the settings with stored features in bf16 alone, which
# take a minute; docs/results/branches.md has them all.
PROGRAMS = {"bench_attention": [], "bench_image": [], "bench_rms_norm": [],
            "bench_branches": ["bf16, stored features"]}


def main():
    setup = setup_of(__doc__)
    print("## Single functions\n\nMilliseconds are medians of turns, ratios peer over ours.\n")
    for name, arguments in PROGRAMS.items():
        program = pathlib.Path(setup.binary).parent / "bench" / name
        if setup.quick and arguments:
            continue
        say(name)
        print(f"```\n{call(program, *arguments, SIGHTLINE_DATA=str(setup.data)).strip()}\n```")


if __name__ == "__main__":
    main()
