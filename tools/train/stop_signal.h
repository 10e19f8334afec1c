// SIGINT and SIGTERM ask a training run to stop after the step at hand.
#pragma once

namespace umbra {

/// From now on signals are waited for. A second one ends the process at once, unless it comes with the first:
/// timeout and batch systems signal a process and then its group.
void listen_for_stop_signals();

/// The signal that asked for a stop; 0: none did.
int stop_signal();

}  // namespace umbra
