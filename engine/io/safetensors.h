// safetensors: named tensors in one file that PyTorch, and much else, reads. Eight bytes give the length of a
// JSON header, the header gives each tensor's dtype, shape and byte range, the rest is raw little-endian data
// (https://github.com/huggingface/safetensors, format section). Written here: F32, F64 and I64; read: the
// same and I32.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace umbra {

struct SafeTensors {
  std::vector<NamedTensor> tensors;             // on the host, in the order of the file's data
  std::map<std::string, std::string> metadata;  // free text by key

  /// Throws Error naming the tensor when there is none of that name.
  const Tensor& at(const std::string& name) const;
};

/// Throws Error with a sentence for a file that is missing, truncated, not safetensors, or whose header lies
/// about its data.
SafeTensors read_safetensors(const std::filesystem::path& path);

/// Writes the file aside and renames it into place. Tensors may live on any device.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Copies `from` into the module's parameters and buffers by name. Every name must be there with its shape
/// and no other may be (num_batches_tracked may be missing, as in files of old PyTorch versions); throws
/// Error naming `where` and the tensor.
void load_state(Module& module, const std::vector<NamedTensor>& from, const std::string& where);

}  // namespace umbra
