#include "text/vocabulary_json.h"

#include "base/error.h"

#include <array>
#include <utility>
#include <vector>

namespace sightline {

namespace {

// Builds what VocabularyJson::parse() does, but for a key that stands twice in one object: of those
// parse() takes the last, and its callback costs as much as all the rest.
class TokenizerBuilder final : public nlohmann::json_sax<VocabularyJson> {
 public:
  explicit TokenizerBuilder(std::string_view source) : source_(source) {}
  TokenizerJson take() { return std::move(result_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& value) override { return put(std::move(value)); }
  bool start_object(size_t) override { return open(VocabularyJson::object()); }
  bool start_array(size_t) override { return open(VocabularyJson::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (in_vocabulary()) {
      value_ = &result_.vocabulary.emplace_back(std::move(name), nullptr).second;
      return true;
    }
    if (open_.size() <= 2) path_[open_.size() - 1] = name;
    const auto [place, is_new] = open_.back()->emplace(name, nullptr);
    check(is_new, "{}: the key \"{}\" stands twice in one object", source_, name);
    value_ = &*place;
    return true;
  }
  bool parse_error(size_t byte, const std::string&,
                   const nlohmann::detail::exception& error) override {
    fail("{}: not valid JSON at byte {}: {}", source_, byte, error.what());
  }

 private:
  bool put(VocabularyJson value) {
    if (open_.empty()) {
      result_.rest = std::move(value);
      value_ = &result_.rest;
    } else if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      value_ = &open_.back()->back();
    } else {
      *value_ = std::move(value);
    }
    return true;
  }
  bool open(VocabularyJson container) {
    const bool is_vocabulary = container.is_object() && open_.size() == 2 &&
                               open_[0]->is_object() && open_[1]->is_object() &&
                               path_[0] == "model" && path_[1] == "vocab";
    if (is_vocabulary) {
      open_.push_back(&vocabulary_);
    } else {
      put(std::move(container));
      open_.push_back(value_);
    }
    return true;
  }
  bool in_vocabulary() const { return open_.back() == &vocabulary_; }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view source_;
  TokenizerJson result_;
  VocabularyJson vocabulary_;          // stands in open_ for the one whose pairs lie apart
  std::vector<VocabularyJson*> open_;  // objects and arrays that have not ended
  std::array<std::string, 2> path_;    // the keys of the outermost two
  VocabularyJson* value_ = nullptr;    // the last that was put; in an object, where the next goes
};

}  // namespace

TokenizerJson parse_tokenizer(const std::string& text, std::string_view source) {
  TokenizerBuilder builder(source);
  VocabularyJson::sax_parse(text, &builder);
  return builder.take();
}

const VocabularyJson& value_of(const VocabularyJson& object, const char* key) {
  static const VocabularyJson null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

}  // namespace sightline
