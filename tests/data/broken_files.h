#pragma once
// Broken files of a format: each is one clear error that names the file and the row, or under
// on_bad_sample = "skip" one example that the loader counts and lists.

#include "data/dataset.h"
#include "data/loader.h"
#include "tests/data/support.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::test {

// What on_bad_sample = "skip" makes of it.
enum class Skip {
  none,     // an Error all the same
  example,  // one example is an Error
  picture,  // one example's picture is
};

struct Broken {
  const char* what;
  std::string text;  // of the annotations
  Skip skip;
  std::vector<const char*> says;
  friend std::ostream& operator<<(std::ostream& out, const Broken& broken) {
    return out << broken.what;
  }
};

struct Format {
  const char* name;
  DataFormat format;
  std::vector<Broken> broken;
  std::string split, prompt, image_names;  // of the recipe
  // Of two files the other one's text: where `annotations` is, the questions are what is broken.
  std::string questions, annotations;
};

class BrokenFileTest : public testing::TestWithParam<Format> {
 protected:
  void SetUp() override {
    recipe_.format = GetParam().format;
    recipe_.prompt = GetParam().prompt;
    const bool asks = !GetParam().annotations.empty();
    recipe_.annotations = (asks ? other_ : file_).string();
    recipe_.questions = (asks ? file_ : other_).string();
    write_text(other_, asks ? GetParam().annotations : GetParam().questions);
    recipe_.images = temporary_.path().string();
    recipe_.split = GetParam().split;
    recipe_.image_names = GetParam().image_names;
    for (const char* name : {"a.jpg", "b.jpg"}) {
      write_text(temporary_.path() / name, png_of(1));
    }
    std::filesystem::create_directory(temporary_.path() / "folder");
  }

  std::unique_ptr<Dataset> open(const Broken& broken, OnBadSample on_bad_sample) {
    recipe_.on_bad_sample = on_bad_sample;
    write_text(file_, broken.text);
    return open_dataset("photos", recipe_);
  }

  void expect_says(const Broken& broken, const std::string& message) {
    EXPECT_THAT(message, testing::HasSubstr(file_.string()));
    EXPECT_EQ(message.find('\n'), message.npos) << "more than a line";
    for (const char* part : broken.says) EXPECT_THAT(message, testing::HasSubstr(part));
  }

  // The errors of the examples, as the loader meets them: read, and their pictures opened.
  std::vector<std::string> errors_in(const Dataset& data) {
    std::vector<std::string> errors;
    for (size_t i = 0; i < data.size(); ++i) {
      const std::string message = message_of([&] {
        const Example example = data.example(i);
        for (const ImageSource& image : example.images) {
          const std::string unread = message_of([&] { read_image_bytes(image); });
          if (unread != kNoError) throw Error(example.where + ": " + unread);
        }
      });
      if (message != kNoError) errors.push_back(message);
    }
    return errors;
  }

  void expect_each_is_told() {
    for (const Broken& broken : GetParam().broken) {
      SCOPED_TRACE(broken.what);
      expect_says(broken, message_of([&] { open(broken, OnBadSample::fail); }));
      if (broken.skip == Skip::none) {
        expect_says(broken, message_of([&] { open(broken, OnBadSample::skip); }));
        continue;
      }
      const auto errors = errors_in(*open(broken, OnBadSample::skip));
      ASSERT_EQ(errors.size(), 1u);
      expect_says(broken, errors[0]);
    }
  }

  void expect_unopened_files_are_named() {
    for (const char* name : {"nowhere.json", "folder", "nowhere/at/all.json", "a.jpg/file"}) {
      const bool asks = !GetParam().annotations.empty();
      std::string& path = asks ? recipe_.questions : recipe_.annotations;
      path = (temporary_.path() / name).string();
      const std::string message = message_of([&] { open_dataset("photos", recipe_); });
      EXPECT_THAT(message, testing::StartsWith(path));
    }
  }

  TemporaryFolder temporary_;
  std::filesystem::path file_ = temporary_.path() / "annotations";  // the broken one
  std::filesystem::path other_ = temporary_.path() / "other";
  DataRecipe recipe_;
};

}  // namespace sightline::test
