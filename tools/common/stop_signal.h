// SIGINT and SIGTERM stop a long command in an orderly way.
#pragma once

namespace umbra {

/// Installs the signal handlers. On a terminal the first signal prints what the command does now: "stopping " and
/// `what`, a literal. A second signal ends the process at once, unless it arrives together with the first: timeout
/// and batch systems signal a process and then its group.
void listen_for_stop_signals(const char* what);

/// The signal that requested a stop, or 0.
int stop_signal();

}  // namespace umbra
