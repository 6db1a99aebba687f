"""transformers' side of bench/start.py: loads the two towers of a folder in bf16, and ends.

    .deps/oracle/bin/python bench/peer_ready.py FOLDER
"""

import pathlib
import sys

import torch
from transformers import LlamaForCausalLM, SiglipVisionModel

folder = pathlib.Path(sys.argv[1])
SiglipVisionModel.from_pretrained(folder / "vision", dtype=torch.bfloat16)
LlamaForCausalLM.from_pretrained(folder / "language", dtype=torch.bfloat16)
