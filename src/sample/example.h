#pragma once
// An example as a reader finds it: pictures and what is said of them, before any tokenizer.

#include "batch/sample.h"
#include "text/prompt.h"

#include <string>
#include <vector>

namespace sightline {

struct Example {
  std::string where;                             // "file:row", for errors and the log
  std::vector<ImageSource> images;               // in the order in which turns show them
  std::vector<std::vector<Turn>> conversations;  // five captions: five conversations
  std::vector<std::string> references;           // one a conversation: its last answer as given
  std::string kind;                              // of all its questions; may be empty
  // Where each question has its own: one a conversation, or none at all.
  std::vector<std::string> kinds;                 // in place of `kind`
  std::vector<std::vector<std::string>> answers;  // all that people gave, in place of references
};

}  // namespace sightline
