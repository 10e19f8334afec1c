// The reason why the next launches of this thread must not start. Host code that prepares a launch must not
// throw (kernel.h); it stores an error message here instead. While there is one, launch() of engine/cuda starts
// no kernel; Backend::launch_error(), which is called after every kernel, returns the message and clears it.
#pragma once

#include <string>
#include <utility>

namespace umbra {

/// The message; launches may start if it is empty.
inline std::string& launch_refusal() {
  thread_local std::string why;
  return why;
}

inline std::string take_launch_refusal() {
  return std::exchange(launch_refusal(), {});
}

}  // namespace umbra
