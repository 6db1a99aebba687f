#include "evaluate/picture_list.h"

#include "base/error.h"
#include "data/dataset.h"
#include "evaluate/recaption_line.h"

#include <algorithm>
#include <filesystem>
#include <unordered_map>

namespace sightline {
namespace {

namespace fs = std::filesystem;

// Readers put the folder before a name, unless the name is absolute.
std::string name_in(const std::string& folder, const std::string& path) {
  const std::string before = folder.empty() ? "" : (fs::path(folder) / "").string();
  return path.starts_with(before) ? path.substr(before.size()) : path;
}

// Gathers pictures by their paths, and what is asked about each.
class Gathering {
 public:
  explicit Gathering(std::string images) { list_.images = std::move(images); }

  void add(const std::string& path, const std::string& where, const std::string& prompt) {
    const auto [found, is_new] = numbers_.emplace(path, list_.pictures.size());
    if (is_new) {
      const std::string name = name_in(list_.images, path);
      check_name(name, path);
      list_.pictures.push_back({path, name, where, {}});
    }
    std::vector<std::string>& prompts = list_.pictures[found->second].prompts;
    if (std::ranges::find(prompts, prompt) == prompts.end()) prompts.push_back(prompt);
  }

  void add_problem(std::string problem) { list_.problems.push_back(std::move(problem)); }

  PictureList take() && {
    std::vector<ListedPicture> whole = std::exchange(list_.pictures, {});
    for (ListedPicture& picture : whole) split(std::move(picture));
    return std::move(list_);
  }

 private:
  // One entry of the prompts that are questions, and one of each other.
  void split(ListedPicture picture) {
    const std::vector<std::string> prompts = std::exchange(picture.prompts, {});
    for (const std::string& prompt : prompts) {
      if (is_question(prompt)) picture.prompts.push_back(prompt);
    }
    if (!picture.prompts.empty()) list_.pictures.push_back(picture);
    for (const std::string& prompt : prompts) {
      if (is_question(prompt)) continue;
      picture.prompts = {prompt};
      list_.pictures.push_back(picture);
    }
  }

  PictureList list_;
  std::unordered_map<std::string, size_t> numbers_;  // by path
};

// What a conversation asks about its only picture.
const std::string& question_of(const std::vector<Turn>& conversation, const std::string& where) {
  const bool is_one_question = conversation.size() == 2 && conversation.front().images == 1 &&
                               conversation.front().more.empty();
  check(is_one_question,
        "{}: a conversation of {} turns about {} pictures, where one question about one picture "
        "can be answered anew: say with --prompt what is to be asked about every picture",
        where, conversation.size(), images_of(conversation));
  return conversation.front().text;
}

void add_example(const Example& example, const ListOptions& options, Gathering& gathering) {
  if (example.images.empty()) return;  // words alone
  if (options.prompt) {
    for (const ImageSource& image : example.images) {
      gathering.add(image.path, example.where, *options.prompt);
    }
    return;
  }
  for (const auto& conversation : example.conversations) {
    gathering.add(example.images.front().path, example.where,
                  question_of(conversation, example.where));
  }
}

// Nothing where the example is bad and the table passes over such.
std::optional<Example> read_example(const Dataset& dataset, size_t number, const DataRecipe& data,
                                    Gathering& gathering) {
  try {
    return dataset.example(number);
  } catch (const Error& error) {
    if (data.on_bad_sample == OnBadSample::fail) throw;
    gathering.add_problem(error.what());
    return std::nullopt;
  }
}

size_t at_most(size_t count, int64_t limit) {
  return limit > 0 ? std::min(count, static_cast<size_t>(limit)) : count;
}

}  // namespace

PictureList list_pictures(const std::string& name, const DataRecipe& data,
                          const ListOptions& options) {
  if (data.format == DataFormat::scenes) {
    fail_usage(
        "[data.{}]: scenes are drawn as they are needed and are no files; write them with "
        "`sightline data scenes`, and name that folder's `images`",
        name);
  }
  if (data.format == DataFormat::webdataset) {
    fail_usage(
        "[data.{}]: its pictures lie in archives, and the lines that would be written name files; "
        "unpack the archives, and name that folder",
        name);
  }
  Gathering gathering(data.images);
  const auto dataset = open_dataset(name, data);
  const size_t count = at_most(dataset->size(), options.limit);
  for (size_t i = 0; i < count; ++i) {
    const auto example = read_example(*dataset, i, data, gathering);
    if (example) add_example(*example, options, gathering);
  }
  PictureList list = std::move(gathering).take();
  check(!list.pictures.empty(), "[data.{}]: none of its {} examples has a picture", name, count);
  return list;
}

PictureList list_pictures(std::span<const std::string> files, const std::string& folder,
                          const ListOptions& options) {
  Gathering gathering(folder);
  for (const std::string& file : files.first(at_most(files.size(), options.limit))) {
    gathering.add(file, "", options.prompt.value_or(""));
  }
  return std::move(gathering).take();
}

}  // namespace sightline
