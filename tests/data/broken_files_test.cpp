// Twenty kinds of broken file a format: each is one clear error that names the file and the row, or
// under on_bad_sample = "skip" one example that the loader counts and lists.

#include "tests/data/broken_files.h"

namespace sightline {
namespace {

using test::Broken;
using test::Format;
using test::Skip;

std::string line_file(const std::string& second) { return "a.jpg#0\tA dog .\n" + second + "\n"; }

Format flickr() {
  const auto none = [](const char* what, const std::string& second,
                       std::vector<const char*> says) -> Broken {
    return {what, line_file(second), Skip::none, std::move(says)};
  };
  return {
      "flickr",
      DataFormat::flickr,
      {{"empty file", "", Skip::none, {"empty"}},
       {"blank lines", "\n  \n\t\n", Skip::none, {"empty"}},
       {"nul bytes", std::string(64, '\0'), Skip::none, {":1: no tab"}},
       {"a JSON file", "{\"images\": []}\n", Skip::none, {":1: no tab"}},
       {"a csv file", "image,caption\na.jpg,A dog\n", Skip::none, {":1: no tab"}},
       {"a PNG", test::png_of(1), Skip::none, {":1: "}},
       none("no tab", "b.jpg#0 A cat", {":2: no tab", "b.jpg#0 A cat"}),
       none("no number", "b.jpg\tA cat", {":2: ", "\"b.jpg\""}),
       none("no number after #", "b.jpg#\tA cat", {":2: ", "caption's number"}),
       none("a word after #", "b.jpg#one\tA cat", {":2: \"one\""}),
       none("a negative number", "b.jpg#-1\tA cat", {":2: \"-1\""}),
       none("no name", "#1\tA cat", {":2: ", "photograph's name"}),
       none("nothing before the tab", "\tA cat", {":2: ", "photograph's name"}),
       none("no caption", "b.jpg#0\t", {":2: the caption of b.jpg#0 is empty"}),
       none("a blank caption", "b.jpg#0\t \t ", {":2: ", "empty"}),
       none("a caption twice", "a.jpg#0\tA dog .", {":2: ", "a.jpg#0", ":1"}),
       none("a caption twice, other words", "a.jpg#0\tA cat .", {":2: ", "a.jpg#0"}),
       none("cut within a name", "b.j", {":2: no tab"}),
       {"missing photograph", line_file("c.jpg#0\tA"), Skip::picture, {":2: ", "c.jpg"}},
       {"a folder for a photograph", line_file("folder#0\tA"), Skip::picture, {":2: ", "folder"}},
       {"photograph elsewhere", line_file("../c.jpg#0\tA"), Skip::picture, {":2: ", "c.jpg"}}}};
}

Format jsonl() {
  const auto bad = [](const char* what, const std::string& second,
                      std::vector<const char*> says) -> Broken {
    return {what, "{\"image\": \"a.jpg\", \"caption\": \"A\"}\n" + second + "\n", Skip::example,
            std::move(says)};
  };
  Format format = {
      "jsonl",
      DataFormat::jsonl,
      {{"empty file", "", Skip::none, {"empty"}},
       {"blank lines", "\n \n", Skip::none, {"empty"}},
       bad("cut line", R"({"image": "a.jpg", "capt)", {":2: not valid JSON"}),
       bad("two objects", R"({"image": "a.jpg", "caption": "A"} {})", {":2: not valid JSON"}),
       bad("a list", "[1, 2]", {":2: is not a JSON object"}),
       bad("a string", "\"A dog\"", {":2: is not a JSON object"}),
       bad("bad UTF-8", "{\"image\": \"a.jpg\", \"caption\": \"\xff\"}", {":2: not valid JSON"}),
       bad("misspelt key", R"({"image": "a.jpg", "captoin": "A"})", {":2: ", "\"caption\"?"}),
       bad("no words", R"({"image": "a.jpg"})", {":2: expected one of"}),
       bad("two kinds", R"({"image": "a.jpg", "caption": "A", "question": "B", "answer": "C"})",
           {":2: expected one of"}),
       bad("blank caption", R"({"image": "a.jpg", "caption": " "})", {":2: \"caption\" is empty"}),
       bad("a number for a caption", R"({"image": "a.jpg", "caption": 3})", {":2: ", "3"}),
       bad("null for a caption", R"({"image": "a.jpg", "caption": null})", {":2: ", "null"}),
       bad("no captions", R"({"image": "a.jpg", "captions": []})", {":2: \"captions\""}),
       bad("a number among captions", R"({"image": "a.jpg", "captions": ["A", 3]})", {":2: ", "3"}),
       bad("caption of nothing", R"({"caption": "A"})", {":2: ", "\"image\""}),
       bad("image without a name", R"({"image": "", "caption": "A"})", {":2: \"image\" is empty"}),
       bad("list of images", R"({"image": ["a.jpg"], "caption": "A"})", {":2: \"image\""}),
       bad("no answer", R"({"image": "a.jpg", "question": "A"})", {":2: ", "\"answer\""}),
       bad("no question", R"({"image": "a.jpg", "answer": "A"})", {":2: ", "\"question\""}),
       bad("a question of words", R"({"questions": ["what?"]})", {":2: question 1"}),
       bad("two kinds of question",
           R"({"questions": [{"question": "a", "answer": "b", "kind": "count"},)"
           R"( {"question": "a", "answer": "b", "kind": "colour"}]})",
           {":2: question 2", "colour", "count"}),
       bad("no messages", R"({"messages": []})", {":2: \"messages\""}),
       bad("image beside messages", R"({"image": "a.jpg", "messages": [1]})", {":2: \"image\""}),
       bad("unknown role", R"({"messages": [{"role": "system", "content": "A"}]})",
           {":2: message 1", "\"system\""}),
       bad("the assistant begins", R"({"messages": [{"role": "assistant", "content": "A"}]})",
           {":2: message 1", "user's turn"}),
       bad("no answer to a message", R"({"messages": [{"role": "user", "content": "A"}]})",
           {":2: the conversation does not end with the assistant"}),
       bad("the assistant shows an image",
           R"({"messages": [{"role": "user", "content": "A"}, {"role": "assistant", "content": )"
           R"([{"type": "image", "image": "a.jpg"}]}]})",
           {":2: message 2", "only a user"}),
       bad("empty message",
           R"({"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "A"}]})",
           {":2: message 1: says nothing"}),
       bad("unknown part", R"({"messages": [{"role": "user", "content": [{"type": "video"}]}]})",
           {":2: message 1, part 1", "\"video\""})}};
  Broken missing = bad("missing image", R"({"image": "c.jpg", "caption": "A"})", {":2: ", "c.jpg"});
  missing.skip = Skip::picture;
  format.broken.push_back(missing);
  return format;
}

Format text() {
  return {"text",
          DataFormat::text,
          {{"empty file", "", Skip::none, {"empty"}},
           {"one line break", "\n", Skip::none, {"empty"}},
           {"windows line breaks", "\r\n\r\n", Skip::none, {"empty"}},
           {"blanks", "   ", Skip::none, {"empty"}},
           {"tabs", "\t\n\t\t\n", Skip::none, {"empty"}},
           {"a byte order mark", "\xef\xbb\xbf", Skip::none, {"empty"}},
           {"a byte order mark and a blank", "\xef\xbb\xbf \n", Skip::none, {"empty"}}}};
}

Format coco() {
  const std::string image = R"({"id": 1, "file_name": "a.jpg"})";
  const std::string caption = R"({"image_id": 1, "caption": "A"})";
  const auto file = [](const std::string& images, const std::string& annotations) {
    return "{\"images\": [" + images + "], \"annotations\": [" + annotations + "]}";
  };
  const auto second_image = [&](const char* what, const std::string& second,
                                std::vector<const char*> says) -> Broken {
    return {what, file(image + ", " + second, caption), Skip::example, std::move(says)};
  };
  const auto second_caption = [&](const char* what, const std::string& second,
                                  std::vector<const char*> says) -> Broken {
    return {what, file(image, caption + ", " + second), Skip::example, std::move(says)};
  };
  return {
      "coco",
      DataFormat::coco,
      {{"empty file", "", Skip::none, {"not valid JSON"}},
       {"cut file", file(image, caption).substr(0, 60), Skip::none, {"not valid JSON at byte"}},
       {"a list", "[]", Skip::none, {"\"images\""}},
       {"no images", "{\"annotations\": [" + caption + "]}", Skip::none, {"\"images\" is missing"}},
       {"empty images", file("", caption), Skip::none, {"\"images\" is not a list"}},
       {"images no list",
        R"({"images": {"1": "a.jpg"}})",
        Skip::none,
        {"\"images\" is not a list"}},
       {"no annotations",
        "{\"images\": [" + image + "]}",
        Skip::none,
        {"\"annotations\" is missing"}},
       {"empty annotations", file(image, ""), Skip::none, {"\"annotations\" is not a list"}},
       {"bad UTF-8", file(image, "{\"image_id\": 1, \"caption\": \"\xff\"}"), Skip::none, {"JSON"}},
       second_image("image no object", "\"b.jpg\"", {"images[1]: is not an object"}),
       second_image("no id", R"({"file_name": "b.jpg"})", {"images[1]: ", "\"id\" is missing"}),
       second_image("a word for an id", R"({"id": "2", "file_name": "b.jpg"})",
                    {"images[1]: \"id\""}),
       second_image("an id twice", R"({"id": 1, "file_name": "b.jpg"})",
                    {"images[1]: the id 1 is there already", "images[0]"}),
       second_image("no file name", R"({"id": 2})", {"images[1]: ", "\"file_name\" is missing"}),
       second_image("blank file name", R"({"id": 2, "file_name": ""})",
                    {"images[1]: \"file_name\""}),
       second_image("no caption", R"({"id": 2, "file_name": "b.jpg"})",
                    {"images[1]: b.jpg has no caption"}),
       {"a file twice",
        file(image + R"(, {"id": 2, "file_name": "a.jpg"})",
             caption + R"(, {"image_id": 2, "caption": "B"})"),
        Skip::example,
        {"images[1]: the image a.jpg is there already"}},
       second_caption("caption no object", "3", {"annotations[1]: is not an object"}),
       second_caption("no image id", R"({"caption": "A"})", {"annotations[1]: ", "\"image_id\""}),
       second_caption("unknown image", R"({"image_id": 9, "caption": "A"})",
                      {"annotations[1]: no image has the id 9"}),
       {"no words",
        file(image, R"({"image_id": 1})"),
        Skip::example,
        {"annotations[0]: ", "\"caption\""}},
       {"blank words",
        file(image, R"({"image_id": 1, "caption": "\n"})"),
        Skip::example,
        {"annotations[0]: \"caption\" is empty"}},
       {"words a number",
        file(image, R"({"image_id": 1, "caption": 4})"),
        Skip::example,
        {"annotations[0]: \"caption\" is 4"}},
       {"missing picture",
        file(image + R"(, {"id": 2, "file_name": "c.jpg"})",
             caption + R"(, {"image_id": 2, "caption": "B"})"),
        Skip::picture,
        {"images[1]: ", "c.jpg"}}}};
}

Format karpathy() {
  const std::string good = R"({"filename": "a.jpg", "split": "test", "sentences": [{"raw": "A"}]})";
  const auto second = [&](const char* what, const std::string& image,
                          std::vector<const char*> says) -> Broken {
    return {what, "{\"images\": [" + good + ", " + image + "]}", Skip::example, std::move(says)};
  };
  Format format = {
      "karpathy",
      DataFormat::karpathy,
      {{"empty file", "", Skip::none, {"not valid JSON"}},
       {"cut file", "{\"images\": [" + good, Skip::none, {"not valid JSON at byte"}},
       {"a list", "[" + good + "]", Skip::none, {"\"images\""}},
       {"no images", "{}", Skip::none, {"\"images\" is missing"}},
       {"empty images", R"({"images": []})", Skip::none, {"\"images\" is not a list"}},
       {"images a word", R"({"images": "all"})", Skip::none, {"\"images\" is not a list"}},
       {"another split alone",
        R"({"images": [{"filename": "a.jpg", "split": "val"}]})",
        Skip::none,
        {"split \"test\"", "val"}},
       second("image no object", "7", {"images[1]: is not an object"}),
       second("null image", "null", {"images[1]: is not an object"}),
       second("no split", R"({"filename": "b.jpg", "sentences": [{"raw": "A"}]})",
              {"images[1]: ", "\"split\""}),
       second("split a number", R"({"filename": "b.jpg", "split": 2})", {"images[1]: \"split\""}),
       second("no file name", R"({"split": "test", "sentences": [{"raw": "A"}]})",
              {"images[1]: ", "\"filename\""}),
       second("blank file name", R"({"filename": " ", "split": "test"})",
              {"images[1]: \"filename\""}),
       second(
           "file path a number",
           R"({"filename": "b.jpg", "filepath": 3, "split": "test", "sentences": [{"raw": "A"}]})",
           {"images[1]: \"filepath\""}),
       second("no sentences", R"({"filename": "b.jpg", "split": "test"})",
              {"images[1]: ", "\"sentences\" is missing"}),
       second("empty sentences", R"({"filename": "b.jpg", "split": "test", "sentences": []})",
              {"images[1]: \"sentences\""}),
       second("sentences of words", R"({"filename": "b.jpg", "split": "test", "sentences": ["A"]})",
              {"images[1]: sentences[0]", "\"raw\""}),
       second("tokens alone",
              R"({"filename": "b.jpg", "split": "test", "sentences": [{"tokens": ["a"]}]})",
              {"images[1]: sentences[0]", "\"raw\""}),
       second("blank words",
              R"({"filename": "b.jpg", "split": "test", "sentences": [{"raw": " "}]})",
              {"images[1]: sentences[0]: \"raw\" is empty"}),
       second("an image twice", good,
              {"images[1]: the image a.jpg is there already", "images[0]"})},
      "test"};
  Broken missing = second("missing picture",
                          R"({"filename": "c.jpg", "split": "test", "sentences": [{"raw": "A"}]})",
                          {"images[1]: ", "c.jpg"});
  missing.skip = Skip::picture;
  format.broken.push_back(missing);
  return format;
}

Format llava() {
  const std::string good =
      R"({"image": "a.jpg", "conversations": [{"from": "human", "value": "<image>"}, )"
      R"({"from": "gpt", "value": "A"}]})";
  const auto second = [&](const char* what, const std::string& sample,
                          std::vector<const char*> says) -> Broken {
    return {what, "[" + good + ", " + sample + "]", Skip::example, std::move(says)};
  };
  const auto turns = [](const std::string& image, const std::string& conversation) {
    return "{\"image\": " + image + ", \"conversations\": [" + conversation + "]}";
  };
  const std::string asks = R"({"from": "human", "value": "<image>"})";
  const std::string says = R"({"from": "gpt", "value": "A"})";
  Format format = {
      "llava",
      DataFormat::llava,
      {{"empty file", "", Skip::none, {"not valid JSON"}},
       {"cut file", "[" + good + ", {\"image\"", Skip::none, {"not valid JSON at byte"}},
       {"JSON lines", good + "\n" + good, Skip::none, {"not valid JSON at byte"}},
       {"an object", good, Skip::none, {"is not a list of samples"}},
       {"empty list", "[]", Skip::none, {"is not a list of samples"}},
       second("sample no object", "3", {"[1]: is not an object"}),
       second("no conversations", R"({"image": "a.jpg"})",
              {"[1]: ", "\"conversations\" is missing"}),
       second("empty conversations", turns("\"a.jpg\"", ""), {"[1]: \"conversations\""}),
       second("turn no object", turns("\"a.jpg\"", "\"hi\""), {"[1]: turn 1: is not an object"}),
       second("no speaker", turns("\"a.jpg\"", R"({"value": "<image>"})"),
              {"[1]: turn 1", "\"from\""}),
       second("unknown speaker", turns("\"a.jpg\"", R"({"from": "system", "value": "A"})"),
              {"[1]: turn 1", "\"system\""}),
       second("no words", turns("\"a.jpg\"", R"({"from": "human"})"), {"[1]: turn 1", "\"value\""}),
       second("blank words", turns("\"a.jpg\"", R"({"from": "human", "value": " "})"),
              {"[1]: turn 1: \"value\" is empty"}),
       second("gpt begins", turns("\"a.jpg\"", says), {"[1]: turn 1", "user's turn"}),
       second("human twice", turns("\"a.jpg\"", asks + "," + asks),
              {"[1]: turn 2", "assistant's turn"}),
       second("no answer", turns("\"a.jpg\"", asks), {"[1]: the conversation does not end"}),
       second("no marker", turns("\"a.jpg\"", R"({"from": "human", "value": "what?"}, )" + says),
              {"[1]: \"image\" names 1 images", "0 times"}),
       second("two markers",
              turns("\"a.jpg\"", R"({"from": "human", "value": "<image><image>"}, )" + says),
              {"[1]: \"image\" names 1 images", "2 times"}),
       second("marker without an image", turns("null", asks + "," + says),
              {"[1]: \"image\" names 0 images", "1 times"}),
       second("blank image", turns("\"\"", asks + "," + says), {"[1]: \"image\" is empty"}),
       second("empty list of images", turns("[]", asks + "," + says), {"[1]: \"image\""}),
       second("a number among images", turns("[\"a.jpg\", 3]", asks + "," + says),
              {"[1]: ", "3"})}};
  Broken missing =
      second("missing image", turns("\"c.jpg\"", asks + "," + says), {"[1]: ", "c.jpg"});
  missing.skip = Skip::picture;
  format.broken.push_back(missing);
  return format;
}

using BrokenFiles = test::BrokenFileTest;

TEST_P(BrokenFiles, EachIsOneErrorWithItsPlaceOrOneBadExample) { expect_each_is_told(); }

TEST_P(BrokenFiles, AFileThatCannotBeOpenedIsNamed) { expect_unopened_files_are_named(); }

INSTANTIATE_TEST_SUITE_P(Formats, BrokenFiles,
                         testing::Values(flickr(), jsonl(), text(), coco(), karpathy(), llava()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace sightline
