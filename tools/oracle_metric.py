"""pycocoevalcap's answers for the tests of src/metric.

  tokenize LINES OUT   one caption a line in, its tokens a line out
  score CASES OUT      [{"hypothesis": "...", "references": [...]}], tokenized already, in;
                       {"corpus": {...}, "cases": [{...}]} out; "CIDEr_wide" is coco-caption's
                       CIDEr without its length penalty (sigma = 1e9)
  pipeline CASES OUT   the same from raw captions, with the seconds it took
"""

import json
import sys
import time

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.cider.cider_scorer import CiderScorer
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer


def tokenize(captions):
    rows = {0: [{"caption": caption} for caption in captions]}
    return PTBTokenizer().tokenize(rows)[0]


def wide_cider(references, hypotheses):
    scorer = CiderScorer(n=4, sigma=1e9)
    for key in references:
        scorer += (hypotheses[key][0], references[key])
    return scorer.compute_score()


def score(cases):
    references = {i: case["references"] for i, case in enumerate(cases)}
    hypotheses = {i: [case["hypothesis"]] for i, case in enumerate(cases)}
    bleu, bleus = Bleu(4).compute_score(references, hypotheses, verbose=0)
    rows = {f"Bleu_{n + 1}": (bleu[n], bleus[n]) for n in range(4)}
    rows["ROUGE_L"] = Rouge().compute_score(references, hypotheses)
    rows["CIDEr"] = Cider().compute_score(references, hypotheses)
    rows["CIDEr_wide"] = wide_cider(references, hypotheses)
    return {
        "corpus": {name: float(corpus) for name, (corpus, _) in rows.items()},
        "cases": [
            {name: float(values[i]) for name, (_, values) in rows.items()}
            for i in range(len(cases))
        ],
    }


def pipeline(cases):
    start = time.perf_counter()
    counts = [len(case["references"]) for case in cases]
    references = tokenize([caption for case in cases for caption in case["references"]])
    hypotheses = tokenize([case["hypothesis"] for case in cases])
    tokenized, at = [], 0
    for hypothesis, count in zip(hypotheses, counts):
        tokenized.append({"hypothesis": hypothesis, "references": references[at : at + count]})
        at += count
    result = score(tokenized)
    result["seconds"] = time.perf_counter() - start
    return result


def main():
    command, source, target = sys.argv[1:]
    with open(source, encoding="utf-8", newline="\n") as file:
        text = file.read()
    with open(target, "w", encoding="utf-8", newline="\n") as file:
        if command == "tokenize":
            file.write("\n".join(tokenize(text.split("\n"))))
        else:
            json.dump({"score": score, "pipeline": pipeline}[command](json.loads(text)), file)


if __name__ == "__main__":
    main()
