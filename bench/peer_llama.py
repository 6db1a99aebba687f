"""llama.cpp's side of bench/decode.py: its library of pictures (mtmd) captions with a Q8_0 model.

    PYTHONPATH=.deps/llama .deps/oracle/bin/python bench/peer_llama.py --towers FOLDER --tokens 24 \
        [--matrices q8_0|f16] IMAGE ...

FOLDER holds what bench/gguf_towers.py writes; --matrices are the vision model's, the language model's are
Q8_0. Prints a line of JSON when ready, after a first picture; then, for each line on stdin, captions all
pictures once, one after the other, from files to words, greedily and with exactly --tokens tokens, and
prints its seconds.
"""

import argparse
import ctypes
import json
import os
import pathlib
import sys
import time

import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

ROWS = 512  # of the context and of a batch: a caption's are fewer


class Captioner:
    def __init__(self, towers, matrices):
        threads = os.cpu_count()
        llama.llama_backend_init()
        self.model = llama.llama_model_load_from_file(
            str(towers / "language-q8_0.gguf").encode(), llama.llama_model_default_params())
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = ROWS
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = llama.llama_init_from_model(self.model, parameters)
        pictures = mtmd.mtmd_context_params_default()
        pictures.use_gpu, pictures.print_timings, pictures.n_threads = False, False, threads
        self.pictures = mtmd.mtmd_init_from_file(str(towers / f"vision-{matrices}.gguf").encode(),
                                                 self.model, pictures)
        self.greedy = llama.llama_sampler_init_greedy()
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        assert self.model and self.context and self.pictures

    def prompt(self, image):
        """Pictures, then a line break; returns the number of rows."""
        bitmap = mtmd.mtmd_helper_bitmap_init_from_file(self.pictures, str(image).encode(), False)
        chunks = mtmd.mtmd_input_chunks_init()
        words = mtmd.mtmd_default_marker() + b"\n"
        text = mtmd.mtmd_input_text(words, len(words), True, True)
        bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
        assert mtmd.mtmd_tokenize(self.pictures, chunks, ctypes.byref(text), bitmaps, 1) == 0
        rows = ctypes.c_int32(0)
        assert mtmd.mtmd_helper_eval_chunks(self.pictures, self.context, chunks, 0, 0, ROWS, True,
                                            ctypes.byref(rows)) == 0
        mtmd.mtmd_input_chunks_free(chunks)
        mtmd.mtmd_bitmap_free(bitmap)
        return rows.value

    def caption(self, image, tokens):
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        assert self.prompt(image) == 198  # the first token, the picture's rows and the line break
        answer = []
        while True:
            answer.append(llama.llama_sampler_sample(self.greedy, self.context, -1))
            if len(answer) == tokens:
                return answer
            next_one = (llama.llama_token * 1)(answer[-1])
            assert llama.llama_decode(self.context, llama.llama_batch_get_one(next_one, 1)) == 0

    def words(self, tokens):
        text = b""
        for token in tokens:
            piece = ctypes.create_string_buffer(64)
            count = llama.llama_token_to_piece(self.vocabulary, token, piece, len(piece), 0, True)
            text += piece.raw[:max(0, count)]
        return text.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towers", type=pathlib.Path, required=True)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--matrices", choices=["q8_0", "f16"], default="q8_0")
    parser.add_argument("images", nargs="+")
    arguments = parser.parse_args()
    captioner = Captioner(arguments.towers, arguments.matrices)

    def run(images):
        begin = time.perf_counter()
        for image in images:
            words = captioner.words(captioner.caption(image, arguments.tokens))
        return {"seconds": time.perf_counter() - begin, "words": words}

    run(arguments.images[:1])
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(arguments.images)), flush=True)


if __name__ == "__main__":
    main()
