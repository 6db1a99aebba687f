#include "evaluate/recaption.h"

#include "base/error.h"
#include "base/json.h"
#include "data/line_file.h"
#include "evaluate/cases.h"

#include <algorithm>

namespace sightline {
namespace {

// Why a picture cannot be shown to the model; "" where it can.
std::string problem_with(const ListedPicture& picture, const Processor& processor) {
  try {
    const ImageSource source{.path = picture.path};
    pixels_of({&source, 1}, processor);
    return "";
  } catch (const Error& error) {
    return picture.where.empty() ? error.what()
                                 : fmt::format("{}: {}", picture.where, error.what());
  }
}

std::string as_text(std::span<const Recaptioned> pictures) {
  Json list = Json::array();
  for (const Recaptioned& each : pictures) list.push_back({each.number, each.line, each.problem});
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_from(const std::string& text, std::vector<Recaptioned>& pictures) {
  for (const Json& each : Json::parse(text)) {
    pictures.push_back(
        {each[0].get<size_t>(), each[1].get<std::string>(), each[2].get<std::string>()});
  }
}

// Looks at the pictures of a batch.
class Writer {
 public:
  Writer(const Bundle& bundle, const PictureList& list, const RecaptionOptions& options)
      : bundle_(bundle), list_(list), options_(options), answerer_(bundle) {}

  std::vector<Recaptioned> batch(size_t first, size_t count) const {
    std::vector<size_t> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = first + i;
    try {
      return look_at(numbers);
    } catch (const Error&) {
      return look_again(numbers);
    }
  }

 private:
  // Something went wrong: unreadable pictures are told apart. If none is one, it goes wrong again.
  std::vector<Recaptioned> look_again(std::span<const size_t> numbers) const {
    std::vector<Recaptioned> bad;
    std::vector<size_t> good;
    for (const size_t number : numbers) {
      const ListedPicture& picture = list_.pictures[number];
      const std::string problem = problem_with(picture, *bundle_.processor);
      if (problem.empty()) {
        good.push_back(number);
        continue;
      }
      if (options_.on_bad_sample == OnBadSample::fail) fail_for(picture, problem);
      bad.push_back({number, "", problem});
    }
    std::vector<Recaptioned> all = look_at(good);
    all.insert(all.end(), bad.begin(), bad.end());
    std::ranges::sort(all, {}, &Recaptioned::number);
    return all;
  }

  [[noreturn]] static void fail_for(const ListedPicture& picture, const std::string& problem) {
    const bool has_table = !picture.where.empty();
    fail("{}{}", problem, has_table ? " (or pass over bad samples: on_bad_sample = \"skip\")" : "");
  }

  std::vector<Recaptioned> look_at(std::span<const size_t> numbers) const {
    std::vector<Question> questions;
    std::vector<size_t> asked_about;  // question -> place in `numbers`
    for (size_t i = 0; i < numbers.size(); ++i) {
      const ListedPicture& picture = list_.pictures[numbers[i]];
      for (const std::string& prompt : picture.prompts) {
        questions.push_back({{{.path = picture.path}}, {{Role::user, prompt, 1}}, picture.path});
        asked_about.push_back(i);
      }
    }
    std::vector<std::vector<WrittenAnswer>> said(numbers.size());
    answerer_.answer(questions, {.decoding = options_.decoding},
                     [&](size_t question, std::span<const Answer> answers) {
                       const std::string& prompt = questions[question].turns.front().text;
                       for (const Answer& each : answers) {
                         using enum WrittenAnswer::End;
                         said[asked_about[question]].push_back(
                             {prompt, each.text, each.generated.ended ? whole : cut});
                       }
                     });
    std::vector<Recaptioned> results;
    for (size_t i = 0; i < numbers.size(); ++i) {
      results.push_back(written(numbers[i], std::move(said[i])));
    }
    return results;
  }

  Recaptioned written(size_t number, std::vector<WrittenAnswer> answers) const {
    const ListedPicture& picture = list_.pictures[number];
    const size_t all = answers.size();
    const size_t empty = std::erase_if(
        answers, [](const WrittenAnswer& each) { return trimmed(each.text).empty(); });
    Recaptioned result{.number = number};
    if (!answers.empty()) result.line = line_of(picture, answers, options_.author);
    if (empty > 0) {
      result.problem = fmt::format("{}: {} of {} answers had no words (--min-tokens asks for some)",
                                   picture.path, empty, all);
    }
    return result;
  }

  const Bundle& bundle_;
  const PictureList& list_;
  const RecaptionOptions& options_;
  Answerer answerer_;
};

}  // namespace

void recaption(const Bundle& bundle, const PictureList& list, const RecaptionOptions& options,
               const EachRound& each) {
  check(bundle.processor.has_value(), "the model has no vision part, so it sees no pictures");
  const size_t end = list.pictures.size();
  if (options.first >= end) return;
  const Writer writer(bundle, list, options);
  const auto batch = static_cast<size_t>(options.decoding.batch);
  const auto rank = static_cast<size_t>(options.share.rank);
  const auto ranks = static_cast<size_t>(options.share.ranks);
  for (size_t round = options.first / batch * batch; round < end; round += ranks * batch) {
    const size_t first = std::min(round + rank * batch, end);
    const std::string own = as_text(writer.batch(first, std::min(batch, end - first)));
    std::vector<Recaptioned> pictures;
    if (ranks == 1) {
      add_from(own, pictures);
    } else {
      for (const std::string& text : options.share.gather(own)) add_from(text, pictures);
    }
    std::erase_if(pictures, [&](const Recaptioned& p) { return p.number < options.first; });
    each(pictures);
  }
}

}  // namespace sightline
