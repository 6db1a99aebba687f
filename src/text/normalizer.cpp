#include "text/normalizer.h"

#include "base/error.h"
#include "text/components.h"

#include <cstdlib>
#include <memory>

#include <utf8proc.h>

namespace sightline {

namespace {

// Unicode normalization (UAX #15).
std::string unicode_normal(std::string_view text, int form) {
  utf8proc_uint8_t* raw = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &raw,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | form));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owned(raw, std::free);
  SL_ASSERT(length >= 0, "{}", utf8proc_errmsg(length));
  return {reinterpret_cast<const char*>(raw), static_cast<size_t>(length)};
}

}  // namespace

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string result;
  size_t from = 0;
  while (!pattern.empty()) {
    const size_t found = text.find(pattern, from);
    if (found == std::string_view::npos) break;
    result.append(text.substr(from, found - from)).append(content);
    from = found + pattern.size();
  }
  return result.append(text.substr(from));
}

Normalizer::Normalizer(const Json& config, std::string_view source) {
  if (!config.is_null()) add(config, source);
}

void Normalizer::add(const Json& config, std::string_view source) {
  const auto type = json_get<std::string>(config, "type", source);
  if (type == "Sequence") {
    for (const Json& part : json_get<Json>(config, "normalizers", source)) add(part, source);
  } else if (type == "Prepend") {
    steps_.push_back({Kind::prepend, "", json_get<std::string>(config, "prepend", source)});
  } else if (type == "Replace") {
    steps_.push_back({Kind::replace, string_pattern(config, "normalizer", source),
                      json_get<std::string>(config, "content", source)});
  } else if (type == "NFC") {
    steps_.push_back({Kind::nfc, "", ""});
  } else if (type == "NFD") {
    steps_.push_back({Kind::nfd, "", ""});
  } else if (type == "NFKC") {
    steps_.push_back({Kind::nfkc, "", ""});
  } else if (type == "NFKD") {
    steps_.push_back({Kind::nfkd, "", ""});
  } else {
    unsupported_component("normalizer", type, "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD",
                          source);
  }
}

std::string Normalizer::apply(const Step& step, std::string text) {
  switch (step.kind) {
    case Kind::prepend:
      return text.empty() ? text : step.content + text;
    case Kind::replace:
      return replace_all(text, step.pattern, step.content);
    case Kind::nfc:
      return unicode_normal(text, UTF8PROC_COMPOSE);
    case Kind::nfd:
      return unicode_normal(text, UTF8PROC_DECOMPOSE);
    case Kind::nfkc:
      return unicode_normal(text, UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    case Kind::nfkd:
      return unicode_normal(text, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
  }
  return text;
}

std::string Normalizer::apply(std::string_view text) const {
  std::string result(text);
  for (const Step& step : steps_) result = apply(step, std::move(result));
  return result;
}

}  // namespace sightline
