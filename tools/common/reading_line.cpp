#include "tools/common/reading_line.h"

#include <string>

namespace umbra {
namespace {

// "1.2 GB", of 1e9 bytes.
std::string size_text(const std::filesystem::path& file) {
  std::error_code failed;
  const std::uintmax_t bytes = std::filesystem::file_size(file, failed);
  if (failed) return "";
  const auto size = static_cast<double>(bytes);
  char text[32];
  if (size >= 1e9)
    std::snprintf(text, sizeof text, ": %.1f GB", size / 1e9);
  else
    std::snprintf(text, sizeof text, ": %.0f MB", size / 1e6);
  return text;
}

}  // namespace

ReadingLine::ReadingLine(const std::filesystem::path& file, std::FILE* out,
                         std::chrono::milliseconds patience)
    : thread_([this, file, out, patience] {
        std::unique_lock lock(mutex_);
        if (ended_.wait_for(lock, patience, [this] { return is_over_; })) return;
        std::fprintf(out, "reading %s%s\n", file.string().c_str(), size_text(file).c_str());
        std::fflush(out);
      }) {}

ReadingLine::~ReadingLine() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

Catalog read_large_catalog(const std::filesystem::path& file, CatalogReport* report) {
  const ReadingLine line(file, stderr);
  return read_catalog(file, report);
}

}  // namespace umbra
