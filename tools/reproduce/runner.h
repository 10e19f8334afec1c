// Runner: runs the parts of a reproduction one after another, each as a program of its own, and continues where an
// earlier call ended. DIR/parts.json records what has been done, DIR/logs/NAME.log what a part has printed.
//
// A finished part is not redone while its command and the content of its inputs are the same and its outputs exist.
// Only a part whose inputs are made by other parts is redone by itself when they change, and one that is derived from
// other parts when its command changes. What else was made by another command, or from another catalog, is replaced
// with --overwrite only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/folder_lock.h"
#include "tools/common/process.h"
#include "tools/reproduce/part.h"
#include "tools/reproduce/record.h"

namespace umbra {

class Runner {
 public:
  /// Checks the parts and the folder places.out without changing anything. Throws Error if the folder holds other
  /// things than a reproduction, if an input is missing, or if finished parts were made by other commands or from
  /// other inputs and `overwrite` is not given.
  Runner(Places places, std::vector<Part> parts, bool overwrite);

  /// Runs what is left. Throws Error, with the name of the part and its log, if a part fails, Stopped if a signal
  /// stopped one; the same call then continues. `later` are estimated seconds of what follows these parts, for the
  /// time left.
  void run(double later = 0);
  /// Estimated seconds of the parts that are not finished, on two cores.
  double seconds_left() const { return seconds_after(0); }

  /// One line for each part: what is left and how long it may take.
  std::string list() const;

  const std::vector<Part>& parts() const { return parts_; }
  /// The record of a part, or null if it has never run.
  const PartRecord* record(const std::string& part) const { return file_.find(part); }
  /// Why an optional part has no outputs, one sentence each.
  const std::vector<std::string>& lost() const { return lost_; }

 private:
  std::string fingerprint_of(const std::string& file) const;
  bool is_made_by_a_part(const std::string& file) const;
  bool has_inputs_of(const PartRecord& record, const Part& part) const;
  bool is_finished(const Part& part) const;
  void check_finished(const Part& part) const;
  bool can_resume(const Part& part) const;
  std::vector<std::string> command_of(const Part& part) const;
  PartRecord begin(const Part& part, bool resumes);
  Cost run_program_of(const Part& part, const std::vector<std::string>& command, std::size_t index);
  std::string log_of(const Part& part) const;
  Cost make(const Part& part) const;
  void report_failure(const Part& part, const std::string& why);
  void run_part(const Part& part, std::size_t index);
  double pace() const;
  double seconds_after(std::size_t done) const;

  Places places_;
  std::vector<Part> parts_;
  bool overwrite_;
  PartsFile file_;
  std::unique_ptr<FolderLock> lock_;
  std::vector<std::string> lost_;
  mutable std::map<std::string, std::string> of_user_;  // file -> fingerprint
  double estimated_ = 0, measured_ = 0;                 // seconds of the parts that this call has run
  double later_ = 0;                                    // estimated seconds of what follows all parts
};

}  // namespace umbra
