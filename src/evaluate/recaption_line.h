#pragma once
// What a model says of a picture, as a line of training data in the format jsonl:
//
//   {"image": "a.jpg", "questions": [{"question": "what is it?", "answer": "a cat"}, ...],
//    "_model": "flickr8k/model", "_decoding": "greedy, at most 32 tokens"}
//
// Each answer is a branch of the picture's sample, several to one question too. A prompt that
// "question" cannot hold as it is (no words, or white space at its ends, which readers trim) has
// "captions": ["a cat", ...] in place of "questions"; it is the reading table's `prompt`, and
// "_prompt" tells it where it has words. "_cut": 2 says that two of the line's answers were cut at
// the most tokens.

#include "evaluate/picture_list.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace sightline {

// Who wrote a line, and how.
struct Author {
  std::string model;     // the model folder's name
  std::string decoding;  // decoding_text()
};

// The folder's last two names, of "runs/flickr8k/model" the run's and its own: which model it is,
// wherever it lies.
Author author_of(const std::filesystem::path& model_folder, const DecodingRecipe& decoding);

struct WrittenAnswer {
  std::string prompt, text;
  enum class End { whole, cut } end = End::whole;
};

// Whether a line's "question" reads back as the prompt.
bool is_question(std::string_view prompt);

// An Error where `name` would not read back: it is not UTF-8, or has white space at its ends.
void check_name(const std::string& name, const std::string& path);

// With the line's end. `answers` are some, in the order of the picture's prompts; none is empty.
std::string line_of(const ListedPicture& picture, std::span<const WrittenAnswer> answers,
                    const Author& author);

struct RecaptionCount {
  int64_t lines = 0, answers = 0;
  int64_t cut = 0;       // of the answers
  int64_t left_out = 0;  // pictures without a line; the list tells, not the lines
};

// How far an earlier run came.
struct LinesSoFar {
  size_t next = 0;     // the picture behind the last whole line
  uint64_t bytes = 0;  // up to the last whole line's end; a torn one may follow
  RecaptionCount count;
};

// A line that is not of these pictures in their order, or has another author, is a UsageError: what
// is asked for now would not go on with the file.
LinesSoFar lines_so_far(const std::filesystem::path& file, std::span<const ListedPicture> pictures,
                        const Author& author);

}  // namespace sightline
