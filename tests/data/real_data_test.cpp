// Flickr8k and the texts as they are, where they are.

#include "base/hash.h"
#include "base/log.h"
#include "data/dataset.h"
#include "tests/data/loader_fixture.h"

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
