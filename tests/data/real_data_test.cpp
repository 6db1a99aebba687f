// Flickr8k and the texts as they are, where they are.

#include "base/hash.h"
#include "base/log.h"
#include "data/dataset.h"
#include "data/line_file.h"
#include "tests/data/loader_fixture.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

DataRecipe flickr8k(const std::string& split) {
  const auto folder = test::data_folder() / "flickr8k";
  return {.format = DataFormat::flickr,
          .annotations = (folder / "Flickr8k.token.txt").string(),
          .images = (folder / "images").string(),
          .split = (folder / ("Flickr_8k." + split + "Images.txt")).string()};
}

TEST(RealData, Flickr8kOpensWhole) {
  SIGHTLINE_NEEDS(test::data_folder() / "flickr8k");
  for (const auto& [split, size] : {std::pair("train", 5999), std::pair("dev", 1000)}) {
    const double start = seconds_now();
    const auto data = open_dataset("flickr8k", flickr8k(split));
    std::printf("flickr8k %s opened in %.3f s\n", split, seconds_now() - start);
    ASSERT_EQ(data->size(), static_cast<size_t>(size));
    size_t captions = 0;
    for (size_t i = 0; i < data->size(); ++i) captions += data->example(i).references.size();
    EXPECT_EQ(captions, 5 * data->size());
  }
  const auto dev = open_dataset("flickr8k", flickr8k("dev"));
  EXPECT_THAT(dev->example(0).images[0].path, testing::EndsWith("2090545563_a4e66ec76b.jpg"));
}

TEST(RealData, TextsOpenWhole) {
  SIGHTLINE_NEEDS(test::data_folder() / "text");
  for (const auto& [name, size] :
       {std::pair("coco_captions.txt", 202654), std::pair("imdb_reviews.txt", 5000)}) {
    const double start = seconds_now();
    const auto data =
        open_dataset("text", {.format = DataFormat::text,
                              .annotations = (test::data_folder() / "text" / name).string()});
    std::printf("%s opened in %.3f s\n", name, seconds_now() - start);
    EXPECT_EQ(data->size(), static_cast<size_t>(size));
  }
}

TEST(RealData, CocosCaptionsOpenWhole) {
  const auto folder = test::data_folder() / "coco_mini";
  SIGHTLINE_NEEDS(folder);
  const auto data =
      open_dataset("coco", {.format = DataFormat::coco,
                            .annotations = (folder / "captions_val2017.json").string(),
                            .images = (folder / "val2017").string()});
  ASSERT_EQ(data->size(), 60u);
  size_t captions = 0;
  for (size_t i = 0; i < data->size(); ++i) captions += data->example(i).references.size();
  EXPECT_GE(captions, 5 * data->size());
  EXPECT_THAT(data->example(0).images[0].path, testing::EndsWith("000000037777.jpg"));
}

TEST(RealData, LlavasConversationsOpenWhole) {
  const auto folder = test::data_folder() / "llava_pretrain_2k";
  SIGHTLINE_NEEDS(folder);
  const auto data =
      open_dataset("llava", {.format = DataFormat::llava,
                             .annotations = (folder / "blip_laion_cc_sbu_2k.json").string(),
                             .images = (folder / "images").string()});
  ASSERT_EQ(data->size(), 2183u);
  for (size_t i = 0; i < data->size(); ++i) {
    const Example example = data->example(i);
    ASSERT_EQ(example.conversations.size(), 1u);
    ASSERT_EQ(example.conversations[0].size(), 2u) << example.where;
    EXPECT_EQ(example.conversations[0][0].images, 1) << example.where;
    EXPECT_TRUE(example.conversations[0][0].more.empty()) << example.where;
  }
  EXPECT_EQ(data->example(1).conversations[0][0].text, "What is in the photo?");
}

// DAQUAR's rows question,answer,image_id (an answer of several words stands in quotes), as JSON
// lines: all questions of an image in one.
std::string questions_by_image(const std::filesystem::path& csv) {
  std::map<std::string, Json> questions;
  const LineFile lines(csv);
  for (size_t i = 1; i < lines.size(); ++i) {
    std::string_view line = trimmed(lines.line(i));
    const size_t last = line.rfind(',');
    const std::string image(line.substr(last + 1));
    line = line.substr(0, last);
    const size_t first = line.ends_with('"') ? line.find(",\"") : line.rfind(',');
    std::string answer(line.substr(first + 1));
    std::erase(answer, '"');
    questions[image].push_back({{"question", line.substr(0, first)}, {"answer", answer}});
  }
  std::string text;
  for (const auto& [image, asked] : questions) {
    text += Json{{"image", image + ".jpg"}, {"questions", asked}}.dump() + "\n";
  }
  return text;
}

// All questions of a photograph share its rows as branches.
TEST(RealData, QuestionsOfAPhotographShareItsRows) {
  const auto folder = test::data_folder() / "daquar";
  SIGHTLINE_NEEDS(folder);
  test::TemporaryFolder temporary;
  const auto file = temporary.path() / "train.jsonl";
  test::write_text(file, questions_by_image(folder / "data_train.csv"));
  const auto data = open_dataset("daquar", {.format = DataFormat::jsonl,
                                            .annotations = file.string(),
                                            .images = (folder / "images").string()});
  constexpr int64_t kRows = 49;
  const Tokenizer tokenizer = test::tiny_tokenizer();
  const PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  const SampleEncoder encoder(prompt, kRows);
  int64_t shared = 0, alone = 0;
  size_t questions = 0;
  for (size_t i = 0; i < data->size(); ++i) {
    const Sample sample = encoder.encode(data->example(i));
    questions += sample.conversations.size();
    shared += packed_rows(sample, {.rows_per_image = kRows});
    alone += packed_rows(sample, {.rows_per_image = kRows, .sharing = Sharing::never});
  }
  std::printf("daquar: %zu questions of %zu photographs, %lld rows in branches, %lld alone\n",
              questions, data->size(), static_cast<long long>(shared),
              static_cast<long long>(alone));
  EXPECT_EQ(questions, 9974u);
  // At least the picture, the token before it and the line break behind it.
  EXPECT_GE(alone - shared, static_cast<int64_t>(questions - data->size()) * (kRows + 2));
}

// An epoch of the training photographs from pixels and from a store, with what it costs.
TEST(SlowRealData, AnEpochOfFlickr8k) {
  SIGHTLINE_NEEDS(test::data_folder() / "flickr8k");
  const auto data = open_dataset("flickr8k", flickr8k("train"));
  const Tokenizer tokenizer = test::tiny_tokenizer();
  const PromptTemplate prompt = PromptTemplate::named("plain", tokenizer);
  const SampleEncoder encoder(prompt, 49);
  test::TemporaryFolder temporary;
  FeatureStore store(temporary.path() / "store", 196 * 192);
  const std::vector<uint16_t> record(196 * 192, 0x3f80);
  for (size_t i = 0; i < data->size(); ++i) {
    store.append(content_key(read_image_bytes(data->example(i).images[0])), record);
  }
  store.finish();

  LoaderOptions options;
  options.entries = {{.dataset = data.get()}};
  options.encoder = &encoder;
  options.compose = {.policy = MaskPolicy::image, .rows_per_image = 49};
  options.step_tokens = 16384;
  options.micro_tokens = 8192;
  options.workers = 2;
  options.processor = Processor{};
  for (const FeatureStore* of :
       {static_cast<const FeatureStore*>(&store), static_cast<const FeatureStore*>(nullptr)}) {
    options.store = of;
    const double start = seconds_now();
    Loader loader(options);
    int64_t images = 0, rows = 0, micro_batches = 0;
    while (const auto step = loader.next()) {
      images += step->num_images;
      rows += step->num_rows;
      micro_batches += static_cast<int64_t>(step->micro_batches.size());
    }
    EXPECT_EQ(images, 5999);
    const double fill = static_cast<double>(rows) / static_cast<double>(micro_batches * 8192);
    EXPECT_GT(fill, 0.98);
    std::printf("%s: %.2f s, fill %.4f\n", of ? "features" : "pixels", seconds_now() - start, fill);
  }
}

}  // namespace
}  // namespace sightline
