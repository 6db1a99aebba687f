// The vision part's config: transformers' ViTConfig and SiglipVisionConfig.

#include "recipe/config_reader.h"
#include "recipe/model_config.h"

namespace sightline {

namespace {

void read_vit(const ConfigReader& config, VisionConfig& vision) {
  config.only("hidden_act", "gelu");
  config.only("qkv_bias", true);
  vision.hidden_size = config.size("hidden_size");
  vision.num_hidden_layers = config.size("num_hidden_layers");
  vision.num_attention_heads = config.size("num_attention_heads");
  vision.intermediate_size = config.size("intermediate_size");
  vision.image_size = config.side("image_size");
  vision.patch_size = config.side("patch_size");
  vision.layer_norm_eps = config.positive_or("layer_norm_eps", 1e-12);
  vision.initializer_range = config.positive_or("initializer_range", 0.02);
}

// Files of SigLIP models hold only what differs from SiglipVisionConfig's defaults.
void read_siglip(const ConfigReader& config, VisionConfig& vision) {
  config.only("hidden_act", "gelu_pytorch_tanh");
  vision.hidden_size = config.size_or("hidden_size", 768);
  vision.num_hidden_layers = config.size_or("num_hidden_layers", 12);
  vision.num_attention_heads = config.size_or("num_attention_heads", 12);
  vision.intermediate_size = config.size_or("intermediate_size", 3072);
  vision.image_size = config.has("image_size") ? config.side("image_size") : 224;
  vision.patch_size = config.has("patch_size") ? config.side("patch_size") : 16;
  vision.layer_norm_eps = config.positive_or("layer_norm_eps", 1e-6);
  vision.initializer_range = config.positive_or("initializer_range", 0.02);
}

Json vit_json() {
  return Json{{"architectures", Json::array({"ViTModel"})},
              {"model_type", "vit"},
              {"hidden_act", "gelu"},
              {"qkv_bias", true},
              {"hidden_dropout_prob", 0.0},
              {"attention_probs_dropout_prob", 0.0}};
}

Json siglip_json() {
  return Json{{"architectures", Json::array({"SiglipVisionModel"})},
              {"model_type", "siglip_vision_model"},
              {"hidden_act", "gelu_pytorch_tanh"},
              {"attention_dropout", 0.0},
              {"vision_use_head", false}};
}

}  // namespace

std::string what_is_wrong(const VisionConfig& config) {
  if (config.hidden_size % config.num_attention_heads != 0) {
    return fmt::format("hidden_size {} is not a multiple of num_attention_heads {}",
                       config.hidden_size, config.num_attention_heads);
  }
  if (config.image_size < config.patch_size) {
    return fmt::format("image_size {} is below patch_size {}", config.image_size,
                       config.patch_size);
  }
  // A SigLIP leaves out the pixels beyond its last whole patch (384 pixels, 27 patches of 14).
  if (config.kind == VisionKind::vit && config.image_size % config.patch_size != 0) {
    return fmt::format("image_size {} is not a multiple of patch_size {}", config.image_size,
                       config.patch_size);
  }
  return "";
}

VisionConfig vision_config_from_json(const Json& json, const std::string& source) {
  if (json.is_object() && json.contains("vision_config")) {
    return vision_config_from_json(json["vision_config"], source + ": vision_config");
  }
  const ConfigReader config(json, source);
  VisionConfig vision;
  const size_t type = config.model_type({"vit", "siglip_vision_model", "siglip"});
  vision.kind = type == 0 ? VisionKind::vit : VisionKind::siglip;
  config.only("num_channels", 3);
  config.never("quantization_config");
  if (vision.kind == VisionKind::vit) read_vit(config, vision);
  if (vision.kind == VisionKind::siglip) read_siglip(config, vision);
  vision.last_norm = config.truth_or("sightline_last_norm", true);
  config.sound(what_is_wrong(vision));
  return vision;
}

Json to_json(const VisionConfig& config) {
  Json json = config.kind == VisionKind::vit ? vit_json() : siglip_json();
  json["hidden_size"] = config.hidden_size;
  json["num_hidden_layers"] = config.num_hidden_layers;
  json["num_attention_heads"] = config.num_attention_heads;
  json["intermediate_size"] = config.intermediate_size;
  json["image_size"] = config.image_size;
  json["patch_size"] = config.patch_size;
  json["num_channels"] = 3;
  json["layer_norm_eps"] = config.layer_norm_eps;
  json["initializer_range"] = config.initializer_range;
  if (!config.last_norm) json["sightline_last_norm"] = false;
  return json;
}

}  // namespace sightline
