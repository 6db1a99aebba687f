#include "data/scene_draw.h"

#include <cstdlib>

namespace sightline::scenes {

namespace {

// Distances are in eighths of a pixel; a pixel's 4 x 4 samples lie at its odd eighths.
constexpr int kUnit = 8;
constexpr int kSamples = 4;

int radius(Size size) { return size == Size::large ? 7 * kUnit : 9 * kUnit / 2; }

struct Point {
  int x, y;
};

// A five-pointed star of radius 1000, inner radius 550, its first point upwards.
constexpr std::array<Point, 10> kStar = {{{0, -1000},
                                          {323, -445},
                                          {951, -309},
                                          {523, 170},
                                          {588, 809},
                                          {0, 550},
                                          {-588, 809},
                                          {-523, 170},
                                          {-951, -309},
                                          {-323, -445}}};

// Even-odd rule. `at` is in units of which the star's radius is `r`.
bool in_star(Point at, int r) {
  const Point p = {at.x * 1000, at.y * 1000};
  bool inside = false;
  for (size_t i = 0; i < kStar.size(); ++i) {
    Point a = {kStar[i].x * r, kStar[i].y * r};
    Point b = {kStar[(i + 1) % kStar.size()].x * r, kStar[(i + 1) % kStar.size()].y * r};
    if (a.y > b.y) std::swap(a, b);
    if (p.y < a.y || p.y >= b.y) continue;
    const int64_t along = int64_t{p.x - a.x} * (b.y - a.y);
    if (along < int64_t{b.x - a.x} * (p.y - a.y)) inside = !inside;
  }
  return inside;
}

// Whether the sample at (x, y) from the object's centre lies on it.
bool covers(Shape shape, int r, int x, int y) {
  switch (shape) {
    case Shape::circle:
      return x * x + y * y <= r * r;
    case Shape::square: {
      const int half = r * 7 / 8;
      return std::abs(x) <= half && std::abs(y) <= half;
    }
    case Shape::triangle: {
      const int top = -r, bottom = r * 7 / 8;
      return y <= bottom && std::abs(x) * (bottom - top) <= r * (y - top);
    }
    case Shape::star:
      return in_star({x, y}, r);
    case Shape::cross: {
      const int arm = r * 3 / 8;
      const int wide = std::abs(x), high = std::abs(y);
      return (wide <= arm && high <= r) || (high <= arm && wide <= r);
    }
  }
  return false;
}

// Samples of the pixel at (x, y) from the object's centre, in pixels, that lie on the object.
int coverage(const Object& object, int x, int y) {
  const int r = radius(object.size);
  int covered = 0;
  for (int j = 0; j < kSamples; ++j) {
    for (int i = 0; i < kSamples; ++i) {
      covered += covers(object.shape, r, x * kUnit + 2 * i + 1, y * kUnit + 2 * j + 1) ? 1 : 0;
    }
  }
  return covered;
}

void paint(Image& image, const Object& object) {
  constexpr int kAll = kSamples * kSamples;
  const int left = object.column * kCell, top = object.row * kCell;
  const int centre_x = left + kCell / 2 + object.offset_x;
  const int centre_y = top + kCell / 2 + object.offset_y;
  for (int y = top; y < top + kCell; ++y) {
    for (int x = left; x < left + kCell; ++x) {
      const int covered = coverage(object, x - centre_x, y - centre_y);
      if (covered == 0) continue;
      uint8_t* pixel = &image.rgb[static_cast<size_t>(y * kSide + x) * 3];
      for (size_t c = 0; c < 3; ++c) {
        const int mixed = pixel[c] * (kAll - covered) + object.paint[c] * covered;
        pixel[c] = static_cast<uint8_t>((mixed + kAll / 2) / kAll);
      }
    }
  }
}

}  // namespace

Image draw(const Scene& scene) {
  Image image = make_image(kSide, kSide);
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = scene.background[i % 3];
  for (const Object& object : scene.objects) paint(image, object);
  return image;
}

}  // namespace sightline::scenes
