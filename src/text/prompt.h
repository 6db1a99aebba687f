#pragma once
// Prompt templates: how a conversation about pictures becomes tokens. Two are known:
//
//   plain   {bos}{image}\n{user}\n{assistant}{eos}     further pairs go on after "\n"
//   chatml  <|im_start|>user\n{image}{user}<|im_end|>\n
//           <|im_start|>assistant\n{assistant}<|im_end|>\n          (one line break each: the \n)
//
// In `plain` {bos} stands only if the tokenizer has one, the first "\n" only after an image and the
// second only after words; a lone assistant turn is a text to learn: {bos}{assistant}{eos}.
// Where pictures stand between a user's words, {image}\n{user}\n (in `chatml` {image}{user}) comes
// again for each part of the turn.
//
// What the assistant says and its end token are supervised, nothing else is. Every piece is encoded
// by itself, so a prompt has the same tokens in training and in generation: render_prompt(turns) is
// a prefix of render(turns + answer). A turn's text never gives a special token (but the unknown
// token, where the vocabulary has one), and text stands between every image and the answer after
// it.

#include "text/tokenizer.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

enum class Role { user, assistant };

// Words with the images that stand before them.
struct TurnPart {
  std::string text;
  int images = 0;
  bool operator==(const TurnPart&) const = default;
};

struct Turn {
  Role role = Role::user;
  std::string text;
  int images = 0;              // shown before the text; only a user shows images
  std::vector<TurnPart> more;  // what follows in the same turn: images between a user's words
  bool operator==(const Turn&) const = default;
};

// All images of a turn; of several turns.
int images_of(const Turn& turn);
int64_t images_of(std::span<const Turn> turns);

struct Piece {
  enum class Kind { text, image };
  Kind kind = Kind::text;
  std::vector<int32_t> tokens;  // of text; an image's rows are the model's to count
  bool supervised = false;
  Role role = Role::user;  // whose turn it belongs to
};

// Immutable; it keeps a copy of the tokenizer, which shares its tables.
class PromptTemplate {
 public:
  // An unknown name, or a tokenizer without a token that the template needs, is an Error.
  static PromptTemplate named(std::string_view name, const Tokenizer& tokenizer);

  // The special tokens that a tokenizer must hold for the template `name`: add them first with
  // Tokenizer::with_added_tokens().
  static std::span<const std::string> special_tokens_of(std::string_view name);

  std::string_view name() const;
  std::span<const std::string> special_tokens() const;
  // Generation stops at any of them; the first is the one that ends an answer in training.
  std::span<const int32_t> end_ids() const { return end_ids_; }

  // A whole conversation: users and assistant in turn, the assistant last; or one assistant turn.
  // Neighbouring pieces differ in kind, supervision or role; text pieces are not empty.
  std::vector<Piece> render(std::span<const Turn> turns) const;

  // Up to where the assistant is to speak: the user last, or no turn at all (a text to begin).
  std::vector<Piece> render_prompt(std::span<const Turn> turns) const;

 private:
  struct Form;
  static const Form& form_named(std::string_view name);
  PromptTemplate(const Form& form, const Tokenizer& tokenizer);
  class PieceWriter;
  void open_turn(Role role, PieceWriter& writer) const;
  void write_part(const TurnPart& part, PieceWriter& writer) const;
  PieceWriter render_turns(std::span<const Turn> turns) const;

  const Form* form_;
  Tokenizer tokenizer_;
  std::vector<int32_t> end_ids_;
};

}  // namespace sightline
