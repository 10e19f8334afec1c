// What the sanitizers are told, in every program of a sanitizer build; the environment (ASAN_OPTIONS and so
// on) still overrides it.
#include <cstdlib>

extern "C" {

// allocator_may_return_null: HDF5 asks for as much memory as a damaged file says, and looks at what malloc()
// returns.
const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:"
         "allocator_may_return_null=1";
}

// HDF5 gives up its own clean-up where a file is damaged or the disk is full, which the tests provoke; on
// good files it loses nothing. Its frames cannot be unwound, so the library as a whole is named. What umbra
// allocates is still watched.
const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

const char* __lsan_default_options() {
  return "print_suppressions=0";  // the tests read what the tools print
}

const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

// ignore_noninstrumented_modules: libomp's own locks are not compiled with the sanitizer; Archer tells what
// they order. history_size=7 (the largest): a race whose first access is too long ago to show its stack is
// dropped silently, and a chunk is long.
const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:history_size=7";
}

}  // extern "C"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
namespace {
// Archer looks for the option in the environment alone, and otherwise warns on the standard error of every
// program.
[[gnu::constructor]] void tell_archer() {
  setenv("TSAN_OPTIONS", "ignore_noninstrumented_modules=1", 0);
}
}  // namespace
#endif
#endif
