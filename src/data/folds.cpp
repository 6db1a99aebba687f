#include "data/folds.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

#include <map>

namespace sightline {

namespace {

std::string key_of(const std::string& file) {
  try {
    return content_key(read_file(file));
  } catch (const Error&) {
    return content_key(file);
  }
}

}  // namespace

std::vector<int64_t> folds_of(std::span<const std::string> files, int64_t folds) {
  SL_ASSERT(folds >= 1, "{} folds", folds);
  std::vector<std::string> keys;
  std::map<std::string, int64_t> fold_of_key;
  for (const std::string& file : files) {
    keys.push_back(key_of(file));
    fold_of_key.emplace(keys.back(), 0);
  }
  int64_t next = 0;
  for (auto& [key, fold] : fold_of_key) fold = next++ % folds + 1;
  std::vector<int64_t> result;
  for (const std::string& key : keys) result.push_back(fold_of_key.at(key));
  return result;
}

}  // namespace sightline
