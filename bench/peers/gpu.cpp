// The peers in a build with CUDA and the headers of cuDNN and cuBLASLt.
#include "bench/peers/gpu_peers.h"
#include "engine/registry/registry.h"

namespace umbra {
namespace {

PeerSearch search = PeerSearch::kFastest;

}  // namespace

std::span<const Peer> gpu_peers() {
  static const std::vector<Peer> peers = [] {
    std::vector<Peer> all = cudnn_peers();
    for (const Peer& peer : cublaslt_peers()) all.push_back(peer);
    return all;
  }();
  return peers;
}

std::span<const Peer> gpu_yardsticks() {
  static const std::vector<Peer> peers = cublaslt_yardsticks();
  return peers;
}

void register_peers(Registry& registry) {
  for (const Peer& peer : gpu_peers()) registry.add(peer.kernel);
}

void set_peer_search(PeerSearch wanted) {
  search = wanted;
}
PeerSearch peer_search() {
  return search;
}

}  // namespace umbra
