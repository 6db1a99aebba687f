#include "cli/data_view.h"

#include "base/error.h"
#include "data/loader.h"
#include "image/decode.h"

#include <algorithm>
#include <span>

namespace sightline {

namespace {

const char* name_of(RowKind kind) {
  switch (kind) {
    case RowKind::image:
      return "image";
    case RowKind::user:
      return "user";
    case RowKind::assistant:
      return "assistant";
  }
  SL_ASSERT(false, "kind {}", static_cast<int>(kind));
}

// The first token has no row before it to be predicted from.
bool is_learnt(const Rows& rows, size_t i) { return i > 0 && rows.supervised[i] != 0; }

std::string text_of(const Tokenizer& tokenizer, int32_t id) {
  return id == kImageRow ? std::string() : tokenizer.decode({&id, 1});
}

PictureView picture_of(const ImageSource& source) {
  const std::string bytes = read_image_bytes(source);
  const Image image =
      decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), source.name());
  return {source.name(), image.width, image.height};
}

// Line breaks and tabs as "\n" and "\t".
std::string visible(const std::string& text) {
  const std::string json = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return json.substr(1, json.size() - 2);
}

// [begin, end) of one kind, learnt or not; touching images are apart.
size_t end_of_span(const SampleView& sample, const std::vector<TokenView>& tokens, size_t begin) {
  const bool image = tokens[begin].kind == RowKind::image;
  const size_t most = image ? begin + static_cast<size_t>(sample.rows_per_image) : tokens.size();
  size_t end = begin;
  while (end < std::min(most, tokens.size()) && tokens[end].kind == tokens[begin].kind &&
         tokens[end].is_learnt == tokens[begin].is_learnt) {
    ++end;
  }
  return end;
}

std::string conversation_text(const SampleView& sample, const std::vector<TokenView>& tokens) {
  std::string text;
  int64_t images = 0;
  for (size_t begin = 0; begin < tokens.size();) {
    const size_t end = end_of_span(sample, tokens, begin);
    const TokenView& first = tokens[begin];
    std::string words;
    if (first.kind == RowKind::image) {
      words = fmt::format("{}: {} rows", ++images, end - begin);
    }
    for (size_t i = begin; i < end && first.kind != RowKind::image; ++i) {
      words += (i == begin ? "" : "|") + visible(tokens[i].text);
    }
    text +=
        fmt::format("    {} {:<9}  {}\n", first.is_learnt ? '+' : ' ', name_of(first.kind), words);
    begin = end;
  }
  return text;
}

int64_t learnt_in(const std::vector<TokenView>& tokens) {
  return std::ranges::count_if(tokens, &TokenView::is_learnt);
}

}  // namespace

SampleView view_of(const Dataset& dataset, size_t number, const Reading& reading) {
  SampleView view{.where = fmt::format("sample {}", number + 1),
                  .rows_per_image = reading.rows_per_image};
  try {
    const Sample sample = reading.encoder.encode(dataset.example(number));
    view.where = sample.where;
    for (const ImageSource& source : sample.images) view.pictures.push_back(picture_of(source));
    for (const Rows& rows : sample.conversations) {
      std::vector<TokenView>& tokens = view.conversations.emplace_back();
      for (size_t i = 0; i < rows.tokens.size(); ++i) {
        tokens.push_back({rows.tokens[i], rows.kinds[i], is_learnt(rows, i),
                          text_of(reading.tokenizer, rows.tokens[i])});
      }
    }
  } catch (const Error& error) {
    view.problem = error.what();
  }
  return view;
}

TableView count_samples(const Dataset& dataset, size_t most, const Reading& reading) {
  TableView view;
  for (size_t i = 0; i < std::min(most, dataset.size()); ++i) {
    ++view.samples;
    try {
      const Sample sample = reading.encoder.encode(dataset.example(i));
      view.pictures += static_cast<int64_t>(sample.images.size());
      for (const Rows& rows : sample.conversations) {
        ++view.conversations;
        view.lengths.push_back(static_cast<int64_t>(rows.tokens.size()));
        view.rows += view.lengths.back();
        for (size_t k = 0; k < rows.tokens.size(); ++k) view.learnt += is_learnt(rows, k);
      }
    } catch (const Error&) {
      ++view.bad;
    }
  }
  return view;
}

std::string sample_text(const SampleView& sample) {
  if (!sample.problem.empty()) return fmt::format("bad sample: {}\n", sample.problem);
  std::string text = sample.where + "\n";
  for (size_t i = 0; i < sample.pictures.size(); ++i) {
    const auto& [name, width, height] = sample.pictures[i];
    text += fmt::format("  picture {}: {}, {} x {} pixels, {} rows\n", i + 1, name, width, height,
                        sample.rows_per_image);
  }
  for (size_t i = 0; i < sample.conversations.size(); ++i) {
    const auto& tokens = sample.conversations[i];
    text += fmt::format("  conversation {}: {} rows, {} learnt\n", i + 1, tokens.size(),
                        learnt_in(tokens));
    text += conversation_text(sample, tokens);
  }
  return text;
}

Json to_json(const SampleView& sample) {
  if (!sample.problem.empty()) return {{"sample", sample.where}, {"problem", sample.problem}};
  Json pictures = Json::array(), conversations = Json::array();
  for (const auto& [name, width, height] : sample.pictures) {
    pictures.push_back(
        {{"picture", name}, {"width", width}, {"height", height}, {"rows", sample.rows_per_image}});
  }
  for (const auto& tokens : sample.conversations) {
    Json list = Json::array();
    for (const auto& [id, kind, learnt, text] : tokens) {
      list.push_back({{"id", id}, {"kind", name_of(kind)}, {"learnt", learnt}, {"text", text}});
    }
    conversations.push_back(
        {{"rows", tokens.size()}, {"learnt", learnt_in(tokens)}, {"tokens", list}});
  }
  return {{"sample", sample.where}, {"pictures", pictures}, {"conversations", conversations}};
}

}  // namespace sightline
