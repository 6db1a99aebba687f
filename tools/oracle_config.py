"""FOLDER/NAME.json, each a config -> what transformers' AutoConfig makes of them (seen.json, by name),
and the same configurations as transformers saves them (FOLDER/NAME)."""

import json
import pathlib
import sys

from transformers import AutoConfig

folder = pathlib.Path(sys.argv[1])
seen = {}
for path in sorted(folder.glob("*.json")):
    kind = path.stem
    config = AutoConfig.from_pretrained(path)
    values = config.to_dict()
    # transformers 5 keeps rope_theta among rope_parameters.
    values.update({"rope_theta": (values.get("rope_parameters") or values).get("rope_theta")})
    seen[kind] = {"class": type(config).__name__, "values": values}
    config.save_pretrained(folder / kind)
(folder / "seen.json").write_text(json.dumps(seen))
