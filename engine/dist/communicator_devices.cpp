// Communicator: operations on GPUs. A message over MPI goes along with each of them, to find out who is missing, which
// NCCL does not say.
#include <algorithm>

#include "engine/dist/communicator.h"
#include "engine/dist/waiting.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

// What the processes of one machine must not have in common; empty on a CPU.
std::string identity_of(Device device) {
  return device.kind == Device::Kind::kCpu ? "" : backend_of(device.kind).identity(device.index);
}

}  // namespace

void Communicator::join_devices(Device device, const AddOnDevice& add) {
  if (size_ == 1 || joined_ == device) return;
  const bool on_gpu = device.kind != Device::Kind::kCpu;
  require(!joined_, "processes that have joined with ", umbra::name_of(joined_.value_or(device)),
          " join with ", umbra::name_of(device));
  if (on_gpu) require(nccl_missing().empty(), nccl_missing());
  const std::vector<std::string> devices = gather(identity_of(device));
  for (int rank = 1; rank < size_; ++rank) {
    const std::string& own = devices[static_cast<std::size_t>(rank)];
    if (own.empty() != devices[0].empty())
      throw SharedError(concat(name_of(devices[0].empty() ? rank : 0), " computes on a GPU and ",
                               name_of(devices[0].empty() ? 0 : rank),
                               " on a CPU; set device=cpu or device=cuda for all processes"));
    const auto same = std::find(devices.begin(), devices.begin() + rank, own);
    if (!own.empty() && same != devices.begin() + rank)
      throw SharedError(concat(name_of(static_cast<int>(same - devices.begin())), " and ", name_of(rank),
                               " have the same GPU (", own,
                               "); start no more processes on a machine than it has GPUs"));
  }
  if (on_gpu) {
    std::vector<std::byte> id = first() ? new_nccl_id() : std::vector<std::byte>();
    const std::vector<double> sizes = gather(std::array{static_cast<double>(id.size())});
    id.resize(static_cast<std::size_t>(sizes.front()));
    broadcast(id, 0);
    connect_devices(device, add, [&] { return connect_with_nccl(id, rank_, size_, device); });
  }
  joined_ = device;
}

void Communicator::connect_devices(Device device, const AddOnDevice& add, const ConnectDevices& connect) {
  run([&] {
    on_devices([&] {
      devices_ = std::make_unique<DeviceSums>(connect(), device, add, rank_, size_);
      wait_for_devices([&] { return devices_->transport().ready(); });
    });
  });
}

// Every process sends a message to the others when it begins. A process that ends after that is found by a roll call, as
// soon as an operation fails, which may be because of it, or does not end.
void Communicator::on_devices(const std::function<void()>& operation) {
  require_no_failure();
  begun_.assign(static_cast<std::size_t>(size_), std::byte{1});
  std::vector<Message> sends, receives;
  for (int peer = 0; peer < size_; ++peer) {
    if (peer == rank_) continue;
    sends.push_back({peer, std::span(begun_).subspan(static_cast<std::size_t>(rank_), 1)});
    receives.push_back({peer, std::span(begun_).subspan(static_cast<std::size_t>(peer), 1)});
  }
  try {
    transport_->start(sends, receives);
    operation();
  } catch (const JobFailed&) {
    throw;
  } catch (const MessagesFailed& error) {
    call_roll(error.what(), error.elsewhere(), timeout_);
  } catch (const Error& error) {
    call_roll(error.what(), false, timeout_);
  }
  wait_until([&] { return transport_->delivered(); }, [&] { end_with(late_processes()); });
}

void Communicator::wait_for_devices(const std::function<bool()>& done) {
  wait_until(done, [&] {
    transport_->delivered();  // receives what has arrived
    const Notice late = late_processes();
    if (!late.lost.empty()) end_with(late);
    // Those that wait in an operation answer at once. One whose operation has ended only now, and that computes, may be
    // named although it is there: it has held up the others for the time-out.
    constexpr double kSecondsToAnswer = 10;
    call_roll(concat("NCCL has not finished for ", timeout_.load(),
                     " s an operation that all processes have begun; NCCL_DEBUG=INFO shows more"),
              true, std::min(timeout_.load(), kSecondsToAnswer));
  });
}

void Communicator::sum_on_devices(const DeviceNumbers& numbers) {
  const auto ready = [&] { return devices_->transport().ready(); };
  on_devices([&] {
    devices_->send_parts(numbers);
    wait_for_devices(ready);
    devices_->add();
    wait_for_devices(ready);
    wait_for_devices([&] { return ready() && devices_->done(); });
  });
  const DeviceSums::Sent sent = devices_->sent(numbers.count);
  const std::lock_guard<std::mutex> lock(mutex_);
  traffic_.operations += 2;
  traffic_.messages += sent.messages;
  traffic_.bytes_sent += sent.bytes;
  traffic_.bytes_received += sent.bytes_received;
}

// The processes wait for each other, as in every operation, so that none ends before all have done their work. From then on
// the job has succeeded, whatever becomes of its messages: an error of NCCL is often that another process has left earlier,
// which does not answer any more.
void Communicator::leave_devices() {
  try {
    on_devices([] {});
  } catch (const JobFailed&) {
    return;  // as failure_ says
  }
  DeviceTransport& transport = devices_->transport();
  constexpr double kSecondsToLeave = 10;
  const double seconds = std::min(timeout_.load(), kSecondsToLeave);
  try {
    transport.leave();
    for (const Clock::time_point start = Clock::now(); !transport.ready() && seconds_since(start) < seconds;)
      std::this_thread::sleep_for(kPause);
  } catch (const Error&) {  // it has not left
  }
}

}  // namespace umbra
