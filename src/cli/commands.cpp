#include "cli/commands.h"

#include <CLI/CLI.hpp>

namespace sightline {

std::unique_ptr<CLI::App> make_program() {
  auto app = std::make_unique<CLI::App>("Teaches a language model to see.", "sightline");
  app->footer(
      "Examples:\n"
      "  sightline train recipes/flickr8k.toml     train what a recipe says\n"
      "  sightline caption MODEL photo.jpg         say what is in a picture\n"
      "  sightline doctor                          what is here, and what is missing\n"
      "  sightline COMMAND --help                  one command, with an example");
  app->require_subcommand(1);
  app->set_version_flag("--version", "sightline " SIGHTLINE_VERSION);
  add_train_command(*app);
  add_launch_command(*app);
  add_plan_command(*app);
  add_caption_command(*app);
  add_ask_command(*app);
  add_recaption_command(*app);
  add_evaluate_command(*app);
  add_compare_command(*app);
  add_pool_command(*app);
  add_report_command(*app);
  add_score_command(*app);
  add_tokenizer_command(*app);
  add_data_command(*app);
  add_demo_command(*app);
  add_inspect_command(*app);
  add_doctor_command(*app);
  add_completions_command(*app);
  return app;
}

}  // namespace sightline
