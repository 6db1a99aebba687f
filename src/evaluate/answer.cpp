#include "evaluate/answer.h"

#include "base/error.h"
#include "evaluate/cases.h"

#include <algorithm>

namespace sightline {
namespace {

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string text_of(const Generated& generated, const Bundle& bundle,
                    const DecodingRecipe& decoding) {
  const std::string text = bundle.tokenizer->decode(generated.tokens, {DecodeSpecial::skip});
  return trimmed(std::string(before_stop(text, decoding.stop)));
}

Prompt prompt_of(const Question& question, const Bundle& bundle, const SampleEncoder& encoder,
                 Pictures pictures) {
  check(question.images.empty() || bundle.model->config().sees(),
        "{}: there is a picture, but the model has no vision part", question.where);
  Prompt prompt{.rows = encoder.encode_prompt(question.turns), .where = question.where};
  if (!question.images.empty()) {
    prompt.pixels_ICHW = pixels_of(question.images, *bundle.processor);
    if (pictures == Pictures::blank) prompt.pixels_ICHW.zero_();
  }
  return prompt;
}

}  // namespace

Answerer::Answerer(const Bundle& bundle)
    : bundle_(bundle), generator_(bundle), encoder_(bundle.encoder()) {}

void Answerer::answer(std::span<const Question> questions, const AnswerOptions& options,
                      const EachQuestion& each) const {
  SL_ASSERT(options.decoding.batch >= 1, "batches of {}", options.decoding.batch);
  const auto batch = static_cast<size_t>(options.decoding.batch);
  for (size_t first = 0; first < questions.size(); first += batch) {
    std::vector<Prompt> prompts;
    for (const Question& question :
         questions.subspan(first, std::min(batch, questions.size() - first))) {
      prompts.push_back(prompt_of(question, bundle_, encoder_, options.pictures));
    }
    const auto results = generator_.answers(prompts, options.decoding);
    for (size_t i = 0; i < results.size(); ++i) {
      std::vector<Answer> answers;
      for (const Generated& generated : results[i]) {
        answers.push_back({text_of(generated, bundle_, options.decoding), generated});
      }
      each(first + i, answers);
    }
  }
}

void answer(const Bundle& bundle, std::span<const Question> questions, const AnswerOptions& options,
            const EachQuestion& each) {
  Answerer(bundle).answer(questions, options, each);
}

}  // namespace sightline
