// Products of packed matrices, panel by panel and tile by tile. Included inside a namespace by
// matrix_kernels.cpp, behind the tiles of an instruction set.

// --- packing ---

void pack(const MatrixOperand& right, int64_t n, uint32_t* packed) {
  for (int64_t first = 0; first < n; first += kPanelColumns) {
    const int64_t columns = least(n - first, kPanelColumns);
    const int64_t width = panel_width(columns);
    uint32_t* to = packed + first * right.pairs();
    if (right.order == Order::k_last) {
      for (int64_t j = 0; j < columns; j += kColumnGroup) {
        turn(right.values + (first + j) * right.stride, right.stride,
             least(columns - j, kColumnGroup), right.pairs(), width, to + j);
      }
      continue;
    }
    for (int64_t k = 0; k < right.k; k += 2, to += width) {
      const uint16_t* const row = right.values + k * right.stride + first;
      interleave(row, k + 1 < right.k ? row + right.stride : nullptr, columns, to);
    }
  }
}

// --- blocks of rows ---

// Up to kLineRows rows, of one panel. By columns, the numbers are gathered to whole cache lines
// first: y's columns often lie where they push one another out of the cache.
void multiply_line(LeftTile left, int64_t rows, const uint32_t* panel, int64_t columns,
                   const ProductOutput& y) {
  alignas(64) uint16_t lines[kPanelColumns][kLineStride];
  const bool by_columns = y.form == Form::columns_bf16;
  ProductOutput gathered = y;
  if (by_columns) gathered.values = lines, gathered.stride = kLineStride;
  for (int64_t m = 0; m < rows; m += kRowsOfTile, left.numbers += left.next) {
    multiply_tile(left, least(rows - m, kRowsOfTile), panel, columns, corner(gathered, m, 0));
  }
  for (int64_t n = 0; by_columns && n < columns; ++n) {
    __builtin_memcpy(static_cast<uint16_t*>(y.values) + n * y.stride, lines[n],
                     static_cast<size_t>(rows) * sizeof(uint16_t));
  }
}

// All columns of a block of rows: a panel of the right matrix is read once for all of them.
void multiply_block(const LeftTile& left, MatrixRange rows, const uint32_t* packed, int64_t n,
                    const ProductOutput& y) {
  for (int64_t first = 0; first < n; first += kPanelColumns) {
    LeftTile line = left;
    for (int64_t m = rows.begin; m < rows.end; m += kLineRows) {
      multiply_line(line, least(rows.end - m, kLineRows), packed + first * left.pairs,
                    least(n - first, kPanelColumns), corner(y, m, first));
      line.numbers += kLineRows / kRowsOfTile * left.next;
    }
  }
}

void multiply(const MatrixOperand& left, MatrixRange rows, const uint32_t* packed_right, int64_t n,
              const ProductOutput& y) {
  std::vector<uint32_t> memory;
  for (int64_t begin = rows.begin; begin < rows.end; begin += kBlockRows) {
    const MatrixRange block{begin, least(rows.end, begin + kBlockRows)};
    multiply_block(left_tile(left, block, memory), block, packed_right, n, y);
  }
}
