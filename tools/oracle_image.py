"""Pillow and transformers as oracles of src/image.

Usage: oracle_image.py JOBS.json. JOBS is a list of objects, each with an "op"; pixels travel as raw
8-bit RGB files. Prints a list of answers of the same length.

  decode   file -> out                    {"width", "height"} of exif_transpose + convert("RGB"); of
                                          16-bit grey the high byte, where Pillow would clip
  resize   raw, width, height, to, filter -> out
  process  raw, width, height, processor, config -> out (float32, CHW)
  samples  folder                         {"files"}: JPEGs and PNGs of every kind that Pillow writes
  random   folder, count, seed            {"files"}: pictures of every format, kind and size
  enhance  raw, width, height, brightness, contrast, saturation -> out
  bench    files, to                      {"milliseconds"} an image: decode, and decode + resize
"""

import json
import os
import struct
import sys
import time
import zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def read_raw(job):
    with open(job["raw"], "rb") as file:
        return Image.frombytes("RGB", (job["width"], job["height"]), file.read())


def write_bytes(path, data):
    with open(path, "wb") as file:
        file.write(data)


def open_rgb(path):
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
        return image.convert("RGB")


def decode(job):
    image = open_rgb(job["file"])
    write_bytes(job["out"], image.tobytes())
    return {"width": image.width, "height": image.height}


def resize(job):
    image = read_raw(job).resize(tuple(job["to"]), FILTERS[job["filter"]])
    write_bytes(job["out"], image.tobytes())
    return {"width": image.width, "height": image.height}


def enhance(job):
    image = read_raw(job)
    image = ImageEnhance.Brightness(image).enhance(job["brightness"])
    image = ImageEnhance.Contrast(image).enhance(job["contrast"])
    image = ImageEnhance.Color(image).enhance(job["saturation"])
    write_bytes(job["out"], image.tobytes())
    return {"width": image.width, "height": image.height}


def process(job):
    import transformers

    processor = getattr(transformers, job["processor"])(**job["config"])
    pixels = processor(images=[read_raw(job)], return_tensors="np")["pixel_values"][0]
    write_bytes(job["out"], np.ascontiguousarray(pixels, dtype="<f4").tobytes())
    return {"width": pixels.shape[2], "height": pixels.shape[1]}


def photograph(width, height):
    """Smooth shades with some noise: neither flat nor random for a JPEG encoder."""
    rng = np.random.default_rng(width * 1000 + height)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    bands = [np.sin(x / 17 + k) * 60 + np.cos(y / 11 - k) * 50 + 128 for k in range(3)]
    noisy = np.stack(bands, axis=2) + rng.normal(0, 8, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def png_16_bit_rgb(path, width, height, seed=5):
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    values = np.random.default_rng(seed).integers(0, 65536, (height, width, 3)).astype(">u2")
    rows = b"".join(b"\0" + values[y].tobytes() for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    write_bytes(path, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def samples(job):
    folder = job["folder"]
    picture = photograph(131, 77)
    files = []

    def save(image, name, **options):
        path = os.path.join(folder, name)
        image.save(path, **options)
        files.append(path)

    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        for progressive in (False, True):
            kind = "progressive" if progressive else "plain"
            name = f"{subsampling.replace(':', '')}_{kind}.jpg"
            save(picture, name, quality=88, subsampling=subsampling, progressive=progressive)
    save(picture, "restarts.jpg", restart_marker_blocks=4)
    save(picture.convert("L"), "grey.jpg", quality=90)
    save(picture.convert("CMYK"), "cmyk.jpg", quality=95)
    save(photograph(1, 1), "one.jpg")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        save(picture.convert(mode), f"mode_{mode}.png")
    alpha = picture.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(picture.size))
    save(alpha, "alpha.png")
    for colours in (2, 4, 16, 200):
        save(picture.quantize(colours), f"palette{colours}.png")
    save(picture.quantize(16), "palette_see_through.png", transparency=3)
    save(picture, "colour_key.png", transparency=(1, 2, 3))
    for bits in (2, 4):
        levels = np.arange(1 << bits, dtype=np.uint8) * (255 // ((1 << bits) - 1))
        grey = Image.fromarray(levels[None].repeat(3, 0))
        save(grey, f"grey_levels{bits}.png")
    png_16_bit_rgb(os.path.join(folder, "rgb16.png"), 19, 11)
    files.append(os.path.join(folder, "rgb16.png"))

    save(picture, "plain.webp", quality=80)
    save(picture, "lossless.webp", lossless=True)
    save(alpha, "alpha.webp", quality=80)
    save(alpha, "alpha_lossless.webp", lossless=True)

    for orientation in range(0, 10):
        for endian in ("<", ">"):
            exif = Image.Exif()
            exif.endian = endian
            exif[0x010F] = "maker"
            exif[0x0112] = orientation
            order = "little" if endian == "<" else "big"
            save(picture, f"exif{orientation}_{order}.jpg", exif=exif)
            save(picture, f"exif{orientation}_{order}.png", exif=exif)
            save(picture, f"exif{orientation}_{order}.webp", exif=exif)
        for form in ('<x tiff:Orientation="%d"/>', "<tiff:Orientation>%d</tiff:Orientation>"):
            packet = (form % orientation).encode()
            save(picture, f"xmp{orientation}_{len(packet)}.jpg", xmp=packet)
            save(picture, f"xmp{orientation}_{len(packet)}.webp", xmp=packet)
    return {"files": files}


# Of each kind: the file's ending, the mode that Pillow saves, and with what options.
KINDS = [
    ("png", "1", {}), ("png", "L", {}), ("png", "L", {"bits": 2}), ("png", "L", {"bits": 4}),
    ("png", "I;16", {}), ("png", "P", {}), ("png", "P", {"transparency": 3}), ("png", "LA", {}),
    ("png", "RGB", {}), ("png", "RGBA", {}), ("png", "RGB16", {}),
    ("jpg", "L", {"quality": 80}), ("jpg", "RGB", {"quality": 90}),
    ("jpg", "RGB", {"quality": 75, "progressive": True}), ("jpg", "CMYK", {"quality": 90}),
    ("webp", "RGB", {"quality": 80}), ("webp", "RGB", {"lossless": True}),
    ("webp", "RGBA", {"quality": 70}), ("webp", "RGBA", {"lossless": True, "exact": True}),
]


def random_size(rng):
    """Mostly small, now and then a line: 1 x 1 up to 10,000 x 3."""
    if rng.random() < 0.1:
        long_side, short_side = int(rng.integers(200, 10001)), int(rng.integers(1, 4))
        return (long_side, short_side) if rng.random() < 0.5 else (short_side, long_side)
    top = int(rng.choice([4, 40, 300]))
    return int(rng.integers(1, top + 1)), int(rng.integers(1, top + 1))


def random_picture(rng, mode, width, height):
    noise = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (height, width), dtype=np.uint16))
    if rng.random() < 0.5:  # smooth, so that a lossy file is near its picture
        noise = np.asarray(photograph(width, height).convert("RGBA")).copy()
        noise[..., 3] = rng.integers(0, 256, (height, width), dtype=np.uint8)
    return Image.fromarray(noise, "RGBA").convert(mode)


def random(job):
    rng = np.random.default_rng(job["seed"])
    files = []
    for number in range(job["count"]):
        ending, mode, options = KINDS[number % len(KINDS)]
        options = dict(options)
        width, height = random_size(rng)
        path = os.path.join(job["folder"], f"random_{number}_{mode.replace(';', '')}.{ending}")
        if mode == "RGB16":
            png_16_bit_rgb(path, width, height, number)
        else:
            picture = random_picture(rng, mode, width, height)
            if "bits" in options:
                picture = picture.quantize(1 << options.pop("bits"))
                levels = np.asarray(picture)
                picture = Image.fromarray(levels * (255 // max(1, int(levels.max()))))
            if ending != "jpg" and number % 3 == 0:
                exif = Image.Exif()
                exif[0x0112] = int(rng.integers(1, 9))
                options["exif"] = exif
            picture.save(path, **options)
        files.append(path)
    return {"files": files}


def bench(job):
    def milliseconds(step):
        times = []
        for _ in range(job.get("rounds", 3)):
            start = time.perf_counter()
            for path in job["files"]:
                step(path)
            times.append((time.perf_counter() - start) * 1e3 / len(job["files"]))
        return min(times)

    size = tuple(job["to"])
    return {"decode": milliseconds(open_rgb),
            "decode_resize": milliseconds(
                lambda path: open_rgb(path).resize(size, Image.Resampling.BICUBIC).tobytes())}


OPERATIONS = {"decode": decode, "resize": resize, "process": process, "samples": samples,
              "random": random, "enhance": enhance, "bench": bench}


def main():
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    print(json.dumps([OPERATIONS[job["op"]](job) for job in jobs]))


if __name__ == "__main__":
    main()
