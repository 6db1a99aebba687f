#include "data/conversation.h"

#include "base/error.h"
#include "data/line_file.h"

#include <utility>

namespace sightline {

void ConversationBuilder::begin(Role role, std::string where) {
  close_turn();
  where_ = std::move(where);
  const bool is_users = turns_.size() % 2 == 0;
  check((role == Role::user) == is_users, "{}: the {} speaks where it is the {}'s turn", where_,
        role == Role::user ? "user" : "assistant", is_users ? "user" : "assistant");
  turns_.push_back({.role = role});
  parts_ = {TurnPart{}};
}

void ConversationBuilder::add_words(std::string_view words) {
  last_words_ = words;
  words = trimmed(words);
  if (words.empty()) return;
  std::string& text = parts_.back().text;
  if (!text.empty()) text += '\n';
  text += words;
}

void ConversationBuilder::add_image() {
  check(turns_.back().role == Role::user, "{}: the assistant shows an image; only a user may",
        where_);
  if (!parts_.back().text.empty()) parts_.emplace_back();
  ++parts_.back().images;
}

void ConversationBuilder::finish(Example& example) {
  close_turn();
  check(!turns_.empty() && turns_.back().role == Role::assistant,
        "{}: the conversation does not end with the assistant's words", example.where);
  example.conversations.push_back(std::move(turns_));
  example.references.push_back(std::move(last_words_));
}

void ConversationBuilder::close_turn() {
  if (turns_.empty()) return;
  Turn& turn = turns_.back();
  turn.text = std::move(parts_.front().text);
  turn.images = parts_.front().images;
  parts_.erase(parts_.begin());
  turn.more = std::move(parts_);
  check(!turn.text.empty() || images_of(turn) > 0, "{}: says nothing", where_);
}

}  // namespace sightline
