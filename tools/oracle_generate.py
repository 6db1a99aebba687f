"""What transformers makes of the decoding rules, for the tests of src/generate.

  rules CASES OUT           [{"config": {...}, "answer": [...], "rows": [[...]], "end": [...]}] in,
                            the rows as transformers leaves them out (null: may not be chosen);
                            "config" holds GenerationConfig's own names, and transformers itself
                            chooses which processors that means and their order
  beams FOLDER CASES OUT    [{"config": {...}, "prompt": [...]}] in; the ids and the
                            sequences_scores of every answer out, the best first
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.generation import GenerationMixin


class Processors(GenerationMixin):
    """Just enough of a model to be asked for its processors."""

    def __init__(self):
        self.config = type("Config", (), {"is_encoder_decoder": False})()


def rules(case):
    config = GenerationConfig(**case["config"])
    config._eos_token_tensor = torch.tensor(case["end"])
    processors = Processors()._get_logits_processor(
        config, input_ids_seq_length=0, device="cpu", logits_processor=[]
    )
    ids = torch.tensor([case["answer"]], dtype=torch.long)
    rows = []
    for row in case["rows"]:
        out = processors(ids, torch.tensor([row], dtype=torch.float32))[0]
        rows.append([None if value == float("-inf") else value for value in out.tolist()])
    return rows


def beams(model, case):
    prompt = torch.tensor([case["prompt"]])
    with torch.no_grad():
        # From embeddings, as a picture's prompt: the rules then hold over the answer alone.
        out = model.generate(
            inputs_embeds=model.get_input_embeddings()(prompt),
            attention_mask=torch.ones_like(prompt),
            return_dict_in_generate=True,
            output_scores=True,
            early_stopping="never",
            **case["config"],
        )
    return [
        {"ids": ids.tolist(), "score": score}
        for ids, score in zip(out.sequences, out.sequences_scores.tolist())
    ]


def main():
    command, *folder, source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        cases = json.load(file)
    if command == "rules":
        results = [rules(case) for case in cases]
    else:
        model = AutoModelForCausalLM.from_pretrained(folder[0]).eval()
        results = [beams(model, case) for case in cases]
    with open(target, "w", encoding="utf-8") as file:
        json.dump(results, file)


main()
