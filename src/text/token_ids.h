#pragma once
// Which id a text has: tens of thousands of them, looked up many times.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sightline {

// Open addressing, at most half full: a look-up reaches one place in memory and the text it finds.
// The texts are the caller's, and stay where they are.
class TokenIds {
 public:
  TokenIds() = default;
  // For at most so many texts.
  explicit TokenIds(size_t most);

  // Whether it is new. One that is there keeps its id.
  bool add(std::string_view text, int32_t id);
  std::optional<int32_t> find(std::string_view text) const;

 private:
  struct Slot {
    std::string_view text;  // no memory: free
    uint32_t hash = 0;
    int32_t id = -1;
  };
  size_t slot_of(std::string_view text, size_t hash) const;

  std::vector<Slot> slots_;
  size_t room_ = 0;
};

}  // namespace sightline
