#pragma once
// Typed reading of a recipe's TOML tables. Every mistake is noted with its place, and reading goes
// on: one run shows them all.

#include "recipe/names.h"
#include "recipe/parse.h"
#include "recipe/toml.h"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// The mistakes of one recipe.
class Problems {
 public:
  Problems(std::string file, PathCheck paths) : file_(std::move(file)), paths_(paths) {}

  // Whether a missing file, folder or variable is a mistake.
  bool checks_paths() const { return paths_ == PathCheck::now; }

  // "file:line:column", or "--set KEY" for what a setting put there.
  std::string where(const toml::source_region& at) const;
  void add(const toml::source_region& at, std::string message);
  // A UsageError with a line for each mistake, those of settings first, then in the file's order.
  void throw_if_any() const;

 private:
  struct Problem {
    toml::source_region at;
    std::string message;
  };
  std::string file_;
  PathCheck paths_;
  std::vector<Problem> problems_;
};

// What a setting's nodes carry as their source's path, before its key.
inline constexpr std::string_view kSettingPrefix = "--set ";

// The numbers that a key may have. An open end is itself excluded.
struct NumberRange {
  enum class End { closed, open };
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  End low = End::closed;
  End high = End::closed;

  bool holds(double value) const;
  std::string text() const;  // "at least 1", "from 0 to 1", "above 0 and at most 1"
};

inline NumberRange at_least(double least) { return {.least = least}; }
constexpr NumberRange between(double least, double most) { return {.least = least, .most = most}; }
inline NumberRange above(double least) { return {.least = least, .low = NumberRange::End::open}; }

// What a node is, as an error says it: `the string "one"`, `a table`.
std::string described(const toml::node& node);

class TableReader {
 public:
  // `title` names the table in errors: `[[stage]] "align"`.
  TableReader(const toml::table& table, std::string title, Problems& problems)
      : table_(&table), title_(std::move(title)), problems_(&problems) {}

  // Reads below note the key as known and leave `value` alone where it is absent or wrong; wrong
  // is a problem. Strings have ${NAME} expanded.
  void read(std::string_view key, std::string& value);
  void read(std::string_view key, int64_t& value, const NumberRange& range);
  void read(std::string_view key, uint64_t& value, const NumberRange& range);
  void read(std::string_view key, double& value, const NumberRange& range);
  void read(std::string_view key, bool& value);
  void read(std::string_view key, std::vector<std::string>& value);
  void read(std::string_view key, std::optional<double>& value, const NumberRange& range);
  template <class E>
  requires std::is_enum_v<E>
  void read(std::string_view key, E& value) {
    if (const auto name = choice(key, enum_names<E>())) value = *enum_named<E>(*name);
  }
  template <class E>
  requires std::is_enum_v<E>
  void read(std::string_view key, std::optional<E>& value) {
    if (const auto name = choice(key, enum_names<E>())) value = enum_named<E>(*name);
  }

  // A string that must be one of `names`; nothing when absent or wrong.
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& names);
  // The name of a table, stage or run: letters, digits, "-" and "_", because files are named by it.
  void read_name(std::string_view key, std::string& value);

  // The value as it stands, or null; the key is known from then on.
  const toml::node* find(std::string_view key);
  bool has(std::string_view key) { return find(key) != nullptr; }
  // Null and a problem where the value is of another kind; null alone where it is absent.
  const toml::table* table(std::string_view key);
  const toml::array* array_of_tables(std::string_view key);

  // A problem where `key` is absent; `mend` shows how it is written.
  bool require(std::string_view key, std::string_view mend);
  // A problem at the key's value, or at the table where the key is absent.
  void wrong(std::string_view key, std::string message);
  // A problem at element `index` of an array.
  void wrong_element(std::string_view key, size_t index, std::string message);
  // Every key that no read asked for is a problem; with the nearest known name.
  void finish();

  const std::string& title() const { return title_; }
  void set_title(std::string title) { title_ = std::move(title); }
  const toml::table& raw() const { return *table_; }
  std::string where() const { return problems_->where(table_->source()); }
  Problems& problems() { return *problems_; }
  bool checks_paths() const { return problems_->checks_paths(); }

 private:
  void mismatch(std::string_view key, const toml::node& node, std::string_view expected);
  bool in_range(std::string_view key, const toml::node& node, double value,
                const NumberRange& range);
  std::optional<std::string> string_of(std::string_view key, const toml::node& node);

  const toml::table* table_;
  std::string title_;
  Problems* problems_;
  std::vector<std::string> known_;
};

// True for a name that may name files and stand in --set: letters, digits, "-" and "_".
bool is_plain_name(std::string_view name);

}  // namespace sightline
