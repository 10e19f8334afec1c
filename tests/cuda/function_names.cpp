#include "tests/cuda/function_names.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "engine/base/error.h"

namespace umbra::cuda_test {
namespace {

// Where the program was loaded, relative to the addresses in its file.
std::uintptr_t load_offset() {
  std::uintptr_t offset = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        *static_cast<std::uintptr_t*>(to) = info->dlpi_addr;
        return 1;  // the program comes first
      },
      &offset);
  return offset;
}

template <class T>
std::vector<T> read(std::ifstream& in, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<T> items(bytes / sizeof(T));
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(items.data()), static_cast<std::streamsize>(bytes));
  return items;
}

}  // namespace

FunctionNames::FunctionNames() {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  const ElfW(Ehdr) head = read<ElfW(Ehdr)>(in, 0, sizeof(ElfW(Ehdr))).front();
  const auto sections = read<ElfW(Shdr)>(in, head.e_shoff, std::uint64_t{head.e_shnum} * sizeof(ElfW(Shdr)));
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_SYMTAB) continue;
    const ElfW(Shdr)& strings = sections[section.sh_link];
    const auto text = read<char>(in, strings.sh_offset, strings.sh_size);
    for (const ElfW(Sym) & symbol : read<ElfW(Sym)>(in, section.sh_offset, section.sh_size)) {
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value != 0)
        names_[load_offset() + symbol.st_value] = text.data() + symbol.st_name;
    }
  }
  require(!names_.empty(), "this program has no symbol table, in which the names of kernels are");
}

std::string FunctionNames::at(const void* function) const {
  const auto found = names_.find(reinterpret_cast<std::uintptr_t>(function));
  require(found != names_.end(), "this program's symbol table has no function at ", function);
  int status = 0;
  char* const text = abi::__cxa_demangle(found->second.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? text : found->second;
  std::free(text);
  return name;
}

}  // namespace umbra::cuda_test
