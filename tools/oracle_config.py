"""FOLDER/vit.json and llama.json -> what transformers' AutoConfig makes of them (seen.json), and the
same configurations as transformers saves them (FOLDER/vit, FOLDER/llama)."""

import json
import pathlib
import sys

from transformers import AutoConfig

folder = pathlib.Path(sys.argv[1])
seen = {}
for kind in ("vit", "llama"):
    config = AutoConfig.from_pretrained(folder / f"{kind}.json")
    values = config.to_dict()
    # transformers 5 keeps rope_theta among rope_parameters.
    values.update({"rope_theta": (values.get("rope_parameters") or values).get("rope_theta")})
    seen[kind] = {"class": type(config).__name__, "values": values}
    config.save_pretrained(folder / kind)
(folder / "seen.json").write_text(json.dumps(seen))
