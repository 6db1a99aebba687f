#include "text/prompt.h"

#include "base/error.h"

#include <array>
#include <utility>

namespace sightline {

// A template as data. Opening and closing strings are text but for the special tokens in front.
struct PromptTemplate::Form {
  std::string name;
  std::vector<std::string> special_tokens;
  bool begins_with_bos;
  std::string turn_token;      // a special token that opens every turn; "": none
  std::string user_opening;    // after it
  std::string after_images;    // between the last image and the words
  std::string after_words;     // after a user's words, if there are any
  std::string answer_opening;  // after turn_token, before the assistant's words
  std::string end_token;       // "": the tokenizer's eos
  bool closes_user;            // whether end_token and after_turn close a user's turn too
  std::string after_turn;      // text after an end token ...
  bool after_last;             // ... even after the last
};

const PromptTemplate::Form& PromptTemplate::form_named(std::string_view name) {
  static const std::array<Form, 2> forms = {
      Form{.name = "plain",
           .special_tokens = {},
           .begins_with_bos = true,
           .turn_token = "",
           .user_opening = "",
           .after_images = "\n",
           .after_words = "\n",
           .answer_opening = "",
           .end_token = "",
           .closes_user = false,
           .after_turn = "\n",
           .after_last = false},
      Form{.name = "chatml",
           .special_tokens = {"<|im_start|>", "<|im_end|>"},
           .begins_with_bos = false,
           .turn_token = "<|im_start|>",
           .user_opening = "user\n",
           .after_images = "",
           .after_words = "",
           .answer_opening = "assistant\n",
           .end_token = "<|im_end|>",
           .closes_user = true,
           .after_turn = "\n",
           .after_last = true},
  };
  for (const Form& form : forms) {
    if (form.name == name) return form;
  }
  fail("the prompt template \"{}\" is not known (known: plain, chatml)", name);
}

// Gathers pieces; unsupervised text of one role is encoded as one string until something else
// comes.
class PromptTemplate::PieceWriter {
 public:
  explicit PieceWriter(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void set_role(Role role) {
    if (role != role_) flush();
    role_ = role;
  }
  void text(std::string_view words) { waiting_ += words; }
  void token(int32_t id) {
    flush();
    append({id}, false);
  }
  void image() {
    flush();
    pieces_.push_back({Piece::Kind::image, {}, false, role_});
  }
  void answer(std::string_view words, int32_t end) {
    flush();
    auto ids = encode(words);
    ids.push_back(end);
    append(ids, true);
  }
  std::vector<Piece> finish() {
    flush();
    return std::move(pieces_);
  }

 private:
  std::vector<int32_t> encode(std::string_view words) const {
    return tokenizer_.encode(words, {SpecialTokens::as_text});
  }
  void flush() {
    append(encode(waiting_), false);
    waiting_.clear();
  }
  void append(const std::vector<int32_t>& ids, bool supervised) {
    if (ids.empty()) return;
    const bool joins = !pieces_.empty() && pieces_.back().kind == Piece::Kind::text &&
                       pieces_.back().supervised == supervised && pieces_.back().role == role_;
    if (!joins) pieces_.push_back({Piece::Kind::text, {}, supervised, role_});
    auto& tokens = pieces_.back().tokens;
    tokens.insert(tokens.end(), ids.begin(), ids.end());
  }

  const Tokenizer& tokenizer_;
  std::vector<Piece> pieces_;
  std::string waiting_;
  Role role_ = Role::user;
};

namespace {

void check_turns(std::span<const Turn> turns) {
  for (size_t i = 0; i < turns.size(); ++i) {
    check(
        i == 0 || turns[i].role != turns[i - 1].role,
        "a conversation's turns {} and {} are by the same role; users and assistant must alternate",
        i, i + 1);
    check(images_of(turns[i]) == 0 || turns[i].role == Role::user,
          "turn {} of a conversation has {} images; only a user shows images", i + 1,
          images_of(turns[i]));
    SL_ASSERT(turns[i].more.empty() || turns[i].role == Role::user, "an answer in parts");
  }
}

}  // namespace

int images_of(const Turn& turn) {
  int images = turn.images;
  for (const TurnPart& part : turn.more) images += part.images;
  return images;
}

int64_t images_of(std::span<const Turn> turns) {
  int64_t images = 0;
  for (const Turn& turn : turns) images += images_of(turn);
  return images;
}

PromptTemplate PromptTemplate::named(std::string_view name, const Tokenizer& tokenizer) {
  return PromptTemplate(form_named(name), tokenizer);
}

std::span<const std::string> PromptTemplate::special_tokens_of(std::string_view name) {
  return form_named(name).special_tokens;
}

PromptTemplate::PromptTemplate(const Form& form, const Tokenizer& tokenizer)
    : form_(&form), tokenizer_(tokenizer) {
  for (const std::string& token : form.special_tokens) {
    const auto id = tokenizer.token_id(token);
    check(id && tokenizer.is_special(*id),
          "the prompt template \"{}\" needs the special token \"{}\", which the tokenizer lacks",
          form.name, token);
  }
  if (!form.end_token.empty()) end_ids_.push_back(*tokenizer.token_id(form.end_token));
  const auto eos = tokenizer.eos_id();
  check(eos || !end_ids_.empty(),
        "the prompt template \"{}\" needs an end token: name \"eos_token\" in the tokenizer's "
        "tokenizer_config.json",
        form.name);
  if (eos && (end_ids_.empty() || end_ids_.front() != *eos)) end_ids_.push_back(*eos);
}

std::string_view PromptTemplate::name() const { return form_->name; }

std::span<const std::string> PromptTemplate::special_tokens() const {
  return form_->special_tokens;
}

std::vector<Piece> PromptTemplate::render(std::span<const Turn> turns) const {
  check(!turns.empty() && turns.back().role == Role::assistant,
        "a conversation to learn from must end with the assistant's turn");
  return render_turns(turns).finish();
}

std::vector<Piece> PromptTemplate::render_prompt(std::span<const Turn> turns) const {
  check(turns.empty() || turns.back().role == Role::user,
        "a conversation to go on must end with the user's turn");
  PieceWriter writer = render_turns(turns);
  open_turn(Role::assistant, writer);
  auto pieces = writer.finish();
  check(!pieces.empty(), "the prompt is empty, so there is nothing to go on from");
  return pieces;
}

void PromptTemplate::open_turn(Role role, PieceWriter& writer) const {
  writer.set_role(role);
  if (!form_->turn_token.empty()) writer.token(*tokenizer_.token_id(form_->turn_token));
  writer.text(role == Role::user ? form_->user_opening : form_->answer_opening);
}

void PromptTemplate::write_part(const TurnPart& part, PieceWriter& writer) const {
  for (int image = 0; image < part.images; ++image) writer.image();
  if (part.images > 0) writer.text(form_->after_images);
  if (!part.text.empty()) writer.text(part.text + form_->after_words);
}

PromptTemplate::PieceWriter PromptTemplate::render_turns(std::span<const Turn> turns) const {
  check_turns(turns);
  PieceWriter writer(tokenizer_);
  writer.set_role(turns.empty() ? Role::assistant : turns.front().role);
  const auto bos = tokenizer_.bos_id();
  if (form_->begins_with_bos && bos) writer.token(*bos);
  for (size_t i = 0; i < turns.size(); ++i) {
    const Turn& turn = turns[i];
    open_turn(turn.role, writer);
    if (turn.role == Role::assistant) {
      writer.answer(turn.text, end_ids_.front());
      if (form_->after_last || i + 1 < turns.size()) writer.text(form_->after_turn);
      continue;
    }
    write_part({turn.text, turn.images}, writer);
    for (const TurnPart& part : turn.more) write_part(part, writer);
    if (form_->closes_user) {
      writer.token(end_ids_.front());
      writer.text(form_->after_turn);
    }
  }
  return writer;
}

}  // namespace sightline
