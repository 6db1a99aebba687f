// The reader that docs/extending.md adds.

#include "tests/extending/page.h"
#include "tests/extending/tsv.cpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

TEST(Extending, AReader) {
  EXPECT_TRUE(page_shows("tsv.cpp"));
  const TemporaryFolder folder;
  write_file(folder.path() / "a.png", "");
  const std::string file = (folder.path() / "rows.tsv").string();
  write_file(file, "a.png\ta cat\na.png\ta dog\n");
  DataRecipe recipe{.annotations = file, .images = folder.path().string(), .prompt = "look"};
  const auto dataset = open_tsv("mine", recipe);
  ASSERT_EQ(dataset->size(), 2u);
  const Example example = dataset->example(1);
  EXPECT_EQ(example.where, file + ":2");
  EXPECT_EQ(example.images.front().path, (folder.path() / "a.png").string());
  EXPECT_EQ(example.conversations.front().front().text, "look");
  EXPECT_THAT(example.references, testing::ElementsAre("a dog"));
  write_file(file, "a.png a cat\n");
  EXPECT_THROW(open_tsv("mine", recipe), Error);
}

}  // namespace
}  // namespace sightline::test
