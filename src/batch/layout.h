#pragma once
// Packed tokens as plain data: which document, branch and block each row belongs to. The one rule
// that every mask of Sightline follows is here, in words and as its plain definition `allowed`.
//
// A document is one conversation (or one text). It is a trunk, followed by zero or more branches:
// five captions or eight questions of one picture share the trunk's rows. Rows of a document are
// contiguous: the trunk first, then branch 0, branch 1, ... A block is a contiguous run of rows of
// one document and one branch that see each other fully.

#include <cstdint>
#include <span>
#include <vector>

namespace sightline {

inline constexpr int32_t kTrunk = -1;    // branch of a trunk's row
inline constexpr int32_t kNoBlock = -1;  // block of a causal row

// One entry a packed row. Documents and blocks are numbered from 0 within the batch.
struct Layout {
  std::vector<int32_t> document_T;
  std::vector<int32_t> branch_T;
  std::vector<int32_t> block_T;
  std::vector<int32_t> position_T;  // restarts in each document; a branch goes on from the trunk

  int64_t rows() const { return static_cast<int64_t>(document_T.size()); }
};

// May row q attend to row k?
//   same document
//   and (k is the trunk's, or of q's own branch)
//   and (k is not later than q, or both are of one block)
inline bool allowed(const Layout& layout, int64_t q, int64_t k) {
  if (layout.document_T[q] != layout.document_T[k]) return false;
  if (layout.branch_T[k] != kTrunk && layout.branch_T[k] != layout.branch_T[q]) return false;
  if (k <= q) return true;
  return layout.block_T[q] != kNoBlock && layout.block_T[q] == layout.block_T[k];
}

}  // namespace sightline
