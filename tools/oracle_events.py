"""FOLDER with event files -> FOLDER/seen.json: {tag: [[step, value], ...]}, as TensorBoard's own
reader shows them."""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

folder = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()
seen = {tag: [[event.step, event.value] for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]}
# Later versions keep scalars as tensors of one number.
for tag in events.Tags()["tensors"]:
    seen[tag] = [[event.step, float(tensor_util.make_ndarray(event.tensor_proto))]
                 for event in events.Tensors(tag)]
(folder / "seen.json").write_text(json.dumps(seen))
