// sightline ask MODEL IMAGE "question"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/print_answers.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

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
  answer(bundle, {&question, 1}, {.decoding = decoding},
         [&](size_t, std::span<const Answer> answers) {
           if (options.json) {
             const Json head = {{"image", options.image}, {"question", options.question}};
             print_answers_json(head, "answer", answers, *bundle.tokenizer);
           } else {
             print_answers("", answers, *bundle.tokenizer, options.decoding.log_probs);
           }
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
  command->add_flag("--json", options->json,
                    "one JSON object an answer, with its score and the tokens' log-probabilities");
  add_decoding_flags(*command, options->decoding);
  add_log_probs_flag(*command, options->decoding);
  command->callback([options] { run_ask(*options); });
}

}  // namespace sightline
