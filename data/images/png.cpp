// PNG with libpng. The library reports an error by a call that must not return, so this file uses setjmp() and
// longjmp(). Between the two there is no object with a destructor.
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <new>

#include "data/images/decoders_internal.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

// Of a row, which libpng keeps in memory twice.
constexpr png_uint_32 kMostSide = 65535;

struct Failure {
  std::jmp_buf back;
  char text[256];
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto& failure = *static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure.text, text, sizeof failure.text - 1);
  std::longjmp(failure.back, 1);
}

// About chunks that are not needed for the pixels, such as colour profiles.
void on_warning(png_structp, png_const_charp) {}

struct Source {
  std::span<const std::uint8_t> left;
};

void take(png_structp png, png_bytep to, std::size_t size) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (size > source.left.size()) png_error(png, "the file ends too early");
  std::memcpy(to, source.left.data(), size);
  source.left = source.left.subspan(size);
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : source_{bytes} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure_, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ != nullptr) return;
    png_destroy_read_struct(&png_, nullptr, nullptr);
    throw std::bad_alloc();
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Image decode(const BeforePixels& before) {
    if (!read_header()) refuse();
    Image image{png_get_image_width(png_, info_), png_get_image_height(png_, info_), 0, {}};
    check_pixels(image.width, image.height, before);
    if (!choose_format()) refuse();
    image.channels = png_get_channels(png_, info_);
    const std::size_t row = png_get_rowbytes(png_, info_);
    require((image.channels == 1 || image.channels == 3) &&
                row == static_cast<std::size_t>(image.width * image.channels),
            "it has ", image.channels, " channels, but images in grey or RGB are expected");
    image.pixels.resize(row * static_cast<std::size_t>(image.height));
    if (!read_rows(image.pixels.data(), row, static_cast<std::size_t>(image.height))) refuse();
    return image;
  }

 private:
  [[noreturn]] void refuse() const {
    if (std::strcmp(failure_.text, "Out of memory") == 0) throw std::bad_alloc();  // of png_malloc()
    fail(failure_.text);
  }
  bool read_header() {
    // Compressed texts and profiles may be as large as an image.
    static constexpr png_byte kUnused[] = "tEXt\0zTXt\0iTXt\0iCCP\0sPLT";
    if (setjmp(failure_.back) != 0) return false;
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, kUnused, sizeof kUnused / 5);
    png_set_user_limits(png_, kMostSide, kMostSide);
    png_set_read_fn(png_, &source_, take);
    png_read_info(png_, info_);
    return true;
  }
  // Grey or RGB with 8 bits a channel.
  bool choose_format() {
    if (setjmp(failure_.back) != 0) return false;
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_rows(std::uint8_t* pixels, std::size_t row, std::size_t rows) {
    if (setjmp(failure_.back) != 0) return false;
    for (int pass = 0; pass < passes_; ++pass)
      for (std::size_t y = 0; y < rows; ++y) png_read_row(png_, pixels + y * row, nullptr);
    png_read_end(png_, nullptr);
    return true;
  }

  Source source_;
  Failure failure_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
};

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const BeforePixels& before) {
  return Decoder(bytes).decode(before);
}

}  // namespace umbra
