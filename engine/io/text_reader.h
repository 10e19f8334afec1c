// Text files as people have them: plain or packed with gzip, on a disk or out of a pipe, with or without a
// UTF-8 byte-order mark, lines ending in LF or CR LF. What is something else (UTF-16, CR alone, another
// packing, no text at all) is refused by name, before it is taken for a table of one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// The bytes of a file or pipe, unpacked where they are packed with gzip.
class ByteReader {
 public:
  /// Throws Error when the file is missing, a folder or not to be opened.
  explicit ByteReader(const std::filesystem::path& path);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// Up to `size` bytes into `to`; fewer only at the end. Throws Error for damaged packing.
  std::size_t read(void* to, std::size_t size);

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

class TextReader {
 public:
  /// As ByteReader; also for other packings and for UTF-16.
  explicit TextReader(const std::filesystem::path& path);

  /// The next line without its end, valid until the next call; false at the end of the file. Throws Error for
  /// what is not text and for lines above 1 MiB.
  bool next_line(std::string_view& line);
  /// "file 'a.csv' line 7", of the line last given.
  std::string where() const;
  std::int64_t line() const { return line_; }

 private:
  bool fill();
  void check_text(std::string_view text) const;

  std::filesystem::path path_;
  ByteReader bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not yet given
  std::int64_t line_ = 0;
  bool finished_ = false;
};

/// The whole of a text file of at most 16 MiB, lines ending in LF.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace umbra
