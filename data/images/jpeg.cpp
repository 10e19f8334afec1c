// JPEG with libjpeg-turbo. The library reports an error by a call that must not return, so this file uses setjmp()
// and longjmp(). Between the two there is no object with a destructor.
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs FILE
#include <new>

// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "data/images/decoders_internal.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

// A progressive file of a few bytes can have thousands of scans, each of which takes as long as the whole image.
constexpr int kMostScans = 100;

struct Failure {
  jpeg_error_mgr manager;  // the library sees this part
  jpeg_progress_mgr progress;
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

Failure& failure_of(j_common_ptr info) {
  return *reinterpret_cast<Failure*>(info->err);
}

[[noreturn]] void on_error(j_common_ptr info) {
  Failure& failure = failure_of(info);
  info->err->format_message(info, failure.text);
  std::longjmp(failure.back, 1);
}

// Warnings have negative levels: the data are damaged and the rest of the image would be made up.
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  Failure& failure = failure_of(info);
  std::snprintf(failure.text, sizeof failure.text, "it has more than %d scans", kMostScans);
  std::longjmp(failure.back, 1);
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&failure_.manager);
    failure_.manager.error_exit = on_error;
    failure_.manager.emit_message = on_message;
    failure_.progress.progress_monitor = on_progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Image decode(const BeforePixels& before) {
    if (!read_header()) refuse();
    const int components = info_.num_components;
    require(components == 1 || components == 3, "it has ", components, " channels",
            components == 4 ? " (CMYK)" : "", ", but images in grey or RGB are expected");
    check_pixels(info_.image_width, info_.image_height, before);
    info_.out_color_space = components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    Image image{info_.image_width, info_.image_height, components, {}};
    image.pixels.resize(static_cast<std::size_t>(image.width * image.height * components));
    if (!read_rows(image.pixels.data(), static_cast<std::size_t>(image.width * components))) refuse();
    return image;
  }

 private:
  [[noreturn]] void refuse() const {
    if (failure_.manager.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
    fail(failure_.text);
  }
  bool read_header() {
    if (setjmp(failure_.back) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &failure_.progress;
    jpeg_mem_src(&info_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
    jpeg_read_header(&info_, TRUE);
    return true;
  }
  bool read_rows(std::uint8_t* pixels, std::size_t row) {
    if (setjmp(failure_.back) != 0) return false;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW at = pixels + info_.output_scanline * row;
      jpeg_read_scanlines(&info_, &at, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  std::span<const std::uint8_t> bytes_;
  jpeg_decompress_struct info_{};
  Failure failure_{};
};

}  // namespace

bool can_read_images() {
  return true;
}

Image decode_jpeg(std::span<const std::uint8_t> bytes, const BeforePixels& before) {
  return Decoder(bytes).decode(before);
}

}  // namespace umbra
