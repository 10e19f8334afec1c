// Replaces jpeg.cpp and png.cpp in a build without libjpeg-turbo or libpng.
#include "data/images/decoders_internal.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

[[noreturn]] void fail_without_libraries() {
  fail("this build cannot read images; build umbra with libjpeg-turbo and libpng (packages libjpeg-dev and ",
       "libpng-dev)");
}

}  // namespace

bool can_read_images() {
  return false;
}

Image decode_jpeg(std::span<const std::uint8_t>, const BeforePixels&) {
  fail_without_libraries();
}

Image decode_png(std::span<const std::uint8_t>, const BeforePixels&) {
  fail_without_libraries();
}

}  // namespace umbra
