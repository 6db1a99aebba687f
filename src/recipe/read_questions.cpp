// What [data.*] tables of questions have beside the others.

#include "base/error.h"
#include "recipe/sections.h"

#include <algorithm>

namespace sightline {

namespace {

// The split, and the fold of the training pictures that is held out.
void read_vqarad_split(TableReader& reader, DataRecipe& data) {
  data.split = "train";
  if (auto name = reader.choice("split", {"train", "validation", "test"})) data.split = *name;
  reader.read("folds", data.folds, between(0, 1000));
  reader.read("fold", data.fold, between(1, 1000));
  if (data.folds == 1) {
    reader.wrong("folds", fmt::format("\"folds\" in {} is 1, and one part cannot be held out: give "
                                      "2 or more, or leave it out",
                                      reader.title()));
  }
  if (data.fold > std::max<int64_t>(data.folds, 1)) {
    reader.wrong("fold", fmt::format("\"fold\" in {} is {}, and \"folds\" is {}", reader.title(),
                                     data.fold, data.folds));
  }
  if ((data.split == "validation") != (data.folds > 0) && data.split != "train") {
    reader.wrong(
        "split",
        data.folds > 0
            ? fmt::format("\"split\" in {} is \"test\", which has no folds: leave \"folds\" "
                          "out, or ask for \"train\" or \"validation\"",
                          reader.title())
            : fmt::format("\"split\" in {} is \"validation\": say how many parts the "
                          "training pictures have, folds = 5",
                          reader.title()));
  }
}

}  // namespace

bool holds_questions_alone(DataFormat format) {
  return format == DataFormat::vqa || format == DataFormat::daquar ||
         format == DataFormat::vqarad || format == DataFormat::pathvqa;
}

void read_questions(TableReader& reader, DataRecipe& data) {
  data.prompt = "{question}";
  reader.read("prompt", data.prompt);
  if (data.prompt.find("{question}") == std::string::npos) {
    reader.wrong("prompt", fmt::format("\"prompt\" in {} does not say where the question stands: "
                                       "write \"{{question}}\" in it",
                                       reader.title()));
  }
  if (data.format == DataFormat::vqarad) return read_vqarad_split(reader, data);
  if (data.format == DataFormat::vqa) {
    reader.require("questions", "questions = \"FILE\"");
    read_path(reader, "questions", data.questions, problem_with_file);
  }
  data.image_names = data.format == DataFormat::vqa ? "COCO_{split}_{id:012}.jpg" : "{id}.jpg";
  reader.read("image_names", data.image_names);
  if (data.image_names.find("{id}") == std::string::npos &&
      data.image_names.find("{id:0") == std::string::npos) {
    reader.wrong(
        "image_names",
        fmt::format("\"image_names\" in {} does not say where a picture's id stands: write "
                    "\"{{id}}\" or \"{{id:012}}\" in it",
                    reader.title()));
  }
}

}  // namespace sightline
