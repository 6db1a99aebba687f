// sightline ask MODEL IMAGE... "question"...

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/print_answers.h"
#include "data/jsonl.h"

#include <filesystem>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

namespace sightline {
namespace {

namespace fs = std::filesystem;

struct AskOptions {
  ModelOptions model;
  DecodingFlags decoding;
  std::vector<std::string> words;  // pictures, then questions
  std::string conversation;        // a file in their place
  bool json = false;
};

// What is asked: pictures, turns that were said, and questions still to be put one after the other.
struct Asked {
  std::vector<std::string> images;
  std::vector<Turn> said;
  std::vector<std::string> questions;
};

// The words that name files are pictures, up to the first that does not. A question that is called
// like a picture is taken for a picture that is not there.
Asked split_words(const std::vector<std::string>& words) {
  Asked asked;
  for (const std::string& word : words) {
    const bool is_file = fs::is_regular_file(word);
    const bool is_image = asked.questions.empty() && (is_file || asked.images.empty());
    if (!is_file && (is_image || names_a_picture(word))) fail_usage("{}: no such file", word);
    (is_image ? asked.images : asked.questions).push_back(word);
  }
  if (asked.questions.empty()) fail_usage("there is no question: ask something, in quotes");
  for (const std::string& question : asked.questions) {
    if (question.empty()) fail_usage("the question is empty: ask something about the picture");
  }
  return asked;
}

// {"messages": [...]}, as a line of the format jsonl that the model is to end: read as such a line.
Question read_conversation(const std::string& file) {
  const std::string where = file;
  Json line = read_json(file);
  check(line.is_object() && line.contains("messages") && line["messages"].is_array(),
        "{}: is not {{\"messages\": [...]}}", where);
  line["messages"].push_back({{"role", "assistant"}, {"content", "?"}});
  DataRecipe recipe;
  recipe.images = fs::path(file).parent_path().string();
  Example example = read_jsonl_line(recipe, line.dump(), where);
  std::vector<Turn> turns = std::move(example.conversations.front());
  turns.pop_back();
  for (const ImageSource& image : example.images) {
    if (!fs::exists(image.path)) fail_usage("{}: names {}: no such file", file, image.path);
  }
  return {std::move(example.images), std::move(turns), where};
}

std::string put(const std::string& prompt, const std::string& question) {
  constexpr std::string_view kMark = "{question}";
  const size_t at = prompt.find(kMark);
  return at == std::string::npos ? question
                                 : std::string(prompt).replace(at, kMark.size(), question);
}

class Asking {
 public:
  Asking(const AskOptions& options, const Bundle& bundle, DecodingRecipe decoding)
      : options_(options), bundle_(bundle), decoding_(std::move(decoding)) {}

  // Prints the answers, and returns the best.
  std::string ask(const Question& question) const {
    std::string best;
    answer(bundle_, {&question, 1}, {.decoding = decoding_},
           [&](size_t, std::span<const Answer> answers) {
             best = answers.front().text;
             print(question, answers);
           });
    return best;
  }

 private:
  void print(const Question& question, std::span<const Answer> answers) const {
    if (!options_.json) {
      return print_answers("", answers, *bundle_.tokenizer, options_.decoding.log_probs);
    }
    Json images = Json::array();
    for (const ImageSource& image : question.images) images.push_back(image.path);
    Json head = images.size() == 1 ? Json{{"image", images[0]}} : Json{{"images", images}};
    head["question"] = question.turns.back().text;
    print_answers_json(head, "answer", answers, *bundle_.tokenizer);
  }

  const AskOptions& options_;
  const Bundle& bundle_;
  DecodingRecipe decoding_;
};

// The pictures stand before the first question, as in training; each answer is part of what the
// next question follows.
void ask_in_turn(const Asking& asking, const std::string& prompt, const Asked& asked) {
  Question question{.where = asked.images.front()};
  for (const std::string& image : asked.images) question.images.push_back({.path = image});
  int images = static_cast<int>(asked.images.size());
  for (const std::string& words : asked.questions) {
    question.turns.push_back({Role::user, put(prompt, words), std::exchange(images, 0)});
    question.turns.push_back({Role::assistant, asking.ask(question)});
  }
}

void run_ask(const AskOptions& options) {
  const bool from_file = !options.conversation.empty();
  if (from_file && !options.words.empty()) {
    fail_usage("give pictures and questions, or --conversation, and not both");
  }
  if (!from_file && options.words.empty()) {
    fail_usage("give a picture and a question, or --conversation FILE");
  }
  Asked asked;
  Question conversation;
  if (from_file) {
    conversation = read_conversation(options.conversation);
  } else {
    asked = split_words(options.words);
  }
  const Bundle bundle = load_model(options.model);
  Manner manner = manner_of(bundle, options.model.folder, TaskKind::question);
  apply(options.decoding, manner.decoding);
  const Asking asking(options, bundle, manner.decoding);
  if (from_file) {
    asking.ask(conversation);
  } else {
    ask_in_turn(asking, manner.prompt, asked);
  }
}

}  // namespace

void add_ask_command(CLI::App& app) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command = app.add_subcommand("ask", "Ask questions about pictures.");
  command->footer(
      "Examples:\n  sightline ask runs/demo/model scene.png \"how many circles are there?\"\n"
      "  sightline ask MODEL a.jpg b.jpg \"which is older?\" \"why?\"\n"
      "  sightline ask MODEL --conversation talk.json"
      "\n\nSeveral questions are put one after the other, each with the answers before it in "
      "sight; a line an\nanswer. A conversation is {\"messages\": [...]}, as in the format jsonl, "
      "and ends with the user;\nits pictures are relative to its file.");
  add_model_options(*command, options->model);
  command->add_option("IMAGE QUESTION", options->words,
                      "picture files (JPEG, PNG), then questions, each in quotes");
  command->add_option("--conversation", options->conversation,
                      "a JSON file with the turns so far, in place of pictures and questions");
  command->add_flag("--json", options->json,
                    "one JSON object an answer, with its score and the tokens' log-probabilities");
  add_decoding_flags(*command, options->decoding);
  add_log_probs_flag(*command, options->decoding);
  command->callback([options] { run_ask(*options); });
}

}  // namespace sightline
