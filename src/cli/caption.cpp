// sightline caption MODEL IMAGE...

#include "base/log.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/print_answers.h"

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace sightline {
namespace {

struct CaptionOptions {
  ModelOptions model;
  DecodingFlags decoding;
  std::vector<std::string> images;
  std::optional<std::string> prompt;
  bool json = false;
};

void run_caption(const CaptionOptions& options) {
  const std::vector<std::string> images = pictures_at(options.images);
  const Bundle bundle = load_model(options.model);
  Manner manner = manner_of(bundle, options.model.folder, TaskKind::caption);
  apply(options.decoding, manner.decoding);
  const std::string prompt = options.prompt.value_or(manner.prompt);
  std::vector<Question> questions;
  for (const std::string& image : images) {
    questions.push_back({{ImageSource{.path = image}}, {{Role::user, prompt, 1}}, image});
  }
  std::optional<Progress> progress;
  if (images.size() > static_cast<size_t>(manner.decoding.batch)) progress.emplace();
  answer(bundle, questions, {.decoding = manner.decoding},
         [&](size_t number, std::span<const Answer> answers) {
           const std::string& image = images[number];
           if (options.json) {
             print_answers_json({{"image", image}}, "caption", answers, *bundle.tokenizer);
           } else {
             print_answers(images.size() > 1 ? image + "\t" : "", answers, *bundle.tokenizer,
                           options.decoding.log_probs);
           }
           if (progress) {
             progress->update(fmt::format("{} of {} pictures", number + 1, images.size()));
           }
         });
}

}  // namespace

void add_caption_command(CLI::App& app) {
  auto options = std::make_shared<CaptionOptions>();
  CLI::App* command = app.add_subcommand("caption", "Say what is in pictures.");
  command->footer(
      "Example:\n  sightline caption runs/flickr8k/model photo.jpg holiday/ --beams 3"
      "\n\nOne picture: its caption. Several: a line each, the path, a tab, the caption. With "
      "--answers\nthe score and a tab stand before each caption, the best first:\n"
      "  sightline caption runs/flickr8k/model photo.jpg --answers 3 --temperature 0.8 --top-p "
      "0.9");
  add_model_options(*command, options->model);
  command->add_option("IMAGE", options->images, "picture files (JPEG, PNG), or folders of them")
      ->required();
  command->add_option("--prompt", options->prompt,
                      "what the user says before the caption (default: the model's recipe's)");
  command->add_flag("--json", options->json,
                    "one JSON object a caption, with its score and the tokens' log-probabilities");
  add_decoding_flags(*command, options->decoding);
  add_log_probs_flag(*command, options->decoding);
  command->callback([options] { run_caption(*options); });
}

}  // namespace sightline
