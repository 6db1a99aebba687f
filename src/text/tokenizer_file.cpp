#include "text/tokenizer_file.h"

#include "base/error.h"
#include "base/file.h"
#include "text/token_ids.h"
#include "text/vocabulary_json.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace sightline {

namespace fs = std::filesystem;

namespace {

// Far above any vocabulary; an id beyond would only ask for absurd memory.
constexpr int64_t kMostIds = 1 << 24;

int32_t checked_id(const VocabularyJson& value, std::string_view token, std::string_view source) {
  check(value.is_number_integer(), "{}: the id of \"{}\" is {}, not an integer", source, token,
        value.dump());
  const auto id = value.get<int64_t>();
  check(id >= 0 && id < kMostIds, "{}: the id of \"{}\" is {}, outside 0 .. {}", source, token, id,
        kMostIds - 1);
  return static_cast<int32_t>(id);
}

TokenIds ids_of(const std::vector<VocabularyEntry>& vocabulary, std::string_view source) {
  TokenIds ids(vocabulary.size());
  for (const auto& entry : vocabulary) {
    check(ids.add(entry.token, entry.id), "{}: the key \"{}\" stands twice in one object", source,
          entry.token);
  }
  return ids;
}

std::vector<VocabularyEntry> read_vocabulary(
    std::vector<std::pair<std::string, VocabularyJson>>&& vocab, std::string_view source) {
  check(!vocab.empty(), "{}: \"model\".\"vocab\" is missing, empty or not an object of token: id",
        source);
  std::vector<VocabularyEntry> entries;
  entries.reserve(vocab.size());
  for (auto& [token, id] : vocab) {
    check(!token.empty(), "{}: the vocabulary has an empty token", source);
    const int32_t number = checked_id(id, token, source);
    entries.push_back({std::move(token), number});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                        [](const auto& a, const auto& b) { return a.id == b.id; });
  if (twice != entries.end()) {
    ids_of(entries, source);  // a token that stands twice is told first
    fail("{}: the tokens \"{}\" and \"{}\" have the same id {}", source, twice->token,
         std::next(twice)->token, twice->id);
  }
  return entries;
}

// "a b" or ["a", "b"]
std::pair<std::string, std::string> read_pair(const VocabularyJson& merge, size_t index,
                                              std::string_view source) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const size_t space = text.find(' ');
    if (space != std::string::npos && text.find(' ', space + 1) == std::string::npos) {
      return {text.substr(0, space), text.substr(space + 1)};
    }
  }
  fail("{}: merge {} is {}, neither \"left right\" nor [\"left\", \"right\"]", source, index,
       merge.dump().substr(0, 80));
}

std::vector<BpeMerge> read_merges(const VocabularyJson& merges, const TokenIds& ids,
                                  std::string_view source) {
  check(merges.is_array(), "{}: \"model\".\"merges\" is missing or not an array", source);
  std::vector<BpeMerge> result;
  result.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto [left, right] = read_pair(merges[i], i, source);
    const auto id_of = [&, l = left, r = right](const std::string& token) {
      const auto found = ids.find(token);
      check(found.has_value(),
            "{}: merge {} (\"{}\" with \"{}\") needs the token \"{}\", which is "
            "not in the vocabulary",
            source, i, l, r, token);
      return *found;
    };
    result.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return result;
}

// Settings under which BPE would be something else than what Bpe does.
void check_plain_bpe(const Json& model, std::string_view source) {
  const auto type = json_get_or<std::string>(model, "type", "BPE", source);
  check(type == "BPE", "{}: the model is of the type \"{}\", which is not supported (known: BPE)",
        source, type);
  check(json_get_or(model, "dropout", 0.0, source) == 0.0,
        "{}: \"dropout\" of the model is not supported; set it to null", source);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto value = json_get_or<std::string>(model, key, "", source);
    check(value.empty(), "{}: \"{}\" of the model is \"{}\", which is not supported", source, key,
          value);
  }
}

const VocabularyJson& model_of(const VocabularyJson& file, std::string_view source) {
  const VocabularyJson& model = value_of(file, "model");
  check(model.is_object(), "{}: \"model\" is missing or not an object", source);
  return model;
}

// `ids` are those of `vocabulary`.
BpeModel read_model(const VocabularyJson& json, std::vector<VocabularyEntry> vocabulary,
                    const TokenIds& ids, std::string_view source) {
  Json settings = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (key != "vocab" && key != "merges") settings[key] = value;
  }
  check_plain_bpe(settings, source);
  BpeModel model;
  model.vocabulary = std::move(vocabulary);
  model.merges = read_merges(value_of(json, "merges"), ids, source);
  const auto unknown = json_get_or<std::string>(settings, "unk_token", "", source);
  if (!unknown.empty()) {
    model.unknown = ids.find(unknown);
    check(model.unknown.has_value(), "{}: the unk_token \"{}\" is not in the vocabulary", source,
          unknown);
  }
  model.fuse_unknown = json_get_or(settings, "fuse_unk", false, source);
  model.byte_fallback = json_get_or(settings, "byte_fallback", false, source);
  model.ignore_merges = json_get_or(settings, "ignore_merges", false, source);
  return model;
}

AddedToken read_added_token(const VocabularyJson& value, std::string_view source) {
  check(value.is_object(), "{}: an entry of \"added_tokens\" is {}, not an object", source,
        value.dump().substr(0, 80));
  const Json entry = value;
  AddedToken token;
  token.content = json_get<std::string>(entry, "content", source);
  check(!token.content.empty(), "{}: an entry of \"added_tokens\" has no content", source);
  token.id = checked_id(value_of(value, "id"), token.content, source);
  token.single_word = json_get_or(entry, "single_word", false, source);
  token.lstrip = json_get_or(entry, "lstrip", false, source);
  token.rstrip = json_get_or(entry, "rstrip", false, source);
  token.special = json_get_or(entry, "special", false, source);
  token.normalized = json_get_or(entry, "normalized", !token.special, source);
  return token;
}

// The vocabulary's token of an id, or null; the vocabulary is in the order of ids.
const std::string* token_of(const std::vector<VocabularyEntry>& vocabulary, int32_t id) {
  const auto found = std::ranges::lower_bound(vocabulary, id, {}, &VocabularyEntry::id);
  return found == vocabulary.end() || found->id != id ? nullptr : &found->token;
}

// `ids` are the vocabulary's.
std::vector<AddedToken> read_added_tokens(const VocabularyJson& file,
                                          const std::vector<VocabularyEntry>& vocabulary,
                                          const TokenIds& ids, std::string_view source) {
  const auto list = file.value("added_tokens", VocabularyJson::array());
  check(list.is_array(), "{}: \"added_tokens\" is not an array", source);
  std::vector<AddedToken> added;
  std::unordered_set<int32_t> seen;
  for (const auto& value : list) {
    AddedToken token = read_added_token(value, source);
    check(seen.insert(token.id).second, "{}: two entries of \"added_tokens\" have the id {}",
          source, token.id);
    const std::string* holder = token_of(vocabulary, token.id);
    check(holder == nullptr || *holder == token.content,
          "{}: the added token \"{}\" has the id {} of the token \"{}\"", source, token.content,
          token.id, holder == nullptr ? "" : *holder);
    const auto known = ids.find(token.content);
    check(!known || *known == token.id,
          "{}: the added token \"{}\" has the id {}, in the vocabulary it has another", source,
          token.content, token.id);
    added.push_back(std::move(token));
  }
  std::sort(added.begin(), added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  TokenIds own(added.size());
  for (const AddedToken& token : added) {
    check(own.add(token.content, token.id) || own.find(token.content) == token.id,
          "{}: the added token \"{}\" has two ids", source, token.content);
  }
  return added;
}

// Else what a user writes could become a special token.
void check_merges_make_no_special(const TokenizerSpec& spec, std::string_view source) {
  std::unordered_map<int32_t, std::string> special;
  for (const auto& token : spec.added_tokens) {
    if (token.special) special.emplace(token.id, token.content);
  }
  for (size_t i = 0; i < spec.model.merges.size(); ++i) {
    const auto found = special.find(spec.model.merges[i].merged);
    if (found == special.end()) continue;
    fail("{}: merge {} makes the special token \"{}\" out of ordinary text; that is not supported",
         source, i, found->second);
  }
}

Json component(const VocabularyJson& file, const char* key) { return Json(value_of(file, key)); }

// "<s>", {"content": "<s>", ...} or null.
std::optional<std::string> named_token(const Json& config, const char* key,
                                       std::string_view source) {
  if (!config.contains(key) || config[key].is_null()) return std::nullopt;
  if (config[key].is_object()) return json_get<std::string>(config[key], "content", source);
  return json_get<std::string>(config, key, source);
}

void read_config(const fs::path& path, TokenizerSpec& spec) {
  const std::string source = path.string();
  const Json config = read_json(path);
  check(config.is_object(), "{}: not a JSON object", source);
  const auto token = [&](const char* key) {
    auto name = named_token(config, key, source);
    if (!name) return name;
    const auto holds = [&](const auto& list, auto member) {
      return std::any_of(list.begin(), list.end(),
                         [&](const auto& entry) { return entry.*member == *name; });
    };
    check(holds(spec.added_tokens, &AddedToken::content) ||
              holds(spec.model.vocabulary, &VocabularyEntry::token),
          "{}: \"{}\" is \"{}\", which the tokenizer.json beside it doesn't hold", source, key,
          *name);
    return name;
  };
  spec.bos_token = token("bos_token");
  spec.eos_token = token("eos_token");
  spec.pad_token = token("pad_token");
  if (config.contains("chat_template")) spec.chat_template = config["chat_template"];
}

VocabularyJson model_json(const BpeModel& model) {
  VocabularyJson vocab = VocabularyJson::object();
  std::unordered_map<int32_t, const std::string*> tokens;
  for (const auto& entry : model.vocabulary) {
    vocab[entry.token] = entry.id;
    tokens[entry.id] = &entry.token;
  }
  VocabularyJson merges = VocabularyJson::array();
  for (const auto& merge : model.merges) {
    merges.push_back({*tokens.at(merge.left), *tokens.at(merge.right)});
  }
  VocabularyJson json = {{"type", "BPE"},
                         {"dropout", nullptr},
                         {"unk_token", nullptr},
                         {"continuing_subword_prefix", nullptr},
                         {"end_of_word_suffix", nullptr},
                         {"fuse_unk", model.fuse_unknown},
                         {"byte_fallback", model.byte_fallback},
                         {"ignore_merges", model.ignore_merges}};
  if (model.unknown) json["unk_token"] = *tokens.at(*model.unknown);
  json["vocab"] = std::move(vocab);
  json["merges"] = std::move(merges);
  return json;
}

Json config_json(const TokenizerSpec& spec) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false}};
  if (spec.bos_token) config["bos_token"] = *spec.bos_token;
  if (spec.eos_token) config["eos_token"] = *spec.eos_token;
  if (spec.pad_token) config["pad_token"] = *spec.pad_token;
  if (!spec.chat_template.is_null()) config["chat_template"] = spec.chat_template;
  return config;
}

}  // namespace

fs::path tokenizer_file(const fs::path& path) {
  return fs::is_directory(path) ? path / "tokenizer.json" : path;
}

TokenizerSpec read_tokenizer(const fs::path& path) {
  const fs::path file_path = tokenizer_file(path);
  const std::string source = file_path.string();
  TokenizerJson json = parse_tokenizer(read_file(file_path), source);
  const VocabularyJson& file = json.rest;
  check(file.is_object(), "{}: not a JSON object", source);
  TokenizerSpec spec;
  const VocabularyJson& model = model_of(file, source);
  auto vocabulary = read_vocabulary(std::move(json.vocabulary), source);
  const TokenIds ids =
      ids_of(vocabulary, source);  // moving a list leaves its elements where they are
  spec.model = read_model(model, std::move(vocabulary), ids, source);
  spec.added_tokens = read_added_tokens(file, spec.model.vocabulary, ids, source);
  check_merges_make_no_special(spec, source);
  spec.normalizer = component(file, "normalizer");
  spec.pre_tokenizer = component(file, "pre_tokenizer");
  spec.decoder = component(file, "decoder");
  spec.post_processor = component(file, "post_processor");
  const fs::path config = file_path.parent_path() / "tokenizer_config.json";
  if (fs::exists(config)) read_config(config, spec);
  return spec;
}

void write_tokenizer(const fs::path& folder, const TokenizerSpec& spec) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "{}: cannot make the folder: {}", folder.string(), error.message());
  VocabularyJson added = VocabularyJson::array();
  for (const auto& token : spec.added_tokens) {
    added.push_back({{"id", token.id},
                     {"content", token.content},
                     {"single_word", token.single_word},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"normalized", token.normalized},
                     {"special", token.special}});
  }
  const VocabularyJson file = {{"version", "1.0"},
                               {"truncation", nullptr},
                               {"padding", nullptr},
                               {"added_tokens", std::move(added)},
                               {"normalizer", spec.normalizer},
                               {"pre_tokenizer", spec.pre_tokenizer},
                               {"post_processor", spec.post_processor},
                               {"decoder", spec.decoder},
                               {"model", model_json(spec.model)}};
  write_file(folder / "tokenizer.json", file.dump(1) + "\n");
  write_json(folder / "tokenizer_config.json", config_json(spec));
}

}  // namespace sightline
