#include "tools/common/renamed_rungs.h"

#include <algorithm>

namespace umbra {
namespace {

struct Renamed {
  std::string_view op, before, now;  // `op`: the old prefix of the op's name, now `now_op`
  std::string_view now_op = op;
};
constexpr Renamed kRenamed[] = {
    {"conv_inference", "cpu_1_tiles", "cpu_2_tiles"},
    {"conv_inference", "cpu_2_bf16_wide", "cpu_5_bf16_wide"},
    {"conv_inference", "cpu_3_bf16", "cpu_6_bf16"},
    {"conv_inference", "cpu_4_tf32", "cpu_4_rounded"},
    {"conv", "cpu_3_rounded", "cpu_4_rounded"},
    {"conv", "cpu_4_bf16", "cpu_6_bf16"},
    {"linear", "cpu_2_rounded", "cpu_4_rounded"},
    {"batch_norm_relu_", "cpu_1_fused", "cpu_2_fused", "batch_norm_"},
    {"batch_norm_relu_", "", "", "batch_norm_"},
    {"transpose", "cpu_1_tiles", "cpu_1_blocks"},
    {"transpose", "cuda_2_tiles", "cuda_2_tiled"},
    {"peak", "cuda_1_vectors", "cuda_2_vectors"},
};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") + 1 - begin));
}

// One "op=rung".
std::string renamed(std::string_view item) {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos) return trimmed(item);
  std::string op = trimmed(item.substr(0, equals)), rung = trimmed(item.substr(equals + 1));
  for (const Renamed& r : kRenamed) {
    if (!op.starts_with(r.op) || (!r.before.empty() && rung != r.before)) continue;
    op = std::string(r.now_op) + op.substr(r.op.size());
    if (!r.before.empty()) rung = r.now;
    break;
  }
  return op + "=" + rung;
}

}  // namespace

std::string with_names_of_today(std::string_view kernels) {
  std::string names;
  for (std::size_t begin = 0; begin <= kernels.size();) {
    const std::size_t end = std::min(kernels.find(',', begin), kernels.size());
    names += (begin == 0 ? "" : ",") + renamed(kernels.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace umbra
