#pragma once
// The pictures of a data set, each once, with what a model is to be asked about them.

#include "recipe/recipe.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sightline {

struct ListedPicture {
  std::string path;
  std::string name;   // as a line of the format jsonl names it: relative to PictureList::images
  std::string where;  // "file:row" that names it first; empty for a picture of a folder
  // What the user says; each is answered by itself. In one entry stand prompts that one line of
  // jsonl can hold (recaption_line.h), so that a picture with words and without is two entries.
  std::vector<std::string> prompts;
};

struct PictureList {
  std::vector<ListedPicture> pictures;  // in the order in which the data name them first
  std::string images;                   // may be empty: names are relative to the working folder
  std::vector<std::string> problems;    // bad examples, passed over under on_bad_sample = "skip"
};

struct ListOptions {
  std::optional<std::string> prompt;  // in place of what the data ask
  int64_t limit = 0;                  // first N examples, or pictures of a folder; 0: all
};

// The pictures of [data.name]. Without ListOptions::prompt each is asked what its conversations
// ask, every question once. Error: a conversation of several turns or pictures, where no prompt is
// given; a table without a picture. Scenes, which are no files, are a UsageError.
PictureList list_pictures(const std::string& name, const DataRecipe& data,
                          const ListOptions& options);

// `files` that lie in `folder`; the prompt is the given one, or no words.
PictureList list_pictures(std::span<const std::string> files, const std::string& folder,
                          const ListOptions& options);

}  // namespace sightline
