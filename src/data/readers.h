#pragma once
// Inside data/: the readers behind open_dataset(), and what they share.
//
// flickr  annotations: lines "name.jpg#k<TAB>caption" (Flickr8k.token.txt); split: a file of names,
//         one a line; images: the photographs' folder. One example a photograph, in the split's
//         order (without a split: the annotations'), with all its captions as conversations.
// jsonl   one JSON object a line, one example each:
//           {"image": "a.jpg", "caption": "..."}            or "captions": ["...", ...]
//           {"image": "a.jpg", "question": "...", "answer": "...", "kind": "..."}
//           {"image": "a.jpg", "questions": [{"question": ..., "answer": ..., "kind": ...}, ...]}
//         A question may stand without an image. "kind" may be left out; the questions of one line
//         are of one kind. Keys that begin with "_" are the user's own; any other is an Error.
// text    one document a line, an example of the assistant's words alone.
//
// Captions and answers are trimmed; references stay as given. Lines of white space alone are passed
// over. Annotations are checked whole when opened, and that every photograph exists, unless
// on_bad_sample = "skip" leaves it to the loader to count those that are missing. `limit` keeps the
// first examples; of JSON lines only those are then read.

#include "data/dataset.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

std::unique_ptr<Dataset> open_flickr(const DataRecipe& recipe);
std::unique_ptr<Dataset> open_jsonl(const DataRecipe& recipe);
std::unique_ptr<Dataset> open_text(const DataRecipe& recipe);

// [the user shows `images` pictures and says `words`, the assistant `answer`].
std::vector<Turn> one_exchange(int images, std::string_view words, std::string_view answer);

// The file `image` in the recipe's folder; an absolute one stays as it is.
std::string image_path(const DataRecipe& recipe, std::string_view image);

// Error naming `where`, unless the recipe leaves missing photographs to the loader.
void check_image_exists(const DataRecipe& recipe, const std::string& path, std::string_view where);

}  // namespace sightline
