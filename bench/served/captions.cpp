// Captions the pictures of the command line, from files to words, once for each line on stdin:
// bench/decode.py lets it take turns with peers. Greedy, and of exactly TOKENS tokens: the models
// that it is given have random weights and would end anywhere.
//
//   bench_captions MODEL WEIGHTS TOKENS BATCH photo.jpg ...

#include "bench/served/served.h"
#include "evaluate/cases.h"
#include "generate/generator.h"
#include "recipe/names.h"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace sightline;

Prompt prompt_of(const Bundle& bundle, const std::string& path) {
  const std::vector<Turn> turns = {{.role = Role::user, .text = "", .images = 1, .more = {}}};
  return {.rows = bundle.encoder().encode_prompt(turns),
          .pixels_ICHW = pixels_of(std::vector<ImageSource>{{.path = path}}, *bundle.processor),
          .where = path};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6) return 2;
  const Bundle bundle = load_bundle(arguments[1], at::kBFloat16);
  const Generator generator(bundle);
  DecodingRecipe decoding;
  decoding.weights = enum_named<DecodingWeights>(arguments[2]).value();
  decoding.max_new_tokens = decoding.min_new_tokens = std::atoi(arguments[3]);
  const std::vector<std::string> paths(arguments + 5, arguments + count);
  const auto batch = static_cast<size_t>(std::atoi(arguments[4]));
  const auto caption = [&](size_t first, size_t last) {
    std::vector<Prompt> prompts;
    for (size_t i = first; i < last; ++i) prompts.push_back(prompt_of(bundle, paths[i]));
    for (const Generated& generated : generator.generate(prompts, decoding)) {
      bundle.tokenizer->decode(generated.tokens, {DecodeSpecial::skip});
    }
  };
  bool sets_up = true;  // by one batch
  bench::serve([&] {
    for (size_t first = 0; first < (sets_up ? 1 : paths.size()); first += batch) {
      caption(first, std::min(first + batch, paths.size()));
    }
    sets_up = false;
  });
}
