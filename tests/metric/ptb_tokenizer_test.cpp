#include "metric/ptb_tokenizer.h"

#include "base/json.h"
#include "tests/support.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

struct Example {
  const char* caption;
  const char* tokens;  // what coco-caption's Java program gave
};

void expect_tokens(std::initializer_list<Example> examples) {
  for (const Example& example : examples) {
    EXPECT_EQ(ptb_tokenize(example.caption), example.tokens) << example.caption;
  }
}

TEST(PtbTokenizer, RemovesPunctuation) {
  expect_tokens({{"", ""},
                 {"  . , ! ? ; : ", ""},
                 {" A man,  a dog; and: a cat. ", "a man a dog and a cat"},
                 {"\"hello\" 'hello' ``hi'' `a`", "hello hello hi a"},
                 {"a -- b --- c - d -----", "a b c d -----"},
                 {"x .. y ... z .... a . . . c", "x y z a c"},
                 {"foo! foo!! ?! foo!bar", "foo foo !! ?! foo!bar"}});
}

TEST(PtbTokenizer, BracketsStayByName) {
  expect_tokens({{"(foo) [1] {a}", "-lrb- foo -rrb- -lsb- 1 -rsb- -lcb- a -rcb-"},
                 {":) :-( ;) =D x", ":-rrb- :--lrb- ;-rrb- =d x"}});
}

TEST(PtbTokenizer, SplitsContractions) {
  expect_tokens(
      {{"don't CAN'T isn't won't n't", "do n't ca n't is n't wo n't n't"},
       {"dog's dogs' I'm he'll we've x", "dog 's dogs i 'm he 'll we 've x"},
       // The program looks behind a contraction, and finds nothing at the very end.
       {"we've", "we ve"},
       {"cannot gonna gotta wanna lemme gimme", "can not gon na got ta wan na lem me gim me"},
       {"'tis 'twas y'all d'ye", "'t is 't was y' all d'ye"},
       {"rock 'n' roll fish'n chips", "rock 'n' roll fish 'n chips"},
       {"o'clock O'Neil ma'am jack-o'-lantern", "o'clock o'neil ma'am jack-o lantern"},
       {"'90s 90's '90 's", "'90s 90 's '90 's"},
       {"cann't dog'ss foo`s don`t", "cann t dog ss foo s do n`t"}});
}

TEST(PtbTokenizer, KeepsFullStopsOfAbbreviations) {
  expect_tokens({{"Mr. Smith on St. James St.", "mr. smith on st. james st."},
                 {"in the U.S. army e.g. a.m. x", "in the u.s. army e.g. a.m. x"},
                 {"No. 5 and no. five", "no. 5 and no five"},
                 {"etc. etc.) Ph.D. y", "etc. etc. -rrb- ph.d. y"},
                 {"plan B. The end. A. Smith", "plan b the end a. smith"},
                 {"foo., bar foo.bar St.Louis", "foo. bar foo.bar st.louis"},
                 {"Pa. pa. Mfg. MFG.", "pa. pa mfg. mfg"}});
}

TEST(PtbTokenizer, Numbers) {
  expect_tokens({{"1,000.50 10:30pm 3-4 -5 123-4567", "1,000.50 10:30 pm 3-4 -5 123-4567"},
                 {"1/2 2-1/2 \xc2\xbd 12/25/2008", "1/2 2-1/2 1/2 12/25/2008"},
                 {"$5 US$5 \xc2\xa3"
                  "5 \xe2\x82\xac"
                  "3 5\xc2\xa2 50%",
                  "$ 5 us$ 5 # 5 $ 3 5 cents 50 %"},
                 {"3.5-inch 1,000-foot 6ft 2nd 5.5m", "3.5-inch 1,000-foot 6ft 2nd 5.5 m"},
                 // The groups of a telephone number are one token, joined by no-break spaces.
                 {"555 123 4567",
                  "555\xc2\xa0"
                  "123\xc2\xa0"
                  "4567"}});
}

TEST(PtbTokenizer, WordsWithSymbols) {
  expect_tokens({{"t-shirt well-known x_y", "t-shirt well-known x_y"},
                 {"and/or w/ w/o a/b/c/d", "and/or w / w/o a/b/c / d"}});
}

TEST(PtbTokenizer, Symbols) {
  expect_tokens(
      {{"AT&T r&b A&W &amp; C++ C# #foo @foo", "at&t r & b a&w & c++ c# #foo @foo"},
       {"<b>hi</b> < > * ** a*b", "<b> hi </b> < > * ** a * b"},
       {"http://foo.bar/baz, www.a.com a@b.com", "http://foo.bar/baz www.a.com a@b.com"}});
}

TEST(PtbTokenizer, Unicode) {
  expect_tokens({{"it\xe2\x80\x99s \xe2\x80\x9chi\xe2\x80\x9d don\xe2\x80\x99t", "it 's hi do n't"},
                 {"foo\xe2\x80\x94"
                  "bar \xe2\x80\xa6",
                  "foo bar"},
                 {"\xc3\x89t\xc3\xa9 na\xc3\xafve", "\xc3\xa9t\xc3\xa9 na\xc3\xafve"},
                 {"foo\xf0\x9f\x98\x80"
                  "bar",
                  "foo bar"},
                 {"broken \xff\xc3 bytes", "broken bytes"}});
}

TEST(PtbTokenizer, LinesSeeTheNextLine) {
  const std::vector<std::string> captions = {"a wii u.", "The end", "", "a wii u."};
  const std::vector<std::string> expected = {"a wii u", "the end", "", "a wii u."};
  EXPECT_EQ(ptb_tokenize_lines(captions), expected);
  EXPECT_TRUE(ptb_tokenize_lines({}).empty());
  EXPECT_EQ(ptb_tokenize("two\nlines\r\nare one"), "two lines are one");
}

TEST(PtbTokenizer, FakecapTokensAreIdentical) {
  const auto folder = test::data_folder() / "metrics";
  SIGHTLINE_NEEDS(folder);
  const Json references = read_json(folder / "fakecap1000_refs.json");
  const Json results = read_json(folder / "fakecap1000_hyps.json");
  const Json expected = read_json(folder / "fakecap1000_ptb_tokenized.json");
  size_t compared = 0;
  for (const auto& [id, captions] : references.items()) {
    const auto raw = captions.get<std::vector<std::string>>();
    EXPECT_EQ(ptb_tokenize_lines(raw), expected["refs"][id].get<std::vector<std::string>>()) << id;
    compared += raw.size();
  }
  for (const Json& result : results) {
    const auto id = std::to_string(result["image_id"].get<int>());
    EXPECT_EQ(ptb_tokenize(result["caption"].get<std::string>()),
              expected["hyps"][id].get<std::string>());
  }
  EXPECT_EQ(results.size(), 1000U);
  EXPECT_GE(compared, 5000U);
}

}  // namespace
}  // namespace sightline
