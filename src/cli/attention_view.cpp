#include "cli/attention_view.h"

#include "base/error.h"
#include "base/file.h"
#include "evaluate/cases.h"
#include "image/decode.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace sightline {

namespace {

bool begins_word(const Tokenizer& tokenizer, int32_t id) {
  // Some decoders take away a first space, so the token itself is asked too.
  const std::string_view token = tokenizer.token(id);
  const std::string text = tokenizer.decode({&id, 1});
  return text.starts_with(' ') || text.starts_with('\n') || token.starts_with("\u2581") ||
         token.starts_with("\u0120");
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \n\t");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n\t") - first + 1);
}

std::string type_of(const std::string& bytes) {
  if (bytes.starts_with("\x89PNG")) return "image/png";
  return bytes.starts_with("RIFF") ? "image/webp" : "image/jpeg";
}

// Where the square that the processor makes lies in the picture; see Processor::Fit.
void place_square(const Processor& processor, AttentionPage& page) {
  const double width = page.width, height = page.height;
  double side = 0;
  switch (processor.fit) {
    case Processor::Fit::squash:
      page.square_width = width;
      page.square_height = height;
      page.seen = fmt::format(
          "The model saw the whole picture, squeezed into a square of {0} x {0} "
          "pixels.",
          processor.size);
      return;
    case Processor::Fit::crop:
      side = std::min(width, height);
      page.seen = fmt::format(
          "The model saw the square in the middle, at {0} x {0} pixels; what "
          "lies beside the grid it did not see.",
          processor.size);
      break;
    case Processor::Fit::pad:
      side = std::max(width, height);
      page.seen = fmt::format(
          "The model saw the whole picture within bars that make it a square, "
          "at {0} x {0} pixels.",
          processor.size);
      break;
  }
  page.square_width = page.square_height = side;
  page.left = (width - side) / 2;
  page.top = (height - side) / 2;
}

AttendedWord attended(const AttentionRecord& record, const WordSpan& word) {
  AttendedWord result{.text = word.text};
  const auto tokens = static_cast<float>(word.end - word.begin);
  for (int64_t layer = 0; layer < record.layers; ++layer) {
    std::vector<float>& cells = result.cells.emplace_back(static_cast<size_t>(record.rows));
    for (size_t token = word.begin; token < word.end; ++token) {
      for (int64_t row = 0; row < record.rows; ++row) {
        cells[static_cast<size_t>(row)] +=
            record.at(layer, static_cast<int64_t>(token), row) / tokens;
      }
    }
  }
  return result;
}

}  // namespace

std::vector<WordSpan> words_of(const Tokenizer& tokenizer, std::span<const int32_t> tokens) {
  std::vector<WordSpan> words;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (words.empty() || begins_word(tokenizer, tokens[i])) words.push_back({i, i, {}});
    words.back().end = i + 1;
  }
  for (WordSpan& word : words) {
    word.text = trimmed(tokenizer.decode(tokens.subspan(word.begin, word.end - word.begin)));
  }
  // Spaces alone are no word to point at.
  std::erase_if(words, [](const WordSpan& word) { return word.text.empty(); });
  return words;
}

AttentionPage attention_page(const Bundle& bundle, const std::string& picture,
                             const std::string& prompt, std::span<const int32_t> answer) {
  const ModelConfig& config = bundle.model->config();
  const std::vector<Turn> turns = {{Role::user, prompt, 1}};
  const std::vector<ImageSource> images = {{.path = picture}};
  const Prompt asked{.rows = bundle.encoder().encode_prompt(turns),
                     .pixels_ICHW = pixels_of(images, *bundle.processor),
                     .where = picture};
  const AttentionRecord record = record_attention(*bundle.model, bundle.mask, asked, answer);

  AttentionPage page{.picture = std::filesystem::path(picture).filename().string(),
                     .image = read_file(picture)};
  page.image_type = type_of(page.image);
  const Image decoded =
      decode_image(std::as_bytes(std::span(page.image.data(), page.image.size())), picture);
  page.width = decoded.width;
  page.height = decoded.height;
  place_square(*bundle.processor, page);
  page.patches_a_side = config.vision->patches_per_side();
  page.cells_a_side = std::lround(std::sqrt(static_cast<double>(record.rows)));
  SL_ASSERT(page.cells_a_side * page.cells_a_side == record.rows, "{} rows are no square",
            record.rows);
  page.heads = config.language->num_attention_heads;
  page.difference = record.difference;
  for (const WordSpan& word : words_of(*bundle.tokenizer, answer)) {
    page.words.push_back(attended(record, word));
  }
  check(!page.words.empty(), "{}: the caption has no word to show", picture);
  return page;
}

}  // namespace sightline
