"""A vision and a language model of real shapes with random weights, as Hugging Face folders.

    .deps/oracle/bin/python bench/towers.py FOLDER [--data ../shared/data] [--layers 30] [--model]

writes FOLDER/vision (SigLIP-B/16-224) and FOLDER/language (SmolLM2-135M, with SmolLM's tokenizer):
86 M and 135 M parameters in bf16. Both sides of a comparison load the same two. Time and memory do
not depend on what the weights are, so random ones serve. --layers makes the language model deeper,
for a folder of a given size; --model adds a connector, so that FOLDER is a Sightline model. A folder
that is there already stays as it is.
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, SiglipVisionConfig, SiglipVisionModel

VISION = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
          "intermediate_size": 3072, "image_size": 224, "patch_size": 16, "vision_use_head": False}


def write_vision(folder):
    model = SiglipVisionModel(SiglipVisionConfig(**VISION)).to(torch.bfloat16)
    model.save_pretrained(folder)
    # LLaVA takes the features of the last layer without the last LayerNorm: so does Sightline then.
    config = json.loads((folder / "config.json").read_text())
    config["sightline_last_norm"] = False
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def write_language(folder, data, layers):
    config = json.loads((data / "configs/SmolLM2-135M.config.json").read_text())
    config["num_hidden_layers"] = layers or config["num_hidden_layers"]
    model = LlamaForCausalLM(LlamaConfig(**config)).to(torch.bfloat16)
    model.save_pretrained(folder)
    write_tokenizer(folder, data / "tokenizers/smollm")


def write_tokenizer(folder, source):
    """SmolLM's, without the padding token that its file has beyond the model's vocabulary."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    tokenizer |= {"padding": None, "truncation": None}
    tokenizer["added_tokens"] = [token for token in tokenizer["added_tokens"]
                                 if token["content"] != "[PAD]"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def write_connector(folder):
    """LLaVA's two matrices, and the file that makes a Sightline model of the parts."""
    sizes = {"linear_1": (576, VISION["hidden_size"]), "linear_2": (576, 576)}
    weights = {}
    for name, shape in sizes.items():
        weights[f"{name}.weight"] = torch.randn(shape).bfloat16() / 32
        weights[f"{name}.bias"] = torch.zeros(shape[0], dtype=torch.bfloat16)
    (folder / "connector").mkdir()
    save_file(weights, folder / "connector/model.safetensors")
    (folder / "sightline.json").write_text(json.dumps({
        "format_version": 1, "mask": "image", "template": "plain", "rows_per_image": 196,
        "connector": {"kind": "mlp", "factor": 1}}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default="../shared/data")
    parser.add_argument("--layers", type=int, default=0, help="of the language model; 0: its own")
    parser.add_argument("--model", action="store_true", help="a whole Sightline model")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if not (arguments.folder / "language/tokenizer.json").exists():
        write_vision(arguments.folder / "vision")
        write_language(arguments.folder / "language", arguments.data, arguments.layers)
        if arguments.model:
            write_connector(arguments.folder)


if __name__ == "__main__":
    main()
