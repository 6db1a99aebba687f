#pragma once
// Event files, which TensorBoard shows: TFRecords of its protobuf message Event, as far as scalars
// need them. tensorflow/core/util/event.proto and framework/summary.proto number the fields,
// tensorflow/core/lib/io/record_writer.h frames the records:
//
//   length of the data (8 bytes, little endian), masked CRC-32C of these 8 bytes (4 bytes),
//   the data, masked CRC-32C of the data (4 bytes)

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace sightline {

struct Scalar {
  std::string tag;     // "loss"; TensorBoard groups by what stands before a "/"
  double value = 0.0;  // kept as fp32
};

// `data` framed as one record.
std::string framed_record(std::string_view data);

class EventFile {
 public:
  // A new file at `path`, which must hold "tfevents" for TensorBoard to find it. An Error where it
  // cannot be written, here and below.
  explicit EventFile(std::filesystem::path path);

  // `time`: seconds since 1970.
  void add(double time, int64_t step, std::span<const Scalar> scalars);
  // What earlier files of the folder tell from `step` on no longer holds: TensorBoard drops it.
  void begin_session(double time, int64_t step);

 private:
  void write(std::string_view event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace sightline
