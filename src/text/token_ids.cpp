#include "text/token_ids.h"

#include "base/error.h"

#include <bit>
#include <functional>

namespace sightline {

TokenIds::TokenIds(size_t most) : slots_(std::bit_ceil(2 * most + 2)), room_(most) {}

// Where it is, or would be put.
size_t TokenIds::slot_of(std::string_view text, size_t hash) const {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].text.data() != nullptr &&
         (slots_[at].hash != static_cast<uint32_t>(hash >> 32) || slots_[at].text != text)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

bool TokenIds::add(std::string_view text, int32_t id) {
  const size_t hash = std::hash<std::string_view>()(text);
  const size_t at = slot_of(text, hash);
  if (slots_[at].text.data() != nullptr) return false;
  SL_ASSERT(room_ > 0, "more texts than there is room for");
  --room_;
  slots_[at] = {text, static_cast<uint32_t>(hash >> 32), id};
  return true;
}

std::optional<int32_t> TokenIds::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(text, std::hash<std::string_view>()(text))];
  return slot.text.data() == nullptr ? std::nullopt : std::optional(slot.id);
}

}  // namespace sightline
