#include "text/decoder.h"

#include "base/error.h"
#include "text/byte_level.h"
#include "text/components.h"
#include "text/normalizer.h"
#include "text/utf8.h"

#include <charconv>
#include <optional>

namespace sightline {

namespace {

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

// A token with a character outside the alphabet (an added token with a space) stands for itself.
std::vector<std::string> from_byte_level(const std::vector<std::string>& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += characters_to_bytes(token).value_or(token);
  return {is_valid_utf8(bytes) ? bytes : to_valid_utf8(bytes)};
}

// "<0xE2>" -> 0xE2
std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  const auto result = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  if (result.ec != std::errc() || result.ptr != token.data() + 5) return std::nullopt;
  return static_cast<char>(value);
}

// As HF's ByteFallback: a run of byte tokens that is not valid UTF-8 gives one U+FFFD a byte.
std::vector<std::string> from_byte_fallback(const std::vector<std::string>& tokens) {
  std::vector<std::string> result;
  std::string run;
  const auto flush = [&] {
    if (is_valid_utf8(run)) {
      if (!run.empty()) result.push_back(run);
    } else {
      for (size_t i = 0; i < run.size(); ++i)
        append_utf8(result.emplace_back(), kReplacementCharacter);
    }
    run.clear();
  };
  for (const std::string& token : tokens) {
    if (const auto byte = fallback_byte(token)) {
      run.push_back(*byte);
      continue;
    }
    flush();
    result.push_back(token);
  }
  flush();
  return result;
}

std::string stripped(std::string_view token, std::string_view character, size_t start,
                     size_t stop) {
  for (size_t i = 0; i < start && token.starts_with(character); ++i) {
    token.remove_prefix(character.size());
  }
  for (size_t i = 0; i < stop && token.ends_with(character); ++i) {
    token.remove_suffix(character.size());
  }
  return std::string(token);
}

}  // namespace

Decoder::Decoder(const Json& config, std::string_view source) {
  check(!config.is_null(), "{}: \"decoder\" is null, so its tokens cannot be turned into text",
        source);
  add(config, source);
}

void Decoder::add(const Json& config, std::string_view source) {
  const auto type = json_get<std::string>(config, "type", source);
  if (type == "Sequence") {
    for (const Json& part : json_get<Json>(config, "decoders", source)) add(part, source);
  } else if (type == "ByteLevel") {
    steps_.push_back({Kind::byte_level, "", ""});
  } else if (type == "Replace") {
    steps_.push_back({Kind::replace, string_pattern(config, "decoder", source),
                      json_get<std::string>(config, "content", source)});
  } else if (type == "ByteFallback") {
    steps_.push_back({Kind::byte_fallback, "", ""});
  } else if (type == "Fuse") {
    steps_.push_back({Kind::fuse, "", ""});
  } else if (type == "Strip") {
    const auto character = json_get<std::string>(config, "content", source);
    check(!character.empty(), "{}: a Strip decoder's \"content\" is empty", source);
    steps_.push_back({Kind::strip, character, "", json_get<size_t>(config, "start", source),
                      json_get<size_t>(config, "stop", source)});
  } else {
    unsupported_component("decoder", type,
                          "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip", source);
  }
}

std::string Decoder::decode(std::vector<std::string> tokens) const {
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Kind::byte_level:
        tokens = from_byte_level(tokens);
        break;
      case Kind::byte_fallback:
        tokens = from_byte_fallback(tokens);
        break;
      case Kind::fuse:
        tokens = {joined(tokens)};
        break;
      case Kind::replace:
        for (auto& token : tokens) token = replace_all(token, step.pattern, step.content);
        break;
      case Kind::strip:
        for (auto& token : tokens) token = stripped(token, step.pattern, step.start, step.stop);
        break;
    }
  }
  return joined(tokens);
}

}  // namespace sightline
