#include "data/pickle.h"

#include "base/error.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sightline {

namespace {

constexpr auto kMost = static_cast<size_t>(-1);

class Unpickler {
 public:
  Unpickler(std::string_view bytes, std::string_view source) : bytes_(bytes), source_(source) {}

  Json value() && {
    while (step()) {
    }
    need(stack_.size() == 1 && marks_.empty(), "it does not end with one value");
    need(at_ == bytes_.size(), "there is more after its end");
    return std::move(stack_.back());
  }

 private:
  void need(bool condition, std::string_view what) const {
    check(condition, "{}: no pickle that can be read, at byte {}: {}", source_, at_, what);
  }

  std::string_view take(uint64_t count) {
    need(count <= bytes_.size() - at_, "it ends too early");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  Json words(uint64_t count) {
    Json value(take(count));
    try {
      static_cast<void>(value.dump());
    } catch (const Json::exception&) {
      need(false, "words that are not UTF-8");
    }
    return value;
  }

  // Least significant byte first.
  uint64_t number(size_t size) {
    const std::string_view taken = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value |= uint64_t{static_cast<uint8_t>(taken[i])} << (8 * i);
    }
    return value;
  }

  int64_t long_number(size_t size) {
    need(size <= 8, "a number of more than 64 bits");
    if (size == 0) return 0;
    const uint64_t value = number(size);
    const size_t unused = 64 - 8 * size;
    return static_cast<int64_t>(value << unused) >> unused;
  }

  double big_endian_double() {
    const std::string_view taken = take(8);
    uint64_t bits = 0;
    for (const char byte : taken) bits = bits << 8 | static_cast<uint8_t>(byte);
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

  void push(Json value) { stack_.push_back(std::move(value)); }

  // The values since the last mark, or the last `count`.
  std::vector<Json> pop_values(size_t count) {
    size_t begin = marks_.empty() ? 0 : marks_.back();
    if (count == kMost) {
      need(!marks_.empty(), "a mark is missing");
      marks_.pop_back();
    } else {
      need(stack_.size() - begin >= count, "a value is missing");
      begin = stack_.size() - count;
    }
    std::vector<Json> values(std::make_move_iterator(stack_.begin() + static_cast<int64_t>(begin)),
                             std::make_move_iterator(stack_.end()));
    stack_.resize(begin);
    return values;
  }

  Json& top() {
    need(stack_.size() > (marks_.empty() ? 0 : marks_.back()), "a value is missing");
    return stack_.back();
  }

  // A list or dict is noted as one and nothing more: what is got back must be plain.
  void note(uint64_t number) {
    const Json& value = top();
    memo_[number] = value.is_structured() ? std::nullopt : std::optional<Json>(value);
  }

  void get(uint64_t number) {
    const auto found = memo_.find(number);
    need(found != memo_.end(), "it goes back to a value that is not there");
    need(found->second.has_value(), "a list or dict in two places");
    push(*found->second);
  }

  void append(std::vector<Json> values) {
    need(top().is_array(), "it adds to something else than a list");
    for (Json& value : values) top().push_back(std::move(value));
  }

  void set_items(std::vector<Json> values) {
    need(top().is_object(), "it sets a key of something else than a dict");
    need(values.size() % 2 == 0, "a key without a value");
    for (size_t i = 0; i < values.size(); i += 2) {
      need(values[i].is_string(), "a dict has a key that is no string");
      // ordered_json looks a key up by walking: the dicts of rows are short.
      top()[values[i].get_ref<const std::string&>()] = std::move(values[i + 1]);
    }
  }

  void push_array(size_t count) {
    std::vector<Json> values = pop_values(count);
    Json array = Json::array();
    for (Json& value : values) array.push_back(std::move(value));
    push(std::move(array));
  }

  bool step();
  bool step_value(char code);

  std::string_view bytes_, source_;
  size_t at_ = 0;
  std::vector<Json> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::unordered_map<uint64_t, std::optional<Json>> memo_;
};

// Codes that push one value.
bool Unpickler::step_value(char code) {
  switch (code) {
    case ']':
      return push(Json::array()), true;
    case '}':
      return push(Json::object()), true;
    case ')':
      return push(Json::array()), true;
    case 'N':
      return push(nullptr), true;
    case '\x88':
      return push(true), true;
    case '\x89':
      return push(false), true;
    case 'K':
      return push(number(1)), true;
    case 'M':
      return push(number(2)), true;
    case 'J':
      return push(long_number(4)), true;
    case '\x8a':
      return push(long_number(number(1))), true;
    case 'G':
      return push(big_endian_double()), true;
    case 'X':
      return push(words(number(4))), true;
    case '\x8c':
      return push(words(number(1))), true;
    case '\x8d':
      return push(words(number(8))), true;
    case 'h':
      return get(number(1)), true;
    case 'j':
      return get(number(4)), true;
    default:
      return false;
  }
}

bool Unpickler::step() {
  const char code = take(1)[0];
  if (step_value(code)) return true;
  switch (code) {
    case '\x80':
      need(number(1) <= 5, "of a protocol above 5");
      break;
    case '\x95':
      number(8);
      break;  // the frame's size
    case '(':
      marks_.push_back(stack_.size());
      break;
    case 'q':
      note(number(1));
      break;
    case 'r':
      note(number(4));
      break;
    case '\x94':
      note(memo_.size());
      break;
    case 'a':
      append(pop_values(1));
      break;
    case 'e':
      append(pop_values(kMost));
      break;
    case 's':
      set_items(pop_values(2));
      break;
    case 'u':
      set_items(pop_values(kMost));
      break;
    case 't':
      push_array(kMost);
      break;
    case '\x85':
      push_array(1);
      break;
    case '\x86':
      push_array(2);
      break;
    case '\x87':
      push_array(3);
      break;
    case '.':
      return false;
    default:
      --at_;
      need(false,
           "it holds something else than lists, dicts, strings and numbers: save the rows "
           "as JSON");
  }
  return true;
}

}  // namespace

Json parse_pickle(std::string_view bytes, std::string_view source) {
  return Unpickler(bytes, source).value();
}

bool is_pickle(std::string_view bytes) {
  return bytes.size() > 1 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

}  // namespace sightline
