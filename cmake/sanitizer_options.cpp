// Options of the sanitizers in every program of a sanitizer build; the environment (ASAN_OPTIONS and so on)
// overrides them.
#include <cstdlib>

extern "C" {

// allocator_may_return_null: HDF5 requests as much memory as a damaged file specifies, and checks the result
// of malloc().
const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:"
         "allocator_may_return_null=1";
}

// HDF5 leaks memory when a file is damaged or the disk is full, which the tests provoke; it does not leak on
// good files. Its frames cannot be unwound, so the suppression names the whole library. umbra's own
// allocations are still checked.
const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

const char* __lsan_default_options() {
  return "print_suppressions=0";  // the tests parse the output of the tools
}

const char* __ubsan_default_options() {
  return "print_stacktrace=1";
}

// ignore_noninstrumented_modules: libomp's own locks are not compiled with the sanitizer; Archer reports the
// order they impose. history_size=7 (the largest): the sanitizer silently drops a race when the stack of the
// first access has left its history, and our chunks of work are long.
const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:history_size=7";
}

}  // extern "C"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
namespace {
// Archer reads this option from the environment only; without it, every program prints a warning to standard
// error.
[[gnu::constructor]] void tell_archer() {
  setenv("TSAN_OPTIONS", "ignore_noninstrumented_modules=1", 0);
}
}  // namespace
#endif
#endif
