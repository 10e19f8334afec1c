#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "engine/io/hdf5_internal.h"

namespace umbra {

using namespace hdf5;

namespace {

constexpr std::int64_t kMostNumbers = 1 << 20;
constexpr std::size_t kLongestText = std::size_t{1} << 20;

void limit(__rlimit_resource_t resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(resource, &both);
}

// Of this process, in bytes.
rlim_t address_space() {
  std::ifstream stream("/proc/self/statm");
  rlim_t pages = 0;
  stream >> pages;
  return stream ? pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) : rlim_t{1} << 40;
}

// Runs in a process of its own: writes the text into `pipe`. Returns the exit status.
int send_text(hid_t attribute, hid_t memory, int pipe) noexcept {
  // The parent's handlers would remove the parent's temporary files.
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL, SIGPROF, SIGINT, SIGTERM, SIGHUP, SIGPIPE})
    std::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  const itimerval half_a_second{{0, 0}, {0, 500'000}};
  ::setitimer(ITIMER_PROF, &half_a_second, nullptr);       // of work; SIGPROF ends the process
  limit(RLIMIT_AS, address_space() + (rlim_t{64} << 20));  // the heap's word for a length is taken for memory
  ::close(STDERR_FILENO);                                  // glibc and sanitizers remark on their crashes
  char* text = nullptr;
  if (H5Aread(attribute, memory, &text) < 0) return 1;
  const std::size_t length = text ? ::strnlen(text, kLongestText) : 0;
  if (length == kLongestText) return 1;
  for (std::size_t sent = 0; sent < length;) {
    const ssize_t written = ::write(pipe, text + sent, length - sent);
    if (written <= 0) return 1;
    sent += static_cast<std::size_t>(written);
  }
  return 0;
}

// A text of variable length lies in a heap without checksum, through whose damage HDF5 1.10 overwrites memory
// or loops for ever. So a child reads it, and all that a damaged file can bring down is that child. A
// millisecond each; files written here have no such texts.
std::optional<std::string> variable_text(hid_t attribute, hid_t memory) {
  int ends[2];
  require(::pipe(ends) == 0, "no pipe can be made to read an attribute through");
  const pid_t child = ::fork();
  if (child < 0) {
    const int problem = errno;
    ::close(ends[0]), ::close(ends[1]);
    fail("no process can be started to read an attribute: ", std::strerror(problem));
  }
  if (child == 0) {
    ::close(ends[0]);
    ::_exit(send_text(attribute, memory, ends[1]));
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
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? std::optional(text) : std::nullopt;
}

}  // namespace

bool Hdf5File::has_attribute(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  return has(object) && state_->has_attribute(object, state_->object(object).get(), key);
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
  if (const auto problem = refusal(type.get(), DType::kI64))
    state_->fail_at(object, "the attribute '", key, "': ", *problem);
  std::int64_t value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return value;
}

std::string Hdf5File::attribute_text(const std::string& object, const std::string& key) const {
  const Call call(*state_);
  const Id attribute = state_->attribute(object, key);
  const Id type(H5Aget_type(attribute.get()), H5Tclose);
  const Id space(H5Aget_space(attribute.get()), H5Sclose);
  if (kind_of(type.get()) != Hdf5Kind::kString || state_->shape(object, space.get()).count() != 1)
    state_->fail_at(object, "the attribute '", key, "' must be one text");
  // Texts are stored either in place or, of variable length, as a pointer.
  const Id memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory.get(), H5Tget_cset(type.get()));
  if (H5Tis_variable_str(type.get()) > 0) {
    H5Tset_size(memory.get(), H5T_VARIABLE);
    const std::optional<std::string> text = variable_text(attribute.get(), memory.get());
    if (!text) state_->fail_at(object, "the attribute '", key, "' is damaged and cannot be read");
    return *text;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size > kLongestText) state_->fail_at(object, "the attribute '", key, "' is absurdly long");
  std::string text(size + 1, '\0');
  H5Tset_size(memory.get(), size + 1);
  if (H5Aread(attribute.get(), memory.get(), text.data()) < 0)
    state_->fail_at(object, "the attribute '", key, "' cannot be read", reason());
  return text.c_str();
}

std::string Hdf5File::remark(const std::string& object, const std::string& key) const {
  try {
    return attribute_text(object, key);
  } catch (const Error&) {  // of another type: numbers, perhaps
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
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, std::int64_t value) {
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_INT64, space.get(), &value);
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key,
                             std::span<const double> values) {
  const hsize_t extent = values.size();
  const Id space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  state_->replace_attribute(object, key, H5T_NATIVE_DOUBLE, space.get(), values.data());
}

void Hdf5File::set_attribute(const std::string& object, const std::string& key, const std::string& text) {
  const Id space(H5Screate(H5S_SCALAR), H5Sclose);
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  // In place: texts of variable length live in a heap without checksum, in whose damage HDF5 1.10 loops for
  // ever.
  H5Tset_size(type.get(), text.size() + 1);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  state_->replace_attribute(object, key, type.get(), space.get(), text.c_str());
}

}  // namespace umbra
