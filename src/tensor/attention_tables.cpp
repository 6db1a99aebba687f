#include "base/error.h"
#include "tensor/attention.h"
#include "tensor/device.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace sightline {
namespace {

// Padding may add this share to a group's real scores, or this many: about what one more call
// costs.
constexpr double kPaddedShare = 0.25;
constexpr int64_t kScoresOfACall = 4096;
// Longer runs are cut, so that a causal run's early queries do not pay for its late keys.
constexpr int32_t kLongestQueries = 256;

// A run, or a cut of a long one: its queries, and its keys' two spans.
struct Piece {
  Run run;
  int32_t keys_end = 0;  // of its own span; a block's cut sees to the block's end

  int32_t queries() const { return run.num_queries(); }
  int32_t keys() const { return run.trunk_end - run.trunk_begin + keys_end - run.own_begin; }
  int64_t scores() const { return int64_t{queries()} * keys(); }
};

std::vector<Piece> pieces_of(const AttentionPlan& plan) {
  std::vector<Piece> pieces;
  for (const Run& run : plan.runs) {
    for (int32_t begin = run.begin; begin < run.end; begin += kLongestQueries) {
      Piece piece{run, run.end};
      piece.run.begin = begin;
      piece.run.end = std::min(begin + kLongestQueries, run.end);
      if (run.causal) piece.keys_end = piece.run.end;
      pieces.push_back(piece);
    }
  }
  // Like shapes become neighbours. Ties go by row: the order is always the same.
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    return std::tuple(a.queries(), a.keys(), a.run.begin) <
           std::tuple(b.queries(), b.keys(), b.run.begin);
  });
  return pieces;
}

// How many pieces, from the first, one call takes.
size_t group_size(std::span<const Piece> pieces) {
  int64_t queries = 0, keys = 0, real = 0;
  size_t count = 0;
  for (const Piece& piece : pieces) {
    queries = std::max<int64_t>(queries, piece.queries());
    keys = std::max<int64_t>(keys, piece.keys());
    real += piece.scores();
    const int64_t padding = static_cast<int64_t>(count + 1) * queries * keys - real;
    const auto allowance = static_cast<int64_t>(kPaddedShare * static_cast<double>(real));
    if (padding > std::max(kScoresOfACall, allowance)) break;
    ++count;
  }
  return count;
}

std::vector<int32_t> rows_between(int32_t begin, int32_t end) {
  std::vector<int32_t> rows;
  for (int32_t row = begin; row < end; ++row) rows.push_back(row);
  return rows;
}

std::vector<int32_t> key_rows(const Piece& piece) {
  std::vector<int32_t> rows = rows_between(piece.run.trunk_begin, piece.run.trunk_end);
  for (int32_t row = piece.run.own_begin; row < piece.keys_end; ++row) rows.push_back(row);
  return rows;
}

// How many keys each query of the padded piece sees. Padding queries see all: their softmax is
// finite, and nobody reads it.
void append_seen(const Piece& piece, int64_t queries, int64_t keys, std::vector<int32_t>& seen) {
  for (int32_t q = 0; q < queries; ++q) {
    if (q >= piece.queries()) {
      seen.push_back(static_cast<int32_t>(keys));
    } else {
      seen.push_back(piece.run.causal ? piece.keys() - piece.queries() + q + 1 : piece.keys());
    }
  }
}

AttentionTables::Group add_group(std::span<const Piece> pieces, AttentionTables::Lowered& lowered) {
  AttentionTables::Group group;
  group.runs = static_cast<int64_t>(pieces.size());
  group.first_query = static_cast<int64_t>(lowered.queries.slots().size());
  group.first_key = static_cast<int64_t>(lowered.keys.slots().size());
  for (const Piece& piece : pieces) {
    group.queries = std::max<int64_t>(group.queries, piece.queries());
    group.keys = std::max<int64_t>(group.keys, piece.keys());
  }
  for (const Piece& piece : pieces) {
    lowered.queries.add_run(rows_between(piece.run.begin, piece.run.end),
                            static_cast<int32_t>(group.queries));
    lowered.keys.add_run(key_rows(piece), static_cast<int32_t>(group.keys));
    append_seen(piece, group.queries, group.keys, group.seen);
  }
  if (std::all_of(group.seen.begin(), group.seen.end(),
                  [&](int32_t seen) { return seen == group.keys; })) {
    group.seen.clear();
  }
  return group;
}

}  // namespace

AttentionTables lower_plan(const AttentionPlan& plan, const AttentionNumbers& numbers) {
  auto lowered = std::make_shared<AttentionTables::Lowered>();
  const at::Device device = numbers.device;
  const bool by_flash = takes_flash(device, numbers.dtype, numbers.head_size);
  if (by_flash) lowered->flash = flash_tables(plan, device);
  const bool by_tiles = !by_flash && takes_tiles(device, numbers.dtype, numbers.head_size);
  if (by_tiles) lowered->tiles = tile_tables(plan);
  if (by_flash || by_tiles) {
    return {.lowered = std::move(lowered),
            .rows = plan.rows,
            .padded_scores = plan.num_scores(),
            .gathered_keys = plan.num_keys()};
  }
  lowered->queries = SlotTable(plan.rows);
  lowered->keys = SlotTable(plan.rows);
  AttentionTables tables;
  tables.rows = plan.rows;
  const std::vector<Piece> pieces = pieces_of(plan);
  for (std::span<const Piece> rest(pieces); !rest.empty();) {
    const size_t count = group_size(rest);
    SL_ASSERT(count > 0, "a run that fits no group");
    AttentionTables::Group group = add_group(rest.first(count), *lowered);
    if (!device.is_cpu()) group.seen_BQ = indices(group.seen, device);
    tables.padded_scores += group.runs * group.queries * group.keys;
    lowered->groups.push_back(std::move(group));
    rest = rest.subspan(count);
  }
  lowered->queries.index(device);
  lowered->keys.index(device);
  tables.gathered_keys = static_cast<int64_t>(lowered->keys.slots().size());
  tables.lowered = std::move(lowered);
  return tables;
}

}  // namespace sightline
