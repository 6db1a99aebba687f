#include "dist/buckets.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

namespace sightline {

namespace {

at::ScalarType dtype_of(at::ScalarType own, Travel travel) {
  if (travel == Travel::as_they_are || own == at::kDouble) return own;
  return travel == Travel::bf16 ? at::kBFloat16 : at::kFloat;
}

}  // namespace

std::vector<at::Tensor> zeros_of(std::span<const SumShape> shapes, at::Device device) {
  std::vector<at::Tensor> tensors;
  for (const SumShape& shape : shapes) {
    tensors.push_back(at::zeros({shape.numbers}, at::device(device).dtype(shape.dtype)));
  }
  return tensors;
}

std::vector<Bucket> make_buckets(std::span<const at::Tensor> tensors, int64_t most, Travel travel) {
  std::vector<Bucket> buckets;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const at::ScalarType dtype = dtype_of(tensors[i].scalar_type(), travel);
    const int64_t numbers = tensors[i].numel();
    if (buckets.empty() || buckets.back().dtype != dtype ||
        tensors[buckets.back().first].device() != tensors[i].device() ||
        buckets.back().numbers + numbers > most) {
      buckets.push_back({.first = i, .dtype = dtype});
    }
    ++buckets.back().count;
    buckets.back().numbers += numbers;
  }
  return buckets;
}

at::Tensor packed(std::span<const at::Tensor> tensors, const Bucket& bucket) {
  at::Tensor flat =
      at::empty({bucket.numbers}, tensors[bucket.first].options().dtype(bucket.dtype));
  int64_t at = 0;
  for (const at::Tensor& tensor : tensors.subspan(bucket.first, bucket.count)) {
    flat.slice(0, at, at + tensor.numel()).view(tensor.sizes()).copy_(tensor);
    at += tensor.numel();
  }
  return flat;
}

void unpack(const at::Tensor& flat, std::span<const at::Tensor> tensors, const Bucket& bucket) {
  int64_t at = 0;
  for (const at::Tensor& tensor : tensors.subspan(bucket.first, bucket.count)) {
    tensor.copy_(flat.slice(0, at, at + tensor.numel()).view(tensor.sizes()));
    at += tensor.numel();
  }
}

}  // namespace sightline
