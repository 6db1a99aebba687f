#include "metric/coco_files.h"

#include "base/error.h"
#include "base/json.h"

#include <unordered_map>
#include <unordered_set>

namespace sightline {
namespace {

using References = std::unordered_map<std::string, std::vector<std::string>>;

std::string image_id(const Json& row, const std::string& where) {
  check(row.is_object(), "{}: expected an object with \"image_id\" and \"caption\", found {}",
        where, row.type_name());
  const auto found = row.find("image_id");
  if (found == row.end()) json_missing(where, "image_id");
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return found->dump();
  json_mismatch(where, "image_id", *found, "a whole number or a string is needed");
}

References read_references(const std::filesystem::path& path) {
  const std::string file = path.string();
  const Json json = read_json(path);
  check(json.is_object(),
        "{}: expected {{\"annotations\": [...]}} or {{\"<image id>\": [captions ...]}}, found {}",
        file, json.type_name());
  References result;
  const auto annotations = json.find("annotations");
  if (annotations != json.end()) {
    check(annotations->is_array(), "{}: \"annotations\" is {}, expected a list of captions", file,
          annotations->type_name());
    for (size_t i = 0; i < annotations->size(); ++i) {
      const std::string where = fmt::format("{}: annotations[{}]", file, i);
      const Json& row = (*annotations)[i];
      result[image_id(row, where)].push_back(json_get<std::string>(row, "caption", where));
    }
  } else {
    for (const auto& [id, captions] : json.items()) {
      check(captions.is_array() && !captions.empty(),
            "{}: image \"{}\": expected a list of at least one caption, found {}", file, id,
            captions.is_array() ? "an empty list" : captions.type_name());
      for (const Json& caption : captions) {
        check(caption.is_string(), "{}: image \"{}\": a caption is {}, expected a string", file, id,
              caption.type_name());
        result[id].push_back(caption.get<std::string>());
      }
    }
  }
  check(!result.empty(), "{}: there are no reference captions in it", file);
  return result;
}

}  // namespace

CocoCaptions read_coco_captions(const std::filesystem::path& references,
                                const std::filesystem::path& results) {
  const References known = read_references(references);
  const std::string file = results.string();
  const Json json = read_json(results);
  check(json.is_array(),
        "{}: expected a list of {{\"image_id\": ..., \"caption\": \"...\"}}, found {}", file,
        json.type_name());
  check(!json.empty(), "{}: there are no results in it", file);
  CocoCaptions captions;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string where = fmt::format("{}: row {}", file, i);
    CaptionCase item;
    item.id = image_id(json[i], where);
    item.hypothesis = json_get<std::string>(json[i], "caption", where);
    const auto found = known.find(item.id);
    check(found != known.end(), "{}: image {} has no reference caption in {}", where, item.id,
          references.string());
    check(seen.insert(item.id).second,
          "{}: image {} has a caption already; one result an image is scored", where, item.id);
    item.references = found->second;
    captions.cases.push_back(std::move(item));
  }
  captions.images_with_references = known.size();
  captions.images_without_result = known.size() - captions.cases.size();
  return captions;
}

}  // namespace sightline
