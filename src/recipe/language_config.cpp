// The language part's config: transformers' LlamaConfig and Qwen2Config.

#include "recipe/config_reader.h"
#include "recipe/model_config.h"

namespace sightline {

namespace {

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

LanguageConfig language_config_from_json(const Json& json, const std::string& source) {
  const ConfigReader config(json, source);
  LanguageConfig language;
  const size_t type = config.model_type({"llama", "qwen2"});
  language.kind = type == 0 ? LanguageKind::llama : LanguageKind::qwen2;
  config.only("hidden_act", "silu");
  config.only("attention_bias", language.kind == LanguageKind::qwen2);
  config.only("mlp_bias", false);
  config.only("rope_interleaved", false);
  config.only("use_sliding_window", false);
  config.never("quantization_config");
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
  const bool qwen2 = config.kind == LanguageKind::qwen2;
  Json json{{"architectures", Json::array({qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"})},
            {"model_type", qwen2 ? "qwen2" : "llama"},
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
            {"tie_word_embeddings", config.tie_word_embeddings}};
  if (qwen2) {
    json["use_sliding_window"] = false;
  } else {
    json["attention_bias"] = false;
    json["mlp_bias"] = false;
  }
  return json;
}

}  // namespace sightline
