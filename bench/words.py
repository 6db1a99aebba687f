"""Words: tokenizing against Hugging Face's tokenizers, scoring captions against pycocoevalcap.

    .deps/oracle/bin/python bench/words.py --work FOLDER [--quick]   (see bench/common.py)

Tokenizing: 202,654 captions of COCO (data/README: text), a caption a call, one thread each side, with
SmolLM's tokenizer; tests/text holds the tokens equal. Scoring: 1,000 captions with their references,
from starting the program to the printed scores; tests/metric holds the scores equal.
"""

import pathlib
import time

from common import Served, alternate, call, python, ratios, say, setup_of, spread, table


def tokenizing(setup):
    tokenizer = setup.towers / "language/tokenizer.json"
    lines = setup.data / "text/coco_captions.txt"
    program = pathlib.Path(setup.binary).parent / "bench/served/bench_words"
    with (Served([program, tokenizer, lines]) as ours,
          Served(python("peer_words.py", "tokenize", tokenizer, lines)) as peer):
        results = alternate(setup.turns, ours=ours, peer=peer)
    return {side: [turn["seconds"] for turn in turns] for side, turns in results.items()}


def scoring(setup):
    files = [setup.data / f"metrics/fakecap1000_{name}.json" for name in ("refs", "hyps")]

    def timed(*command):
        begin = time.perf_counter()
        call(*command)
        return time.perf_counter() - begin

    return alternate(
        setup.turns,
        ours=lambda: timed(setup.binary, "score", "--references", files[0], "--results", files[1]),
        peer=lambda: timed(*python("peer_words.py", "score", *files)))


def main():
    setup = setup_of(__doc__)
    say("tokenizing")
    rows = [("tokenizing 202,654 captions", "tokenizers", tokenizing(setup))]
    say("scoring")
    rows.append(("BLEU, ROUGE-L and CIDEr of 1,000 captions", "pycocoevalcap", scoring(setup)))
    print("## Words\n")
    print(table(["work", "peer", "Sightline", "peer", "ratio"],
                [[work, peer, spread(times["ours"], 2, " s"), spread(times["peer"], 2, " s"),
                  spread(ratios(times["peer"], times["ours"]), 1, "x")]
                 for work, peer, times in rows]))


if __name__ == "__main__":
    main()
