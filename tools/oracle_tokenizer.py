"""What Hugging Face `tokenizers` makes of texts, for tests/text.

encode TOKENIZER.json TEXTS.txt OUT
    Encodes every line (split at "\\n" alone), without post-processor, truncation or padding. OUT
    gets, for each line: int32 count, int32 ids, int32 size, UTF-8 bytes of the decoded ids.
    Prints {"lines": ..., "encode_seconds": ...}; the encoding is timed on one thread.
texts TOKENIZER.json TEXTS.json
    Prints [{"ids": ..., "text": ..., "as_text": ..., "skipped": ...}, ...] for a JSON list of
    strings: the ids, what they decode to, the ids when special tokens are text, and what the first
    ids decode to without special tokens.
train TEXTS.txt VOCAB_SIZE MIN_FREQUENCY OUT.json
    Trains byte-level BPE on the lines, with <|endoftext|> as the one special token.
"""

import json
import os
import struct
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402


def load(path):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8").removesuffix("\n").split("\n")


def encode(tokenizer_path, texts_path, out_path):
    tokenizer = load(tokenizer_path)
    lines = lines_of(texts_path)
    start = time.perf_counter()
    encodings = tokenizer.encode_batch_fast(lines, add_special_tokens=False)
    seconds = time.perf_counter() - start
    ids = [encoding.ids for encoding in encodings]
    decoded = tokenizer.decode_batch(ids, skip_special_tokens=False)
    with open(out_path, "wb") as out:
        for line_ids, text in zip(ids, decoded):
            data = text.encode("utf-8")
            out.write(struct.pack(f"<i{len(line_ids)}ii", len(line_ids), *line_ids, len(data)))
            out.write(data)
    print(json.dumps({"lines": len(lines), "encode_seconds": seconds}))


def texts(tokenizer_path, texts_path):
    tokenizer = load(tokenizer_path)
    with open(texts_path, encoding="utf-8") as file:
        strings = json.load(file)
    rows = []
    for string in strings:
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(string, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = True
        as_text = tokenizer.encode(string, add_special_tokens=False).ids
        rows.append({
            "ids": ids,
            "text": tokenizer.decode(ids, skip_special_tokens=False),
            "as_text": as_text,
            "skipped": tokenizer.decode(ids, skip_special_tokens=True),
        })
    print(json.dumps(rows))


def train(texts_path, vocab_size, min_frequency, out_path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=int(vocab_size), min_frequency=int(min_frequency), show_progress=False,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    start = time.perf_counter()
    tokenizer.train_from_iterator(lines_of(texts_path), trainer)
    tokenizer.save(out_path)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    {"encode": encode, "texts": texts, "train": train}[sys.argv[1]](*sys.argv[2:])
