#pragma once
// The subcommands. Each function adds one to `app`, with its help and its flags; what the user
// chose runs while `app` is parsed, and throws Error or UsageError, which main() turns into exit
// codes. Results go to stdout, the rest to stderr. The help of each ends with an example.

#include <memory>

namespace CLI {
class App;
}

namespace sightline {

// The whole program: all that stands below.
std::unique_ptr<CLI::App> make_program();

void add_train_command(CLI::App& app);
void add_launch_command(CLI::App& app);
void add_plan_command(CLI::App& app);
void add_demo_command(CLI::App& app);
void add_caption_command(CLI::App& app);
void add_ask_command(CLI::App& app);
void add_recaption_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_pool_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_score_command(CLI::App& app);
void add_tokenizer_command(CLI::App& app);
void add_data_command(CLI::App& app);
void add_data_check_command(CLI::App& group);  // of `data`
void add_doctor_command(CLI::App& app);
void add_completions_command(CLI::App& app);

}  // namespace sightline
