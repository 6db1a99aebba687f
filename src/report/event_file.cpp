#include "report/event_file.h"

#include "base/crc32c.h"
#include "base/error.h"

#include <bit>
#include <utility>

namespace sightline {
namespace {

template <class T>
void append_little_endian(std::string& bytes, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

// Guards files that hold checksums of themselves (record_writer.h).
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return std::rotr(crc, 15) + 0xa282ead8u;
}

void append_varint(std::string& message, uint64_t value) {
  for (; value >= 0x80; value >>= 7) message += static_cast<char>(value | 0x80);
  message += static_cast<char>(value);
}

// Protobuf's kinds of fields that are used here.
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_key(std::string& message, uint32_t field, WireType type) {
  append_varint(message, field << 3 | type);
}

void append_bytes(std::string& message, uint32_t field, std::string_view bytes) {
  append_key(message, field, kBytes);
  append_varint(message, bytes.size());
  message += bytes;
}

void append_number(std::string& message, uint32_t field, uint64_t number) {
  append_key(message, field, kVarint);
  append_varint(message, number);
}

// Event: wall_time = 1, step = 2.
std::string event_at(double time, int64_t step) {
  std::string event;
  append_key(event, 1, kFixed64);
  append_little_endian(event, std::bit_cast<uint64_t>(time));
  append_number(event, 2, static_cast<uint64_t>(step));
  return event;
}

// Summary.Value: tag = 1, simple_value = 2.
std::string summary_value(const Scalar& scalar) {
  std::string value;
  append_bytes(value, 1, scalar.tag);
  append_key(value, 2, kFixed32);
  append_little_endian(value, std::bit_cast<uint32_t>(static_cast<float>(scalar.value)));
  return value;
}

}  // namespace

std::string framed_record(std::string_view data) {
  std::string record;
  append_little_endian(record, static_cast<uint64_t>(data.size()));
  append_little_endian(record, masked_crc(record));
  record += data;
  append_little_endian(record, masked_crc(data));
  return record;
}

EventFile::EventFile(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary | std::ios::trunc) {
  std::string event = event_at(0.0, 0);
  append_bytes(event, 3, "brain.Event:2");  // Event.file_version = 3
  write(event);
}

void EventFile::add(double time, int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& each : scalars) append_bytes(summary, 1, summary_value(each));
  std::string event = event_at(time, step);
  append_bytes(event, 5, summary);  // Event.summary = 5
  write(event);
}

void EventFile::begin_session(double time, int64_t step) {
  std::string session;
  append_number(session, 1, 1);  // SessionLog.status = 1: START = 1
  std::string event = event_at(time, step);
  append_bytes(event, 7, session);  // Event.session_log = 7
  write(event);
}

void EventFile::write(std::string_view event) {
  file_ << framed_record(event);
  file_.flush();
  check(file_.good(), "{}: cannot write; is the disk full?", path_.string());
}

}  // namespace sightline
