// Recipe -> TOML, in the order of recipe.h, every value written out.

#include "base/error.h"
#include "recipe/names.h"
#include "recipe/parse.h"
#include "recipe/sections.h"

#include <string>

namespace sightline {

namespace {

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

// The shortest text that reads back to the same double, and reads as one.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string value_text(const std::string& value) { return toml_string(value); }
std::string value_text(double value) { return number(value); }
std::string value_text(int64_t value) { return fmt::format("{}", value); }
std::string value_text(uint64_t value) { return fmt::format("{}", value); }
std::string value_text(bool value) { return value ? "true" : "false"; }
template <class E>
requires std::is_enum_v<E> std::string value_text(E value) { return toml_string(enum_name(value)); }
std::string value_text(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ", ";
    text += toml_string(value);
  }
  return text + "]";
}

class Printer {
 public:
  void table(std::string_view header) { text_ += fmt::format("\n{}\n", header); }
  template <class T>
  void key(std::string_view name, const T& value) {
    text_ += fmt::format("{} = {}\n", name, value_text(value));
  }
  void raw(std::string_view name, std::string_view value) {
    text_ += fmt::format("{} = {}\n", name, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void print_config(Printer& out, const VisionConfig& config) {
  out.table("[model.vision]");
  out.key("kind", config.kind);
  out.key("hidden_size", config.hidden_size);
  out.key("num_hidden_layers", config.num_hidden_layers);
  out.key("num_attention_heads", config.num_attention_heads);
  out.key("intermediate_size", config.intermediate_size);
  out.key("image_size", config.image_size);
  out.key("patch_size", config.patch_size);
  out.key("layer_norm_eps", config.layer_norm_eps);
  out.key("initializer_range", config.initializer_range);
  out.key("last_norm", config.last_norm);
}

void print_config(Printer& out, const LanguageConfig& config) {
  out.table("[model.language]");
  out.key("kind", config.kind);
  out.key("vocab_size", config.vocab_size);
  out.key("hidden_size", config.hidden_size);
  out.key("num_hidden_layers", config.num_hidden_layers);
  out.key("num_attention_heads", config.num_attention_heads);
  out.key("num_key_value_heads", config.num_key_value_heads);
  out.key("head_dim", config.head_dim);
  out.key("intermediate_size", config.intermediate_size);
  out.key("max_position_embeddings", config.max_position_embeddings);
  out.key("rms_norm_eps", config.rms_norm_eps);
  out.key("rope_theta", config.rope_theta);
  out.key("initializer_range", config.initializer_range);
  out.key("tie_word_embeddings", config.tie_word_embeddings);
}

void print_model(Printer& out, const ModelRecipe& model) {
  out.table("[model]");
  out.key("from", model.from);
  if (!model.from.empty()) {
    out.key("mask", model.mask);
    return;  // all else is the folder's
  }
  const bool vision_folder = model.vision && !model.vision->config;
  const bool language_folder = model.language && !model.language->config;
  if (vision_folder) out.key("vision", model.vision->folder);
  if (language_folder) out.key("language", model.language->folder);
  out.raw("connector", fmt::format("{{ kind = {}, factor = {} }}", value_text(model.connector.kind),
                                   model.connector.has_factor() ? model.connector.factor : 1));
  out.key("tokenizer", model.tokenizer);
  out.key("template", model.prompt_template);
  out.key("mask", model.mask);
  out.key("resize", model.resize);
  if (model.vision && model.vision->config) print_config(out, *model.vision->config);
  if (model.language && model.language->config) print_config(out, *model.language->config);
}

void print_data(Printer& out, const std::string& name, const DataRecipe& data) {
  out.table(fmt::format("[data.{}]", name));
  out.key("format", data.format);
  const bool scenes = data.format == DataFormat::scenes;
  const bool text = data.format == DataFormat::text;
  if (!scenes) out.key("annotations", data.annotations);
  if (has_folder_of_images(data.format)) out.key("images", data.images);
  if (data.format == DataFormat::flickr || data.format == DataFormat::karpathy ||
      data.format == DataFormat::daquar || data.format == DataFormat::vqarad || scenes) {
    out.key("split", data.split);
  }
  if (data.format == DataFormat::vqa) out.key("questions", data.questions);
  if (!data.image_names.empty()) out.key("image_names", data.image_names);
  if (data.format == DataFormat::vqarad) {
    out.key("folds", data.folds);
    out.key("fold", data.fold);
  }
  if (!text && data.format != DataFormat::llava) {
    out.key("prompt", data.prompt);
    out.key("captions", data.captions);
  }
  if (!never_has_pictures(data)) {
    out.raw("augment",
            fmt::format("{{ crop = {}, flip = {}, colour = {} }}", number(data.augment.crop),
                        number(data.augment.flip), number(data.augment.colour)));
  }
  out.key("on_bad_sample", data.on_bad_sample);
  out.key("too_long", data.too_long);
  out.key("limit", data.limit);
  if (!scenes) return;
  out.key("count", data.count);
  out.key("seed", data.seed);
  out.key("task", data.task);
}

void print_decoding(Printer& out, const TaskRecipe& task) {
  out.table(fmt::format("[task.{}.decoding]", task.name));
  const DecodingRecipe& decoding = task.decoding;
  out.key("beams", decoding.beams);
  out.key("beam_groups", decoding.beam_groups);
  out.key("diversity", decoding.diversity);
  out.key("min_new_tokens", decoding.min_new_tokens);
  out.key("max_new_tokens", decoding.max_new_tokens);
  out.key("length_penalty", decoding.length_penalty);
  out.key("temperature", decoding.temperature);
  out.key("top_k", decoding.top_k);
  out.key("top_p", decoding.top_p);
  out.key("min_p", decoding.min_p);
  out.key("repetition_penalty", decoding.repetition_penalty);
  out.key("no_repeat_ngram", decoding.no_repeat_ngram);
  out.key("stop", decoding.stop);
  out.key("answers", decoding.answers);
  out.key("seed", decoding.seed);
  out.key("batch", decoding.batch);
  out.key("weights", decoding.weights);
}

void print_task(Printer& out, const TaskRecipe& task) {
  out.table(fmt::format("[task.{}]", task.name));
  out.key("kind", task.kind);
  out.key("data", task.data);
  out.key("limit", task.limit);
  out.key("baselines", task.baselines);
  out.key("neighbours", task.neighbours);
  print_decoding(out, task);
}

std::string by_part_text(const ByPart& numbers) {
  std::string text = "{ base = " + number(numbers.base);
  if (numbers.vision) text += ", vision = " + number(*numbers.vision);
  if (numbers.connector) text += ", connector = " + number(*numbers.connector);
  if (numbers.language) text += ", language = " + number(*numbers.language);
  return text + " }";
}

std::string mixture_text(const std::vector<MixtureEntry>& mixture) {
  std::string text = "[";
  for (const MixtureEntry& entry : mixture) {
    const bool is_first = &entry == &mixture.front();
    if (!is_first) text += ", ";
    text += fmt::format("{{ data = {}, weight = {}, limit = {}{} }}", toml_string(entry.data),
                        number(entry.weight), entry.limit,
                        is_first ? "" : ", repeats = " + number(entry.repeats));
  }
  return text + "]";
}

void print_stage(Printer& out, const StageRecipe& stage) {
  out.table("[[stage]]");
  out.key("name", stage.name);
  out.key("train", stage.train);
  out.raw("mixture", mixture_text(stage.mixture));
  out.key("objective", stage.objective);
  out.key("epochs", stage.epochs);
  out.key("max_steps", stage.max_steps);
  out.key("step_tokens", stage.step_tokens);
  out.key("micro_tokens", stage.micro_tokens);
  out.raw("lr", by_part_text(stage.lr));
  out.key("warmup", stage.warmup);
  out.key("schedule", stage.schedule);
  out.key("decay_share", stage.decay_share);
  out.key("final_lr", stage.final_lr);
  out.key("layer_decay", stage.layer_decay);
  out.raw("weight_decay", by_part_text(stage.weight_decay));
  out.raw("dropout", by_part_text(stage.dropout));
  out.key("ema", stage.ema);
  out.key("optimizer", stage.optimizer);
  out.key("beta1", stage.beta1);
  out.key("beta2", stage.beta2);
  out.key("epsilon", stage.epsilon);
  out.key("clip", stage.clip);
  out.key("mask_ratio", stage.mask_ratio);
  out.key("edge_weight", stage.edge_weight);
  out.key("store_features", stage.store_features);
  out.key("checkpoint_activations", stage.checkpoint_activations);
  if (stage.mask) out.key("mask", *stage.mask);
}

}  // namespace

std::string print_recipe(const Recipe& recipe) {
  Printer out;
  out.key("name", recipe.name);
  out.key("seed", recipe.seed);
  out.key("numbers", recipe.numbers);
  out.key("device", recipe.device);
  out.key("gradient_sums", recipe.gradient_sums);
  out.key("threads", recipe.threads);
  out.key("look_ahead", recipe.look_ahead);
  out.key("side_by_side", recipe.side_by_side);
  out.key("workers", recipe.workers);
  out.key("cache", recipe.cache);
  print_model(out, recipe.model);
  for (const auto& [name, data] : recipe.data) print_data(out, name, data);
  for (const auto& [name, task] : recipe.tasks) print_task(out, task);
  out.table("[eval]");
  out.key("every", recipe.eval.every);
  out.key("tasks", recipe.eval.tasks);
  out.key("validation", recipe.eval.validation);
  out.key("validation_limit", recipe.eval.validation_limit);
  out.key("best", recipe.eval.best);
  out.key("patience", recipe.eval.patience);
  out.table("[checkpoint]");
  out.key("every", recipe.checkpoint.every);
  out.key("keep", recipe.checkpoint.keep);
  out.key("background", recipe.checkpoint.background);
  for (const StageRecipe& stage : recipe.stages) print_stage(out, stage);
  return out.text();
}

}  // namespace sightline
