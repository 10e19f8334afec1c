// Opening an HDF5 file for reading; creating one under a temporary name and renaming it.
#include <cerrno>
#include <cstring>
#include <fstream>

#include "engine/io/format_version.h"
#include "engine/io/hdf5_internal.h"
#include "engine/io/version.h"

namespace umbra {

using namespace hdf5;

namespace {

// The checks that are possible before the library opens the file.
void check_is_hdf5(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code error;
  require(std::filesystem::exists(path, error), "file '", name, "' does not exist");
  require(std::filesystem::is_regular_file(path, error), "'", name,
          "' is not a file; HDF5 files are read from disk, not from folders, pipes or devices");
  std::ifstream stream(path, std::ios::binary);
  require(bool(stream), "file '", name, "' cannot be opened: ", std::strerror(errno));
  unsigned char magic[2] = {};
  stream.read(reinterpret_cast<char*>(magic), sizeof magic);
  require(magic[0] != 0x1f || magic[1] != 0x8b, "file '", name,
          "' is compressed with gzip; unpack it first (gunzip)");
  require(H5Fis_hdf5(name.c_str()) > 0, "file '", name,
          "' is not an HDF5 file, or it cannot be read; info says what it is");
}

// A file that another program has open, or had open when it was killed, is not damaged.
[[noreturn]] void fail_opening(const std::string& name) {
  const std::string why = reason();
  if (why.find("h5clear") != std::string::npos)
    fail("file '", name,
         "' is marked as being written: if the program that wrote it is no longer running, 'h5clear -s' "
         "removes the mark");
  if (why.find("unable to lock file") != std::string::npos)
    fail("file '", name,
         "' is locked: another program has it open for writing, or its file system does not support locks",
         why);
  fail("file '", name, "' cannot be opened as HDF5: it is cut short or damaged", why);
}

}  // namespace

Hdf5File::Hdf5File(std::unique_ptr<State> state) : state_(std::move(state)) {}

Hdf5File::~Hdf5File() = default;
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;

const std::filesystem::path& Hdf5File::path() const {
  return state_->path;
}

Hdf5File Hdf5File::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->watch.emplace();
  const Call call(*state);
  check_is_hdf5(path);
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  state->file = Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!state->file) fail_opening(path.string());
  return Hdf5File(std::move(state));
}

Hdf5File Hdf5File::create(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->output = std::make_unique<AtomicFile>(path);
  const Call call(*state);
  const Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  // From this version on HDF5 keeps checksums of its metadata, so that a flipped bit is detected.
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  const Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  state->file = Id(H5Fcreate(state->output->temporary().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
                   H5Fclose);
  require(bool(state->file), "cannot write '", path.string(), "'", reason());
  Hdf5File file(std::move(state));
  file.set_attribute("/", "umbra_version", std::string(version()));
  file.set_attribute("/", kFormatVersionName, kFormatVersion);
  return file;
}

void Hdf5File::check_format_version() const {
  if (!has_attribute("/", kFormatVersionName)) return;
  std::int64_t version = 0;
  try {
    version = attribute_integer("/", kFormatVersionName);
  } catch (const Error&) {
    return;  // another program's attribute
  }
  umbra::check_format_version(version, concat("file '", path().string(), "'"));
}

void Hdf5File::commit() {
  require(state_->output != nullptr, "file '", path().string(),
          "' was opened for reading and cannot be committed");
  {
    const Call call(*state_);
    // As two statements, because an argument of require() may be evaluated before the condition.
    const bool flushed = H5Fflush(state_->file.get(), H5F_SCOPE_GLOBAL) >= 0;
    require(flushed, "cannot write '", path().string(), "'", reason());
    const bool closed = state_->file.close() >= 0;
    require(closed, "cannot write '", path().string(), "'", reason());
  }
  state_->output->commit();  // other threads need not wait for the disk
}

}  // namespace umbra
