// sightline caption MODEL IMAGE...

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/attention_view.h"
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
  std::string attend;
  bool json = false;
};

void write_attention(const Bundle& bundle, const std::string& file, const std::string& picture,
                     const std::string& prompt, const Answer& best) {
  check(!best.generated.tokens.empty(), "{}: the caption is empty, so no word looked anywhere",
        picture);
  write_file(file,
             attention_page_html(attention_page(bundle, picture, prompt, best.generated.tokens)));
  log("written to {}", file);
}

void run_caption(const CaptionOptions& options) {
  const std::vector<std::string> images = pictures_at(options.images);
  if (!options.attend.empty() && images.size() != 1) {
    fail_usage("--attend shows one picture, and {} are given", images.size());
  }
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
           if (!options.attend.empty()) {
             write_attention(bundle, options.attend, image, prompt, answers.front());
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
      "0.9\n\nWhere each word of the caption looked, as a page for a browser:\n"
      "  sightline caption runs/flickr8k/model photo.jpg --attend looked.html");
  add_model_options(*command, options->model);
  command->add_option("IMAGE", options->images, "picture files (JPEG, PNG), or folders of them")
      ->required();
  command->add_option("--prompt", options->prompt,
                      "what the user says before the caption (default: the model's recipe's)");
  command->add_option("--attend", options->attend,
                      "write a page (HTML) that shows where each word of the best caption looked");
  command->add_flag("--json", options->json,
                    "one JSON object a caption, with its score and the tokens' log-probabilities");
  add_decoding_flags(*command, options->decoding);
  add_log_probs_flag(*command, options->decoding);
  command->callback([options] { run_caption(*options); });
}

}  // namespace sightline
