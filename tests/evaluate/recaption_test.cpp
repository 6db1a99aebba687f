// Lines that a model of random weights writes of generated scenes, as the reader of jsonl finds
// them.

#include "evaluate/recaption.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "data/dataset.h"
#include "tests/evaluate/toy_bundle.h"
#include "tests/message_of.h"
#include "tests/support.h"

#include <barrier>
#include <functional>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {
namespace {

using testing::HasSubstr;

class RecaptionTest : public testing::Test {
 protected:
  static constexpr size_t kPictures = 7;

  RecaptionTest() {
    const auto drawn = open_dataset("scenes", scenes("caption", "train", kPictures));
    for (size_t i = 0; i < kPictures; ++i) {
      files_.push_back((folder_.path() / fmt::format("{}.png", i)).string());
      write_file(files_.back(), *drawn->example(i).images.front().encoded);
    }
    options_.decoding = {.max_new_tokens = 6, .batch = 2};
    options_.author = {"toy/model", "greedy"};
  }

  PictureList list(const std::string& prompt) const {
    return list_pictures(files_, folder_.path().string(), {.prompt = prompt});
  }

  std::vector<Recaptioned> recaptioned(const PictureList& pictures) const {
    std::vector<Recaptioned> all;
    recaption(bundle_, pictures, options_, [&](std::span<const Recaptioned> each) {
      all.insert(all.end(), each.begin(), each.end());
    });
    return all;
  }

  std::string lines(const PictureList& pictures) const {
    std::string text;
    for (const Recaptioned& each : recaptioned(pictures)) text += each.line;
    return text;
  }

  // What training reads of a file's lines.
  std::unique_ptr<Dataset> read(const std::string& text, const std::string& prompt = "") const {
    write_file(folder_.path() / "written.jsonl", text);
    DataRecipe data;
    data.annotations = (folder_.path() / "written.jsonl").string();
    data.images = folder_.path().string();
    data.prompt = prompt;
    return open_dataset("written", data);
  }

  const TemporaryFolder folder_;
  std::vector<std::string> files_;
  Bundle bundle_ = toy_bundle();
  RecaptionOptions options_;
};

TEST_F(RecaptionTest, WritesWhatTheReaderReads) {
  const PictureList pictures = list("look");
  const auto data = read(lines(pictures));
  ASSERT_EQ(data->size(), kPictures);
  std::vector<Question> questions;
  for (const std::string& file : files_) {
    questions.push_back({{{.path = file}}, {{Role::user, "look", 1}}, file});
  }
  answer(bundle_, questions, {.decoding = options_.decoding},
         [&](size_t i, std::span<const Answer> answers) {
           const Example example = data->example(i);
           ASSERT_EQ(example.conversations.size(), 1u);
           EXPECT_EQ(example.images.front().path, files_[i]);
           const std::vector<Turn> expected = {{Role::user, "look", 1},
                                               {Role::assistant, answers.front().text}};
           EXPECT_EQ(example.conversations.front(), expected);
         });
}

TEST_F(RecaptionTest, SeveralAnswersAreBranches) {
  options_.decoding.temperature = 0.8;
  options_.decoding.answers = 3;
  const auto data = read(lines(list("look")));
  std::set<std::string> different;
  for (size_t i = 0; i < kPictures; ++i) {
    const Example example = data->example(i);
    ASSERT_EQ(example.conversations.size(), 3u);
    for (const auto& conversation : example.conversations) {
      EXPECT_EQ(conversation.front(), example.conversations.front().front());
      different.insert(conversation.back().text);
    }
  }
  EXPECT_GT(different.size(), kPictures);
}

// What "question" cannot hold stands in the table's `prompt`.
TEST_F(RecaptionTest, PromptsThatAreNoQuestionsAreCaptions) {
  for (const std::string prompt : {"", "caption en\n"}) {
    const std::string text = lines(list(prompt));
    const Json first = Json::parse(text.substr(0, text.find('\n')));
    EXPECT_EQ(first["captions"].size(), 1u);
    EXPECT_EQ(first.value("_prompt", ""), prompt);
    const auto data = read(text, prompt);
    EXPECT_EQ(data->example(2).conversations.front().front().text, prompt);
  }
}

TEST_F(RecaptionTest, LinesTellWhoWroteThemAndWhatWasCut) {
  const std::string text = lines(list("look"));
  const Json first = Json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first["_model"], "toy/model");
  EXPECT_EQ(first["_decoding"], "greedy");
  EXPECT_EQ(first["_cut"], 1) << "random weights hardly end";
  EXPECT_EQ(author_of("/somewhere/runs/flickr8k/model/", {}).model, "flickr8k/model");
  EXPECT_EQ(author_of("model", {}).decoding, "greedy, at most 32 tokens");
}

TEST_F(RecaptionTest, AnswersWithoutWordsAreLeftOutAndTold) {
  const std::string before = lines(list("look"));
  const Json first = Json::parse(before.substr(0, before.find('\n')));
  const auto caption = first["questions"][0]["answer"].get<std::string>();
  options_.decoding.stop = {caption.substr(0, 1)};
  const std::vector<Recaptioned> all = recaptioned(list("look"));
  EXPECT_EQ(all[0].line, "");
  EXPECT_THAT(all[0].problem, HasSubstr("0.png: 1 of 1 answers had no words"));
}

TEST_F(RecaptionTest, UnreadablePicturesAreAnErrorOrLeftOut) {
  const std::string whole = lines(list("look"));
  write_file(files_[3], "no picture");
  PictureList pictures = list("look");
  EXPECT_THAT(message_of([&] { recaptioned(pictures); }), HasSubstr(files_[3]));
  pictures.pictures[3].where = "data.jsonl:4";
  EXPECT_THAT(message_of([&] { recaptioned(pictures); }),
              testing::AllOf(testing::StartsWith("data.jsonl:4: " + files_[3]),
                             HasSubstr("on_bad_sample = \"skip\"")));
  options_.on_bad_sample = OnBadSample::skip;
  const std::vector<Recaptioned> all = recaptioned(pictures);
  ASSERT_EQ(all.size(), kPictures);
  for (size_t i = 0; i < kPictures; ++i) {
    EXPECT_EQ(all[i].number, i);
    EXPECT_EQ(all[i].line.empty(), i == 3);
    EXPECT_TRUE(i == 3 || whole.find(all[i].line) != std::string::npos);
  }
  EXPECT_THAT(all[3].problem, HasSubstr(files_[3]));
}

// Ranks as threads that wait for each other, as World::gather does.
TEST_F(RecaptionTest, RanksShareThePictures) {
  const PictureList pictures = list("look");
  const std::string whole = lines(pictures);
  for (const int64_t ranks : {2, 3, 5}) {
    std::barrier<> meeting(ranks);
    std::vector<std::string> told(static_cast<size_t>(ranks)), written(told);
    std::vector<std::jthread> threads;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        const auto own = static_cast<size_t>(rank);
        RecaptionOptions options = options_;
        options.first = 3;
        options.share = {rank, ranks, [&](const std::string& text) {
                           told[own] = text;
                           meeting.arrive_and_wait();
                           const std::vector<std::string> all = told;
                           meeting.arrive_and_wait();
                           return all;
                         }};
        recaption(bundle_, pictures, options, [&](std::span<const Recaptioned> each) {
          for (const Recaptioned& picture : each) written[own] += picture.line;
        });
      });
    }
    threads.clear();
    for (const std::string& text : written) {
      EXPECT_EQ(text, whole.substr(whole.find("{\"image\":\"3.png\""))) << ranks;
    }
  }
}

TEST_F(RecaptionTest, LinesTellHowFarTheyCame) {
  const PictureList pictures = list("look");
  const std::string text = lines(pictures);
  const std::filesystem::path file = folder_.path() / "lines";
  const auto so_far = [&](const std::string& bytes) {
    write_file(file, bytes);
    return lines_so_far(file, pictures.pictures, options_.author);
  };
  EXPECT_EQ(so_far("").next, 0u);
  const LinesSoFar all = so_far(text);
  EXPECT_EQ(all.next, kPictures);
  EXPECT_EQ(all.bytes, text.size());
  EXPECT_EQ(all.count.answers, static_cast<int64_t>(kPictures));
  for (const size_t size : {text.size() - 1, text.size() - 30}) {
    const LinesSoFar torn = so_far(text.substr(0, size));
    EXPECT_EQ(torn.next, kPictures - 1);
    EXPECT_EQ(torn.bytes, text.rfind('\n', text.size() - 2) + 1);
  }
  // Of the first picture there is no line: it was left out.
  const LinesSoFar later = so_far(text.substr(text.find('\n') + 1));
  EXPECT_EQ(later.next, kPictures);
  EXPECT_EQ(later.count.lines, static_cast<int64_t>(kPictures) - 1);

  EXPECT_THAT(message_of([&] { so_far(text + text); }), HasSubstr("lines:8: \"0.png\""));
  EXPECT_THAT(message_of([&] { so_far("{}\n"); }), HasSubstr("was written by"));
  EXPECT_THAT(message_of([&] { so_far("words\n"); }), HasSubstr("lines:1: is no line"));
  EXPECT_THAT(message_of([&] {
                lines_so_far(file, pictures.pictures, {"other", "greedy"});
              }),
              HasSubstr("is no line"));
  so_far(text);
  EXPECT_THAT(message_of([&] {
                lines_so_far(file, pictures.pictures, {"other", "greedy"});
              }),
              HasSubstr("was written by toy/model (greedy), and this command writes by other"));
  EXPECT_THAT(message_of([&] { lines_so_far(file, list("what?").pictures, options_.author); }),
              HasSubstr("give the command that began it"));
}

}  // namespace
}  // namespace sightline::test
