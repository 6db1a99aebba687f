// sightline ask MODEL IMAGE "question"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/model_options.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct AskOptions {
  ModelOptions model;
  DecodingFlags decoding;
  std::string image, question;
  bool json = false;
};

void run_ask(const AskOptions& options) {
  if (!std::filesystem::exists(options.image)) fail_usage("{}: no such file", options.image);
  if (options.question.empty())
    fail_usage("the question is empty: ask something about the picture");
  const Bundle bundle = load_model(options.model);
  DecodingRecipe decoding = manner_of(bundle, options.model.folder, TaskKind::question).decoding;
  apply(options.decoding, decoding);
  const Question question{
      {ImageSource{.path = options.image}}, {{Role::user, options.question, 1}}, options.image};
  answer(bundle, {&question, 1}, answer_options(decoding), [&](size_t, const Answer& given) {
    if (!options.json) {
      fmt::print("{}\n", given.text);
      return;
    }
    const Json line = {{"image", options.image},
                       {"question", options.question},
                       {"answer", given.text},
                       {"log_probability", given.generated.log_probability}};
    fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

}  // namespace

void add_ask_command(CLI::App& app) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command = app.add_subcommand("ask", "Ask a question about a picture.");
  command->footer(
      "Example:\n  sightline ask runs/demo/model scene.png \"how many circles are there?\"");
  add_model_options(*command, options->model);
  command->add_option("IMAGE", options->image, "a picture file (JPEG, PNG)")->required();
  command->add_option("QUESTION", options->question, "the question, in quotes")->required();
  command->add_flag("--json", options->json, "a JSON object: image, question, answer");
  add_decoding_flags(*command, options->decoding);
  command->callback([options] { run_ask(*options); });
}

}  // namespace sightline
