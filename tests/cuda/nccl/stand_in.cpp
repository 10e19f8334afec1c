// A stand-in for NCCL's library on emulated GPUs: messages travel over MPI. It does as late as possible what NCCL may do
// late, and it refuses what breaks NCCL's rules: messages outside of groups, of other sizes on both ends, in another order,
// in memory that is not a GPU's; calls from another thread, before the communicator is ready or after it has been left. What
// NCCL does when another process has given up or has been killed, it does always: it reports a remote error or, after a kill,
// one of CUDA, as on one machine, and then does not return from ncclCommAbort. UMBRA_STAND_IN_FAILS in the environment is an
// error of CUDA in this process, which closes its connections.
#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/cuda/emulator/queues.h"
#include "tests/cuda/nccl/nccl.h"

namespace {

using umbra::concat;
using umbra::Error;
using umbra::require;

constexpr int kIdTag = 4711, kMessageTag = 4712, kAbortTag = 4713;

// What the processes say to each other when they connect.
struct Introduction {
  ncclUniqueId id;
  pid_t process;  // on this machine
};

class RemoteError : public Error {
 public:
  using Error::Error;
};
class CudaError : public Error {
 public:
  using Error::Error;
};

struct Message {
  float* numbers;
  std::size_t count;
  int peer;
  bool receives;
  bool done = false;
};

// Goes ahead of the numbers of a message.
struct Header {
  long group;
  std::size_t count;
};

std::string& last_error() {
  static std::string text;
  return text;
}

// What NCCL's functions do, where an Error is a wrong use.
template <class Body>
ncclResult_t checked(const Body& body) {
  try {
    return body();
  } catch (const RemoteError& error) {
    last_error() = error.what();
    return ncclRemoteError;
  } catch (const CudaError& error) {
    last_error() = error.what();
    return ncclUnhandledCudaError;
  } catch (const Error& error) {
    last_error() = error.what();
    return ncclInvalidUsage;
  }
}

}  // namespace

struct ncclComm {
  int rank = 0, size = 1;
  std::thread::id thread = std::this_thread::get_id();
  ncclUniqueId id{};
  std::vector<Introduction> all;      // the processes
  std::vector<MPI_Request> requests;  // of the connection, or of leaving
  bool connected = false, leaving = false, left = false;
  std::atomic<bool> aborted = false;
  std::string error;  // of a group under way
  long groups = 0;    // queued so far
  umbra::emulator::Queue* queue = nullptr;
  std::vector<Message> open;  // of a group that ends or is being queued
  bool queues = false;        // the group has ended, and its messages are not in the queue yet

  void check_thread() const {
    require(std::this_thread::get_id() == thread, "a call from another thread than that of the communicator");
    int main = 1;
    if (size > 1) MPI_Is_thread_main(&main);
    require(main != 0, "a call from a thread that must not use MPI");
  }

  bool all_done() {
    int done = 1;
    if (!requests.empty())
      MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
    return done != 0;
  }

  void connect() {
    all.assign(static_cast<std::size_t>(size), {id, ::getpid()});
    for (int peer = 0; peer < size; ++peer) {
      if (peer == rank) continue;
      MPI_Irecv(&all[static_cast<std::size_t>(peer)], sizeof(Introduction), MPI_BYTE, peer, kIdTag,
                MPI_COMM_WORLD, &requests.emplace_back());
      MPI_Isend(&all[static_cast<std::size_t>(rank)], sizeof(Introduction), MPI_BYTE, peer, kIdTag,
                MPI_COMM_WORLD, &requests.emplace_back());
    }
  }

  bool someone_was_killed() const {
    return std::any_of(all.begin(), all.end(), [](const Introduction& one) {
      return one.process > 0 && ::kill(one.process, 0) != 0 && errno == ESRCH;
    });
  }

  void close_connections() const {
    static const char kNothing = 0;
    for (int peer = 0; peer < size; ++peer) {
      MPI_Request sent;
      if (peer != rank) MPI_Isend(&kNothing, 1, MPI_BYTE, peer, kAbortTag, MPI_COMM_WORLD, &sent);
    }
  }

  bool someone_has_aborted() const {
    int found = 0;
    if (size > 1) MPI_Iprobe(MPI_ANY_SOURCE, kAbortTag, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
    return found != 0;
  }

  // Whether the communicator can be used. Queues the messages of the last group only now: work that the caller has put into
  // the queue since then is before them, as it may be with NCCL.
  bool is_ready() {
    require(error.empty(), error);
    if (!all_done()) return false;
    requests.clear();
    if (std::getenv("UMBRA_STAND_IN_FAILS") != nullptr) {
      close_connections();
      throw CudaError("an illegal memory access was encountered");
    }
    if (!leaving && someone_was_killed()) throw CudaError("the peer mapping is not valid");
    if (!leaving && someone_has_aborted()) throw RemoteError("a connection was closed by the other process");
    for (const Introduction& other : all)
      require(std::memcmp(&other.id, &id, sizeof id) == 0, "the processes have different ids");
    connected = true;
    left = leaving;
    if (queues) queue_group();
    return true;
  }

  void queue_group();
};

namespace {

// The messages of a group, which are delivered step by step.
struct Group {
  ncclComm* comm;
  long number;
  std::vector<Message> messages;
  std::vector<std::vector<std::byte>> sent;
  std::vector<MPI_Request> requests;
  bool started = false;

  void start() {
    started = true;
    for (const Message& m : messages) {
      if (m.receives) continue;
      const Header header{number, m.count};
      std::vector<std::byte>& bytes = sent.emplace_back(sizeof header + m.count * sizeof(float));
      std::memcpy(bytes.data(), &header, sizeof header);
      std::memcpy(bytes.data() + sizeof header, m.numbers, m.count * sizeof(float));
      if (m.peer == comm->rank) continue;
      MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, m.peer, kMessageTag, MPI_COMM_WORLD,
                &requests.emplace_back());
    }
  }

  // The bytes of the next message from a process, if they have arrived.
  bool take(int peer, std::vector<std::byte>& bytes) {
    if (peer == comm->rank) {
      require(!sent.empty(), "a message of a process to itself is received but not sent");
      bytes = sent.front();
      sent.erase(sent.begin());
      return true;
    }
    int found = 0, size = 0;
    MPI_Message message;
    MPI_Status status;
    MPI_Improbe(peer, kMessageTag, MPI_COMM_WORLD, &found, &message, &status);
    if (found == 0) return false;
    MPI_Get_count(&status, MPI_BYTE, &size);
    bytes.resize(static_cast<std::size_t>(size));
    MPI_Mrecv(bytes.data(), size, MPI_BYTE, &message, MPI_STATUS_IGNORE);
    return true;
  }

  // Whether all messages have been delivered.
  bool advance() {
    if (!started) start();
    bool all = true;
    std::vector<std::byte> bytes;
    std::vector<bool> silent(static_cast<std::size_t>(comm->size), false);  // has not sent the next message
    for (Message& m : messages) {
      if (!m.receives || m.done) continue;
      const auto peer = static_cast<std::size_t>(m.peer);
      if (silent[peer] || !take(m.peer, bytes)) {
        silent[peer] = true;
        all = false;
        continue;
      }
      Header header{};
      std::memcpy(&header, bytes.data(), sizeof header);
      require(header.group == number && header.count == m.count, "rank ", comm->rank, " receives ", m.count,
              " numbers from rank ", m.peer, " in its group ", number, ", but that sends ", header.count,
              " in its group ", header.group);
      std::memcpy(m.numbers, bytes.data() + sizeof header, m.count * sizeof(float));
      m.done = true;
    }
    int sent_all = 1;
    if (!requests.empty())
      MPI_Testall(static_cast<int>(requests.size()), requests.data(), &sent_all, MPI_STATUSES_IGNORE);
    return all && sent_all != 0;
  }
};

bool& group_is_open() {
  static bool is = false;
  return is;
}
ncclComm*& comm_of_group() {
  static ncclComm* comm = nullptr;
  return comm;
}

ncclResult_t add(const Message& m, ncclDataType_t type, ncclComm* comm, cudaStream_t stream) {
  return checked([&] {
    comm->check_thread();
    require(group_is_open(), "a message outside of a group may wait for one that comes after it");
    require(comm->connected && !comm->leaving && !comm->aborted, "a message while nothing can be sent");
    require(!comm->queues, "a group before the one before it has been queued");
    require(type == ncclFloat && m.peer >= 0 && m.peer < comm->size && m.count > 0,
            "a wrong argument of a message");
    require(umbra::emulator::owns(m.numbers, m.count * sizeof(float)), "memory that is not a GPU's");
    auto* const queue = static_cast<umbra::emulator::Queue*>(stream);
    require(comm_of_group() == nullptr || comm->queue == queue, "a group with two queues");
    comm_of_group() = comm;
    comm->queue = queue;
    comm->open.push_back(m);
    return ncclSuccess;
  });
}

}  // namespace

void ncclComm::queue_group() {
  queues = false;
  auto group = std::make_shared<Group>();
  group->comm = this;
  group->number = ++groups;
  group->messages.swap(open);
  umbra::emulator::submit_step(queue, [group] {
    ncclComm& comm = *group->comm;
    if (comm.aborted) return true;
    if (std::this_thread::get_id() != comm.thread || !comm.error.empty()) return false;
    try {
      return group->advance();
    } catch (const Error& problem) {
      comm.error = problem.what();
      return false;
    }
  });
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  std::memset(id, 0, sizeof *id);
  std::memcpy(id, &now, sizeof now);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  return checked([&] {
    require(config->blocking == 0, "a communicator that blocks");
    int initialised = 0, all = 1, own = 0;
    MPI_Initialized(&initialised);
    if (initialised != 0) {
      MPI_Comm_size(MPI_COMM_WORLD, &all);
      MPI_Comm_rank(MPI_COMM_WORLD, &own);
    }
    require(size == 1 || (size == all && rank == own), "rank ", rank, " of ", size, " is rank ", own, " of ",
            all);
    *comm = new ncclComm;
    (*comm)->rank = rank;
    (*comm)->size = size;
    (*comm)->id = id;
    (*comm)->connect();
    return ncclInProgress;
  });
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = checked([&] {
    comm->check_thread();
    require(!comm->aborted, "a call after ncclCommAbort");
    return comm->is_ready() ? ncclSuccess : ncclInProgress;
  });
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  return checked([&] {
    require(!group_is_open(), "a group within a group");
    group_is_open() = true;
    comm_of_group() = nullptr;
    return ncclSuccess;
  });
}

ncclResult_t ncclGroupEnd() {
  return checked([&] {
    require(group_is_open(), "the end of a group that has not begun");
    group_is_open() = false;
    if (comm_of_group() == nullptr) return ncclSuccess;
    comm_of_group()->queues = true;
    return ncclInProgress;
  });
}

ncclResult_t ncclSend(const void* numbers, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  auto* const begin = const_cast<float*>(static_cast<const float*>(numbers));  // only read
  return add({begin, count, peer, false}, type, comm, stream);
}

ncclResult_t ncclRecv(void* numbers, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add({static_cast<float*>(numbers), count, peer, true}, type, comm, stream);
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  return checked([&] {
    comm->check_thread();
    require(comm->connected && !comm->leaving && !comm->queues, "leaving while messages are under way");
    comm->leaving = true;
    if (comm->size > 1) MPI_Ibarrier(MPI_COMM_WORLD, &comm->requests.emplace_back());
    return ncclInProgress;
  });
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  return checked([&] {
    comm->check_thread();
    require(comm->left, "a communicator that is destroyed before it has been left");
    delete comm;
    return ncclSuccess;
  });
}

// The communicator is kept, because queues may still contain its messages. The thread may be another one than that of the
// communicator, which waits meanwhile.
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  comm->aborted = true;
  comm->close_connections();
  while (comm->someone_was_killed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  if (result == ncclRemoteError) return "remote process exited or there was a network error";
  if (result == ncclUnhandledCudaError) return "unhandled cuda error";
  return result == ncclSuccess ? "no error" : "invalid usage";
}

const char* ncclGetLastError(ncclComm_t) {
  return last_error().c_str();
}
