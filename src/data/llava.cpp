// The reader of LLaVA's conversations (blip_laion_cc_sbu_558k.json, llava_v1_5_mix665k.json).

#include "base/error.h"
#include "data/conversation.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <utility>

namespace sightline {

namespace {

constexpr std::string_view kMarker = "<image>";

int markers_in(std::string_view words) {
  int count = 0;
  for (size_t at = words.find(kMarker); at != words.npos; at = words.find(kMarker, at + 1)) ++count;
  return count;
}

// The marker of a single image goes before the words where it stood behind them, as in LLaVA's own
// training; between words, and where there are several, they stay where they are.
std::string with_marker_first(std::string_view words) {
  const std::string_view inside = trimmed(words);
  if (markers_in(words) != 1 || !inside.ends_with(kMarker)) return std::string(words);
  return std::string(kMarker) + std::string(inside.substr(0, inside.size() - kMarker.size()));
}

class SampleReader {
 public:
  SampleReader(const DataRecipe& recipe, std::string where) : recipe_(recipe) {
    example_.where = std::move(where);
  }

  Example read(const Json& sample) && {
    const std::string& where = example_.where;
    check(sample.is_object(), "{}: is not an object with \"conversations\"", where);
    if (sample.contains("image") && !sample["image"].is_null()) add_images(sample);
    const Json& turns = array_at(sample, "conversations", where);
    ConversationBuilder conversation;
    for (size_t i = 0; i < turns.size(); ++i) {
      add_turn(turns[i], fmt::format("{}: turn {}", where, i + 1), conversation);
    }
    conversation.finish(example_);
    check(markers_ == example_.images.size(),
          "{}: \"image\" names {} images, and the turns hold \"<image>\" {} times", where,
          example_.images.size(), markers_);
    return std::move(example_);
  }

 private:
  void add_images(const Json& sample) {
    if (!sample["image"].is_array()) {
      return add_image(words_at(sample, "image", example_.where));
    }
    for (const Json& image : array_at(sample, "image", example_.where)) {
      check(image.is_string() && !trimmed(image.get_ref<const std::string&>()).empty(),
            "{}: \"image\" holds {}, which is not an image's name", example_.where,
            image.dump().substr(0, 80));
      add_image(image.get<std::string>());
    }
  }

  void add_image(std::string_view name) {
    example_.images.push_back({.path = image_path(recipe_, trimmed(name))});
  }

  void add_turn(const Json& turn, const std::string& where, ConversationBuilder& conversation) {
    check(turn.is_object(), "{}: is not an object", where);
    const auto from = json_get<std::string>(turn, "from", where);
    check(from == "human" || from == "gpt",
          "{}: \"from\" is \"{}\"; it may be \"human\" or \"gpt\"", where, from);
    conversation.begin(from == "human" ? Role::user : Role::assistant, where);
    const std::string value = words_at(turn, "value", where);
    if (from == "gpt") return conversation.add_words(value);
    const std::string words = with_marker_first(value);
    std::string_view rest = words;
    for (size_t at = rest.find(kMarker); at != rest.npos; at = rest.find(kMarker)) {
      conversation.add_words(rest.substr(0, at));
      conversation.add_image();
      ++markers_;
      rest.remove_prefix(at + kMarker.size());
    }
    conversation.add_words(rest);
  }

  const DataRecipe& recipe_;
  Example example_;
  size_t markers_ = 0;
};

// Holds each sample as compact JSON, as long as its text in the file.
class LlavaDataset final : public Dataset {
 public:
  explicit LlavaDataset(const DataRecipe& recipe) : recipe_(recipe) {
    const std::string& path = recipe.annotations;
    const Json root = read_json(path);
    check(root.is_array() && !root.empty(), "{}: is not a list of samples, or an empty one", path);
    for (const Json& sample : root) {
      if (recipe.limit > 0 && samples_.size() == static_cast<size_t>(recipe.limit)) break;
      samples_.push_back(sample.dump());
    }
    check_examples(*this, recipe_);
  }

  size_t size() const override { return samples_.size(); }

  Example example(size_t number) const override {
    std::string where = fmt::format("{}: [{}]", recipe_.annotations, number);
    const Json sample = parse_json(samples_[number], where);
    return SampleReader(recipe_, std::move(where)).read(sample);
  }

 private:
  DataRecipe recipe_;
  std::vector<std::string> samples_;
};

}  // namespace

std::unique_ptr<Dataset> open_llava(const std::string&, const DataRecipe& recipe) {
  return std::make_unique<LlavaDataset>(recipe);
}

}  // namespace sightline
