#include "base/error.h"
#include "data/loader.h"
#include "evaluate/cases.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"
#include "report/html.h"
#include "run/run_samples.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

std::string thumbnail(const ImageSource& source) {
  const std::string bytes = read_image_bytes(source);
  const Image image =
      decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), source.name());
  const double scale = std::min(1.0, static_cast<double>(kThumbnail) /
                                         static_cast<double>(std::max(image.width, image.height)));
  const auto side = [&](int size) {
    return std::max(1, static_cast<int>(std::lround(size * scale)));
  };
  return data_uri("image/png",
                  encode_png(resize_bicubic(image, side(image.width), side(image.height))));
}

}  // namespace

std::vector<SamplePictures> sample_pictures(const Recipe& recipe, const std::string& task,
                                            const std::vector<int64_t>& ids) {
  const auto found = recipe.tasks.find(task);
  check(found != recipe.tasks.end(), "the recipe has no [task.{}]", task);
  const std::vector<TaskCase> cases = cases_of(found->second, recipe, found->second.limit);
  std::vector<SamplePictures> samples;
  for (const int64_t id : ids) {
    check(id >= 0 && id < static_cast<int64_t>(cases.size()),
          "[task.{}]: its data hold {} cases, and case {} was evaluated", task, cases.size(), id);
    SamplePictures& sample = samples.emplace_back();
    sample.id = id;
    for (const ImageSource& image : cases[static_cast<size_t>(id)].images) {
      sample.pictures.push_back(thumbnail(image));
    }
  }
  return samples;
}

}  // namespace sightline
