// The reader of JSON lines: captions, or questions with answers, of a picture or of none; or whole
// conversations.

#include "data/jsonl.h"

#include "base/error.h"
#include "base/json.h"
#include "data/conversation.h"
#include "data/line_file.h"
#include "data/readers.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/ranges.h>

namespace sightline {

namespace {

const std::array<std::string, 8> kLineKeys = {"image",  "caption", "captions",  "question",
                                              "answer", "kind",    "questions", "messages"};
const std::array<std::string, 2> kMessageKeys = {"role", "content"};
const std::array<std::string, 3> kPartKeys = {"type", "text", "image"};
const std::array<std::string, 3> kQuestionKeys = {"question", "answer", "kind"};

void check_keys(const Json& object, std::span<const std::string> known, const std::string& where) {
  for (const auto& item : object.items()) {
    const std::string& key = item.key();
    if (key.starts_with('_') || std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known.data(), known.data() + known.size());
    fail("{}: the key \"{}\" is not known{}; a key of your own may begin with \"_\"", where, key,
         nearest.empty() ? fmt::format(" (known: {})", fmt::join(known, ", "))
                         : fmt::format("; did you mean \"{}\"?", nearest));
  }
}

class LineReader {
 public:
  LineReader(const DataRecipe& recipe, std::string where) : recipe_(recipe) {
    example_.where = std::move(where);
  }

  Example read_about(ImageSource picture, const Json& object) && {
    check(object.is_object(), "{}: is not a JSON object: expected {{\"caption\": ..., ...}}",
          example_.where);
    check(!object.contains("messages"), "{}: \"messages\" cannot stand beside a picture",
          example_.where);
    example_.images.push_back(std::move(picture));
    Json words = object;
    if (!words.contains("question")) words.erase("kind");  // someone else's key
    read_words(words);
    return std::move(example_);
  }

  Example read(std::string_view line) && {
    const Json object = parse_json(line, example_.where);
    check(object.is_object(), "{}: is not a JSON object: expected {{\"image\": ..., ...}}",
          example_.where);
    check_keys(object, kLineKeys, example_.where);
    if (object.contains("image")) add_image(object, example_.where);
    read_words(object);
    return std::move(example_);
  }

 private:
  void read_words(const Json& object) {
    const bool caption = object.contains("caption"), captions = object.contains("captions");
    const bool question = object.contains("question") || object.contains("answer");
    const bool questions = object.contains("questions"), messages = object.contains("messages");
    check(caption + captions + question + questions + messages == 1,
          "{}: expected one of \"caption\", \"captions\", \"question\" with \"answer\", "
          "\"questions\" or \"messages\"",
          example_.where);
    check(question || !object.contains("kind"), "{}: \"kind\" belongs beside a \"question\"",
          example_.where);
    if (caption) add_caption(words_at(object, "caption", example_.where));
    if (captions) add_captions(object["captions"]);
    if (question) add_question(object, example_.where);
    if (questions) add_questions(object["questions"]);
    if (messages) add_messages(object);
  }

  void add_image(const Json& object, const std::string& where) {
    example_.images.push_back(
        {.path = image_path(recipe_, trimmed(words_at(object, "image", where)))});
  }

  void add_captions(const Json& captions) {
    check(captions.is_array() && !captions.empty(), "{}: \"captions\" is not a list of captions",
          example_.where);
    for (const Json& caption : captions) {
      check(caption.is_string() && !trimmed(caption.get_ref<const std::string&>()).empty(),
            "{}: \"captions\" holds {}, which is not a caption", example_.where,
            caption.dump().substr(0, 80));
      add_caption(caption.get<std::string>());
    }
  }

  void add_caption(const std::string& caption) {
    check(!example_.images.empty(), "{}: a caption without an \"image\"", example_.where);
    add_exchange(example_, recipe_.prompt, caption);
  }

  void add_questions(const Json& questions) {
    check(questions.is_array() && !questions.empty(),
          "{}: \"questions\" is not a list of {{\"question\": ..., \"answer\": ...}}",
          example_.where);
    for (size_t i = 0; i < questions.size(); ++i) {
      const std::string where = fmt::format("{}: question {}", example_.where, i + 1);
      check(questions[i].is_object(), "{}: is not an object", where);
      check_keys(questions[i], kQuestionKeys, where);
      add_question(questions[i], where);
    }
  }

  void add_question(const Json& object, const std::string& where) {
    const std::string question = words_at(object, "question", where);
    const std::string answer = words_at(object, "answer", where);
    const auto kind = json_get_or<std::string>(object, "kind", "", where);
    check(example_.conversations.empty() || kind == example_.kind,
          "{}: is of kind \"{}\", those before of \"{}\": give kinds lines of their own", where,
          kind, example_.kind);
    example_.kind = kind;
    add_exchange(example_, trimmed(question), answer);
  }

  void add_messages(const Json& object) {
    check(example_.images.empty(),
          "{}: \"image\" beside \"messages\": name it in a message's \"content\"", example_.where);
    const Json& messages = array_at(object, "messages", example_.where);
    ConversationBuilder conversation;
    for (size_t i = 0; i < messages.size(); ++i) {
      const std::string where = fmt::format("{}: message {}", example_.where, i + 1);
      check(messages[i].is_object(), "{}: is not an object", where);
      check_keys(messages[i], kMessageKeys, where);
      const auto role = json_get<std::string>(messages[i], "role", where);
      check(role == "user" || role == "assistant",
            "{}: \"role\" is \"{}\"; it may be \"user\" or \"assistant\"", where, role);
      conversation.begin(role == "user" ? Role::user : Role::assistant, where);
      add_content(messages[i], where, conversation);
    }
    conversation.finish(example_);
  }

  void add_content(const Json& message, const std::string& where,
                   ConversationBuilder& conversation) {
    check(message.contains("content"), "{}: the key \"content\" is missing", where);
    if (message["content"].is_string()) {
      return conversation.add_words(message["content"].get<std::string>());
    }
    const Json& parts = array_at(message, "content", where);
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::string part = fmt::format("{}, part {}", where, i + 1);
      check(parts[i].is_object(), "{}: is not an object", part);
      check_keys(parts[i], kPartKeys, part);
      const auto type = json_get<std::string>(parts[i], "type", part);
      check(type == "text" || type == "image",
            "{}: \"type\" is \"{}\"; it may be \"text\" or \"image\"", part, type);
      check(!parts[i].contains(type == "text" ? "image" : "text"),
            "{}: is of type \"{}\" and has another's key", part, type);
      if (type == "text") {
        conversation.add_words(words_at(parts[i], "text", part));
      } else {
        conversation.add_image();
        add_image(parts[i], part);
      }
    }
  }

  const DataRecipe& recipe_;
  Example example_;
};

class JsonlDataset final : public Dataset {
 public:
  explicit JsonlDataset(const DataRecipe& recipe) : recipe_(recipe), lines_(recipe.annotations) {
    if (recipe.limit > 0) lines_.limit_to(static_cast<size_t>(recipe.limit));
    check_examples(*this, recipe_);
  }

  size_t size() const override { return lines_.size(); }

  Example example(size_t number) const override {
    return read_jsonl_line(recipe_, lines_.line(number), lines_.where(number));
  }

 private:
  DataRecipe recipe_;
  LineFile lines_;
};

}  // namespace

Example read_jsonl_line(const DataRecipe& recipe, std::string_view line, const std::string& where) {
  return LineReader(recipe, where).read(line);
}

Example read_json_words(const DataRecipe& recipe, const Json& object, ImageSource picture,
                        const std::string& where) {
  return LineReader(recipe, where).read_about(std::move(picture), object);
}

std::unique_ptr<Dataset> open_jsonl(const std::string&, const DataRecipe& recipe) {
  return std::make_unique<JsonlDataset>(recipe);
}

}  // namespace sightline
