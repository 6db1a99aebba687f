#include "recipe/model_config.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/support.h"

#include <gmock/gmock.h>

namespace sightline::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Json vit() { return to_json(VisionConfig{VisionKind::vit, 96, 5, 6, 200, 128, 8, 1e-6}); }
Json llama() {
  return to_json(
      LanguageConfig{LanguageKind::llama, 600, 64, 3, 8, 2, 12, 100, 512, 1e-5, 5e5, 0.02, false});
}

std::string refusal_of_vit(const Json& json) {
  try {
    vision_config_from_json(json, "c.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
std::string refusal_of_llama(const Json& json) {
  try {
    language_config_from_json(json, "c.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ModelConfig, GoesToJsonAndBack) {
  EXPECT_EQ(vision_config_from_json(vit(), "c.json"),
            (VisionConfig{VisionKind::vit, 96, 5, 6, 200, 128, 8, 1e-6}));
  EXPECT_EQ(language_config_from_json(llama(), "c.json"),
            (LanguageConfig{LanguageKind::llama, 600, 64, 3, 8, 2, 12, 100, 512, 1e-5, 5e5, 0.02,
                            false}));
  for (const ConnectorConfig connector :
       {ConnectorConfig{ConnectorKind::mlp, 1}, ConnectorConfig{ConnectorKind::shuffle, 3},
        ConnectorConfig{ConnectorKind::linear, 1}, ConnectorConfig{ConnectorKind::pool, 3}}) {
    EXPECT_EQ(connector_config_from_json(to_json(connector), "c.json"), connector);
  }
}

TEST(ModelConfig, FillsWhatMayBeAbsent) {
  Json json = llama();
  for (const char* key : {"head_dim", "num_key_value_heads", "rope_theta", "rope_scaling",
                          "rms_norm_eps", "max_position_embeddings", "tie_word_embeddings",
                          "attention_bias", "mlp_bias", "hidden_act"}) {
    json.erase(key);
  }
  EXPECT_EQ(language_config_from_json(json, "c.json"),
            (LanguageConfig{LanguageKind::llama, 600, 64, 3, 8, 8, 8, 100, 2048, 1e-6, 10000.0,
                            0.02, false}));
  json["num_key_value_heads"] = nullptr;
  json["head_dim"] = nullptr;
  EXPECT_EQ(language_config_from_json(json, "c.json").head_dim, 8);
}

TEST(ModelConfig, TakesRotaryKeysOldAndNew) {
  Json json = llama();
  json.erase("rope_theta");
  json.erase("rope_scaling");
  json["rope_parameters"] = {{"rope_theta", 1234.0}, {"rope_type", "default"}};
  EXPECT_EQ(language_config_from_json(json, "c.json").rope_theta, 1234.0);
  json["rope_parameters"]["rope_type"] = "yarn";
  EXPECT_THAT(refusal_of_llama(json),
              AllOf(StartsWith("c.json: rope_parameters"), HasSubstr("yarn")));
  json = llama();
  json["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  EXPECT_THAT(refusal_of_llama(json), AllOf(HasSubstr("rope_scaling"), HasSubstr("linear")));
}

TEST(ModelConfig, RefusesWhatTheModelCannotDo) {
  struct Change {
    const char* key;
    Json value;
  };
  const Change visions[] = {
      {"hidden_act", "gelu_new"}, {"qkv_bias", false},      {"num_channels", 1},
      {"model_type", "clip"},     {"hidden_size", 97},      {"image_size", 130},
      {"patch_size", 1.5},        {"num_hidden_layers", 0}, {"image_size", Json::array({128, 64})},
      {"layer_norm_eps", -1.0},   {"hidden_size", "96"},
  };
  for (const auto& [key, value] : visions) {
    Json json = vit();
    json[key] = value;
    EXPECT_THAT(refusal_of_vit(json), AllOf(StartsWith("c.json: "), HasSubstr(key))) << key;
  }
  const Change languages[] = {
      {"hidden_act", "gelu"},
      {"attention_bias", true},
      {"mlp_bias", true},
      {"model_type", "mistral"},
      {"use_sliding_window", true},
      {"num_key_value_heads", 3},
      {"head_dim", 13},
      {"vocab_size", 0},
      {"quantization_config", Json{{"bits", 4}}},
      {"rope_interleaved", true},
      {"tie_word_embeddings", "yes"},
      {"hidden_size", 99999999999},
      {"rope_theta", 0},
  };
  for (const auto& [key, value] : languages) {
    Json json = llama();
    json[key] = value;
    EXPECT_THAT(refusal_of_llama(json), AllOf(StartsWith("c.json: "), HasSubstr(key))) << key;
  }
  Json missing = llama();
  missing.erase("hidden_size");
  EXPECT_THAT(refusal_of_llama(missing), HasSubstr("hidden_size"));
  EXPECT_NE(refusal_of_llama(Json::array()), "");
  EXPECT_THROW(connector_config_from_json(Json{{"kind", "resampler"}}, "c.json"), Error);
}

Json siglip() {
  VisionConfig config{VisionKind::siglip, 96, 5, 6, 200, 30, 8, 1e-6};
  config.last_norm = false;
  return to_json(config);
}

TEST(ModelConfig, TakesSiglipWithItsOwnDefaults) {
  const VisionConfig config = vision_config_from_json(siglip(), "c.json");
  EXPECT_EQ(config.kind, VisionKind::siglip);
  EXPECT_FALSE(config.last_norm);
  EXPECT_EQ(config.num_patches(), 9);  // 30 pixels hold 3 patches of 8 a side
  // google/siglip-so400m-patch14-384 holds no more than this, within a larger file.
  const Json so400m = {{"model_type", "siglip"},
                       {"vision_config",
                        {{"model_type", "siglip_vision_model"},
                         {"hidden_size", 1152},
                         {"image_size", 384},
                         {"intermediate_size", 4304},
                         {"num_attention_heads", 16},
                         {"num_hidden_layers", 27},
                         {"patch_size", 14}}}};
  EXPECT_EQ(vision_config_from_json(so400m, "c.json"),
            (VisionConfig{VisionKind::siglip, 1152, 27, 16, 4304, 384, 14, 1e-6}));
  Json wrong = so400m;
  wrong["vision_config"]["hidden_act"] = "gelu";
  EXPECT_THAT(refusal_of_vit(wrong), AllOf(HasSubstr("vision_config"), HasSubstr("hidden_act")));
  wrong = so400m;
  wrong["vision_config"]["patch_size"] = 400;
  EXPECT_THAT(refusal_of_vit(wrong), HasSubstr("patch_size 400"));
}

TEST(ModelConfig, GivesQwen2ItsBiases) {
  LanguageConfig config = language_config_from_json(llama(), "c.json");
  config.kind = LanguageKind::qwen2;
  EXPECT_EQ(language_config_from_json(to_json(config), "c.json"), config);
  Json json = to_json(config);
  json["use_sliding_window"] = true;
  EXPECT_THAT(refusal_of_llama(json), HasSubstr("use_sliding_window"));
}

TEST(ModelConfig, TakesASquareGivenAsAPair) {
  Json json = vit();
  json["image_size"] = Json::array({128, 128});
  EXPECT_EQ(vision_config_from_json(json, "c.json").image_size, 128);
}

TEST(ModelConfig, ReadsRealFiles) {
  const auto data = data_folder();
  SIGHTLINE_NEEDS(data / "configs");
  const auto language = [&](const char* file) {
    return language_config_from_json(read_json(data / file), file);
  };
  EXPECT_EQ(language("configs/SmolLM2-135M.config.json"),
            (LanguageConfig{LanguageKind::llama, 49152, 576, 30, 9, 3, 64, 1536, 2048, 1e-5,
                            100000.0, 0.041666666666666664, true}));
  EXPECT_EQ(language("weights/TinyStories-656K/config.json"),
            (LanguageConfig{LanguageKind::llama, 2048, 128, 2, 8, 4, 16, 384, 512, 1e-6, 10000.0,
                            0.02, true}));
  EXPECT_EQ(vision_config_from_json(
                read_json(data / "weights/vit_tiny_patch16_224_tinyimagenet/config.json"), "v"),
            (VisionConfig{VisionKind::vit, 192, 12, 3, 768, 224, 16, 1e-12}));
  EXPECT_EQ(language("configs/Qwen2.5-0.5B.config.json"),
            (LanguageConfig{LanguageKind::qwen2, 151936, 896, 24, 14, 2, 64, 4864, 32768, 1e-6,
                            1000000.0, 0.02, true}));
}

Json qwen2() {
  LanguageConfig config = language_config_from_json(llama(), "c.json");
  config.kind = LanguageKind::qwen2;
  config.head_dim = 8;  // Qwen2Config knows none: hidden_size / num_attention_heads
  return to_json(config);
}

// transformers' AutoConfig reads what we write, and we read what it writes.
TEST(OracleModelConfig, AgreesWithTransformers) {
  SIGHTLINE_NEEDS(oracle_python());
  const TemporaryFolder folder;
  struct Case {
    const char* name;
    const char* type;
    Json written;
  };
  const Case cases[] = {{"vit", "ViTConfig", vit()},
                        {"siglip", "SiglipVisionConfig", siglip()},
                        {"llama", "LlamaConfig", llama()},
                        {"qwen2", "Qwen2Config", qwen2()}};
  for (const Case& each : cases) {
    write_json(folder.path() / (std::string(each.name) + ".json"), each.written);
  }
  const CommandResult result = run_oracle("config", folder.path().string());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const Json seen = read_json(folder.path() / "seen.json");
  for (const Case& each : cases) {
    EXPECT_EQ(seen[each.name]["class"], each.type);
    for (const auto& [key, value] : each.written.items()) {
      if (key == "architectures" || key == "rope_scaling") continue;
      EXPECT_EQ(seen[each.name]["values"][key], value) << each.name << ": " << key;
    }
  }
  const auto back = [&](const char* name) {
    return read_json(folder.path() / name / "config.json");
  };
  EXPECT_EQ(vision_config_from_json(back("vit"), "v"), vision_config_from_json(vit(), "v"));
  EXPECT_EQ(vision_config_from_json(back("siglip"), "v"), vision_config_from_json(siglip(), "v"));
  EXPECT_EQ(language_config_from_json(back("llama"), "l"), language_config_from_json(llama(), "l"));
  EXPECT_EQ(language_config_from_json(back("qwen2"), "l"), language_config_from_json(qwen2(), "l"));
}

}  // namespace
}  // namespace sightline::test
