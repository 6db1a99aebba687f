#include "evaluate/recaption_line.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "data/line_file.h"
#include "recipe/decoding.h"
#include "text/utf8.h"

#include <algorithm>

namespace sightline {
namespace {

Json questions_of(std::span<const WrittenAnswer> answers) {
  Json list = Json::array();
  for (const WrittenAnswer& each : answers) {
    list.push_back({{"question", each.prompt}, {"answer", each.text}});
  }
  return list;
}

Json captions_of(std::span<const WrittenAnswer> answers) {
  Json list = Json::array();
  for (const WrittenAnswer& each : answers) list.push_back(each.text);
  return list;
}

// "" where there is no such string.
std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool has_list(const Json& line, const char* key) {
  return line.contains(key) && line[key].is_array() && !line[key].empty();
}

bool is_line_of(const Json& line, const ListedPicture& picture) {
  if (text_at(line, "image") != picture.name) return false;
  if (!has_list(line, "questions")) {
    const std::string& prompt = picture.prompts.front();
    return has_list(line, "captions") && !is_question(prompt) && text_at(line, "_prompt") == prompt;
  }
  return std::ranges::all_of(line["questions"], [&](const Json& question) {
    const std::string prompt = question.is_object() ? text_at(question, "question") : "";
    return std::ranges::find(picture.prompts, prompt) != picture.prompts.end();
  });
}

// Reads lines in the pictures' order.
class Reading {
 public:
  Reading(std::span<const ListedPicture> pictures, const Author& author)
      : pictures_(pictures), author_(author) {}

  void add(std::string_view text, const std::string& where) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) {
      fail_usage("{}: is no line that recaption wrote: name another --output", where);
    }
    check_author(line, where);
    const auto rest = pictures_.subspan(so_far_.next);
    const auto found = std::ranges::find_if(
        rest, [&](const ListedPicture& picture) { return is_line_of(line, picture); });
    if (found == rest.end()) {
      fail_usage(
          "{}: \"{}\" and what is said of it do not stand where this command would write them, so "
          "that it cannot go on with the file: give the command that began it (data, --prompt, "
          "--limit), or name another --output",
          where, text_at(line, "image"));
    }
    so_far_.next += static_cast<size_t>(found - rest.begin()) + 1;
    count(line, so_far_.count);
    so_far_.bytes += text.size() + 1;
  }

  const LinesSoFar& so_far() const { return so_far_; }

 private:
  void check_author(const Json& line, const std::string& where) const {
    const std::string model = text_at(line, "_model"), decoding = text_at(line, "_decoding");
    if (model == author_.model && decoding == author_.decoding) return;
    fail_usage(
        "{}: was written by {} ({}), and this command writes by {} ({}): name another "
        "--output",
        where, model, decoding, author_.model, author_.decoding);
  }

  static void count(const Json& line, RecaptionCount& counts) {
    const char* const kind = has_list(line, "questions") ? "questions" : "captions";
    ++counts.lines;
    counts.answers += static_cast<int64_t>(line[kind].size());
    counts.cut += json_get_or<int64_t>(line, "_cut", 0, "_cut");
  }

  std::span<const ListedPicture> pictures_;
  const Author& author_;
  LinesSoFar so_far_;
};

}  // namespace

Author author_of(const std::filesystem::path& model_folder, const DecodingRecipe& decoding) {
  std::filesystem::path path = model_folder.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return {(path.parent_path().filename() / path.filename()).string(), decoding_text(decoding)};
}

bool is_question(std::string_view prompt) {
  return !prompt.empty() && trimmed(prompt).size() == prompt.size();
}

void check_name(const std::string& name, const std::string& path) {
  check(is_question(name) && is_valid_utf8(name),
        "{}: a line of JSON cannot name this picture: its name has white space at an end, or is "
        "not UTF-8; rename it",
        path);
}

std::string line_of(const ListedPicture& picture, std::span<const WrittenAnswer> answers,
                    const Author& author) {
  const std::string& prompt = picture.prompts.front();
  Json line = {{"image", picture.name}};
  if (is_question(prompt)) {
    line["questions"] = questions_of(answers);
  } else {
    line["captions"] = captions_of(answers);
    if (!prompt.empty()) line["_prompt"] = prompt;
  }
  const auto cut = std::ranges::count(answers, WrittenAnswer::End::cut, &WrittenAnswer::end);
  if (cut > 0) line["_cut"] = cut;
  line["_model"] = author.model;
  line["_decoding"] = author.decoding;
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

LinesSoFar lines_so_far(const std::filesystem::path& file, std::span<const ListedPicture> pictures,
                        const Author& author) {
  const MappedFile mapped(file);
  std::string_view rest(reinterpret_cast<const char*>(mapped.bytes().data()),
                        mapped.bytes().size());
  Reading reading(pictures, author);
  for (int64_t row = 1; rest.find('\n') != std::string_view::npos; ++row) {
    const size_t end = rest.find('\n');
    reading.add(rest.substr(0, end), fmt::format("{}:{}", file.string(), row));
    rest.remove_prefix(end + 1);
  }
  return reading.so_far();
}

}  // namespace sightline
