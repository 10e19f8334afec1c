#include "engine/io/text_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
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
constexpr std::size_t kPadding = 64;
constexpr std::size_t kLargestText = std::size_t{1} << 24;

// Compressed formats that are not read here: their first bytes, and the program that decompresses them.
struct Packing {
  std::string_view magic, name, unpack;
};
constexpr Packing kPackings[] = {{"BZh", "bzip2", "bzcat"},
                                 {"\xfd"
                                  "7zXZ",
                                  "xz", "xzcat"},
                                 {"\x28\xb5\x2f\xfd", "zstd", "zstdcat"},
                                 {"PK\x03\x04", "zip", "unzip -p"}};

// Ends the last line and adds the padding.
void end_lines(TextBlock& block) {
  std::vector<char>& bytes = block.bytes;
  bytes.resize(std::max(bytes.size(), block.size + 1 + kPadding));
  if (block.size > 0 && bytes[block.size - 1] != '\n') bytes[block.size++] = '\n';
  std::fill_n(bytes.data() + block.size, kPadding, '\n');
}

}  // namespace

// Reads a descriptor in buffers and decompresses gzip. zlib's gzread() is not used: it treats anything that
// follows the compressed data as the end of the file, so that half a file would pass for a whole one.
struct ByteReader::Source {
  std::string where;
  int descriptor = -1;
  std::vector<unsigned char> buffer = std::vector<unsigned char>(kBuffer);
  std::size_t begin = 0, end = 0;
  bool packed = false, between_members = false;
  z_stream stream{};

  ~Source() {
    if (packed) ::inflateEnd(&stream);
    if (descriptor >= 0) ::close(descriptor);
  }
  bool fill() {  // false at the end
    begin = end = 0;
    return append();
  }
  std::size_t read(unsigned char* to, std::size_t size) const {
    ssize_t got = 0;
    while ((got = ::read(descriptor, to, size)) < 0 && errno == EINTR) continue;
    if (got < 0) fail(where, " cannot be read: ", std::strerror(errno));
    return static_cast<std::size_t>(got);
  }
  bool append() {
    const std::size_t got = read(buffer.data() + end, buffer.size() - end);
    end += got;
    return got > 0;
  }
  void begin_unpacking() {
    constexpr int kGzip = 15 + 16;
    packed = ::inflateInit2(&stream, kGzip) == Z_OK;
    require(packed, where, " cannot be decompressed: not enough memory");
  }
  std::size_t copy(unsigned char* to, std::size_t size) {
    if (begin == end && size >= buffer.size()) return read(to, size);
    if (begin == end && !fill()) return 0;
    const std::size_t part = std::min(size, end - begin);
    std::copy_n(buffer.data() + begin, part, to);
    begin += part;
    return part;
  }
  // Another member may follow, or zeros that fill a tape block, but nothing else.
  bool next_member() {
    while (begin < end || fill()) {
      if (buffer[begin] == 0) {
        ++begin;
        continue;
      }
      if (buffer[begin] != 0x1f)
        fail(where, " is compressed with gzip, and something else follows the compressed data");
      ::inflateReset(&stream);
      between_members = false;
      return true;
    }
    return false;
  }
  std::size_t unpack(unsigned char* to, std::size_t size) {
    stream.next_out = to;
    stream.avail_out = static_cast<uInt>(std::min(size, std::size_t{1} << 30));
    const uInt room = stream.avail_out;
    while (stream.avail_out == room) {
      if (between_members && !next_member()) return 0;
      if (begin == end && !fill()) fail(where, " is compressed with gzip and cut short");
      stream.next_in = buffer.data() + begin;
      stream.avail_in = static_cast<uInt>(end - begin);
      const int outcome = ::inflate(&stream, Z_NO_FLUSH);
      begin = end - stream.avail_in;
      if (outcome == Z_STREAM_END)
        between_members = true;
      else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
        fail(where, " is compressed with gzip and damaged");
    }
    return room - stream.avail_out;
  }
};

ByteReader::ByteReader(const std::filesystem::path& path) : source_(std::make_unique<Source>()) {
  source_->where = concat("file '", path.string(), "'");
  std::error_code ignored;
  require(std::filesystem::exists(path, ignored), source_->where, " does not exist");
  require(!std::filesystem::is_directory(path, ignored), source_->where, " is a folder");
  source_->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(source_->descriptor >= 0, source_->where, " cannot be opened: ", std::strerror(errno));
  while (source_->end < 4 && source_->append()) continue;  // a pipe may return fewer bytes
  // A binary file may start with the same two bytes, but hardly with a valid method and flags as well.
  const unsigned char* start = source_->buffer.data();
  if (source_->end >= 4 && start[0] == 0x1f && start[1] == 0x8b && start[2] == 8 && start[3] < 0x20)
    source_->begin_unpacking();
}

ByteReader::~ByteReader() = default;

std::size_t ByteReader::read(void* to, std::size_t size) {
  auto* bytes = static_cast<unsigned char*>(to);
  std::size_t got = 0;
  while (got < size) {
    const std::size_t part =
        source_->packed ? source_->unpack(bytes + got, size - got) : source_->copy(bytes + got, size - got);
    if (part == 0) break;
    got += part;
  }
  return got;
}

std::size_t ByteReader::size() const {
  struct stat facts {};
  const bool known = !source_->packed && ::fstat(source_->descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  return known ? static_cast<std::size_t>(facts.st_size) : 0;
}

TextReader::TextReader(const std::filesystem::path& path) : path_(path), bytes_(path), buffer_(kBuffer) {
  fill();
  const std::string_view start(buffer_.data(), end_);
  const std::string why = why_not_plain(start);
  require(why.empty(), "file '", path.string(), "' is ", why);
  if (start.starts_with("\xef\xbb\xbf")) begin_ = 3;
}

std::string why_not_plain(std::string_view start) {
  for (const Packing& packing : kPackings)
    if (start.starts_with(packing.magic))
      return concat("compressed with ", packing.name, "; decompress it first, or pass <(", packing.unpack,
                    " FILE)");
  const bool is_utf16 = start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff");
  return is_utf16 ? "UTF-16 text, but UTF-8 is expected (iconv -f UTF-16 -t UTF-8)" : "";
}

// Appends more bytes to those that are left; false when there are none.
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

std::string why_too_long(std::string_view line) {
  return line.size() > kLongestLine ? concat("the line is longer than ", kLongestLine, " bytes") : "";
}

std::string why_not_text(std::string_view line) {
  if (std::memchr(line.data(), 0, line.size()) != nullptr) return "this is not text";
  if (std::string why = why_too_long(line); !why.empty()) return why;
  if (std::memchr(line.data(), '\r', line.size()) == nullptr) return {};
  return "a carriage return in the middle of the line; line ends of CR alone are not supported (tr '\\r' '\\n' "
         "converts them to LF)";
}

bool TextReader::next_block(std::size_t size, TextBlock& block) {
  std::size_t filled = end_ - begin_, searched = 0, whole = 0;  // bytes; those of whole lines
  const auto make_room = [&] {
    if (block.bytes.size() < filled + size + kPadding) block.bytes.resize(filled + size + kPadding);
  };
  make_room();
  std::copy_n(buffer_.data() + begin_, filled, block.bytes.data());
  for (;;) {
    const std::size_t newline = std::string_view(block.bytes.data(), filled).substr(searched).rfind('\n');
    if (newline != std::string_view::npos) whole = searched + newline + 1;
    searched = filled;
    if (whole > 0 || finished_ || filled > kLongestLine) break;
    make_room();
    const std::size_t got = bytes_.read(block.bytes.data() + filled, size);
    filled += got;
    finished_ = got < size;
  }
  if (whole == 0) whole = filled;  // the last line, or one that is too long
  if (finished_ && whole == filled && filled > 0) ends_within_line_ = block.bytes[filled - 1] != '\n';
  begin_ = 0;
  end_ = filled - whole;
  if (buffer_.size() < end_) buffer_.resize(end_);
  std::copy_n(block.bytes.data() + whole, end_, buffer_.data());
  block.size = whole;
  end_lines(block);
  return whole > 0;
}

bool TextBlock::drop_carriage_returns() {
  const std::size_t before = size;
  char *to = bytes.data(), *const end = bytes.data() + size;
  for (char* from = bytes.data(); from < end;) {
    auto* stop = static_cast<char*>(std::memchr(from, '\r', static_cast<std::size_t>(end - from)));
    const bool drop = stop != nullptr && stop[1] == '\n';
    if (stop == nullptr)
      stop = end;
    else if (!drop)
      ++stop;
    to = std::copy(from, stop, to);
    from = stop + (drop ? 1 : 0);
  }
  size = static_cast<std::size_t>(to - bytes.data());
  end_lines(*this);
  return size < before;
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
    // Not require(), which would evaluate where() for every line.
    if (const std::string why = why_not_text(line); !why.empty()) fail(where(), ": ", why);
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
