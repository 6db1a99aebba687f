#pragma once
// A recipe: all that a run is, typed. Read from TOML by parse.h, validated whole before anything
// starts, printed back by print_recipe. Every default is here; docs/recipe.md explains the keys.

#include "recipe/choices.h"
#include "recipe/model_config.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// Where an image's rows and its text may look; src/batch/mask_policy.h defines them.
#define SIGHTLINE_ENUMERATOR(name) name,
enum class MaskPolicy { SIGHTLINE_MASK_POLICIES(SIGHTLINE_ENUMERATOR) };

enum class NumberType { fp32, bf16 };

// A part of the model (vision, language) from a folder, or from random weights by its config.
template <class Config>
struct PartSource {
  std::string folder;            // a Hugging Face folder; empty: random weights
  std::optional<Config> config;  // set when `folder` is empty
};

struct ModelRecipe {
  std::string from;  // a Sightline model folder to go on from; then no other source is given
  std::optional<PartSource<VisionConfig>> vision;      // none: a model of text alone
  std::optional<PartSource<LanguageConfig>> language;  // none: a vision model alone (reconstruct)
  ConnectorConfig connector;
  std::string tokenizer;                  // folder or tokenizer.json; empty: the language folder's
  std::string prompt_template = "plain";  // plain | chatml
  MaskPolicy mask = MaskPolicy::image;
  // How a photograph becomes the vision model's square. Empty: the vision folder's
  // preprocessor_config.json, or squash where it has none.
  std::string resize;  // "" | squash | crop
};

enum class DataFormat { SIGHTLINE_DATA_FORMATS(SIGHTLINE_ENUMERATOR) };
#undef SIGHTLINE_ENUMERATOR
enum class CaptionsMode { all, one };  // five captions of a picture: five branches, or one drawn
enum class OnBadSample { fail, skip };
enum class TooLong {
  fail,   // a conversation longer than the model takes is a bad sample
  split,  // it is cut between turns into several, each whole: never in an image or an answer
};

// What is done to a picture at random each time it is shown in training.
struct AugmentRecipe {
  double crop = 1.0;    // least share of the picture's area that is kept; 1: no crop
  double flip = 0.0;    // chance of a mirrored picture; only where words don't tell left from right
  double colour = 0.0;  // largest relative change of brightness, contrast and saturation
  bool any() const { return crop < 1.0 || flip > 0.0 || colour > 0.0; }
};

struct DataRecipe {
  DataFormat format = DataFormat::jsonl;
  std::string annotations;  // flickr: the token file; else the file, or the folder of several
  std::string images;       // folder that image names are relative to
  std::string split;   // flickr, daquar: file listing the split's images; else the split's name
  std::string prompt;  // before a caption, may be empty; of questions: holds "{question}"
  CaptionsMode captions = CaptionsMode::all;
  OnBadSample on_bad_sample = OnBadSample::fail;
  TooLong too_long = TooLong::fail;
  AugmentRecipe augment;
  int64_t limit = 0;        // first N samples; 0: all
  std::string questions;    // vqa: the file of the questions; `annotations` has their answers
  std::string image_names;  // vqa: a picture's name, with "{id}" or "{id:012}" and "{split}"
  int64_t folds = 0;        // vqarad: parts of its training pictures, by content; 0: none
  int64_t fold = 1;         // vqarad: which of them is held out
  // scenes only
  int64_t count = 0;  // number of scenes
  uint64_t seed = 0;  // of the generator
  std::string task;   // caption | question | both
  std::string where;  // file:line:column of its table, for errors met later
};

struct MixtureEntry {
  std::string data;
  double weight = 1.0;
  int64_t limit = 0;     // first N samples of the data; 0: all
  double repeats = 1.0;  // passes after which an entry beside the first is spent
};

enum class Objective {
  answers,      // next-token loss on the supervised tokens
  reconstruct,  // the vision model alone: predict hidden patches' pixels (no words)
};

enum class Schedule {
  cosine,
  constant,
  linear,  // down to final_lr
  wsd,     // warm-up, stable, then a linear decay over the stage's last `decay_share`
};

enum class OptimizerKind {
  adamw,
  muon,  // for the matrices inside the layers; AdamW for all else (train/optimizer.h)
};

// A number for each part of the model; a part without its own takes `base`.
struct ByPart {
  double base = 0.0;
  std::optional<double> vision, connector, language;
};

struct StageRecipe {
  std::string name;
  std::vector<std::string> train;  // vision | vision.layers[8:] | connector | language | ...
  std::vector<MixtureEntry> mixture;
  Objective objective = Objective::answers;
  double epochs = 1.0;          // of the mixture's first entry
  int64_t max_steps = 0;        // stop earlier; 0: no bound
  int64_t step_tokens = 16384;  // real tokens an optimizer step (at least)
  int64_t micro_tokens = 8192;  // most tokens of one forward
  ByPart lr{.base = 1e-3};      // peak learning rate
  double warmup = 0.03;         // of the stage's steps
  Schedule schedule = Schedule::cosine;
  double decay_share = 0.2;    // wsd: last share of the stage, in which the rate falls
  double final_lr = 0.0;       // of the peak, at the stage's end
  double layer_decay = 1.0;    // rate of each layer, as a share of that of the layer above it
  ByPart weight_decay;         // on matrices only, never on norms, biases, embeddings
  ByPart dropout;              // chance that a number which a layer adds is dropped
  double ema = 0.0;            // decay of the weights' running average; 0: none is kept
  bool store_features = true;  // of frozen vision layers, once on the disk; else in every step
  bool checkpoint_activations = false;  // layers are computed anew in backward: memory for time
  OptimizerKind optimizer = OptimizerKind::adamw;
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;  // AdamW's
  double clip = 1.0;                                 // gradient norm; 0: none
  double mask_ratio = 0.6;   // reconstruct: hidden share of an image's patches
  double edge_weight = 0.0;  // reconstruct: of the edges' orientations, beside the pixels' 1
  std::optional<MaskPolicy> mask;
  std::string where;
};

enum class TaskKind { caption, question };

// What answers' tokens are computed by: the weights, or rounded to groups of 8 or 4 bits
// (kernels/weight_matrix.h), which halves or quarters the bytes that a token reads. Prompts and
// pictures go by the weights as they are, but with int8_products: then the vision model's weights
// are of int8 too, and what passes through many rows multiplies whole numbers, rows rounded as well
// (kernels/rounded_products.h), where the processor does that faster.
enum class DecodingWeights { whole, int8, int4, int8_products };

struct DecodingRecipe {
  int64_t beams = 1;           // 1: greedy, or sampling where temperature is above 0
  int64_t beam_groups = 1;     // diverse beams: groups of equal size
  double diversity = 0.0;      // what a group's token costs the groups after it, at that step
  int64_t min_new_tokens = 0;  // no end before
  int64_t max_new_tokens = 32;
  double length_penalty = 1.0;      // beam score = sum of log-probabilities / length^penalty
  double temperature = 0.0;         // 0: the likeliest token; else drawn from p^(1/temperature)
  int64_t top_k = 0;                // drawn among the K likeliest; 0: all
  double top_p = 1.0;               // among the likeliest that together have this much
  double min_p = 0.0;               // among those with this share of the likeliest's probability
  double repetition_penalty = 1.0;  // of tokens that stand in the answer already; 1: none
  int64_t no_repeat_ngram = 0;      // no N tokens twice in an answer; 0: no bound
  std::vector<std::string> stop;    // strings that end an answer, and are no part of it
  int64_t answers = 1;              // of each prompt, with their scores
  uint64_t seed = 0;                // of what is drawn
  int64_t batch = 64;               // images decoded together
  DecodingWeights weights = DecodingWeights::whole;
};

struct TaskRecipe {
  std::string name;
  TaskKind kind = TaskKind::caption;
  std::string data;   // a [data.*] table
  int64_t limit = 0;  // first N images during training; 0: all
  DecodingRecipe decoding;
  std::vector<std::string> baselines;  // frequent | majority | majority_of_kind | nearest | blind
  std::string neighbours;              // the data whose answers all but blind give back
};

struct EvalRecipe {
  int64_t every = 0;               // optimizer steps; 0: at stage ends only
  std::vector<std::string> tasks;  // [task.*] tables scored then
  std::string validation;          // a [data.*] table whose loss is measured then; may be empty
  int64_t validation_limit = 200;
  std::string best;      // a score's name; the best checkpoint is kept by it
  int64_t patience = 0;  // evaluations without a better one after which a stage ends; 0: no bound
};

struct CheckpointRecipe {
  int64_t every = 0;        // optimizer steps; 0: at stage ends only
  int64_t keep = 2;         // the last N, beside the best
  bool background = false;  // steps go on while one is written, from a copy of it in memory
};

struct Recipe {
  std::string name;
  uint64_t seed = 0;
  NumberType numbers = NumberType::fp32;
  std::string device = "auto";                  // cpu | cuda | cuda:N | auto: a GPU where one is
  NumberType gradient_sums = NumberType::fp32;  // in which gradients travel between ranks
  int64_t threads = 0;                          // 0: all cores
  int64_t look_ahead = 256;                     // samples the packer may choose among
  int64_t side_by_side = 1;                     // micro-batches computed at once, a thread each
  int64_t workers = 1;                          // decoding threads of the loader
  std::string cache = ".cache/features";        // feature stores
  ModelRecipe model;
  std::map<std::string, DataRecipe> data;
  std::map<std::string, TaskRecipe> tasks;
  EvalRecipe eval;
  CheckpointRecipe checkpoint;
  std::vector<StageRecipe> stages;
  std::string file;  // where it was read from
};

}  // namespace sightline
