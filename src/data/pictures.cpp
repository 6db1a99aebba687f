#include "data/pictures.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/loader.h"
#include "image/decode.h"

#include <algorithm>

namespace sightline {

namespace {

Picture picture_of_bytes(const std::string& bytes, const ImageSource& source,
                         const PictureOptions& options, const PictureChange& change) {
  const auto decoded = [&] {
    return decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), source.name());
  };
  if (options.store == nullptr) {
    SL_ASSERT(options.processor != nullptr, "pictures without a processor");
    return {.image = apply(*options.processor, change ? change(decoded()) : decoded())};
  }
  SL_ASSERT(!change, "a stored picture to be changed");
  const auto features = options.store->find(content_key(bytes));
  if (features.empty()) {
    decoded();  // where it cannot be read, that is the better message
    fail(
        "{}: the feature store does not hold this picture: it has changed since the store was "
        "filled; start the stage again",
        source.name());
  }
  return {.features = features};
}

}  // namespace

std::string read_image_bytes(const ImageSource& source) {
  if (source.encoded) return *source.encoded;
  if (source.member.empty()) return read_file(source.path);
  return FileReader(source.path).read(source.begin, source.size);
}

Picture load_picture(const ImageSource& source, const PictureOptions& options,
                     const PictureChange& change) {
  if (source.encoded) return picture_of_bytes(*source.encoded, source, options, change);
  return picture_of_bytes(read_image_bytes(source), source, options, change);
}

void fill_pictures(Batch& batch, std::span<const Picture* const> pictures,
                   const PictureOptions& options) {
  SL_ASSERT(pictures.size() == batch.images.size(), "{} pictures for {} images", pictures.size(),
            batch.images.size());
  if (options.store != nullptr) {
    batch.features.reserve(pictures.size() * static_cast<size_t>(options.store->words()));
    for (const Picture* picture : pictures) {
      batch.features.insert(batch.features.end(), picture->features.begin(),
                            picture->features.end());
    }
    return;
  }
  if (pictures.empty()) return;
  const size_t side = static_cast<size_t>(options.processor->size);
  const size_t values = 3 * side * side;
  batch.pixels.resize(pictures.size() * values);
  for (size_t i = 0; i < pictures.size(); ++i) {
    normalise(*options.processor, pictures[i]->image,
              std::span(batch.pixels).subspan(i * values, values));
  }
}

void load_pictures(Batch& batch, const Processor& processor, const FeatureStore* store) {
  const PictureOptions options{&processor, store};
  std::vector<Picture> pictures;
  std::vector<const Picture*> pointers;
  pictures.reserve(batch.images.size());
  for (const ImageSource& source : batch.images) {
    pictures.push_back(load_picture(source, options));
    pointers.push_back(&pictures.back());
  }
  fill_pictures(batch, pointers, options);
}

}  // namespace sightline
