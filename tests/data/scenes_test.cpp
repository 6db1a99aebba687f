// Generated scenes: same bytes everywhere, nothing overlapping, every word true, nothing held out
// in training, and nothing to be gained by answering blind. What a text says is read here by a
// parser of its own, which shares nothing with the generator but the scene's data.

#include "data/scenes.h"

#include "base/error.h"
#include "base/hash.h"
#include "data/scene_caption.h"
#include "data/scene_draw.h"
#include "data/scene_question.h"
#include "image/decode.h"
#include "tests/data/scene_checker.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline::scenes {
namespace {

using test::answer_to, test::is_true_caption, test::split_words, test::Words;

std::vector<Question> questions_of(const AskedScene& asked, Split split, uint64_t number) {
  Rng rng(derive_seed(3, "questions", number));
  return ask_about(asked, split, 6, rng);
}

std::vector<std::string> captions_of(const Scene& scene, uint64_t number) {
  Rng rng(derive_seed(3, "captions", number));
  return caption(scene, 5, rng);
}

DataRecipe recipe_of(const std::string& task, const std::string& split, int64_t count) {
  DataRecipe recipe;
  recipe.format = DataFormat::scenes;
  recipe.task = task;
  recipe.split = split;
  recipe.count = count;
  recipe.where = "demo.toml:3:1";
  return recipe;
}

constexpr Split kSplits[] = {Split::train, Split::validation, Split::unseen};

TEST(Scenes, AreTheSameBytesEverywhere) {
  std::string all;
  for (uint64_t number = 0; number < 100; ++number) {
    const AskedScene asked = generate_scene(0, Split::train, number);
    const Image image = draw(asked.scene);
    all.append(image.rgb.begin(), image.rgb.end());
    for (const auto& text : captions_of(asked.scene, number)) all += text + "\n";
    for (const auto& question : questions_of(asked, Split::train, number)) {
      all += question.text + "\n" + question.answer + "\n";
    }
  }
  EXPECT_EQ(content_key(all), "13cee5ae03df5a32805e68ba7bbc0798");
}

TEST(Scenes, HoldOneToFourObjectsEachWithinACellOfItsOwn) {
  std::set<size_t> sizes;
  for (uint64_t number = 0; number < 400; ++number) {
    const Scene scene = generate_scene(1, Split::train, number).scene;
    sizes.insert(scene.objects.size());
    std::set<std::pair<int, int>> cells;
    for (const Object& object : scene.objects) {
      EXPECT_TRUE(cells.insert({object.row, object.column}).second) << number;
      const Image alone = draw({{object}, scene.background});
      for (int y = 0; y < 64; ++y) {
        for (int x = 0; x < 64; ++x) {
          const uint8_t* pixel = &alone.rgb[static_cast<size_t>(y * 64 + x) * 3];
          if (std::equal(pixel, pixel + 3, scene.background.begin())) continue;
          ASSERT_TRUE(x / 16 == object.column && y / 16 == object.row) << number;
        }
      }
    }
  }
  EXPECT_EQ(sizes, (std::set<size_t>{1, 2, 3, 4}));
}

TEST(Scenes, ColoursAndSizesAreToldApartByThePixels) {
  const int palette[6][3] = {{220, 30, 40},  {30, 150, 60},  {40, 80, 220},
                             {245, 220, 40}, {135, 45, 170}, {250, 130, 20}};
  std::map<std::pair<int, int>, std::set<int>> areas;  // (shape, size)
  for (uint64_t number = 0; number < 800; ++number) {
    const Scene scene = generate_scene(2, Split::unseen, number).scene;
    const Image image = draw(scene);
    for (const Object& object : scene.objects) {
      const int x = object.column * 16 + 8 + object.offset_x;
      const int y = object.row * 16 + 8 + object.offset_y;
      const uint8_t* pixel = &image.rgb[static_cast<size_t>(y * 64 + x) * 3];
      const auto distance = [&](const int* colour) {
        int sum = 0;
        for (int c = 0; c < 3; ++c) sum += (pixel[c] - colour[c]) * (pixel[c] - colour[c]);
        return sum;
      };
      const auto* nearest = std::min_element(palette, palette + 6, [&](const int* a, const int* b) {
        return distance(a) < distance(b);
      });
      EXPECT_EQ(nearest - palette, static_cast<int>(object.colour)) << number;
      int area = 0;
      for (int cell = 0; cell < 256; ++cell) {
        const int at = (object.row * 16 + cell / 16) * 64 + object.column * 16 + cell % 16;
        area +=
            std::equal(scene.background.begin(), scene.background.end(), image.rgb.begin() + at * 3)
                ? 0
                : 1;
      }
      areas[{static_cast<int>(object.shape), static_cast<int>(object.size)}].insert(area);
    }
  }
  for (int shape = 0; shape < 5; ++shape) {
    EXPECT_GT(*areas[std::pair(shape, 1)].begin(), 1.5 * *areas[std::pair(shape, 0)].rbegin());
  }
}

TEST(Scenes, CaptionsAreTrueAndDistinct) {
  for (const Split split : kSplits) {
    for (uint64_t number = 0; number < 3000; ++number) {
      const Scene scene = generate_scene(4, split, number).scene;
      const auto captions = captions_of(scene, number);
      EXPECT_EQ(std::set<std::string>(captions.begin(), captions.end()).size(), 5u);
      for (const auto& text : captions) ASSERT_TRUE(is_true_caption(text, scene)) << text;
    }
  }
}

TEST(Scenes, AnswersAreTrueAndQuestionsDistinct) {
  for (const Split split : kSplits) {
    std::map<std::string, int> kinds;
    for (uint64_t number = 0; number < 3000; ++number) {
      const AskedScene asked = generate_scene(5, split, number);
      std::set<std::string> texts;
      for (const Question& question : questions_of(asked, split, number)) {
        ASSERT_EQ(answer_to(question.text, asked.scene), question.answer) << question.text;
        texts.insert(question.text);
        ++kinds[std::string(word(question.kind))];
      }
      EXPECT_EQ(texts.size(), 6u);
    }
    for (const char* kind : {"yes/no", "count", "colour", "relation", "place", "list"}) {
      EXPECT_GT(kinds[kind], 2000) << kind;  // of 18,000
    }
  }
}

TEST(Scenes, TheCheckerHereCanFail) {
  Scene scene{{{.shape = Shape::circle, .colour = Colour::red, .row = 1, .column = 0},
               {.shape = Shape::square, .colour = Colour::blue, .row = 1, .column = 2}},
              {}};
  EXPECT_TRUE(is_true_caption("there is a small red circle and a small blue square", scene));
  EXPECT_TRUE(is_true_caption("a blue square right of a red circle", scene));
  EXPECT_FALSE(is_true_caption("a small red circle", scene));
  EXPECT_FALSE(is_true_caption("a large red circle and a small blue square", scene));
  EXPECT_FALSE(is_true_caption("a red circle right of a blue square", scene));
  EXPECT_FALSE(is_true_caption("a red circle left of a blue square and one other shape", scene));
  EXPECT_EQ(answer_to("seen from the square is the circle left or right", scene), "left");
  EXPECT_EQ(answer_to("is the square left or right of the circle", scene), "right");
  EXPECT_EQ(answer_to("is the circle above the square", scene), "no");
  EXPECT_THROW(answer_to("what colour is the star", scene), std::runtime_error);
}

TEST(Scenes, TrainingNeverMeetsAHeldOutCombination) {
  const Words held = {"small blue circle", "large purple square", "small green triangle",
                      "large yellow star"};
  ASSERT_EQ(held_out_combinations().size(), held.size());
  for (size_t i = 0; i < held.size(); ++i) {
    const auto& [size, colour, shape] = held_out_combinations()[i];
    EXPECT_EQ(noun({.size = size, .colour = colour, .shape = shape}, 1), held[i]);
  }
  for (const auto* split : {"train", "validation"}) {
    const auto texts = open_scenes("demo", recipe_of("text", split, 10000));
    ASSERT_EQ(texts->size(), 10000u);
    for (size_t i = 0; i < texts->size(); ++i) {
      const Example example = texts->example(i);
      for (const auto& conversation : example.conversations) {
        for (const Turn& turn : conversation) {
          for (const auto& name : held) {
            ASSERT_EQ(turn.text.find(name), std::string::npos) << turn.text;
          }
        }
      }
    }
  }
  for (uint64_t number = 0; number < 10000; ++number) {
    EXPECT_FALSE(has_held_out(generate_scene(0, Split::train, number).scene));
    EXPECT_FALSE(has_held_out(generate_scene(0, Split::validation, number).scene));
    EXPECT_TRUE(has_held_out(generate_scene(0, Split::unseen, number).scene));
  }
}

// What the best blind answerer reaches: it knows the most frequent answer to every wording (of a
// wording that it hasn't met, to its kind), learned from one half of the scenes and scored on the
// other, by kind and over "all".
std::map<std::string, double> blind_accuracy(Split split, uint64_t scenes) {
  std::map<std::string, std::map<std::string, int>> answers;
  const auto most_frequent = [&](const std::string& key) {
    const auto& counts = answers[key];
    const auto best = std::max_element(counts.begin(), counts.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    return best == counts.end() ? std::string() : best->first;
  };
  for (uint64_t number = 0; number < scenes; ++number) {
    const Question question = generate_scene(0, split, number).question;
    ++answers[question.text][question.answer];
    ++answers[std::string(word(question.kind))][question.answer];
  }
  std::map<std::string, int> right;
  for (uint64_t number = scenes; number < 2 * scenes; ++number) {
    const Question question = generate_scene(0, split, number).question;
    const std::string kind(word(question.kind));
    std::string guess = most_frequent(question.text);
    if (guess.empty()) guess = most_frequent(kind);
    if (guess != question.answer) continue;
    ++right[kind];
    ++right["all"];
  }
  std::map<std::string, double> accuracy;
  for (const auto& [kind, count] : right) {
    accuracy[kind] = count * (kind == "all" ? 1.0 : kQuestionKinds) / static_cast<double>(scenes);
  }
  return accuracy;
}

TEST(Scenes, AnsweringBlindGainsNothing) {
  for (const Split split : {Split::validation, Split::unseen}) {
    auto accuracy = blind_accuracy(split, 40000);
    EXPECT_NEAR(accuracy["yes/no"], 0.5, 0.02);
    EXPECT_NEAR(accuracy["count"], 0.2, 0.02);
    EXPECT_NEAR(accuracy["colour"], split == Split::unseen ? 0.24 : 0.2, 0.03);
    EXPECT_NEAR(accuracy["relation"], 0.47, 0.05);  // rare wordings: the kind's most frequent
    EXPECT_LT(accuracy["all"], 0.4);
  }
}

TEST(Scenes, AnswersAreBalanced) {
  for (const Split split : kSplits) {
    std::map<std::string, std::map<std::string, int>> answers;
    const int each = 10000;
    for (uint64_t number = 0; number < 4 * each; ++number) {
      const Question question = generate_scene(6, split, number).question;
      ++answers[std::string(word(question.kind))][question.answer];
    }
    EXPECT_EQ(answers["yes/no"].size(), 2u);
    EXPECT_EQ(answers["count"].size(), 5u);
    EXPECT_EQ(answers["colour"].size(), 6u);
    EXPECT_EQ(answers["relation"].size(), 4u);
    for (const auto& [kind, counts] : answers) {
      for (const auto& [answer, count] : counts) {
        const double even = static_cast<double>(each) / static_cast<double>(counts.size());
        EXPECT_NEAR(count, even, kind == "colour" ? 0.2 * even : 0.06 * even) << kind << answer;
      }
    }
  }
}

TEST(Scenes, SpeakASmallLanguage) {
  std::set<std::string> vocabulary;
  for (const auto* split : {"train", "unseen"}) {
    const auto texts = open_scenes("demo", recipe_of("text", split, 500));
    for (size_t i = 0; i < texts->size(); ++i) {
      const Example example = texts->example(i);
      for (const auto& conversation : example.conversations) {
        for (const Turn& turn : conversation) {
          EXPECT_THAT(turn.text, testing::MatchesRegex("[a-z]+([.:]?[ \n][a-z]+)*[.]?"));
          for (std::string text : split_words(turn.text)) {
            std::erase_if(text, [](char c) { return c < 'a' || c > 'z'; });
            vocabulary.insert(text);
          }
        }
      }
    }
  }
  EXPECT_LT(vocabulary.size(), 80u);
}

TEST(Scenes, TasksShareTheirScenesAndSplitsDoNot) {
  const auto both = open_scenes("demo", recipe_of("both", "train", 50));
  const auto captions = open_scenes("demo", recipe_of("caption", "train", 50));
  const auto questions = open_scenes("demo", recipe_of("question", "train", 50));
  const auto texts = open_scenes("demo", recipe_of("text", "train", 50));
  const auto validation = open_scenes("demo", recipe_of("question", "validation", 50));
  const auto unseen = open_scenes("demo", recipe_of("question", "unseen", 50));
  const auto unseen_texts = open_scenes("demo", recipe_of("text", "unseen", 50));
  std::set<std::string> pictures;
  for (size_t i = 0; i < 50; ++i) {
    const Example all = both->example(i), named = captions->example(i);
    const Example asked = questions->example(i), one = validation->example(i);
    EXPECT_EQ(all.where, "demo:" + std::to_string(i));
    EXPECT_EQ(*all.images.at(0).encoded, *asked.images.at(0).encoded);
    auto references = named.references;
    references.insert(references.end(), asked.references.begin(), asked.references.end());
    EXPECT_EQ(all.references, references);
    ASSERT_EQ(all.conversations.size(), 9u);
    for (size_t k = 0; k < 9; ++k) EXPECT_EQ(all.conversations[k].at(0).images, 1);
    // In words: the same captions and questions, and more, each after what is told.
    const Example text = texts->example(i);
    EXPECT_TRUE(text.images.empty());
    ASSERT_EQ(text.conversations.size(), 15u);
    const std::string told = text.conversations[0].at(0).text;
    for (size_t k = 0; k < 9; ++k) {
      EXPECT_EQ(text.references[k], all.references[k]);
      const std::string& said = all.conversations[k].at(0).text;
      EXPECT_EQ(text.conversations[k].at(0).text, said.empty() ? told : told + "\n" + said);
    }
    const Example told_one = unseen_texts->example(i), seen_one = unseen->example(i);
    EXPECT_EQ(told_one.references, seen_one.references);
    EXPECT_EQ(told_one.kind, seen_one.kind);
    EXPECT_EQ(one.conversations.size(), 1u);
    EXPECT_EQ(one.kind, (std::array{"yes/no", "count", "colour", "relation"})[i % 4]);
    pictures.insert(*all.images.at(0).encoded);
    pictures.insert(*one.images.at(0).encoded);
  }
  EXPECT_EQ(pictures.size(), 100u);
  EXPECT_EQ(open_scenes("demo", recipe_of("caption", "unseen", 2))->example(1).references.size(),
            5u);
}

TEST(Scenes, AreToldInWordsWithEveryObjectInItsCell) {
  for (uint64_t number = 0; number < 500; ++number) {
    const Scene scene = generate_scene(0, Split::train, number).scene;
    std::vector<std::set<std::string>> told, expected;
    Rng rng(number);
    Words words = split_words(tell(scene, rng));
    ASSERT_EQ(words.at(0), "objects:");
    for (size_t i = 1; i < words.size(); i += 5) {
      ASSERT_LE(i + 5, words.size());
      ASSERT_EQ(words[i + 4].back(), '.');
      words[i + 4].pop_back();
      const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
      told.push_back(std::set<std::string>(first, first + 5));
    }
    for (const Object& object : scene.objects) {
      expected.push_back({object.size == Size::small ? "small" : "large",
                          test::kColourWords[static_cast<size_t>(object.colour)],
                          test::kShapeWords[static_cast<size_t>(object.shape)],
                          test::kRowWords[static_cast<size_t>(object.row)],
                          test::kColumnWords[static_cast<size_t>(object.column)]});
    }
    EXPECT_EQ(told, expected) << number;
  }
}

TEST(Scenes, AreEncodedAsDrawn) {
  const auto dataset = open_scenes("demo", recipe_of("caption", "train", 3));
  for (size_t i = 0; i < 3; ++i) {
    const Example example = dataset->example(i);
    const auto bytes = std::as_bytes(std::span(*example.images.at(0).encoded));
    const Image image = decode_image(bytes, "scene");
    EXPECT_EQ(image.rgb, draw(generate_scene(0, Split::train, i).scene).rgb);
  }
}

TEST(Scenes, MistakesNameTheKeyAndWhatToGive) {
  const auto message = [](const DataRecipe& recipe) {
    try {
      open_scenes("demo", recipe);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(recipe_of("captoin", "train", 5)),
            "demo.toml:3:1: [data.demo] task = \"captoin\" is none of a scene's; give one of "
            "caption, question, both, text");
  EXPECT_THAT(message(recipe_of("both", "test", 5)), testing::HasSubstr("split = \"test\""));
  EXPECT_THAT(message(recipe_of("both", "train", 0)), testing::HasSubstr("count = 0"));
}

}  // namespace
}  // namespace sightline::scenes
