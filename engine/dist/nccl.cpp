// The transport of NCCL. Its library has more than 200 MB and needs a driver, so it is loaded when several processes meet
// on GPUs, and not when a program starts. The communicator of NCCL is non-blocking: no call waits for other processes, so
// that the thread that makes them can notice that one is missing.
#include <dlfcn.h>
#include <nccl.h>
#include <nccl_libraries.h>

#include <array>
#include <chrono>
#include <cstring>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/base/error.h"
#include "engine/dist/device_transport.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

// The functions of the library, or why they are missing.
struct Library {
  std::string missing;
  decltype(&ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&ncclCommInitRankConfig) init = nullptr;
  decltype(&ncclCommGetAsyncError) get_async_error = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclSend) send = nullptr;
  decltype(&ncclRecv) recv = nullptr;
  decltype(&ncclCommFinalize) finalize = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclGetErrorString) error_string = nullptr;
  decltype(&ncclGetLastError) last_error = nullptr;

  Library() {
    constexpr std::array kNames{UMBRA_NCCL_LIBRARIES};  // file names, in the order of preference
    void* handle = nullptr;
    for (const char* name : kNames) {
      if (handle != nullptr) break;
      handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle == nullptr && missing.empty())
        missing =
            concat("several processes need NCCL on GPUs, but its library could not be loaded: ", dlerror(),
                   "; its folder must be in LD_LIBRARY_PATH");
    }
    if (handle == nullptr) return;
    missing.clear();
    find(handle, "ncclGetUniqueId", get_unique_id);
    find(handle, "ncclCommInitRankConfig", init);
    find(handle, "ncclCommGetAsyncError", get_async_error);
    find(handle, "ncclGroupStart", group_start);
    find(handle, "ncclGroupEnd", group_end);
    find(handle, "ncclSend", send);
    find(handle, "ncclRecv", recv);
    find(handle, "ncclCommFinalize", finalize);
    find(handle, "ncclCommDestroy", destroy);
    find(handle, "ncclCommAbort", abort);
    find(handle, "ncclGetErrorString", error_string);
    find(handle, "ncclGetLastError", last_error);
  }

 private:
  template <class Function>
  void find(void* handle, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (function == nullptr && missing.empty())
      missing = concat("NCCL's library has no function ", name, "; umbra needs NCCL 2.14 or later");
  }
};

const Library& library() {
  static const Library loaded;
  return loaded;
}

class NcclTransport final : public DeviceTransport {
 public:
  NcclTransport(const ncclUniqueId& id, int rank, int size, Device device) : device_(device) {
    backend_of(device_.kind).select(device_.index);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    start(library().init(&communicator_, size, id, rank, &config), "ncclCommInitRankConfig");
  }
  // Once it has left, the library frees what it holds. Otherwise the others may be gone, and it must not wait for them; if it
  // could not leave, the program ends now, as others do, which it must not with a thread in ncclCommAbort.
  ~NcclTransport() override {
    if (!leaving_)
      abort();
    else if (left_ && communicator_ != nullptr)
      library().destroy(communicator_);
  }
  NcclTransport(const NcclTransport&) = delete;
  NcclTransport& operator=(const NcclTransport&) = delete;

  // In a group, so that no message waits for one that comes after it.
  void exchange(std::span<const DeviceMessage> sends, std::span<const DeviceMessage> receives,
                const Stream& stream) override {
    backend_of(device_.kind).select(device_.index);
    const auto queue = static_cast<cudaStream_t>(stream.native());
    start(library().group_start(), "ncclGroupStart");
    for (const DeviceMessage& m : sends) {
      start(library().send(m.numbers, static_cast<std::size_t>(m.count), ncclFloat, m.peer, communicator_,
                           queue),
            "ncclSend");
    }
    for (const DeviceMessage& m : receives) {
      start(library().recv(m.numbers, static_cast<std::size_t>(m.count), ncclFloat, m.peer, communicator_,
                           queue),
            "ncclRecv");
    }
    start(library().group_end(), "ncclGroupEnd");
  }

  bool ready() override {
    ncclResult_t state = ncclSuccess;
    start(library().get_async_error(communicator_, &state), "ncclCommGetAsyncError");
    start(state, connected_ ? "a message" : "the connection");
    connected_ = connected_ || state == ncclSuccess;
    left_ = leaving_ && state == ncclSuccess;
    return state == ncclSuccess;
  }

  void leave() override {
    leaving_ = true;
    start(library().finalize(communicator_), "ncclCommFinalize");
  }

  // ncclCommAbort ends what runs on the GPU, and then waits for threads that may wait for the other processes, for ever if
  // one has been killed. A thread of its own calls it, which is left behind in that case.
  void abort() override {
    if (communicator_ == nullptr) return;
    std::packaged_task<ncclResult_t(ncclComm_t)> task(library().abort);
    const std::future<ncclResult_t> aborted = task.get_future();
    try {
      std::thread(std::move(task), std::exchange(communicator_, nullptr)).detach();
    } catch (const std::system_error&) {  // no thread is left: what is queued may never end
      return;
    }
    aborted.wait_for(std::chrono::seconds(1));
  }

 private:
  // A call that has failed, or that was started and will end later. Of a process on the same machine that has ended, NCCL
  // reports an error of the driver or of the system.
  void start(ncclResult_t result, const char* what) {
    if (result == ncclSuccess || result == ncclInProgress) return;
    const char* more = library().last_error(communicator_);
    const std::string error = concat("NCCL: ", what, " failed: ", library().error_string(result),
                                     more != nullptr && *more != '\0' ? concat(" (", more, ")") : "");
    if (result == ncclInvalidArgument || result == ncclInvalidUsage) throw Error(error);
    throw MessagesFailed(error, result == ncclRemoteError);
  }

  Device device_;
  ncclComm_t communicator_ = nullptr;
  bool connected_ = false, leaving_ = false, left_ = false;
};

}  // namespace

std::string nccl_missing() {
  return library().missing;
}

std::vector<std::byte> new_nccl_id() {
  require(nccl_missing().empty(), nccl_missing());
  ncclUniqueId id;
  const ncclResult_t result = library().get_unique_id(&id);
  require(result == ncclSuccess, "NCCL: ncclGetUniqueId failed: ", library().error_string(result));
  std::vector<std::byte> bytes(sizeof id);
  std::memcpy(bytes.data(), &id, sizeof id);
  return bytes;
}

std::unique_ptr<DeviceTransport> connect_with_nccl(std::span<const std::byte> id, int rank, int size,
                                                   Device device) {
  require(nccl_missing().empty(), nccl_missing());
  ncclUniqueId same;
  require(id.size() == sizeof same, "the id of a group of GPUs has ", id.size(), " bytes, not ", sizeof same);
  std::memcpy(&same, id.data(), sizeof same);
  return std::make_unique<NcclTransport>(same, rank, size, device);
}

}  // namespace umbra
