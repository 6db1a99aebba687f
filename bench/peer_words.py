"""The peers of bench/words.py.

    peer_words.py tokenize tokenizer.json lines.txt   encodes the lines once for each line on stdin
    peer_words.py score references.json results.json  BLEU, ROUGE-L and CIDEr by pycocoevalcap
"""

import json
import pathlib
import sys
import time


def tokenize(tokenizer_file, lines_file):
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(tokenizer_file)
    lines = pathlib.Path(lines_file).read_text().splitlines()

    def run():
        for line in lines:
            tokenizer.encode(line)

    run()
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        run()
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


def score(references_file, results_file):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
    references = json.loads(pathlib.Path(references_file).read_text())
    results = json.loads(pathlib.Path(results_file).read_text())
    gold = {str(key): [{"caption": caption} for caption in captions]
            for key, captions in references.items()}
    said = {str(row["image_id"]): [{"caption": row["caption"]}] for row in results}
    tokenizer = PTBTokenizer()
    gold, said = tokenizer.tokenize(gold), tokenizer.tokenize(said)
    scores = {scorer.__class__.__name__: scorer.compute_score(gold, said)[0]
              for scorer in (Bleu(4), Rouge(), Cider())}
    print(scores)


if __name__ == "__main__":
    {"tokenize": tokenize, "score": score}[sys.argv[1]](*sys.argv[2:])
