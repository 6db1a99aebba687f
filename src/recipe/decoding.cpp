#include "recipe/decoding.h"

#include "base/error.h"
#include "recipe/names.h"

#include <algorithm>

namespace sightline {
namespace {

using Problem = std::optional<DecodingProblem>;

template <class... Args>
Problem problem(const char* key, fmt::format_string<Args...> format, Args&&... args) {
  return DecodingProblem{key, fmt::format(format, std::forward<Args>(args)...)};
}

Problem problem_of_beams(const DecodingRecipe& decoding) {
  const int64_t beams = decoding.beams, groups = decoding.beam_groups;
  if (beams > 1 && decoding.temperature > 0) {
    return problem("temperature",
                   "beams look for the likeliest answers, a temperature above 0 draws them: with "
                   "beams = {} leave temperature out, or set beams = 1",
                   beams);
  }
  if (beams % groups != 0) {
    return problem("beam_groups",
                   "{} beams cannot be {} groups of equal size: beams must be a "
                   "multiple of beam_groups",
                   beams, groups);
  }
  if (groups > 1 && decoding.diversity == 0) {
    return problem("beam_groups",
                   "without diversity all {} groups find the same: add diversity = 0.5", groups);
  }
  if (groups == 1 && decoding.diversity > 0) {
    return problem("diversity",
                   "diversity holds between groups of beams, and there is one: add beam_groups");
  }
  return {};
}

Problem problem_of_drawing(const DecodingRecipe& decoding) {
  if (decoding.temperature > 0) return {};
  const std::pair<const char*, bool> keys[] = {{"top_k", decoding.top_k > 0},
                                               {"top_p", decoding.top_p < 1.0},
                                               {"min_p", decoding.min_p > 0.0}};
  for (const auto& [key, given] : keys) {
    if (!given) continue;
    return problem(key,
                   "{} bounds what is drawn, and at temperature 0 nothing is: add temperature = "
                   "1.0, or leave {} out",
                   key, key);
  }
  return {};
}

Problem problem_of_answers(const DecodingRecipe& decoding) {
  const int64_t answers = decoding.answers, beams = decoding.beams;
  if (decoding.temperature > 0 || answers <= beams) return {};
  if (beams == 1) {
    return problem("answers",
                   "greedy search finds one answer, and {} are asked for: add beams = {} or "
                   "temperature = 1.0",
                   answers, answers);
  }
  return problem("answers", "{} beams cannot give {} answers: add beams or ask for fewer", beams,
                 answers);
}

Problem problem_of_bounds(const DecodingRecipe& decoding) {
  if (decoding.min_new_tokens > decoding.max_new_tokens) {
    return problem("min_new_tokens", "at least {} tokens and at most {} cannot both be",
                   decoding.min_new_tokens, decoding.max_new_tokens);
  }
  if (std::ranges::find(decoding.stop, "") != decoding.stop.end()) {
    return problem("stop",
                   "an empty stop string would end every answer before its first word: "
                   "leave it out");
  }
  return {};
}

}  // namespace

std::optional<DecodingProblem> problem_with(const DecodingRecipe& decoding) {
  for (const auto& part :
       {problem_of_beams, problem_of_drawing, problem_of_answers, problem_of_bounds}) {
    if (Problem found = part(decoding)) return found;
  }
  return {};
}

void check_decoding(const DecodingRecipe& decoding) {
  if (const Problem found = problem_with(decoding)) fail_usage("decoding: {}", found->message);
}

std::string decoding_text(const DecodingRecipe& decoding) {
  std::string text = "greedy";
  const auto add = [&](bool given, const std::string& words) {
    if (given) text += ", " + words;
  };
  if (decoding.temperature > 0) {
    text = fmt::format("drawn at temperature {}", decoding.temperature);
    add(decoding.top_k > 0, fmt::format("top k {}", decoding.top_k));
    add(decoding.top_p < 1, fmt::format("top p {}", decoding.top_p));
    add(decoding.min_p > 0, fmt::format("min p {}", decoding.min_p));
    add(true, fmt::format("seed {}", decoding.seed));
  } else if (decoding.beams > 1) {
    text = fmt::format("{} beams, length penalty {}", decoding.beams, decoding.length_penalty);
    add(decoding.beam_groups > 1,
        fmt::format("{} groups, diversity {}", decoding.beam_groups, decoding.diversity));
  }
  add(decoding.repetition_penalty != 1,
      fmt::format("repetition penalty {}", decoding.repetition_penalty));
  add(decoding.no_repeat_ngram > 0, fmt::format("no {}-gram twice", decoding.no_repeat_ngram));
  add(decoding.answers > 1, fmt::format("the best of {}", decoding.answers));
  add(decoding.min_new_tokens > 0, fmt::format("at least {} tokens", decoding.min_new_tokens));
  add(true, fmt::format("at most {} tokens", decoding.max_new_tokens));
  add(decoding.weights != DecodingWeights::whole,
      fmt::format("{} weights", enum_name(decoding.weights)));
  for (const std::string& stop : decoding.stop) add(true, fmt::format("up to \"{}\"", stop));
  return text;
}

}  // namespace sightline
