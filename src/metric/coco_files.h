#pragma once
// The two files that coco-caption compares.
//   references  {"annotations": [{"image_id": 7, "caption": "..."}, ...], ...} as COCO has it, or
//               {"7": ["...", ...], ...}
//   results     [{"image_id": 7, "caption": "..."}, ...], one caption an image
// Ids are whole numbers or strings; 7 and "7" are the same.

#include "metric/caption_scores.h"

#include <filesystem>
#include <vector>

namespace sightline {

struct CocoCaptions {
  std::vector<CaptionCase> cases;     // in the order of the results
  size_t images_with_references = 0;  // in the references
  size_t images_without_result = 0;   // of those; coco-caption doesn't score them, nor do we
};

// Errors name the file and the row: an unreadable file, one of another shape, an image without a
// reference, a second result for an image, no result at all.
CocoCaptions read_coco_captions(const std::filesystem::path& references,
                                const std::filesystem::path& results);

}  // namespace sightline
