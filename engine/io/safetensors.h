// safetensors: named tensors in one file that PyTorch and many other programs read. Eight bytes give the
// length of a JSON header, the header gives the dtype, shape and byte range of each tensor, and the rest is
// raw little-endian data (https://github.com/huggingface/safetensors, section Format). Written here: F32,
// F64 and I64; read: these and I32.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/nn/module.h"

namespace umbra {

/// The contents of a safetensors file.
struct SafeTensors {
  std::vector<NamedTensor> tensors;             ///< on the host, in the order of the file's data
  std::map<std::string, std::string> metadata;  ///< text by key; may be empty

  /// The tensor of this name; throws Error naming it when it does not exist.
  const Tensor& at(const std::string& name) const;
};

/// Reads a whole file. Throws Error when it is missing, truncated, not safetensors, newer than this
/// release, or when its header does not match its data.
SafeTensors read_safetensors(const std::filesystem::path& path);

/// Writes tensors of any device and layout through an AtomicFile. Throws Error naming the file when it
/// cannot be written.
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Copies the tensors `from` to the parameters and buffers of `module` by name. Names and shapes must match
/// exactly, except that num_batches_tracked may be missing, as it is in files of old PyTorch versions, and that
/// `new_layers` (such as "fc") keep their values, whatever the file has for them. Throws Error naming `where`
/// and the tensor, or a layer that the network does not have, otherwise; the module is then unchanged. Copies of the
/// weights (Module::renew_copies()) are updated.
void load_state(Module& module, const std::vector<NamedTensor>& from, const std::string& where,
                const std::vector<std::string>& new_layers = {});

}  // namespace umbra
