// A feature store filled by several ranks together.

#include "dist/world.h"
#include "features/fill.h"
#include "image/processor.h"
#include "tests/data/loader_fixture.h"
#include "tests/ranks.h"
#include "tests/tiny_model.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr int64_t kDepth = 1;

std::unique_ptr<FeatureStore> fill(const std::filesystem::path& cache, const test::MadeStage& made,
                                   World& world) {
  Bundle bundle;
  bundle.model = test::tiny_model({.vocab_size = 40});
  bundle.processor = Processor{.size = 16};
  return filled_store(bundle, made.options.entries,
                      {.cache = cache.string(),
                       .depth = kDepth,
                       .batch = 4,
                       .rank = world.rank(),
                       .ranks = world.size(),
                       .meet = [&] { world.barrier("storing features"); }});
}

// One picture is broken.
std::vector<std::string> pictures_of(test::MadeStage& made) {
  made.options.entries[0].on_bad_sample = OnBadSample::skip;
  made.first.replace_picture(3, "no picture");
  std::vector<std::string> keys;
  for (const LoaderEntry& entry : made.options.entries) {
    for (size_t i = 0; i < entry.dataset->size(); ++i) {
      for (const ImageSource& image : entry.dataset->example(i).images) {
        keys.push_back(content_key(read_image_bytes(image)));
      }
    }
  }
  return keys;
}

TEST(FilledByRanks, HoldsWhatOneRankStores) {
  test::MadeStage made;
  const std::vector<std::string> keys = pictures_of(made);
  if (test::is_rank()) {
    World world(read_place());
    const auto store = fill(test::ranks_folder() / "cache", made, world);
    for (const std::string& key : keys) {
      EXPECT_EQ(store->find(key).empty(), key == keys[3]) << "rank " << world.rank();
    }
    return world.barrier("leaving");
  }
  const test::TemporaryFolder alone;
  World world;
  const auto expected = fill(alone.path(), made, world);
  for (const int size : {2, 3}) {
    test::Ranks ranks(size);
    ASSERT_TRUE(ranks.all_pass());
    const auto found = fill(ranks.folder() / "cache", made, world);  // nothing is left to compute
    ASSERT_EQ(found->size(), expected->size());
    for (const std::string& key : keys) {
      EXPECT_TRUE(std::ranges::equal(found->find(key), expected->find(key))) << key;
    }
  }
}

}  // namespace
}  // namespace sightline
