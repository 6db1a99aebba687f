# The table of folders, lowest first: "folder: what it may include". docs/architecture.md tells what
# each holds; tools/check_layers.py holds every #include under src to this same table.
set(SIGHTLINE_LAYERS
  "base:"
  "recipe: base"
  "text: base"
  "image: base"
  "metric: base"
  "report: base"
  "kernels: base"
  "batch: base recipe"
  "sample: base recipe text image batch"
  "data: base recipe text image batch sample"
  "tensor: base kernels batch"
  "model: base recipe kernels batch tensor"
  "bundle: base recipe text image batch sample tensor model"
  "features: base recipe image batch sample data tensor model bundle"
  "dist: base"
  "cuda: base kernels dist"
  "train: base recipe kernels batch sample data tensor model bundle features dist"
  "plan: base recipe text image batch sample data tensor model bundle features train"
  "generate: base recipe text kernels batch sample tensor model bundle"
  "evaluate: base recipe text image metric batch sample data tensor model bundle features generate"
  "run: base recipe text image metric report batch sample data tensor model bundle features dist train plan generate evaluate"
  "cli: base recipe text image metric report batch sample data tensor model bundle features dist train plan generate evaluate run"
)
# Folders from here on may see LibTorch; those before it compile without.
set(SIGHTLINE_TORCH_FOLDERS tensor model bundle features dist cuda train plan generate evaluate run cli)
