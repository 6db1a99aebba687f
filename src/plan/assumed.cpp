#include "plan/assumed.h"

#include "base/error.h"
#include "base/json.h"
#include "text/tokenizer_training.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

namespace sightline {

namespace {

std::string letters(int64_t count) { return std::string(static_cast<size_t>(count), 'a'); }

class Assumed : public Dataset {
 public:
  Assumed(std::string name, const AssumedData& data) : name_(std::move(name)), data_(data) {}

  size_t size() const override { return static_cast<size_t>(data_.samples); }

  // The template "plain" adds a line break behind pictures, behind words, and between turns.
  Example example(size_t number) const override {
    Example example{.where = fmt::format("{}:{}", name_, number + 1)};
    for (int64_t i = 0; i < data_.images; ++i) {
      example.images.push_back({.path = fmt::format("{}/{}/{}", name_, number, i)});
    }
    std::vector<Turn>& turns = example.conversations.emplace_back();
    for (int64_t i = 0; i < data_.turns; ++i) {
      const int images = i == 0 ? static_cast<int>(data_.images) : 0;
      const int64_t breaks = 1 + (images > 0 ? 1 : 0) + (i > 0 ? 1 : 0);
      turns.push_back({.role = Role::user, .text = letters(data_.user - breaks), .images = images});
      turns.push_back({.role = Role::assistant, .text = letters(data_.answer - 1)});
    }
    example.references.push_back(turns.back().text);
    return example;
  }

 private:
  std::string name_;
  AssumedData data_;
};

struct Key {
  const char* name;
  int64_t AssumedData::*number;
  int64_t least, most;
};

constexpr std::array<Key, 5> kKeys = {{{"samples", &AssumedData::samples, 1, 1'000'000'000},
                                       {"images", &AssumedData::images, 0, 1000},
                                       {"turns", &AssumedData::turns, 1, 1000},
                                       {"user", &AssumedData::user, 3, 1'000'000},
                                       {"answer", &AssumedData::answer, 2, 1'000'000}}};

AssumedData read_table(const Json& table, const std::string& where) {
  check(table.is_object(), "{} is no object such as {{\"samples\": 1000}}", where);
  AssumedData data;
  std::vector<std::string> known;
  for (const Key& key : kKeys) {
    known.emplace_back(key.name);
    int64_t& number = data.*key.number;
    if (key.number == &AssumedData::samples) number = json_get<int64_t>(table, key.name, where);
    number = json_get_or<int64_t>(table, key.name, number, where);
    check(number >= key.least && number <= key.most, "{}: \"{}\" is {}; it may be {} to {}", where,
          key.name, number, key.least, key.most);
  }
  for (const auto& [key, value] : table.items()) {
    check(std::ranges::find(known, key) != known.end(),
          "{}: the key \"{}\" is not known (known: {})", where, key, fmt::join(known, ", "));
  }
  return data;
}

}  // namespace

std::map<std::string, AssumedData> read_assumed(const std::filesystem::path& file) {
  const Json json = read_json(file);
  check(json.is_object() && !json.empty(),
        "{}: holds no object of data tables: {{\"NAME\": {{\"samples\": 1000}}}}", file.string());
  std::map<std::string, AssumedData> assumed;
  for (const auto& [name, table] : json.items()) {
    assumed[name] = read_table(table, fmt::format("{}: \"{}\"", file.string(), name));
  }
  return assumed;
}

std::unique_ptr<Dataset> assumed_dataset(const std::string& name, const AssumedData& data) {
  return std::make_unique<Assumed>(name, data);
}

PromptTemplate assumed_template() {
  const std::vector<std::string> lines = {"a"};
  // The bytes and an end token; no merges.
  return PromptTemplate::named("plain",
                               train_tokenizer(lines, {.vocab_size = 257, .bos_token = ""}));
}

}  // namespace sightline
