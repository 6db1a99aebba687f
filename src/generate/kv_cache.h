#pragma once
// Keys and values of all rows that sequences have seen, and of each sequence which rows are its.
// Rows are written once and never move: beams that share their past share its rows, and a sequence
// that goes on from another takes its list of rows, not the rows.
//
// Legend: P stored rows, S sequences, G key/value heads, d head size.

#include "kernels/row_kernels.h"
#include "recipe/model_config.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace sightline {

// A layer's stored keys and values.
struct KvLayer {
  at::Tensor k_PGd, v_PGd;
};

// Room for so many rows, of these numbers and on their device.
std::vector<KvLayer> kv_layers(const LanguageConfig& config, const at::TensorOptions& numbers,
                               int64_t room);

class KvCache {
 public:
  // `room` rows are taken at once; larger layers are made when they are needed.
  KvCache(const LanguageConfig& config, const at::TensorOptions& numbers, int64_t room);
  // Over these layers, whatever they hold.
  explicit KvCache(std::vector<KvLayer> layers) : layers_(std::move(layers)) {}

  int64_t sequences() const { return static_cast<int64_t>(rows_.size()); }
  // Sequence s's rows, in the order of their positions.
  std::span<const int32_t> rows(int64_t s) const { return rows_.at(static_cast<size_t>(s)); }
  int64_t length(int64_t s) const { return static_cast<int64_t>(rows(s).size()); }

  // A new sequence for each length, with so many new rows, one sequence after the other. Returns
  // the first new row.
  int64_t add_sequences(std::span<const int64_t> lengths);
  // Sequence i becomes what sequence parents[i] was.
  void reorder(std::span<const int64_t> parents);
  // Each sequence gets one new row, in order. Returns the first.
  int64_t grow();

  // Stores [n, G, d] in the rows from `first` on.
  void write(int64_t layer, int64_t first, const at::Tensor& k_nGd, const at::Tensor& v_nGd);

  // The same of one row's head, from d numbers each: in fp32 and bf16 on the CPU alone. Threads may
  // write different heads and rows side by side.
  void write_head(int64_t layer, int64_t head, int64_t row, const float* k_d, const float* v_d);

  const at::Tensor& keys(int64_t layer) const { return layers_.at(layer).k_PGd; }
  const at::Tensor& values(int64_t layer) const { return layers_.at(layer).v_PGd; }
  // A head's keys and values for the row kernels: in fp32 and bf16 on the CPU alone.
  CachedHead head(int64_t layer, int64_t head) const;
  // Others than before once there are more rows than they had room for.
  const std::vector<KvLayer>& layers() const { return layers_; }

 private:
  void make_room(int64_t rows);

  std::vector<KvLayer> layers_;
  std::vector<std::vector<int32_t>> rows_;
  int64_t used_ = 0;
};

}  // namespace sightline
