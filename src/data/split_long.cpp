#include "data/split_long.h"

#include "base/error.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace sightline {

namespace {

// An example, or some turns of one of its conversations.
struct Part {
  static constexpr uint32_t kWhole = UINT32_MAX;
  uint32_t number = 0;  // of the example
  uint32_t conversation = kWhole;
  uint32_t first_turn = 0, turns = 0;
};

Example cut_out(Example example, const Part& part) {
  const std::vector<Turn> turns = std::move(example.conversations[part.conversation]);
  const auto begin = turns.begin() + part.first_turn, end = begin + part.turns;
  const int64_t before = images_of(std::span(turns.begin(), begin));
  const int64_t shown = images_of(std::span(begin, end));
  Example result{.kind = std::move(example.kind)};
  result.where = fmt::format("{} (turns {} to {})", example.where, part.first_turn + 1,
                             part.first_turn + part.turns);
  result.images.assign(example.images.begin() + before, example.images.begin() + before + shown);
  const bool is_last = end == turns.end();
  result.references = {is_last ? example.references.at(part.conversation) : (end - 1)->text};
  if (!example.kinds.empty()) result.kinds = {example.kinds.at(part.conversation)};
  if (!example.answers.empty() && is_last) result.answers = {example.answers[part.conversation]};
  result.conversations = {{begin, end}};
  return result;
}

class SplitDataset : public Dataset {
 public:
  SplitDataset(std::unique_ptr<Dataset> dataset, const SampleEncoder& encoder, int64_t max_rows)
      : dataset_(std::move(dataset)) {
    for (size_t i = 0; i < dataset_->size(); ++i) {
      const auto number = static_cast<uint32_t>(i);
      try {
        add_parts(number, encoder, max_rows);
      } catch (const Error&) {
        parts_.push_back({.number = number});  // the loader meets the error again
      }
    }
  }

  size_t size() const override { return parts_.size(); }

  Example example(size_t number) const override {
    const Part& part = parts_[number];
    Example whole = dataset_->example(part.number);
    return part.conversation == Part::kWhole ? whole : cut_out(std::move(whole), part);
  }

 private:
  static bool fits(const Example& example, const SampleEncoder& encoder, int64_t max_rows) {
    const Sample sample = encoder.encode(example);
    return std::ranges::all_of(sample.conversations, [&](const Rows& rows) {
      return static_cast<int64_t>(rows.tokens.size()) <= max_rows;
    });
  }

  void add_parts(uint32_t number, const SampleEncoder& encoder, int64_t max_rows) {
    const Example example = dataset_->example(number);
    if (fits(example, encoder, max_rows)) return parts_.push_back({.number = number});
    std::vector<Part> parts;
    for (uint32_t c = 0; c < example.conversations.size(); ++c) {
      const auto turns = static_cast<uint32_t>(example.conversations[c].size());
      Part open{.number = number, .conversation = c};
      while (open.first_turn + open.turns < turns) {
        Part longer = open;
        longer.turns += std::min(2u, turns - open.first_turn - open.turns);
        if (open.turns == 0 || fits(cut_out(example, longer), encoder, max_rows)) {
          open = longer;
        } else {
          parts.push_back(open);
          open.first_turn += open.turns;
          open.turns = 0;
        }
      }
      parts.push_back(open);
    }
    parts_.insert(parts_.end(), parts.begin(), parts.end());
  }

  std::unique_ptr<Dataset> dataset_;
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<Dataset> split_long(std::unique_ptr<Dataset> dataset, const SampleEncoder& encoder,
                                    int64_t max_rows) {
  return std::make_unique<SplitDataset>(std::move(dataset), encoder, max_rows);
}

}  // namespace sightline
