"""All of `./dev bench`: calls the scripts of SUBJECTS in turn and writes docs/results/speed.md.

    .deps/oracle/bin/python bench/speed.py [SUBJECT ...] [--quick] [--output FILE]

Without a subject: all. With some, their sections are measured anew and the others stay as they
are. A subject is a script of this folder that prints one section on stdout (bench/common.py says
how it is called); a new one needs its name in SUBJECTS and no more. Each section tells the commit,
the time and the machine's load of its own run. The page's head gathers the goals of all sections.
"""

import argparse
import datetime
import os
import pathlib
import subprocess
import sys
import tempfile

from common import BENCH, GOALS, call, python, say, table

# In the order of the page. Those whose script is not there yet are passed over.
SUBJECTS = ["limits", "training", "decode", "input", "start", "growth", "words", "micro"]
WRITTEN = "What is not reached, and why"  # the section that people write: it stays
ROOT = BENCH.parent
OPENING = """# Speed

Written by `./dev bench`, which builds, runs Sightline and its peers in turns in one run, and measures what the
machine can do at most. Ratios are medians of turns with their least and most, because the machine's other work falls
on both sides of a ratio; absolute numbers hold for the run and the load that stands above them. Models have
random weights at real shapes: SigLIP-B/16-224 and SmolLM2-135M. What is not reached says so, and why.
"""


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "bench", "cmake")
    return git("rev-parse", "--short=10", "HEAD") + (" with changes" if changed else "")


def instructions():
    """The widest of what matrix products are made of here: absolute numbers are this processor's."""
    flags = next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("flags")).split()
    names = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "avx512f": "AVX-512", "avx2": "AVX2"}
    return next((name for flag, name in names.items() if flag in flags), "neither AVX-512 nor AVX2")


def load():
    return f"{os.getloadavg()[0]:.1f}"


def measured(subject, arguments, work):
    """The section of a subject, with a line of when and on what below its title."""
    began, before = datetime.datetime.now(), load()
    command = python(f"{subject}.py", "--binary", arguments.binary, "--data", arguments.data,
                     "--work", work, *(["--quick"] if arguments.quick else []))
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        say(f"{subject} FAILED")
        return None
    title, _, rest = done.stdout.strip().partition("\n")
    minutes = (datetime.datetime.now() - began).seconds / 60
    stamp = (f"*`./dev bench {subject}{' --quick' if arguments.quick else ''}`, commit {commit()},"
             f" {began:%Y-%m-%d %H:%M}, {minutes:.0f} min; load {before} before, {load()} after, on"
             f" {os.cpu_count()} cores with {instructions()}.*")
    return f"{title}\n\n{stamp}\n{rest.rstrip()}\n"


def sections_of(text):
    """Title -> section, of a page as this writes it."""
    parts = ("\n" + text).split("\n## ")[1:]
    return {part.partition("\n")[0]: "## " + part.rstrip() + "\n" for part in parts}


def rows_of_goals(section):
    """The rows of the tables that bench/common.py's goals() made."""
    rows, inside = [], False
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if cells == GOALS:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            rows.append(cells)
    return rows


def page(sections):
    written = sections.pop(WRITTEN, None)
    gathered = [row for section in sections.values() for row in rows_of_goals(section)]
    glance = f"## At a glance\n\n{table(GOALS, gathered)}\n"
    return "\n".join([OPENING, glance, *([written] if written else []), *sections.values()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--binary", default="build/release/sightline")
    parser.add_argument("--data", default=os.environ.get("SIGHTLINE_DATA", "../shared/data"))
    parser.add_argument("--quick", action="store_true", help="few turns: minutes, not for the page")
    parser.add_argument("--output", type=pathlib.Path,
                        help="default: docs/results/speed.md, with --quick build/speed.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.subjects) - set(SUBJECTS):
        parser.error(f"no subject {', '.join(sorted(unknown))} (known: {', '.join(SUBJECTS)})")
    output = arguments.output or ROOT / ("build/speed.md" if arguments.quick
                                         else "docs/results/speed.md")
    wanted = arguments.subjects or [name for name in SUBJECTS if (BENCH / f"{name}.py").exists()]
    old = sections_of(output.read_text()) if output.exists() else {}
    if not arguments.subjects:
        old = {title: section for title, section in old.items() if title == WRITTEN}
    fresh, failed = {}, []
    # Not in /tmp: the folder takes 5 GB. Programs are built in build/, so there is room.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "build") as work:
        say("towers")
        call(*python("towers.py", f"{work}/towers", "--data", arguments.data))
        for subject in wanted:
            print(f"-- {subject}", file=sys.stderr, flush=True)
            section = measured(subject, arguments, work)
            if section is None:
                failed.append(subject)
                continue
            fresh |= sections_of(section)
            old.pop("At a glance", None)
            output.write_text(page(old | fresh))
    print(output.read_text())
    print(f"-- written to {output}", file=sys.stderr)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
