#pragma once
// A small model with random weights, a tokenizer trained on scene words, and tasks over generated
// scenes: all that an evaluation needs, without a file.

#include "bundle/bundle.h"
#include "data/dataset.h"
#include "recipe/recipe.h"
#include "tests/generate/toy_model.h"
#include "text/tokenizer_training.h"

#include <string>
#include <vector>

namespace sightline::test {

inline DataRecipe scenes(const std::string& task, const std::string& split, int64_t count) {
  DataRecipe data;
  data.format = DataFormat::scenes;
  data.task = task;
  data.split = split;
  data.count = count;
  data.where = "test";
  return data;
}

inline Recipe toy_recipe() {
  Recipe recipe;
  recipe.name = "toy";
  recipe.data["captions"] = scenes("caption", "validation", 12);
  recipe.data["questions"] = scenes("question", "validation", 24);
  recipe.data["both"] = scenes("both", "train", 5);
  recipe.data["asked"] = scenes("question", "train", 30);
  TaskRecipe& caption = recipe.tasks["caption"];
  caption.name = "caption";
  caption.kind = TaskKind::caption;
  caption.data = "captions";
  caption.neighbours = "captions";
  caption.decoding = {.max_new_tokens = 6, .batch = 5};
  TaskRecipe& question = recipe.tasks["question"];
  question = caption;
  question.name = "question";
  question.kind = TaskKind::question;
  question.data = "questions";
  question.neighbours = "asked";
  return recipe;
}

inline Bundle toy_bundle() {
  std::vector<std::string> lines;
  const auto data = open_dataset("captions", scenes("both", "train", 20));
  for (size_t i = 0; i < data->size(); ++i) {
    for (const std::string& text : data->example(i).references) lines.push_back(text);
  }
  Bundle bundle;
  bundle.tokenizer = train_tokenizer(lines, {.vocab_size = 300});
  bundle.prompt_template = PromptTemplate::named("plain", *bundle.tokenizer);
  bundle.processor = Processor{.size = 8};
  ModelConfig config = toy_config(bundle.tokenizer->vocab_size());
  ParamMap params;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    at::Tensor value = random_parameter(name, shape, 4);
    if (shape.size() > 1) value.mul_(name.starts_with("language.") ? 15.0 : 3.0);
    params.add(name, value);
  }
  bundle.model = std::make_unique<Model>(config, std::move(params));
  return bundle;
}

}  // namespace sightline::test
