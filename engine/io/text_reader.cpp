#include "engine/io/text_reader.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;
constexpr std::size_t kBuffer = std::size_t{1} << 18;
constexpr std::size_t kLargestText = std::size_t{1} << 24;

// Of packings that are not read here: how they begin, and what unpacks them.
struct Packing {
  std::string_view magic, name, unpack;
};
constexpr Packing kPackings[] = {{"BZh", "bzip2", "bzcat"},
                                 {"\xfd"
                                  "7zXZ",
                                  "xz", "xzcat"},
                                 {"\x28\xb5\x2f\xfd", "zstd", "zstdcat"},
                                 {"PK\x03\x04", "zip", "unzip -p"}};

}  // namespace

ByteReader::ByteReader(const std::filesystem::path& path) : where_(concat("file '", path.string(), "'")) {
  std::error_code ignored;
  require(std::filesystem::exists(path, ignored), where_, " does not exist");
  require(!std::filesystem::is_directory(path, ignored), where_, " is a folder");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(descriptor_ >= 0, where_, " cannot be opened: ", std::strerror(errno));
  // The first two bytes alone may be those of a binary file. A pipe cannot be looked into: zlib decides.
  unsigned char start[4] = {};
  const ssize_t got = ::pread(descriptor_, start, sizeof start, 0);
  const bool packed = start[0] == 0x1f && start[1] == 0x8b && start[2] == 8 && start[3] < 0x20;
  if (got >= 0 && !packed) return;
  packed_ = ::gzdopen(descriptor_, "rb");
  if (packed_ == nullptr) ::close(descriptor_);
  require(packed_ != nullptr, where_, " cannot be read: there is no memory for it");
  ::gzbuffer(packed_, static_cast<unsigned>(kBuffer));
}

ByteReader::~ByteReader() {
  if (packed_ != nullptr)
    ::gzclose(packed_);
  else
    ::close(descriptor_);
}

std::int64_t ByteReader::read_some(void* to, std::size_t size) {
  if (packed_ == nullptr) {
    ssize_t got = 0;
    while ((got = ::read(descriptor_, to, size)) < 0 && errno == EINTR) continue;
    if (got < 0) fail(where_, " cannot be read: ", std::strerror(errno));
    return got;
  }
  const int got =
      ::gzread(packed_, to, static_cast<unsigned>(std::min<std::size_t>(size, std::size_t{1} << 30)));
  int problem = Z_OK;
  ::gzerror(packed_, &problem);
  if (got < 0 || problem != Z_OK)
    fail(where_, " cannot be read: ",
         problem == Z_ERRNO       ? std::strerror(errno)
         : problem == Z_BUF_ERROR ? "it is packed with gzip and cut short"
                                  : "it is packed with gzip and damaged");
  return got;
}

std::size_t ByteReader::read(void* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const std::int64_t part = read_some(static_cast<char*>(to) + got, size - got);
    if (part == 0) break;
    got += static_cast<std::size_t>(part);
  }
  return got;
}

TextReader::TextReader(const std::filesystem::path& path) : path_(path), bytes_(path), buffer_(kBuffer) {
  fill();
  const std::string_view start(buffer_.data(), end_);
  for (const Packing& packing : kPackings)
    require(!start.starts_with(packing.magic), "file '", path.string(), "' is packed with ", packing.name,
            "; unpack it first, or give <(", packing.unpack, " FILE)");
  require(!start.starts_with("\xff\xfe") && !start.starts_with("\xfe\xff"), "file '", path.string(),
          "' is UTF-16 text, UTF-8 is expected (iconv -f UTF-16 -t UTF-8)");
  if (start.starts_with("\xef\xbb\xbf")) begin_ = 3;
}

// Brings more bytes behind those that are left; false when there are none.
bool TextReader::fill() {
  if (finished_) return false;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < kBuffer / 2) buffer_.resize(2 * buffer_.size());
  const std::size_t got = bytes_.read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  finished_ = end_ < buffer_.size();
  return got > 0;
}

// No require(): where() would be made for every line.
void TextReader::check_text(std::string_view text) const {
  if (text.size() > kLongestLine || std::memchr(text.data(), 0, text.size()) != nullptr)
    fail(where(), ": this is not text");
  if (std::memchr(text.data(), '\r', text.size()) != nullptr)
    fail(where(),
         ": a carriage return in the middle of the line; line ends of CR alone are not read (tr '\\r' "
         "'\\n' makes LF of them)");
}

bool TextReader::next_line(std::string_view& line) {
  std::size_t searched = begin_;
  for (;;) {
    const char* from = buffer_.data() + searched;
    const auto* newline = static_cast<const char*>(std::memchr(from, '\n', end_ - searched));
    const bool whole = newline != nullptr;
    if (!whole && end_ - begin_ <= kLongestLine) {
      const std::size_t left = end_ - begin_;
      if (fill()) {
        searched = begin_ + left;
        continue;
      }
      if (begin_ == end_) return false;
    }
    ++line_;
    const std::size_t stop = whole ? static_cast<std::size_t>(newline - buffer_.data()) : end_;
    line = std::string_view(buffer_.data() + begin_, stop - begin_);
    begin_ = whole ? stop + 1 : end_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    check_text(line);
    return true;
  }
}

std::string TextReader::where() const {
  return concat("file '", path_.string(), "' line ", line_);
}

std::string read_text_file(const std::filesystem::path& path) {
  TextReader reader(path);
  std::string text;
  for (std::string_view line; reader.next_line(line);) {
    text.append(line).push_back('\n');
    require(text.size() <= kLargestText, "file '", path.string(), "' is longer than ", kLargestText,
            " bytes");
  }
  return text;
}

}  // namespace umbra
