// Peers: libraries umbra is measured against, as further rungs of its registry. Nothing of the engine links
// them; what runs on a GPU is not linked at all but loaded when it is first asked for (library.h).
//
// A library has layouts of its own. As a rung, which tests check and `train kernels=conv3d=cudnn` runs, a
// peer converts its operands, calls the library and converts the result back. What a benchmark holds umbra's
// kernels against is the library's call alone, in its own layout.
#pragma once

#include <span>
#include <string>

#include "engine/ops/kernel.h"
#include "engine/registry/register_peers.h"

namespace umbra {

class Registry;

/// Adds OpenBLAS as a rung of the fully connected layer on the CPU, for benchmarks; nothing in a build
/// without it.
void register_openblas(Registry& registry);

/// A peer on a GPU. The problem is always one of its kernel's op.
struct Peer {
  Kernel kernel;
  /// Why it cannot take the problem as far as that is known without a search for plans; "" otherwise.
  std::string (*rules_out)(const Op&);
  /// The library's call alone, on the operands that an earlier kernel.run() has left in `workspace`.
  void (*solve)(const Op&, void* workspace, Stream&);
  /// What the search found for the problem: the plan, its output type, how many there were to choose from.
  std::string (*plan)(const Op&);
};

/// cuDNN's convolutions and cuBLASLt's matrix products; none in a build without CUDA or their headers.
std::span<const Peer> gpu_peers();
/// Not solutions, so not in the registry: cuBLASLt's time for the matrix product as large as a convolution's
/// useful work (cublaslt_useful), and for the one that also multiplies all the padding (cublaslt_dense).
std::span<const Peer> gpu_yardsticks();

/// How a peer looks for its plan for a problem, the first time it meets it.
enum class PeerSearch {
  kFastest,  // every plan the library proposes is timed, with outputs in bf16 too where operands are; the
             // best is kept
  kStrict,   // the first that works, gives the same bits every time, sums in fp32 without detours and writes
             // fp32
};
/// For all problems met from now on; kFastest until then.
void set_peer_search(PeerSearch search);
PeerSearch peer_search();

/// A workspace for `kernel` may begin anywhere; a library wants addresses that are multiples of this.
inline constexpr std::size_t kPeerAlignment = 256;

}  // namespace umbra
