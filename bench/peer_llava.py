"""The peer in training: transformers' LLaVA class in a plain loop, a step at a time on request.

    .deps/oracle/bin/python bench/peer_llava.py --towers FOLDER --data LINES.jsonl --images FOLDER \
        --train all|connector [--batch 8] [--masters] [--shuffle-factor 2] [--compile] [--numbers fp32]

What a user writes: Pillow and a tokenizer in a DataLoader with one worker, the loss that the class
computes itself, fused AdamW. Every caption of a line is a sample of its own, in a random order.
By default AdamW keeps its moments in the weights' numbers (bf16); with --masters both are fp32, as
Sightline keeps them. --shuffle-factor 2 takes the Idefics3 class in place of LLaVA's: nanoVLM's
shapes, 2 x 2 patches side by side a row.

Prints a line of JSON when ready; then, for each line on stdin, makes one step and prints one.
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
from torch.utils.data import DataLoader
from transformers import (Idefics3Config, Idefics3ForConditionalGeneration, LlamaForCausalLM,
                          LlavaConfig, LlavaForConditionalGeneration, SiglipVisionModel)

IMAGE_TOKEN = 49151  # the vocabulary's last: no caption of ours has it
NUMBERS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def status(name):
    """MiB of this process: VmRSS, now; VmHWM, at most until now."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


class Captions(torch.utils.data.Dataset):
    def __init__(self, arguments):
        self.images = arguments.images
        self.rows = 196 // arguments.shuffle_factor ** 2
        self.tokenizer = Tokenizer.from_file(str(arguments.towers / "language/tokenizer.json"))
        lines = [json.loads(line) for line in arguments.data.read_text().splitlines()]
        self.samples = [(line["image"], caption) for line in lines for caption in line["captions"]]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        name, caption = self.samples[index]
        image = Image.open(self.images / name).convert("RGB").resize((224, 224), Image.BICUBIC)
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1)
        begin, end = self.tokenizer.encode("\n").ids, [0]
        answer = self.tokenizer.encode(caption).ids + end
        ids = end + [IMAGE_TOKEN] * self.rows + begin + answer
        return pixels.float() / 127.5 - 1, ids, [-100] * (len(ids) - len(answer)) + answer


def collate(samples):
    longest = max(len(ids) for _, ids, _ in samples)

    def padded(lists, filler):
        return torch.tensor([list_ + [filler] * (longest - len(list_)) for list_ in lists])

    pixels, ids, labels = zip(*samples)
    return {"pixel_values": torch.stack(pixels),
            "input_ids": padded(ids, 0),
            "attention_mask": padded([[1] * len(list_) for list_ in ids], 0),
            "labels": padded(labels, -100)}


def llava(vision, language, dtype):
    config = LlavaConfig(vision_config=vision.config, text_config=language.config,
                         image_token_index=IMAGE_TOKEN, vision_feature_layer=-1,
                         vision_feature_select_strategy="full", tie_word_embeddings=True)
    model = LlavaForConditionalGeneration(config).to(dtype)
    model.model.vision_tower.load_state_dict(vision.state_dict())
    model.model.language_model.load_state_dict(language.model.state_dict())
    return model, model.model.multi_modal_projector


def idefics3(vision, language, factor, dtype):
    text = language.config.to_dict() | {"pad_token_id": 0}
    config = Idefics3Config(vision_config=vision.config.to_dict(), text_config=text,
                            image_token_id=IMAGE_TOKEN, scale_factor=factor,
                            tie_word_embeddings=True)
    model = Idefics3ForConditionalGeneration(config).to(dtype)
    model.model.text_model.load_state_dict(language.model.state_dict())
    return model, model.model.connector


def build(arguments):
    dtype = NUMBERS[arguments.numbers]
    vision = SiglipVisionModel.from_pretrained(arguments.towers / "vision", dtype=dtype)
    language = LlamaForCausalLM.from_pretrained(arguments.towers / "language", dtype=dtype)
    if arguments.shuffle_factor > 1:
        model, connector = idefics3(vision, language, arguments.shuffle_factor, dtype)
    else:
        model, connector = llava(vision, language, dtype)
    model.train()
    if arguments.train == "connector":
        model.requires_grad_(False)
        connector.requires_grad_(True)
    return torch.compile(model) if arguments.compile else model


class Update:
    """AdamW on the weights themselves, or on fp32 masters of them."""

    def __init__(self, model, masters):
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.held = ([weight.detach().float().requires_grad_(True) for weight in self.weights]
                     if masters else self.weights)
        self.adamw = torch.optim.AdamW(self.held, lr=1e-5, fused=True)

    def step(self):
        if self.held is not self.weights:
            for held, weight in zip(self.held, self.weights):
                held.grad = None if weight.grad is None else weight.grad.float()
                weight.grad = None
        torch.nn.utils.clip_grad_norm_(self.held, 1.0)
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)
        if self.held is not self.weights:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, self.held)


def endless(loader):
    while True:
        yield from loader


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--towers", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--train", choices=["all", "connector"], required=True)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--masters", action="store_true")
    parser.add_argument("--shuffle-factor", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--numbers", choices=NUMBERS, default="bf16")
    arguments = parser.parse_args()
    idle = status("VmRSS")
    torch.manual_seed(0)
    loader = DataLoader(Captions(arguments), arguments.batch, shuffle=True, drop_last=True,
                        collate_fn=collate, num_workers=1)
    batches = endless(loader)
    model = build(arguments)
    update = Update(model, arguments.masters)
    next(batches)  # starts the worker
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - begin
        if arguments.shuffle_factor > 1:  # Idefics3 takes several pictures a sample
            batch["pixel_values"] = batch["pixel_values"].unsqueeze(1)
        batch["pixel_values"] = batch["pixel_values"].to(NUMBERS[arguments.numbers])
        loss = model(**batch).loss
        loss.backward()
        computed = time.perf_counter()
        update.step()
        end = time.perf_counter()
        print(json.dumps({"seconds": end - begin, "waited": waited, "update": end - computed,
                          "loss": loss.item(), "samples": arguments.batch,
                          "rows": batch["input_ids"].numel(),
                          "peak_mib": status("VmHWM") - idle}), flush=True)


if __name__ == "__main__":
    main()
