#include "data/mixture.h"

#include "base/error.h"

#include <cmath>

namespace sightline {

namespace {

constexpr const char* kStateSource = "the mixture's saved state";

PassOrder order_of_pass(uint64_t seed, size_t entry, uint64_t pass, size_t size) {
  return {size, derive_seed(derive_seed(seed, "mixture order", entry), "pass", pass)};
}

}  // namespace

MixtureStream::MixtureStream(std::vector<Entry> entries, double epochs, uint64_t seed)
    : entries_(std::move(entries)),
      seed_(seed),
      rng_(derive_seed(seed, "mixture choice")),
      cursors_(entries_.size()) {
  SL_ASSERT(!entries_.empty(), "a mixture without entries");
  for (const Entry& entry : entries_) {
    SL_ASSERT(entry.size > 0 && entry.size <= UINT32_MAX, "an entry of {} examples", entry.size);
    SL_ASSERT(entry.weight >= 0 && std::isfinite(entry.weight), "a weight of {}", entry.weight);
    SL_ASSERT(entry.repeats > 0, "{} passes", entry.repeats);
  }
  SL_ASSERT(entries_[0].weight > 0, "the first entry ends the epoch: its weight must be above 0");
  SL_ASSERT(epochs > 0 && std::isfinite(epochs), "{} epochs", epochs);
  const double draws = epochs * static_cast<double>(entries_[0].size);
  total_first_ = std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(draws)));
}

bool MixtureStream::is_spent(size_t entry) const {
  const double passes =
      static_cast<double>(cursors_[entry].drawn) / static_cast<double>(entries_[entry].size);
  return entry > 0 && passes >= entries_[entry].repeats;
}

uint32_t MixtureStream::choose_entry() {
  if (entries_.size() == 1) return 0;
  double sum_of_weights = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!is_spent(i)) sum_of_weights += entries_[i].weight;
  }
  double point = rng_.uniform() * sum_of_weights;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (is_spent(i)) continue;
    if (point < entries_[i].weight) return static_cast<uint32_t>(i);
    point -= entries_[i].weight;
  }
  return 0;  // rounding alone leads here
}

std::optional<Draw> MixtureStream::next() {
  if (cursors_[0].drawn == total_first_) return std::nullopt;
  Draw draw;
  draw.entry = choose_entry();
  const size_t size = entries_[draw.entry].size;
  Cursor& cursor = cursors_[draw.entry];
  draw.pass = cursor.drawn / size;
  if (cursor.pass_of_order != draw.pass) {
    cursor.order = order_of_pass(seed_, draw.entry, draw.pass, size);
    cursor.pass_of_order = draw.pass;
  }
  draw.number = cursor.order.at(cursor.drawn % size);
  ++cursor.drawn;
  return draw;
}

double MixtureStream::progress() const {
  return static_cast<double>(cursors_[0].drawn) / static_cast<double>(total_first_);
}

Json MixtureStream::state() const {
  Json sizes = Json::array(), drawn = Json::array();
  for (size_t i = 0; i < entries_.size(); ++i) {
    sizes.push_back(entries_[i].size);
    drawn.push_back(cursors_[i].drawn);
  }
  return {{"sizes", sizes}, {"drawn", drawn}, {"random", rng_.state()}};
}

void MixtureStream::restore(const Json& state) {
  const auto sizes = json_get<std::vector<uint64_t>>(state, "sizes", kStateSource);
  const auto drawn = json_get<std::vector<uint64_t>>(state, "drawn", kStateSource);
  check(sizes.size() == entries_.size() && drawn.size() == entries_.size(),
        "{}: saved with {} data sets, but the recipe mixes {}: resume with the recipe of the run",
        kStateSource, sizes.size(), entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    check(sizes[i] == entries_[i].size,
          "{}: data set {} had {} examples, now it has {}: resume with the data of the run",
          kStateSource, i + 1, sizes[i], entries_[i].size);
    cursors_[i] = Cursor{.drawn = drawn[i]};
  }
  check(drawn[0] <= total_first_, "{}: {} examples drawn of {}: resume with the epochs of the run",
        kStateSource, drawn[0], total_first_);
  rng_.set_state(json_get<uint64_t>(state, "random", kStateSource));
}

}  // namespace sightline
