#include "recipe/model_config.h"

#include "base/error.h"
#include "recipe/config_check.h"
#include "recipe/names.h"

#include <string_view>

namespace sightline {

namespace {

// Reads one config.json. Hugging Face writes a class's own keys always, so sizes are required;
// what it may leave out takes transformers' default.
class ConfigReader {
 public:
  ConfigReader(const Json& json, const std::string& source) : json_(json), source_(source) {
    check(json.is_object(), "{}: is not a JSON object, and a config.json is expected", source);
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

  // nlohmann would cut 1.5 to 1; a size is a whole number or an error.
  int64_t size(const char* key) const {
    const Json& value = present(key);
    check(value.is_number_integer(), "{}: \"{}\" is {}, and a whole number is expected", source_,
          key, value.dump().substr(0, 80));
    return in_range(key, value.get<int64_t>());
  }
  int64_t size_or(const char* key, int64_t fallback) const {
    return has(key) ? size(key) : fallback;
  }

  // image_size and patch_size may be [side, side].
  int64_t side(const char* key) const {
    const Json& value = present(key);
    if (!value.is_array()) return size(key);
    const bool square = value.size() == 2 && value[0].is_number_integer() && value[0] == value[1];
    check(square, "{}: \"{}\" is {}, and only squares are supported: [224, 224] or 224", source_,
          key, value.dump().substr(0, 80));
    return in_range(key, value[0].get<int64_t>());
  }

  double positive_or(const char* key, double fallback) const {
    return has(key) ? positive_in(json_[key], key) : fallback;
  }
  double positive_in(const Json& value, const char* key) const {
    check(value.is_number() && value.get<double>() > 0.0,
          "{}: \"{}\" is {}, and a number above 0 is expected", source_, key,
          value.dump().substr(0, 80));
    return value.get<double>();
  }

  bool truth_or(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    check(json_[key].is_boolean(), "{}: \"{}\" is {}, and true or false is expected", source_, key,
          json_[key].dump().substr(0, 80));
    return json_[key].get<bool>();
  }

  // The one value of `key` that the model can do; absent means that value.
  void only(const char* key, const Json& value) const {
    if (!has(key) || json_[key] == value) return;
    fail("{}: \"{}\" is {}, and this program can only do {}: choose another model", source_, key,
         json_[key].dump().substr(0, 80), value.dump());
  }
  void never(const char* key) const {
    if (!has(key)) return;
    fail("{}: \"{}\" is {}, which this program cannot do: choose another model", source_, key,
         json_[key].dump().substr(0, 80));
  }
  void model_type(const char* type) const {
    const std::string found = json_get<std::string>(json_, "model_type", source_);
    check(found == type, "{}: \"model_type\" is \"{}\", and \"{}\" is expected here", source_,
          found, type);
  }
  void sound(const std::string& problem) const {
    check(problem.empty(), "{}: {}", source_, problem);
  }

  const Json& json() const { return json_; }
  const std::string& source() const { return source_; }

 private:
  const Json& present(const char* key) const {
    if (!has(key)) json_missing(source_, key);
    return json_[key];
  }
  int64_t in_range(const char* key, int64_t value) const {
    check(value >= 1 && value <= kLargestSize, "{}: \"{}\" is {}, and it must be from 1 to {}",
          source_, key, value, kLargestSize);
    return value;
  }

  const Json& json_;
  const std::string& source_;
};

// Older files hold rope_theta and rope_scaling; newer transformers writes both into
// rope_parameters, with rope_type "default" where nothing is scaled.
double rope_theta(const ConfigReader& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.has(key)) continue;
    const Json& rope = config.json()[key];
    const std::string where = config.source() + ": " + key;
    check(rope.is_object(), "{} is {}, and a table or null is expected", where,
          rope.dump().substr(0, 80));
    const std::string old_name = json_get_or<std::string>(rope, "type", "default", where);
    const std::string type = json_get_or<std::string>(rope, "rope_type", old_name, where);
    check(type == "default",
          "{}: \"rope_type\" is \"{}\", and this program can only do \"default\" (no scaling): "
          "choose another model",
          where, type);
    const double share = json_get_or<double>(rope, "partial_rotary_factor", 1.0, where);
    check(share == 1.0, "{}: \"partial_rotary_factor\" is {}, and this program can only do 1",
          where, share);
    if (rope.contains("rope_theta")) return config.positive_in(rope["rope_theta"], "rope_theta");
  }
  return config.positive_or("rope_theta", 10000.0);
}

}  // namespace

std::string what_is_wrong(const VisionConfig& config) {
  if (config.hidden_size % config.num_attention_heads != 0) {
    return fmt::format("hidden_size {} is not a multiple of num_attention_heads {}",
                       config.hidden_size, config.num_attention_heads);
  }
  if (config.image_size % config.patch_size != 0) {
    return fmt::format("image_size {} is not a multiple of patch_size {}", config.image_size,
                       config.patch_size);
  }
  return "";
}

std::string what_is_wrong(const LanguageConfig& config) {
  if (config.num_attention_heads % config.num_key_value_heads != 0) {
    return fmt::format("num_attention_heads {} is not a multiple of num_key_value_heads {}",
                       config.num_attention_heads, config.num_key_value_heads);
  }
  if (config.head_dim % 2 != 0) {
    return fmt::format("head_dim {} is odd, and rotary positions turn pairs: make it even",
                       config.head_dim);
  }
  return "";
}

std::string what_is_wrong(const ConnectorConfig& connector, const VisionConfig& vision) {
  const int64_t side = vision.patches_per_side();
  if (connector.kind != ConnectorKind::shuffle || side % connector.factor == 0) return "";
  return fmt::format(
      "the shuffle connector's factor {} does not divide the {} patches on a picture's side "
      "(image_size {} / patch_size {})",
      connector.factor, side, vision.image_size, vision.patch_size);
}

VisionConfig vision_config_from_json(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  config.model_type("vit");
  config.only("hidden_act", "gelu");
  config.only("qkv_bias", true);
  config.only("num_channels", 3);
  config.never("quantization_config");
  VisionConfig vision;
  vision.hidden_size = config.size("hidden_size");
  vision.num_hidden_layers = config.size("num_hidden_layers");
  vision.num_attention_heads = config.size("num_attention_heads");
  vision.intermediate_size = config.size("intermediate_size");
  vision.image_size = config.side("image_size");
  vision.patch_size = config.side("patch_size");
  vision.layer_norm_eps = config.positive_or("layer_norm_eps", 1e-12);
  vision.initializer_range = config.positive_or("initializer_range", 0.02);
  config.sound(what_is_wrong(vision));
  return vision;
}

Json to_json(const VisionConfig& config) {
  return Json{{"architectures", Json::array({"ViTModel"})},
              {"model_type", "vit"},
              {"hidden_size", config.hidden_size},
              {"num_hidden_layers", config.num_hidden_layers},
              {"num_attention_heads", config.num_attention_heads},
              {"intermediate_size", config.intermediate_size},
              {"hidden_act", "gelu"},
              {"image_size", config.image_size},
              {"patch_size", config.patch_size},
              {"num_channels", 3},
              {"qkv_bias", true},
              {"layer_norm_eps", config.layer_norm_eps},
              {"initializer_range", config.initializer_range},
              {"hidden_dropout_prob", 0.0},
              {"attention_probs_dropout_prob", 0.0}};
}

LanguageConfig language_config_from_json(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  config.model_type("llama");
  config.only("hidden_act", "silu");
  config.only("attention_bias", false);
  config.only("mlp_bias", false);
  config.only("rope_interleaved", false);
  config.never("quantization_config");
  LanguageConfig language;
  language.vocab_size = config.size("vocab_size");
  language.hidden_size = config.size("hidden_size");
  language.num_hidden_layers = config.size("num_hidden_layers");
  language.num_attention_heads = config.size("num_attention_heads");
  language.num_key_value_heads =
      config.size_or("num_key_value_heads", language.num_attention_heads);
  const bool divides = language.hidden_size % language.num_attention_heads == 0;
  check(config.has("head_dim") || divides,
        "{}: hidden_size {} is not a multiple of num_attention_heads {}: give head_dim", source,
        language.hidden_size, language.num_attention_heads);
  language.head_dim =
      config.size_or("head_dim", language.hidden_size / language.num_attention_heads);
  language.intermediate_size = config.size("intermediate_size");
  language.max_position_embeddings = config.size_or("max_position_embeddings", 2048);
  language.rms_norm_eps = config.positive_or("rms_norm_eps", 1e-6);
  language.rope_theta = rope_theta(config);
  language.initializer_range = config.positive_or("initializer_range", 0.02);
  language.tie_word_embeddings = config.truth_or("tie_word_embeddings", false);
  config.sound(what_is_wrong(language));
  return language;
}

Json to_json(const LanguageConfig& config) {
  return Json{{"architectures", Json::array({"LlamaForCausalLM"})},
              {"model_type", "llama"},
              {"vocab_size", config.vocab_size},
              {"hidden_size", config.hidden_size},
              {"num_hidden_layers", config.num_hidden_layers},
              {"num_attention_heads", config.num_attention_heads},
              {"num_key_value_heads", config.num_key_value_heads},
              {"head_dim", config.head_dim},
              {"intermediate_size", config.intermediate_size},
              {"hidden_act", "silu"},
              {"max_position_embeddings", config.max_position_embeddings},
              {"rms_norm_eps", config.rms_norm_eps},
              {"rope_theta", config.rope_theta},
              {"initializer_range", config.initializer_range},
              {"rope_scaling", nullptr},
              {"attention_bias", false},
              {"mlp_bias", false},
              {"tie_word_embeddings", config.tie_word_embeddings}};
}

ConnectorConfig connector_config_from_json(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  const std::string kind = json_get<std::string>(json, "kind", source);
  ConnectorConfig connector;
  const auto found = enum_named<ConnectorKind>(kind);
  check(found.has_value(), "{}: \"kind\" is \"{}\"; it may be {}", source, kind,
        quoted_list(enum_names<ConnectorKind>()));
  connector.kind = *found;
  connector.factor = connector.kind == ConnectorKind::mlp ? 1 : config.size_or("factor", 2);
  return connector;
}

Json to_json(const ConnectorConfig& config) {
  return Json{{"kind", std::string(enum_name(config.kind))},
              {"factor", config.kind == ConnectorKind::mlp ? 1 : config.factor}};
}

}  // namespace sightline
