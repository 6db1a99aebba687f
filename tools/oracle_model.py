"""What transformers computes with a model folder, for the tests of src/bundle.

  oracle_model.py vit   FOLDER PIXELS.safetensors OUT.safetensors   last hidden state
  oracle_model.py llama FOLDER TOKENS.safetensors OUT.safetensors   logits
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, LlamaForCausalLM, ViTModel

kind, folder, given, out = sys.argv[1:5]
torch.set_grad_enabled(False)
if kind == "vit":
    config = AutoConfig.from_pretrained(folder)
    model = ViTModel.from_pretrained(folder, config=config, add_pooling_layer=False).eval()
    result = model(load_file(given)["pixels"]).last_hidden_state
else:
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    result = model(load_file(given)["tokens"].long()).logits
save_file({"result": result.float().contiguous()}, out)
