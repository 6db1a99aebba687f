"""Pillow's side of bench/served/pictures.cpp: decodes and resizes the pictures once for each line on stdin.

    .deps/oracle/bin/python bench/peer_pillow.py 224 photo.jpg ...
"""

import json
import sys
import time

from PIL import Image, ImageOps


def run(side, names):
    for name in names:
        image = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        image.resize((side, side), Image.Resampling.BICUBIC)


def main():
    side, names = int(sys.argv[1]), sys.argv[2:]
    run(side, names)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        run(side, names)
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    main()
