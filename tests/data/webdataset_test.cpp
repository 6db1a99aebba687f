#include "data/dataset.h"
#include "data/loader.h"
#include "tests/data/support.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using test::message_of;
using test::write_text;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Shards : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  std::filesystem::path shards = temporary.path() / "shards";
  DataRecipe recipe{.format = DataFormat::webdataset, .annotations = shards.string()};

  // An archive with these files, in the order of their names.
  void pack(const std::string& name, const std::map<std::string, std::string>& files) {
    const auto folder = temporary.path() / "files";
    std::filesystem::remove_all(folder);
    for (const auto& [file, bytes] : files) write_text(folder / file, bytes);
    std::filesystem::create_directories(shards);
    const auto result = test::run_command(fmt::format("cd {} && tar --sort=name -cf {} *",
                                                      folder.string(), (shards / name).string()));
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  std::unique_ptr<Dataset> open() const { return open_dataset("shards", recipe); }
  std::string open_error() const {
    return message_of([&] { open(); });
  }
};

std::string last_words(const Example& example, size_t conversation = 0) {
  return example.conversations.at(conversation).back().text;
}

TEST_F(Shards, SamplesAreFilesNamedAlike) {
  recipe.prompt = "a caption:";
  pack("000.tar",
       {{"000000.jpg", "picture 0"},
        {"000000.json", R"({"url": "http://a", "kind": 3})"},
        {"000000.txt", " A dog. \n"},
        {"README", "no sample's"},
        {"more/000001.JPEG", "picture 1"},
        {"more/000001.json", R"({"captions": ["A cat.", "A small cat."], "width": 9})"}});
  pack("001.tar", {{"000000.png", "picture 2"},
                   {"000000.json", R"({"question": "what?", "answer": "a cow", "kind": "open"})"}});
  write_text(shards / "stats.json", "{}");
  const auto data = open();
  ASSERT_EQ(data->size(), 3u);
  const Example caption = data->example(0), captions = data->example(1), asked = data->example(2);
  EXPECT_EQ(caption.where, (shards / "000.tar").string() + ": 000000");
  EXPECT_EQ(caption.conversations.at(0).front().text, "a caption:");
  EXPECT_EQ(last_words(caption), "A dog.");
  EXPECT_THAT(caption.references, ElementsAre(" A dog. \n"));
  EXPECT_EQ(caption.images.at(0).name(), (shards / "000.tar/000000.jpg").string());
  EXPECT_EQ(read_image_bytes(caption.images.at(0)), "picture 0");
  ASSERT_EQ(captions.conversations.size(), 2u);
  EXPECT_EQ(last_words(captions, 1), "A small cat.");
  EXPECT_EQ(read_image_bytes(captions.images.at(0)), "picture 1");
  EXPECT_EQ(asked.conversations.at(0).front().text, "what?");
  EXPECT_EQ(last_words(asked), "a cow");
  EXPECT_EQ(asked.kind, "open");
  EXPECT_EQ(read_image_bytes(asked.images.at(0)), "picture 2");
}

// More than lie between two samples whose places are kept, over several archives.
TEST_F(Shards, EachSampleIsFoundByItsNumber) {
  constexpr int kShards = 3, kEach = 37;
  for (int s = 0; s < kShards; ++s) {
    std::map<std::string, std::string> files;
    for (int i = 0; i < kEach; ++i) {
      const std::string key = fmt::format("{:06}", s * kEach + i);
      files.emplace(key + ".jpg", "picture " + key);
      files.emplace(key + ".txt", "words " + key);
    }
    pack(fmt::format("{}.tar", s), files);
  }
  const auto data = open();
  ASSERT_EQ(data->size(), static_cast<size_t>(kShards * kEach));
  for (size_t i = data->size(); i-- > 0;) {
    const Example example = data->example(i);
    EXPECT_EQ(last_words(example), fmt::format("words {:06}", i));
    EXPECT_EQ(read_image_bytes(example.images.at(0)), fmt::format("picture {:06}", i));
  }
  recipe.limit = 40;
  const auto fewer = open();
  ASSERT_EQ(fewer->size(), 40u);
  EXPECT_EQ(last_words(fewer->example(39)), "words 000039");
  recipe.limit = 0;
  recipe.annotations = (shards / "1.tar").string();
  EXPECT_EQ(last_words(open()->example(0)), "words 000037");
}

TEST_F(Shards, MistakesNameTheArchiveAndTheSample) {
  const auto error_of_sample = [&](const std::map<std::string, std::string>& files) {
    pack("0.tar", files);
    return open_error();
  };
  const std::string where = (shards / "0.tar").string() + ": 7";
  EXPECT_THAT(error_of_sample({{"7.txt", "a dog"}}),
              AllOf(HasSubstr(where), HasSubstr("no picture")));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}}), AllOf(HasSubstr(where), HasSubstr("no words")));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}, {"7.png", "x"}, {"7.txt", "a dog"}}),
              AllOf(HasSubstr(where), HasSubstr("7.jpg and 7.png")));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}, {"7.txt", " \n"}}),
              AllOf(HasSubstr(where), HasSubstr("is empty")));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}, {"7.json", "{"}}), HasSubstr(where));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}, {"7.json", "[]"}}),
              AllOf(HasSubstr(where), HasSubstr("is not a JSON object")));
  EXPECT_THAT(error_of_sample({{"7.jpg", "x"}, {"7.json", R"({"width": 3})"}}),
              AllOf(HasSubstr(where), HasSubstr("\"caption\"")));
  EXPECT_THAT(error_of_sample({{"README", "x"}}), HasSubstr("no sample"));
  std::filesystem::remove(shards / "0.tar");
  EXPECT_THAT(open_error(), HasSubstr("no archive"));
}

TEST_F(Shards, ABadSampleIsTheLoadersWhereTheRecipeLeavesIt) {
  recipe.on_bad_sample = OnBadSample::skip;
  pack(
      "0.tar",
      {{"1.jpg", "x"}, {"1.txt", "a dog"}, {"2.txt", "a cat"}, {"3.jpg", "y"}, {"3.txt", "a cow"}});
  const auto data = open();
  ASSERT_EQ(data->size(), 3u);
  EXPECT_EQ(last_words(data->example(2)), "a cow");
  EXPECT_THAT(message_of([&] { data->example(1); }), HasSubstr("no picture"));
}

TEST_F(Shards, AnArchiveThatShrankSinceIsAnError) {
  pack("0.tar", {{"1.jpg", "x"}, {"1.txt", "a dog"}, {"2.jpg", "y"}, {"2.txt", "a cat"}});
  const auto data = open();
  const ImageSource picture = data->example(1).images.at(0);
  pack("0.tar", {{"1.jpg", "x"}, {"1.txt", "a dog"}});
  EXPECT_THAT(message_of([&] { data->example(1); }), HasSubstr("it has changed"));
  write_text(shards / "0.tar", "x");
  EXPECT_THAT(message_of([&] { read_image_bytes(picture); }), HasSubstr("cut short"));
}

}  // namespace
}  // namespace sightline
