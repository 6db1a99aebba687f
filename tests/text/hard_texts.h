#pragma once
// Texts that tell tokenizers apart, valid UTF-8 all.

#include "base/rng.h"
#include "text/utf8.h"

#include <string>
#include <vector>

namespace sightline::test {

inline std::vector<std::string> hard_texts() {
  return {
      "",
      " ",
      "  ",
      "\n",
      " \n \n\n  x",
      "\t\ttabs\tand \r\n returns\r",
      "trailing   ",
      "   leading",
      "a  b   c    d",
      "don't I'll we've they're I'd it's 'S 'T 'quoted' ''s",
      "12 1234567 3.14159 1,000,000 ½ ² Ⅷ ١٢٣ ४५६ 一二三",
      "naïve café Zürich Ærøskøbing ĳ ŉ ß ẞ İ ı",
      "e\xCC\x81 a\xCC\x8A\xCC\xA3 combining, Å Å Å",
      "日本語のテキスト、中文文本。한국어 텍스트",
      "ไทย हिन्दी தமிழ் עברית العربية ქართული",
      "👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 ☃️ ✈",
      "zero\xE2\x80\x8Bwidth\xE2\x80\x8Djoiner\xEF\xBB\xBFmark\xE2\x81\xA0",
      "spaces: "
      "\xC2\xA0|\xE1\x9A\x80|\xE1\xA0\x8E|\xE2\x80\x83|\xE2\x80\xA8|\xE2\x80\xA9|\xE3\x80\x80|"
      "\xC2\x85|",
      "control \x01\x02\x04\x1B[0m \x7F \xC2\x80\xC2\x9F",
      "private \xEE\x80\x80 \xF3\xB0\x80\x80 last \xF4\x8F\xBF\xBF \xEF\xBF\xBF \xEF\xBF\xBD",
      "▁ ▁▁ x▁y ▁z",
      "<|endoftext|>",
      "x<|endoftext|>y <|endoftext|> z",
      "<|endoftext|><|endoftext|>",
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
      "<|endoftext <|endoftext|",
      "<unk> a<unk> b <unk> <|start_story|>Once<|end_story|>",
      "<0x41> <0xE2><0x82><0xAC> [PAD]",
      "https://example.com/a?b=c&d=%20#e user@example.com C:\\dir\\f.txt",
      "def f(x):\n    return x**2  # squares\n\n\n",
      "!!!???...---===___***///\\\\\\",
      std::string(5000, 'a'),
      std::string(3000, ' '),
      std::string(1500, '\n') + "x",
      std::string(700, '7'),
  };
}

// Strings of code points drawn from everywhere that Unicode 14 assigns characters (that is what the
// engines of both sides know), biased to the scripts and to spaces.
inline std::vector<std::string> random_texts(size_t count, uint64_t seed) {
  struct Range {
    char32_t first, last;
  };
  const std::vector<Range> ranges = {
      {0x20, 0x7E},       {0x20, 0x7E},       {0x20, 0x20},      {0x09, 0x0D},
      {0xA0, 0x24F},      {0x300, 0x36F},     {0x391, 0x3A1},    {0x410, 0x44F},
      {0x5D0, 0x5EA},     {0x620, 0x669},     {0x904, 0x939},    {0x966, 0x96F},
      {0xE01, 0xE30},     {0x1100, 0x1112},   {0x1E00, 0x1EFF},  {0x2000, 0x2063},
      {0x2070, 0x2071},   {0x2150, 0x2189},   {0x2190, 0x23FF},  {0x2460, 0x24FF},
      {0x2581, 0x2581},   {0x3000, 0x3029},   {0x3041, 0x3096},  {0x4E00, 0x9FA5},
      {0xAC00, 0xD7A3},   {0xE000, 0xE010},   {0xFF10, 0xFF5A},  {0x10400, 0x1044F},
      {0x1D7CE, 0x1D7FF}, {0x1F300, 0x1F64F}, {0x20000, 0x20100}};
  Rng rng(seed);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (uint64_t left = rng.below(40); left > 0; --left) {
      const Range range = ranges[rng.below(ranges.size())];
      const uint64_t repeats = 1 + (rng.below(4) == 0 ? rng.below(4) : 0);
      for (uint64_t r = 0; r < repeats; ++r) {
        append_utf8(text,
                    range.first + static_cast<char32_t>(rng.below(range.last - range.first + 1)));
      }
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace sightline::test
