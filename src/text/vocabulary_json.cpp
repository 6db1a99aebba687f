#include "text/vocabulary_json.h"

#include "base/error.h"

#include <utility>
#include <vector>

namespace sightline {

namespace {

// Builds what VocabularyJson::parse() does, but for a key that stands twice in one object: of those
// parse() takes the last, and its callback costs as much as all the rest.
class JsonWithoutRepeats final : public nlohmann::json_sax<VocabularyJson> {
 public:
  explicit JsonWithoutRepeats(std::string_view source) : source_(source) {}
  VocabularyJson take() { return std::move(root_); }

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
      root_ = std::move(value);
      value_ = &root_;
    } else if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      value_ = &open_.back()->back();
    } else {
      *value_ = std::move(value);
    }
    return true;
  }
  bool open(VocabularyJson container) {
    put(std::move(container));
    open_.push_back(value_);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view source_;
  VocabularyJson root_;
  std::vector<VocabularyJson*> open_;  // objects and arrays that have not ended
  VocabularyJson* value_ = nullptr;    // the last that was put; in an object, where the next goes
};

}  // namespace

VocabularyJson parse_without_repeats(const std::string& text, std::string_view source) {
  JsonWithoutRepeats builder(source);
  VocabularyJson::sax_parse(text, &builder);
  return builder.take();
}

const VocabularyJson& value_of(const VocabularyJson& object, const char* key) {
  static const VocabularyJson null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

}  // namespace sightline
