"""A whole model in transformers, for the tests of src/bundle: SigLIP, one of the projectors, Qwen2.

  oracle_whole.py FOLDER IMAGE

FOLDER holds vision/ and language/ (as Sightline wrote them), connector.json, connector.safetensors and
input.safetensors (tokens: -1 where the image's rows stand; allowed: which row may see which). Writes
vision/preprocessor_config.json and output.safetensors: pixels, features, the same without the last norm
(what LLaVA takes as layer -1), rows, logits.
"""
import json
import pathlib
import sys

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (Gemma3Config, LlavaConfig, PaliGemmaConfig, Qwen2ForCausalLM,
                          SiglipImageProcessor, SiglipVisionModel)
from transformers.models.gemma3.modeling_gemma3 import Gemma3MultiModalProjector
from transformers.models.llava.modeling_llava import LlavaMultiModalProjector
from transformers.models.paligemma.modeling_paligemma import PaliGemmaMultiModalProjector

torch.set_grad_enabled(False)
folder = pathlib.Path(sys.argv[1])
vision = SiglipVisionModel.from_pretrained(folder / "vision").eval()
language = Qwen2ForCausalLM.from_pretrained(folder / "language", attn_implementation="eager").eval()
connector = json.loads((folder / "connector.json").read_text())
given = load_file(folder / "input.safetensors")


def projector():
    side = vision.config.image_size // vision.config.patch_size
    if connector["kind"] == "linear":
        size = language.config.hidden_size
        return PaliGemmaMultiModalProjector(PaliGemmaConfig(
            vision_config=vision.config, projection_dim=size,
            text_config={"model_type": "gemma", "hidden_size": size}))
    if connector["kind"] == "pool":
        tokens = (side // connector["factor"]) ** 2
        text = {"model_type": "gemma3_text", "hidden_size": language.config.hidden_size}
        return Gemma3MultiModalProjector(Gemma3Config(
            vision_config=vision.config, text_config=text, mm_tokens_per_image=tokens))
    return LlavaMultiModalProjector(LlavaConfig(
        vision_config=vision.config, text_config=language.config, projector_hidden_act="gelu"))


size = vision.config.image_size
processor = SiglipImageProcessor(size={"height": size, "width": size})
processor.save_pretrained(folder / "vision")
pixels = processor(Image.open(sys.argv[2]).convert("RGB"), return_tensors="pt")["pixel_values"]
seen = vision(pixels, output_hidden_states=True)
features = seen.last_hidden_state
module = projector().eval()
module.load_state_dict(load_file(folder / "connector.safetensors"))
rows = module(features)
tokens = given["tokens"].long()
embedded = language.get_input_embeddings()(tokens.clamp(min=0))
embedded[tokens < 0] = rows[0]
mask = torch.zeros(given["allowed"].shape).masked_fill(given["allowed"] == 0, float("-inf"))
logits = language(inputs_embeds=embedded[None], attention_mask=mask[None, None],
                  position_ids=given["positions"].long()[None]).logits
result = {"pixels": pixels, "features": features, "unnormed": seen.hidden_states[-1], "rows": rows,
          "logits": logits[0]}
save_file({name: value.float().contiguous() for name, value in result.items()},
          folder / "output.safetensors")
