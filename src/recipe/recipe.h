#pragma once
// A recipe: all that a run is, typed. Read from TOML by parse.h, validated whole before anything
// starts, printed back by print_recipe. Every default is here; docs/recipe.md explains the keys.

#include "recipe/model_config.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// Where an image's rows and its text may look; src/batch/mask_policy.h defines them.
enum class MaskPolicy { causal, image, prefix, question };

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

enum class DataFormat { flickr, jsonl, text, scenes };
enum class CaptionsMode { all, one };  // five captions of a picture: five branches, or one drawn
enum class OnBadSample { fail, skip };

struct DataRecipe {
  DataFormat format = DataFormat::jsonl;
  std::string annotations;  // flickr: the token file; jsonl, text: the file
  std::string images;       // folder that image names are relative to
  std::string split;        // flickr: file listing the split's images; scenes: train | unseen
  std::string prompt;       // what the user says before a caption; may be empty
  CaptionsMode captions = CaptionsMode::all;
  OnBadSample on_bad_sample = OnBadSample::fail;
  int64_t limit = 0;  // first N samples; 0: all
  // scenes only
  int64_t count = 0;  // number of scenes
  uint64_t seed = 0;  // of the generator
  std::string task;   // caption | question | both
  std::string where;  // file:line:column of its table, for errors met later
};

struct MixtureEntry {
  std::string data;
  double weight = 1.0;
};

enum class Objective {
  answers,      // next-token loss on the supervised tokens
  reconstruct,  // the vision model alone: predict hidden patches' pixels (no words)
};

enum class Schedule { cosine, constant };

enum class OptimizerKind {
  adamw,
  muon,  // for the matrices inside the layers; AdamW for all else (train/optimizer.h)
};

// Learning rate of each part; a part without its own takes `base`.
struct LearningRates {
  double base = 1e-3;
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
  LearningRates lr;
  double warmup = 0.03;  // of the stage's steps
  Schedule schedule = Schedule::cosine;
  double final_lr = 0.0;      // of the peak, at the stage's end
  double weight_decay = 0.0;  // on matrices only, never on norms, biases, embeddings
  OptimizerKind optimizer = OptimizerKind::adamw;
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;  // AdamW's
  double clip = 1.0;                                 // gradient norm; 0: none
  double mask_ratio = 0.6;   // reconstruct: hidden share of an image's patches
  double edge_weight = 0.0;  // reconstruct: of the edges' orientations, beside the pixels' 1
  std::optional<MaskPolicy> mask;
  std::string where;
};

enum class TaskKind { caption, question };

struct DecodingRecipe {
  int64_t beams = 1;  // 1: greedy
  int64_t max_new_tokens = 32;
  double length_penalty = 1.0;  // beam score = sum of log-probabilities / length^penalty
  int64_t batch = 64;           // images decoded together
};

struct TaskRecipe {
  std::string name;
  TaskKind kind = TaskKind::caption;
  std::string data;   // a [data.*] table
  int64_t limit = 0;  // first N images during training; 0: all
  DecodingRecipe decoding;
  std::vector<std::string> baselines;  // frequent | nearest | blind
  std::string neighbours;              // frequent, nearest: the data whose captions they give back
};

struct EvalRecipe {
  int64_t every = 0;               // optimizer steps; 0: at stage ends only
  std::vector<std::string> tasks;  // [task.*] tables scored then
  std::string validation;          // a [data.*] table whose loss is measured then; may be empty
  int64_t validation_limit = 200;
  std::string best;  // a score's name; the best checkpoint is kept by it
};

struct CheckpointRecipe {
  int64_t every = 0;  // optimizer steps; 0: at stage ends only
  int64_t keep = 2;   // the last N, beside the best
};

struct Recipe {
  std::string name;
  uint64_t seed = 0;
  NumberType numbers = NumberType::fp32;
  int64_t threads = 0;                    // 0: all cores
  int64_t look_ahead = 256;               // samples the packer may choose among
  int64_t side_by_side = 1;               // micro-batches computed at once, a thread each
  int64_t workers = 1;                    // decoding threads of the loader
  std::string cache = ".cache/features";  // feature stores
  ModelRecipe model;
  std::map<std::string, DataRecipe> data;
  std::map<std::string, TaskRecipe> tasks;
  EvalRecipe eval;
  CheckpointRecipe checkpoint;
  std::vector<StageRecipe> stages;
  std::string file;  // where it was read from
};

}  // namespace sightline
