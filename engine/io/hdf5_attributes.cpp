#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr std::int64_t kMostNumbers = 1 << 20;
constexpr std::size_t kLongestText = std::size_t{1} << 20;
constexpr std::size_t kMostBytes = std::size_t{1} << 26;  // of all texts of one attribute

void limit(__rlimit_resource_t resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(resource, &both);
}

// The address space of this process, in bytes.
rlim_t address_space() {
  std::ifstream stream("/proc/self/statm");
  rlim_t pages = 0;
  stream >> pages;
  return stream ? pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) : rlim_t{1} << 40;
}

// Runs in a child process: writes `count` texts to `pipe`, each followed by a zero. Returns the exit status.
int send_texts(hid_t attribute, hid_t memory, std::size_t count, int pipe) noexcept {
  // The handlers of the parent would remove the temporary files of the parent.
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGPROF, SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    std::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  const itimerval half_a_second{{0, 0}, {0, 500'000}};
  ::setitimer(ITIMER_PROF, &half_a_second, nullptr);       // of CPU time; SIGPROF ends the process
  limit(RLIMIT_AS, address_space() + (rlim_t{64} << 20));  // a damaged length becomes an allocation
  ::close(STDERR_FILENO);  // glibc and sanitizers print messages when they crash
  auto* texts = static_cast<char**>(std::calloc(count, sizeof(char*)));
  if (texts == nullptr || H5Aread(attribute, memory, texts) < 0) return 1;
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = texts[i] ? texts[i] : "";
    const std::size_t length = ::strnlen(text, kLongestText) + 1;  // including its zero
    if (length > kLongestText) return 1;
    for (std::size_t sent = 0; sent < length;) {
      const ssize_t written = ::write(pipe, text + sent, length - sent);
      if (written <= 0) return 1;
      sent += static_cast<std::size_t>(written);
    }
  }
  return 0;
}

// The texts of `all`, each of which ends with a zero.
std::optional<std::vector<std::string>> split_texts(const std::string& all, std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t begin = 0, end; (end = all.find('\0', begin)) != std::string::npos; begin = end + 1)
    texts.push_back(all.substr(begin, end - begin));
  return texts.size() == count ? std::optional(texts) : std::nullopt;
}

// Texts of variable length are stored in a heap without checksum. When the heap is damaged, HDF5 1.10
// overwrites memory or loops forever. A child process therefore reads them, so that a damaged file can only
// crash the child. This takes 1 ms per attribute; files written here have no such texts.
std::optional<std::vector<std::string>> variable_texts(hid_t attribute, hid_t memory, std::size_t count) {
  int ends[2];
  require(::pipe(ends) == 0, "cannot create a pipe to read an attribute");
  const pid_t child = ::fork();
  if (child < 0) {
    const int problem = errno;
    ::close(ends[0]), ::close(ends[1]);
    fail("cannot start a process to read an attribute: ", std::strerror(problem));
  }
  if (child == 0) {
    ::close(ends[0]);
    ::_exit(send_texts(attribute, memory, count, ends[1]));
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? split_texts(text, count) : std::nullopt;
}

}  // namespace

bool Hdf5File::has_attribute(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  return has(object) && state_->has_attribute(object, state_->object(object).get(), key);
}

Hdf5Entry Hdf5File::describe_attribute(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  return {key, kind_of(type.get()), state_->shape(object, space.get()), H5Tget_size(type.get())};
}

std::vector<double> Hdf5File::attribute_numbers(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  const Hdf5Kind kind = kind_of(type.get());
  if (kind != Hdf5Kind::kFloat && kind != Hdf5Kind::kInteger)
    state_->fail_at(object, "the attribute '", key, "' must be a number");
  const Shape shape = state_->shape(object, space.get());
  if (shape.count() > kMostNumbers) state_->fail_at(object, "the attribute '", key, "' is absurdly large");
  std::vector<double> values(static_cast<std::size_t>(shape.count()));
  if (!values.empty() && H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return values;
}

double Hdf5File::attribute_number(const std::string& object, const std::string& key) const {
  const std::vector<double> values = attribute_numbers(object, key);
  if (values.size() != 1)
    state_->fail_at(object, "the attribute '", key, "' must be one number, not ", values.size());
  return values[0];
}

std::int64_t Hdf5File::attribute_integer(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  attribute_number(object, key);  // one element, a number
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  if (const auto problem = refusal(type.get(), Hdf5Number::kI64))
    state_->fail_at(object, "the attribute '", key, "': ", *problem);
  std::int64_t value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return value;
}

std::vector<std::string> Hdf5File::attribute_texts(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  const Shape shape = state_->shape(object, space.get());
  if (kind_of(type.get()) != Hdf5Kind::kString || (shape.rank() > 1 && shape.count() != 1))
    state_->fail_at(object, "the attribute '", key, "' must be a list of texts");
  if (shape.count() > kMostNumbers) state_->fail_at(object, "the attribute '", key, "' is absurdly large");
  const auto count = static_cast<std::size_t>(shape.count());
  if (count == 0) return {};
  // Texts are stored in place or, if of variable length, as a pointer.
  const Id memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory.get(), H5Tget_cset(type.get()));
  if (H5Tis_variable_str(type.get()) > 0) {
    H5Tset_size(memory.get(), H5T_VARIABLE);
    const auto texts = variable_texts(attribute.get(), memory.get(), count);
    if (!texts) state_->fail_at(object, "the attribute '", key, "' is damaged and cannot be read");
    return *texts;
  }
  const std::size_t size = H5Tget_size(type.get()) + 1;
  if (size > kLongestText || size * count > kMostBytes)
    state_->fail_at(object, "the attribute '", key, "' is absurdly long");
  std::string all(size * count, '\0');
  H5Tset_size(memory.get(), size);
  if (H5Aread(attribute.get(), memory.get(), all.data()) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.emplace_back(all.c_str() + i * size);
  return texts;
}

std::string Hdf5File::attribute_text(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  const Hdf5Entry entry = describe_attribute(object, key);
  if (entry.kind != Hdf5Kind::kString || entry.shape.count() != 1)
    state_->fail_at(object, "the attribute '", key, "' must be one text");
  return attribute_texts(object, key)[0];
}

std::string Hdf5File::remark(const std::string& object, const std::string& key) const {
  try {
    return attribute_text(object, key);
  } catch (const Error&) {  // of another type, perhaps numbers
  }
  try {
    std::string text;
    for (const double number : attribute_numbers(object, key))
      text += concat(text.empty() ? "" : ", ", number);
    return text;
  } catch (const Error&) {
    return "";
  }
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, double value) {
  const Call call(*state_);
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, std::int64_t value) {
  const Call call(*state_);
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_INT64, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key,
                             std::span<const double> values) {
  const Call call(*state_);
  const hsize_t extent = values.size();
  const Id space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), values.data());
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key,
                             std::span<const std::int64_t> values) {
  const Call call(*state_);
  const hsize_t extent = values.size();
  const Id space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_INT64, space.get(), values.data());
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, const std::string& text) {
  const Call call(*state_);
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  // In place, because texts of variable length are stored in a heap without checksum; HDF5 1.10 loops forever
  // when that heap is damaged.
  H5Tset_size(type.get(), text.size() + 1);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  state_->replace_attribute(object, key, type.get(), space.get(), text.c_str());
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key,
                             std::span<const std::string> texts) {
  const Call call(*state_);
  std::size_t size = 1;
  for (const std::string& text : texts) size = std::max(size, text.size() + 1);
  std::string all(size * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].copy(all.data() + i * size, size - 1);
  const hsize_t count = texts.size();
  const Id space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), size);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  state_->replace_attribute(object, key, type.get(), space.get(), all.data());
}

}  // namespace umbra
