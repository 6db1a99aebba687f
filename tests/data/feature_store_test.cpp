#include "data/feature_store.h"

#include "base/hash.h"
#include "tests/data/support.h"

#include <algorithm>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kWords = 24;

std::string key_of(int number) { return content_key(std::to_string(number)); }

std::vector<uint16_t> record_of(int number) {
  std::vector<uint16_t> record(kWords);
  for (int64_t i = 0; i < kWords; ++i) record[i] = static_cast<uint16_t>(number * 100 + i);
  return record;
}

void fill(FeatureStore& store, int begin, int end) {
  for (int i = begin; i < end; ++i) store.append(key_of(i), record_of(i));
}

// Holds exactly the records 0 .. count-1, each as it was appended.
void expect_records(const FeatureStore& store, int count) {
  EXPECT_EQ(store.size(), static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto found = store.find(key_of(i));
    EXPECT_TRUE(std::ranges::equal(found, record_of(i))) << i;
  }
  EXPECT_TRUE(store.find(key_of(count)).empty());
}

class FeatureStoreTest : public testing::Test {
 protected:
  test::TemporaryFolder temporary;
  fs::path folder = temporary.path() / "cache" / "store";
  std::string bytes(const char* name) { return read_file(folder / name); }
};

TEST_F(FeatureStoreTest, WhatIsFlushedIsFoundAndSurvives) {
  {
    FeatureStore store(folder, kWords);
    EXPECT_TRUE(store.find(key_of(0)).empty());
    fill(store, 0, 3);
    EXPECT_TRUE(store.contains(key_of(2)));
    EXPECT_TRUE(store.find(key_of(2)).empty()) << "not yet flushed";
    store.append(key_of(1), record_of(77));  // a key that is there is left alone
    store.flush();
    expect_records(store, 3);
    fill(store, 0, 5);
    store.finish();
    expect_records(store, 5);
  }
  FeatureStore again(folder, kWords);
  expect_records(again, 5);
  fill(again, 0, 9);
  again.flush();
  expect_records(again, 9);
}

TEST_F(FeatureStoreTest, WithoutFlushNothingCounts) {
  {
    FeatureStore store(folder, kWords);
    fill(store, 0, 3);
    store.flush();
    fill(store, 3, 6);
  }
  FeatureStore again(folder, kWords);
  expect_records(again, 3);
  fill(again, 3, 7);
  again.flush();
  expect_records(again, 7);
}

// Killed at some byte of the index's last write: the records whose lines are whole count, and a new
// fill goes on from there.
TEST_F(FeatureStoreTest, ATornTailIsPassedOverWhereverItEnds) {
  size_t index_of_three = 0;
  {
    FeatureStore store(folder, kWords);
    fill(store, 0, 3);
    store.flush();
    index_of_three = bytes("index").size();
    fill(store, 3, 5);
    store.flush();
  }
  const std::string index = bytes("index"), data = bytes("features.bin");
  const size_t line = (index.size() - index_of_three) / 2;
  for (size_t size = index_of_three; size < index.size(); size += 11) {
    for (const bool as_zeros : {false, true}) {
      std::string torn = index.substr(0, size);
      if (as_zeros) torn.resize(index.size(), '\0');
      test::write_text(folder / "index", torn);
      test::write_text(folder / "features.bin", data);
      FeatureStore store(folder, kWords);
      expect_records(store, 3 + static_cast<int>((size - index_of_three) / line));
      fill(store, 3, 6);
      store.flush();
      expect_records(store, 6);
    }
  }
}

TEST_F(FeatureStoreTest, ATornRecordIsOverwritten) {
  {
    FeatureStore store(folder, kWords);
    fill(store, 0, 3);
    store.flush();
  }
  test::write_text(folder / "features.bin", bytes("features.bin") + "half a record");
  FeatureStore store(folder, kWords);
  expect_records(store, 3);
  fill(store, 3, 5);
  store.flush();
  expect_records(store, 5);
  EXPECT_EQ(bytes("features.bin").size(), 5 * kWords * sizeof(uint16_t));
}

TEST_F(FeatureStoreTest, AnotherSizeOrABrokenStoreIsAnError) {
  {
    FeatureStore store(folder, kWords);
    fill(store, 0, 3);
    store.flush();
  }
  EXPECT_THAT(test::message_of([&] { FeatureStore(folder, kWords + 1); }),
              testing::AllOf(testing::HasSubstr(folder.string()), testing::HasSubstr("25 words"),
                             testing::HasSubstr("24 words"), testing::HasSubstr("delete")));
  const std::string index = bytes("index"), data = bytes("features.bin");
  test::write_text(folder / "features.bin", data.substr(0, data.size() - 1));
  EXPECT_THAT(test::message_of([&] { FeatureStore(folder, kWords); }),
              testing::AllOf(testing::HasSubstr(folder.string()), testing::HasSubstr("delete")));
  fs::remove(folder / "features.bin");
  EXPECT_THAT(test::message_of([&] { FeatureStore(folder, kWords); }),
              testing::HasSubstr("delete"));
  test::write_text(folder / "index", "something else");
  EXPECT_THAT(test::message_of([&] { FeatureStore(folder, kWords); }),
              testing::HasSubstr("delete"));
}

TEST_F(FeatureStoreTest, TwoMayNotFillAtOnceButMayRead) {
  FeatureStore writer(folder, kWords);
  FeatureStore other(folder, kWords);
  fill(writer, 0, 2);
  writer.flush();
  EXPECT_THAT(test::message_of([&] { fill(other, 2, 3); }),
              testing::AllOf(testing::HasSubstr(folder.string()), testing::HasSubstr("another")));
  const FeatureStore reader(folder, kWords);
  expect_records(reader, 2);
  fill(writer, 2, 4);
  writer.finish();
  expect_records(reader, 2);

  // The other one sees what was added meanwhile before it goes on.
  fill(other, 0, 6);
  other.flush();
  expect_records(other, 6);
  EXPECT_EQ(bytes("features.bin").size(), 6 * kWords * sizeof(uint16_t));
}

TEST_F(FeatureStoreTest, AFullDiskIsAnError) {
  SIGHTLINE_NEEDS("/dev/full");
  FeatureStore(folder, kWords);
  fs::create_symlink("/dev/full", folder / "features.bin");
  EXPECT_THAT(test::message_of([&] {
                FeatureStore store(folder, kWords);
                fill(store, 0, 1);
                store.flush();
              }),
              testing::HasSubstr("features.bin: cannot"));
}

}  // namespace
}  // namespace sightline
