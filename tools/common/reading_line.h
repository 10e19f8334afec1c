// ReadingLine: a line for a file that takes long to read, "reading catalog.h5: 1.2 GB". Nothing is printed about a file
// that is read at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <thread>

#include "data/catalogs/catalog.h"

namespace umbra {

/// Prints its line on a stream if it still exists after some time. A thread waits for that: the libraries that read
/// do not return meanwhile.
class ReadingLine {
 public:
  /// Of a file that exists; `patience` is how long to wait.
  ReadingLine(const std::filesystem::path& file, std::FILE* out,
              std::chrono::milliseconds patience = std::chrono::seconds(2));
  ~ReadingLine();
  ReadingLine(const ReadingLine&) = delete;
  ReadingLine& operator=(const ReadingLine&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;
};

/// read_catalog(), with a ReadingLine on standard error.
Catalog read_large_catalog(const std::filesystem::path& file, CatalogReport* report = nullptr);

}  // namespace umbra
