#pragma once
// Inside data/: the turns of a conversation as they are read, one piece after the other.

#include "sample/example.h"

#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// Words are trimmed; two pieces of words without an image between them are lines of one text.
class ConversationBuilder {
 public:
  // Opens a turn; `where` names it in errors, which are: the user does not begin, or a role speaks
  // twice in a row, says nothing, or is the assistant and shows an image.
  void begin(Role role, std::string where);
  void add_words(std::string_view words);
  void add_image();

  // Adds the conversation to `example`, its last answer as the reference. Error: the assistant
  // does not speak last.
  void finish(Example& example);

 private:
  void close_turn();

  std::string where_;
  std::vector<TurnPart> parts_;  // of the open turn
  std::string last_words_;       // as given
  std::vector<Turn> turns_;
};

}  // namespace sightline
