"""Holds every #include under src/ to the table of folders in cmake/layers.cmake.

The table itself must be in order (a folder includes only folders above it), cover all of src/, and
equal the table in docs/architecture.md. Prints one line for each fault and exits 1 on any.
--without-torch prints the folders that compile without LibTorch, and checks nothing.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
BANNED = {"torch/torch.h", "torch/script.h", "torch/extension.h", "torch/all.h", "torch/nn.h"}
ENGINE = re.compile(r"^(ATen|c10|torch|caffe2)/")


def read_table():
    """{folder: folders it may include} in the table's order, and the folders that see LibTorch."""
    text = (ROOT / "cmake/layers.cmake").read_text()
    rows = re.search(r"set\(SIGHTLINE_LAYERS(.*?)\n\)", text, re.S).group(1)
    table = {}
    for row in re.findall(r'"([^"]*)"', rows):
        folder, _, below = row.partition(":")
        table[folder] = below.split()
    return table, re.search(r"set\(SIGHTLINE_TORCH_FOLDERS([^)]*)\)", text).group(1).split()


def table_faults(table, torch_folders):
    above = []
    for folder, below in table.items():
        for name in below:
            if name not in above:
                yield f"cmake/layers.cmake: {folder} may include {name}, which does not stand above it"
            elif name in torch_folders and folder not in torch_folders:
                yield f"cmake/layers.cmake: {folder} compiles without LibTorch, {name} does not"
        above.append(folder)
    for folder in torch_folders:
        if folder not in table:
            yield f"cmake/layers.cmake: SIGHTLINE_TORCH_FOLDERS names {folder}, which has no row"
    for path in sorted((ROOT / "src").iterdir()):
        if path.is_dir() and path.name not in table and any(path.iterdir()):
            yield f"src/{path.name}: has no row in cmake/layers.cmake"
        elif path.is_file():
            yield f"src/{path.name}: belongs into a folder of cmake/layers.cmake"


def page_faults(table, page="docs/architecture.md"):
    """The page's rows are | `folder` | what it holds | what it may include |."""
    if not (ROOT / page).exists():
        return
    text = (ROOT / page).read_text()
    block = re.search(r"^\|.*may include.*\n((?:\|.*\n?)*)", text, re.M)
    row = re.compile(r"^\|\s*`(\w+)`\s*\|.*\|([^|]*)\|\s*$", re.M)
    rows = {m[1]: re.findall(r"\w+", m[2]) for m in row.finditer(block[1] if block else "")}
    for folder in table:
        if folder not in rows:
            yield f"{page}: no row for {folder}"
        elif rows[folder] != table[folder]:
            told, held = " ".join(rows[folder]), " ".join(table[folder])
            yield f'{page}: {folder} may include "{told}", cmake/layers.cmake says "{held}"'
    for folder in rows:
        if folder not in table:
            yield f"{page}: {folder} has no row in cmake/layers.cmake"


def include_faults(table, folder, sees_torch):
    below = table[folder]
    for path in sorted((ROOT / "src" / folder).rglob("*")):
        if path.suffix not in {".h", ".cpp", ".cu"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where, quote, name = f"{path.relative_to(ROOT)}:{number}", match[1], match[2]
            top = name.split("/")[0]
            if name in BANNED:
                yield f"{where}: <{name}> is banned (slow to compile): include what is used"
            elif ENGINE.match(name) and not sees_torch:
                yield f"{where}: {folder} compiles without LibTorch, but includes {name}"
            elif (quote == '"' or top in table) and top not in [folder, *below]:
                allowed = ", ".join(below) or "nothing but itself"
                yield f'{where}: {folder} may not include "{name}"; it may include {allowed}'


def main():
    table, torch_folders = read_table()
    if sys.argv[1:] == ["--without-torch"]:
        print(*(folder for folder in table if folder not in torch_folders))
        return 0
    faults = [*table_faults(table, torch_folders), *page_faults(table)]
    for folder in table:
        faults += include_faults(table, folder, folder in torch_folders)
    print(*faults, sep="\n") if faults else print(f"{len(table)} folders: every include is allowed")
    return 1 if faults else 0


sys.exit(main())
