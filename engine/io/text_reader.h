// Readers of text files: plain or compressed with gzip, from a disk or a pipe, with or without a UTF-8
// byte-order mark, lines ending in LF or CR LF. Other formats (UTF-16, lines ending in CR, other
// compressions, binary files) are recognised and refused with an Error, so that they are not taken for a
// table of one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// The bytes of a file or pipe, decompressed if it is compressed with gzip.
class ByteReader {
 public:
  /// Opens a file or pipe. Throws Error when it is missing, a folder, or cannot be opened.
  explicit ByteReader(const std::filesystem::path& path);
  /// Closes the file.
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// Reads up to `size` bytes into `to` and returns their number; fewer only at the end. Throws Error for
  /// damaged or truncated gzip data.
  std::size_t read(void* to, std::size_t size);
  /// The size of the file, if that is known to be the number of bytes; 0 for pipes and compressed files.
  std::size_t size() const;

 private:
  struct Source;
  std::unique_ptr<Source> source_;
};

/// Why a line, without its end, is not text that can be read; "" if it is.
std::string why_not_text(std::string_view line);
/// Why a line is too long to be read; "" if it is not.
std::string why_too_long(std::string_view line);

/// Why a file that begins so is not a text that can be read, e.g. "compressed with xz; …"; "" if it may be one.
std::string why_not_plain(std::string_view start);

/// Whole lines of a text. Vector instructions may read 64 bytes beyond them.
struct TextBlock {
  std::vector<char> bytes;  ///< the lines, ending in LF, then at least 64 LF
  std::size_t size = 0;     ///< of the lines
  /// The lines.
  std::string_view text() const { return {bytes.data(), size}; }
  /// Turns CR LF into LF. Returns whether there was any.
  bool drop_carriage_returns();
};

/// The lines of a text file or pipe.
class TextReader {
 public:
  /// Opens a file as ByteReader does. Throws Error also for other compressions and for UTF-16.
  explicit TextReader(const std::filesystem::path& path);

  /// Reads the next line, without its end. `line` is valid until the next call. Returns false at the end of
  /// the file. Throws Error when the line is not text or longer than 1 MiB.
  bool next_line(std::string_view& line);
  /// Reads about `size` bytes of whole lines into `block`, whose memory is used again. Returns false at the end
  /// of the file. The lines are as they are in the file and not counted: the caller checks them with
  /// why_not_text(). A line longer than 1 MiB may be cut.
  bool next_block(std::size_t size, TextBlock& block);
  /// Whether next_block() found that the last line has no line break, as in a file that was cut short.
  bool ends_within_line() const { return ends_within_line_; }
  /// As ByteReader::size().
  std::size_t size() const { return bytes_.size(); }
  /// The position of the line read last, for messages: "file 'a.csv' line 7".
  std::string where() const;
  /// Number of the line read last, from 1; 0 before the first.
  std::int64_t line() const { return line_; }

 private:
  bool fill();

  std::filesystem::path path_;
  ByteReader bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // the part of the buffer that has not been returned yet
  std::int64_t line_ = 0;
  bool finished_ = false, ends_within_line_ = false;
};

/// A whole text file of at most 16 MiB, with lines ending in LF. Throws Error as TextReader does.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace umbra
