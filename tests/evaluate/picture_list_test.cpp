// Which pictures a table names, and what is asked about them.

#include "evaluate/picture_list.h"

#include "base/error.h"
#include "base/file.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PictureListTest : public testing::Test {
 protected:
  PictureListTest() {
    std::filesystem::create_directory(folder_.path() / "photos");
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      write_file(folder_.path() / "photos" / name, "not looked at");
    }
  }

  DataRecipe jsonl(const std::string& lines) const {
    write_file(folder_.path() / "lines.jsonl", lines);
    DataRecipe data;
    data.annotations = (folder_.path() / "lines.jsonl").string();
    data.images = (folder_.path() / "photos").string();
    data.prompt = "look";
    return data;
  }

  PictureList list(const DataRecipe& data, const ListOptions& options = {}) const {
    return list_pictures("mine", data, options);
  }

  const TemporaryFolder folder_;
};

const std::string kMixed = R"({"image": "b.png", "captions": ["one", "two"]}
{"image": "a.png", "questions": [{"question": "what?", "answer": "x"}, {"question": "why?", "answer": "y"}]}
{"question": "words alone?", "answer": "yes"}
{"image": "b.png", "question": "where?", "answer": "there"}
{"image": "a.png", "question": "why?", "answer": "z"}
)";

TEST_F(PictureListTest, EachPictureOnceWithAllItsQuestions) {
  const PictureList found = list(jsonl(kMixed));
  ASSERT_EQ(found.pictures.size(), 2u);
  EXPECT_EQ(found.images, (folder_.path() / "photos").string());
  EXPECT_EQ(found.pictures[0].path, (folder_.path() / "photos/b.png").string());
  EXPECT_EQ(found.pictures[0].name, "b.png");
  EXPECT_THAT(found.pictures[0].where, HasSubstr("lines.jsonl:1"));
  EXPECT_THAT(found.pictures[0].prompts, ElementsAre("look", "where?"));
  EXPECT_THAT(found.pictures[1].prompts, ElementsAre("what?", "why?"));
}

TEST_F(PictureListTest, OnePromptInPlaceOfTheirs) {
  const PictureList found = list(jsonl(kMixed), {.prompt = "describe"});
  ASSERT_EQ(found.pictures.size(), 2u);
  EXPECT_THAT(found.pictures[0].prompts, ElementsAre("describe"));
  EXPECT_THAT(found.pictures[1].prompts, ElementsAre("describe"));
  EXPECT_EQ(list(jsonl(kMixed), {.prompt = "describe", .limit = 1}).pictures.size(), 1u);
}

// A line of jsonl holds questions or captions.
TEST_F(PictureListTest, WithWordsAndWithoutAreTwoEntries) {
  DataRecipe data = jsonl(kMixed);
  data.prompt = "";
  const PictureList found = list(data);
  ASSERT_EQ(found.pictures.size(), 3u);
  EXPECT_EQ(found.pictures[1].name, "b.png");
  EXPECT_THAT(found.pictures[0].prompts, ElementsAre("where?"));
  EXPECT_THAT(found.pictures[1].prompts, ElementsAre(""));
}

TEST_F(PictureListTest, NamesAreThoseThatReadersResolve) {
  const std::string elsewhere = (folder_.path() / "c.png").string();
  write_file(elsewhere, "not looked at");
  DataRecipe data = jsonl(R"({"image": "../photos/a.png", "caption": "x"}
{"image": ")" + elsewhere +
                          R"(", "caption": "y"})");
  data.images += "/";
  const PictureList found = list(data);
  ASSERT_EQ(found.pictures.size(), 2u);
  EXPECT_EQ(found.pictures[0].name, "../photos/a.png");
  EXPECT_EQ(found.pictures[1].name, elsewhere);

  const std::vector<std::string> files = {"photos/b.png", "photos/c.png"};
  const PictureList of_folder = list_pictures(files, "photos/", {.prompt = "look"});
  EXPECT_EQ(of_folder.pictures[1].name, "c.png");
  EXPECT_EQ(of_folder.images, "photos/");
}

TEST_F(PictureListTest, BadExamplesAreListedOrAnError) {
  DataRecipe data = jsonl(R"({"image": "a.png", "caption": "x"}
{"image": "b.png", "captoin": "x"})");
  EXPECT_THAT(message_of([&] { list(data); }), HasSubstr("lines.jsonl:2"));
  data.on_bad_sample = OnBadSample::skip;
  const PictureList found = list(data);
  EXPECT_EQ(found.pictures.size(), 1u);
  EXPECT_THAT(found.problems, ElementsAre(HasSubstr("lines.jsonl:2")));
}

TEST_F(PictureListTest, WhatCannotBeAskedAnewSaysSo) {
  const DataRecipe turns =
      jsonl(R"({"messages": [{"role": "user", "content": [{"type": "image", "image": "a.png"}]}, )"
            R"({"role": "assistant", "content": "x"}, {"role": "user", "content": "and?"}, )"
            R"({"role": "assistant", "content": "y"}]})");
  EXPECT_THAT(message_of([&] { list(turns); }),
              HasSubstr("lines.jsonl:1: a conversation of 4 turns about 1 pictures"));
  EXPECT_EQ(list(turns, {.prompt = "describe"}).pictures.size(), 1u);

  const DataRecipe words = jsonl(R"({"question": "who?", "answer": "me"})");
  EXPECT_THAT(message_of([&] { list(words); }), HasSubstr("none of its 1 examples has a picture"));
  DataRecipe scenes;
  scenes.format = DataFormat::scenes;
  EXPECT_THROW(list(scenes), UsageError);
}

TEST_F(PictureListTest, NamesThatJsonCannotHoldSaySo) {
  const std::vector<std::string> bytes = {"photos/\xff.png"}, space = {"photos/a.png "};
  EXPECT_THAT(message_of([&] { list_pictures(bytes, "photos", {}); }), HasSubstr("rename it"));
  EXPECT_THAT(message_of([&] { list_pictures(space, "photos", {}); }), HasSubstr("rename it"));
}

}  // namespace
}  // namespace sightline::test
