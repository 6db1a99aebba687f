#include "dist/shared_sums.h"

#include "base/error.h"

#include <algorithm>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>

namespace sightline {

namespace {

constexpr int64_t kPiece = 4096;     // numbers that stay in the cache between reading and writing
constexpr int64_t kGrain = 1 << 16;  // numbers worth a thread
constexpr size_t kAligned = 64;      // bytes

size_t bytes_of(const SumShape& shape) {
  const size_t bytes = static_cast<size_t>(shape.numbers) * c10::elementSize(shape.dtype);
  return (bytes + kAligned - 1) / kAligned * kAligned;
}

template <class Number>
void add_up_piece(std::span<Number* const> ranks, int64_t begin, int64_t size) {
  Number sums[kPiece];
  std::copy_n(ranks.front() + begin, size, sums);
  for (const Number* const rank : ranks.subspan(1)) {
    for (int64_t i = 0; i < size; ++i) sums[i] += rank[begin + i];
  }
  for (Number* const rank : ranks) std::copy_n(sums, size, rank + begin);
}

template <class Number>
void add_up_numbers(std::span<Number* const> ranks, int64_t begin, int64_t end) {
  at::parallel_for(begin, end, kGrain, [&](int64_t from, int64_t to) {
    for (int64_t at = from; at < to; at += kPiece) {
      add_up_piece(ranks, at, std::min(kPiece, to - at));
    }
  });
}

}  // namespace

size_t shared_bytes(std::span<const SumShape> shapes) {
  size_t bytes = 0;
  for (const SumShape& shape : shapes) bytes += bytes_of(shape);
  return bytes;
}

SharedSums::SharedSums(std::vector<std::unique_ptr<SharedMemory>> by_rank, int64_t rank)
    : by_rank_(std::move(by_rank)), rank_(static_cast<size_t>(rank)) {}

std::vector<at::Tensor> SharedSums::tensors(std::span<const SumShape> shapes) {
  std::vector<at::Tensor> tensors;
  std::byte* data = by_rank_[rank_]->data();
  for (const SumShape& shape : shapes) {
    SL_ASSERT(shape.dtype == at::kFloat || shape.dtype == at::kDouble, "sums of other numbers");
    tensors.push_back(at::from_blob(
        data, {shape.numbers}, [kept = shared_from_this()](void*) {},
        at::TensorOptions().dtype(shape.dtype)));
    data += bytes_of(shape);
  }
  return tensors;
}

bool SharedSums::has(const at::Tensor& tensor) const {
  if (!tensor.is_cpu()) return false;
  const auto* const data = static_cast<const std::byte*>(tensor.const_data_ptr());
  const SharedMemory& own = *by_rank_[rank_];
  return data >= own.data() && data < own.data() + own.size();
}

void SharedSums::add_up(const at::Tensor& tensor) const {
  const auto offset =
      static_cast<const std::byte*>(tensor.const_data_ptr()) - by_rank_[rank_]->data();
  // Shares begin where cache lines do.
  constexpr auto kLine = static_cast<int64_t>(kAligned / sizeof(float));
  const auto ranks = std::ssize(by_rank_), rank = static_cast<int64_t>(rank_);
  const int64_t lines = (tensor.numel() + kLine - 1) / kLine;
  const int64_t begin = std::min(lines * rank / ranks * kLine, tensor.numel());
  const int64_t end = std::min(lines * (rank + 1) / ranks * kLine, tensor.numel());
  const auto add_up_as = [&]<class Number>(Number) {
    std::vector<Number*> numbers;
    for (const auto& memory : by_rank_) {
      numbers.push_back(reinterpret_cast<Number*>(memory->data() + offset));
    }
    add_up_numbers(std::span<Number* const>(numbers), begin, end);
  };
  if (tensor.scalar_type() == at::kDouble) {
    add_up_as(double());
  } else {
    add_up_as(float());
  }
}

}  // namespace sightline
