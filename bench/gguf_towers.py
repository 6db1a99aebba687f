"""The models of bench/towers.py in llama.cpp's format: the same weights and words.

    PYTHONPATH=.deps/llama .deps/oracle/bin/python bench/gguf_towers.py FOLDER [--matrices q8_0|f16]

writes FOLDER/language-q8_0.gguf and FOLDER/vision-q8_0.gguf (or -f16) beside FOLDER's parts: --matrices
are the vision model's, the language model's are Q8_0. The vision file is of Janus-Pro's kind, which is what we measure: SigLIP without its last norm, two matrices with GELU
between, a row a patch. With -f16 its captions are ours, token by token, where our mask is `causal` as its is.
A file that is there already stays as it is.
"""

import argparse
import json
import pathlib

import gguf
from gguf.quants import quantize
from safetensors import safe_open

KINDS = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "f16": gguf.GGMLQuantizationType.F16}


class Weights:
    """Of a folder's model.safetensors, in fp32."""

    def __init__(self, folder):
        self.file = safe_open(folder / "model.safetensors", "pt")

    def __call__(self, name):
        return self.file.get_tensor(name).float().numpy()


def add(writer, name, values, kind):
    """Matrices as `kind`, vectors in fp32."""
    if values.ndim == 1:
        writer.add_tensor(name, values)
    else:
        writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# --- the language model ---

def interleaved(rows, heads):
    """llama.cpp turns pairs of neighbours, Hugging Face a head's halves."""
    out, width = rows.shape
    return rows.reshape(heads, 2, out // heads // 2, width).swapaxes(1, 2).reshape(out, width)


def add_words(writer, folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    words = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    merges = [merge if isinstance(merge, str) else " ".join(merge)
              for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.CONTROL if word in special else gguf.TokenType.NORMAL
                            for word in words])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(True)


def write_language(folder, file, kind):
    config = json.loads((folder / "config.json").read_text())
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(groups)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_vocab_size(config["vocab_size"])
    add_words(writer, folder)
    weights = Weights(folder)
    add(writer, "token_embd.weight", weights("model.embed_tokens.weight"), kind)
    add(writer, "output_norm.weight", weights("model.norm.weight"), kind)
    for i in range(config["num_hidden_layers"]):
        ours, theirs = f"model.layers.{i}.", f"blk.{i}."
        for name, part in (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"),
                           ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
                           ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"),
                           ("ffn_down", "mlp.down_proj")):
            add(writer, f"{theirs}{name}.weight", weights(f"{ours}{part}.weight"), kind)
        for name, part, count in (("attn_q", "q_proj", heads), ("attn_k", "k_proj", groups)):
            rows = weights(f"{ours}self_attn.{part}.weight")
            add(writer, f"{theirs}{name}.weight", interleaved(rows, count), kind)
    write(writer)


# --- the vision model and the connector ---

def write_vision(folder, connector, file, kind):
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(file, "clip")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("janus_pro")
    writer.add_vision_projection_dim(576)
    writer.add_vision_image_size(config["image_size"])
    writer.add_vision_patch_size(config["patch_size"])
    writer.add_vision_embedding_length(config["hidden_size"])
    writer.add_vision_feed_forward_length(config["intermediate_size"])
    writer.add_vision_block_count(config["num_hidden_layers"])
    writer.add_vision_head_count(config["num_attention_heads"])
    writer.add_vision_attention_layernorm_eps(config["layer_norm_eps"])
    writer.add_vision_image_mean([0.5] * 3)
    writer.add_vision_image_std([0.5] * 3)
    writer.add_vision_use_gelu(True)
    weights = Weights(folder)
    root = "vision_model." if "vision_model.embeddings.patch_embedding.bias" in weights.file.keys() \
        else ""
    # The convolution's kernel and the positions, as llama.cpp's converter leaves them.
    writer.add_tensor("v.patch_embd.weight",
                      weights(f"{root}embeddings.patch_embedding.weight").astype("float16"))
    writer.add_tensor("v.patch_embd.bias", weights(f"{root}embeddings.patch_embedding.bias"))
    writer.add_tensor("v.position_embd.weight",
                      weights(f"{root}embeddings.position_embedding.weight"))
    parts = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
             "attn_out": "self_attn.out_proj", "ln1": "layer_norm1", "ln2": "layer_norm2",
             "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2"}
    for i in range(config["num_hidden_layers"]):
        for name, part in parts.items():
            for what in ("weight", "bias"):
                add(writer, f"v.blk.{i}.{name}.{what}",
                    weights(f"{root}encoder.layers.{i}.{part}.{what}"), kind)
    of_connector = Weights(connector)
    for i in range(2):
        for what in ("weight", "bias"):
            add(writer, f"mm.{i}.{what}", of_connector(f"linear_{i + 1}.{what}"), kind)
    write(writer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--matrices", choices=KINDS, default="q8_0")
    arguments = parser.parse_args()
    folder, kind = arguments.folder, KINDS[arguments.matrices]
    language, vision = folder / "language-q8_0.gguf", folder / f"vision-{arguments.matrices}.gguf"
    if not language.exists():
        write_language(folder / "language", language, KINDS["q8_0"])
    if not vision.exists():
        write_vision(folder / "vision", folder / "connector", vision, kind)


if __name__ == "__main__":
    main()
