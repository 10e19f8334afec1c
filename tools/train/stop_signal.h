// SIGINT and SIGTERM stop a training run after the current step.
#pragma once

namespace umbra {

/// Installs the signal handlers. A second signal ends the process at once, unless it arrives together with
/// the first: timeout and batch systems signal a process and then its group.
void listen_for_stop_signals();

/// The signal that requested a stop, or 0.
int stop_signal();

}  // namespace umbra
