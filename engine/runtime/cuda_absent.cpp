// The CUDA backend of a build without CUDA: no devices, and an Error for every attempt to use one.
#include "engine/base/error.h"
#include "engine/runtime/host_only.h"

namespace umbra {
namespace {

class NoCuda final : public HostOnly {
 public:
  int device_count() const override { return 0; }
  std::string describe(int) const override { absent(); }
  std::string identity(int) const override { absent(); }
  std::string why_none() const override {
    return "this build of umbra has no CUDA support; configure with -DUMBRA_CUDA=ON and the CUDA Toolkit";
  }
  void* allocate(int, std::size_t) const override { absent(); }
  void release(int, void*, std::size_t) const override {}
  void* create_queue(int) const override { absent(); }
  void destroy_queue(int, void*) const override {}
  void synchronize(int, void*) const override { absent(); }
  void copy(int, void*, void*, const void*, std::size_t) const override { absent(); }

 private:
  [[noreturn]] void absent() const { fail("device=cuda: ", why_none()); }
};

}  // namespace

const Backend& cuda_backend() {
  static const NoCuda backend;
  return backend;
}

}  // namespace umbra
