// Peers: libraries that umbra is compared with, as additional rungs of its registry. The engine does not link
// them; the GPU libraries are not linked at all but loaded on first use (library.h).
//
// A library has its own layouts. As a rung, which tests check and `train kernels=conv3d=cudnn` runs, a peer
// converts its operands, calls the library and converts the result back. Benchmarks compare umbra's kernels
// with the library's call alone, in its own layout.
#pragma once

#include <span>
#include <string>

#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/registry/register_peers.h"

namespace umbra {

class Registry;

/// Adds OpenBLAS as a rung of the fully connected layer on the CPU, for benchmarks; does nothing in a build
/// without it.
void register_openblas(Registry& registry);

/// A peer on a GPU. Problems are always of its kernel's op.
struct Peer {
  Kernel kernel;
  /// Why it does not support the problem, as far as that is known without a search for plans; "" otherwise.
  std::string (*rules_out)(const Op&);
  /// The library's call alone, on the operands that an earlier kernel.run() has left in `workspace`.
  void (*solve)(const Op&, void* workspace, Stream&);
  /// The result of the search for the problem: the plan, its output type, the number of candidates.
  std::string (*plan)(const Op&);
};

/// cuDNN's convolutions and cuBLASLt's matrix products; empty in a build without CUDA or their headers.
std::span<const Peer> gpu_peers();
/// They do not solve the problem, so they are not in the registry: cuBLASLt's matrix products with as many
/// multiplications as a convolution's useful work (cublaslt_useful), and including all padding
/// (cublaslt_dense).
std::span<const Peer> gpu_yardsticks();

/// How a peer searches for its plan when it first runs a problem.
enum class PeerSearch {
  kFastest,  // times every plan that the library proposes, also with bf16 outputs if operands are bf16, and
             // keeps the best
  kStrict,   // keeps the first plan that works, is reproducible, sums in fp32 without FFT or Winograd and
             // writes fp32
};
/// Sets the search for all problems not yet searched; kFastest by default.
void set_peer_search(PeerSearch search);
PeerSearch peer_search();

/// A workspace for `kernel` may begin at any address; libraries need addresses that are multiples of this.
inline constexpr std::size_t kPeerAlignment = 256;

}  // namespace umbra
