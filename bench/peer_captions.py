"""transformers' side of bench/decode.py: its LLaVA class captions pictures with generate().

    .deps/oracle/bin/python bench/peer_captions.py --towers FOLDER --tokens 24 --batch 1 \
        [--numbers fp32] IMAGE ...

Prints a line of JSON when ready, after a first batch; then, for each line on stdin, captions all pictures
once, from files to words, --batch at a time, greedily and with exactly --tokens tokens, and prints its
seconds.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy
import torch
from PIL import Image
from tokenizers import Tokenizer

from peer_llava import IMAGE_TOKEN, NUMBERS, build


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--towers", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--numbers", choices=NUMBERS, default="bf16")
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()
    arguments.shuffle_factor, arguments.train, arguments.compile = 1, "all", False
    model = build(arguments).eval()
    tokenizer = Tokenizer.from_file(str(arguments.towers / "language/tokenizer.json"))
    prompt = [0] + [IMAGE_TOKEN] * 196 + tokenizer.encode("\n").ids

    def pixels(name):
        image = Image.open(name).convert("RGB").resize((224, 224), Image.BICUBIC)
        return torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float() / 127.5 - 1

    def caption(names):
        ids = torch.tensor([prompt] * len(names))
        with torch.inference_mode():
            answers = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids),
                pixel_values=torch.stack([pixels(name) for name in names]).to(
                    NUMBERS[arguments.numbers]),
                do_sample=False, min_new_tokens=arguments.tokens,
                max_new_tokens=arguments.tokens, pad_token_id=0)
        assert answers.shape[1] == len(prompt) + arguments.tokens
        for answer in answers:
            tokenizer.decode(answer[len(prompt):].tolist())

    def run(count):
        begin = time.perf_counter()
        for first in range(0, count, arguments.batch):
            caption(arguments.images[first:first + arguments.batch])
        return {"seconds": time.perf_counter() - begin}

    run(1)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(len(arguments.images))), flush=True)


main()
