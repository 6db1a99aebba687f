#pragma once
// The subcommands. Each function adds one to `app`, with its help and its flags; what the user
// chose runs while `app` is parsed, and throws Error or UsageError, which main() turns into exit
// codes. Results go to stdout, the rest to stderr.

namespace CLI {
class App;
}

namespace sightline {

void add_train_command(CLI::App& app);
void add_demo_command(CLI::App& app);
void add_caption_command(CLI::App& app);
void add_ask_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_score_command(CLI::App& app);
void add_tokenizer_command(CLI::App& app);
void add_data_command(CLI::App& app);
void add_data_check_command(CLI::App& group);  // of `data`

}  // namespace sightline
