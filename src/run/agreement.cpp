#include "run/agreement.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "recipe/parse.h"

#include <span>
#include <string>

#include <fmt/format.h>

namespace sightline {

void check_same_run(World& world, const Recipe& recipe) {
  if (world.size() == 1) return;
  world.check_same("the program (/proc/self/exe)", read_file("/proc/self/exe"));
  world.check_same(fmt::format("the recipe ({})", recipe.file), print_recipe(recipe));
}

void check_same_data(World& world, const LoaderOptions& options) {
  if (world.size() == 1) return;
  std::string text;
  for (const LoaderEntry& entry : options.entries) {
    text += fmt::format("{} samples; ", entry.dataset->size());
    try {
      const Example first = entry.dataset->example(0);
      for (const auto& conversation : first.conversations) {
        for (const Turn& turn : conversation) text += turn.text + "; ";
      }
    } catch (const Error&) {
      text += "a bad one; ";  // the loader tells it
    }
  }
  world.check_same("the data of the stage", text);
}

void check_same_weights(World& world, const ParamMap& params) {
  if (world.size() == 1) return;
  std::string keys;
  for (const auto& [name, tensor] : params) {
    const at::Tensor whole = tensor.cpu().contiguous();
    keys += content_key(
        std::span(static_cast<const std::byte*>(whole.const_data_ptr()), whole.nbytes()));
  }
  world.check_same("the model's weights", keys);
}

}  // namespace sightline
