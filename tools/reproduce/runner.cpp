#include "tools/reproduce/runner.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/status_line.h"
#include "engine/io/version.h"
#include "tools/common/process.h"
#include "tools/common/stop_signal.h"
#include "tools/common/tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartsFile = "parts.json";

bool is_there(const std::string& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

// Throws Error if there is something in `out`, but no reproduction.
void check_folder(const fs::path& out) {
  std::error_code ignored;
  if (!fs::exists(out, ignored) || fs::exists(out / kPartsFile)) return;
  require(fs::is_directory(out, ignored), out.string(), ": a folder was expected");
  require(fs::is_empty(out), out.string(), ": this folder holds other files, and no ", kPartsFile,
          " of a reproduction that could be continued; choose another folder");
}

// The last line of a text that is not empty, of at most the last 4096 bytes.
std::string last_line(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg(), wanted = std::min<std::streamoff>(size, 4096);
  std::string text(static_cast<std::size_t>(wanted), '\0');
  in.seekg(size - wanted);
  in.read(text.data(), wanted);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

bool has_made_something(const Part& part) {
  return std::any_of(part.outputs.begin(), part.outputs.end(), is_there) ||
         (!part.resumes_from.empty() && is_there(part.resumes_from));
}

}  // namespace

Runner::Runner(Places places, std::vector<Part> parts, bool overwrite)
    : places_(std::move(places)),
      parts_(std::move(parts)),
      overwrite_(overwrite),
      file_(places_.out / kPartsFile) {
  check_folder(places_.out);
  std::set<std::string> names, made;
  for (const Part& part : parts_) {
    require(names.insert(part.name).second, "two parts are called ", part.name);
    for (const std::string& input : part.inputs) {
      require(made.count(input) > 0 || !is_made_by_a_part(input), "the part ", part.name, " reads ", input,
              ", which only a later part makes");
      require(made.count(input) > 0 || is_there(input), input, ": there is no such file, which the part ",
              part.name, " reads");
    }
    made.insert(part.outputs.begin(), part.outputs.end());
  }
  for (const Part& part : parts_) check_finished(part);
}

bool Runner::is_made_by_a_part(const std::string& file) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return std::find(part.outputs.begin(), part.outputs.end(), file) != part.outputs.end();
  });
}

// Throws Error if a part was made by another command or from other files of the user.
void Runner::check_finished(const Part& part) const {
  const PartRecord* record = file_.find(part.name);
  if (overwrite_ || part.make || record == nullptr || !has_made_something(part)) return;
  const std::string advice = "; --overwrite replaces it, or choose another folder";
  const std::string identity = identity_of(part, places_);
  require(part.derived || record->identity == identity, places_.out.string(), ": its part ", part.name,
          " was made by '", record->identity, "', not by '", identity, "'", advice);
  for (const std::string& input : part.inputs) {
    if (is_made_by_a_part(input)) continue;
    const std::string now = fingerprint_of(input);
    const bool same = std::any_of(record->inputs.begin(), record->inputs.end(),
                                  [&](const auto& entry) { return entry.second == now; });
    require(same, places_.out.string(), ": its part ", part.name, " was made from other data than ", input,
            advice);
  }
}

// Files of the user do not change meanwhile, and may be large.
std::string Runner::fingerprint_of(const std::string& file) const {
  if (is_made_by_a_part(file)) return content_fingerprint(file);
  std::string& known = of_user_[file];
  if (known.empty()) known = content_fingerprint(file);
  return known;
}

// Whether the content of all inputs is what it was, whatever the files are called.
bool Runner::has_inputs_of(const PartRecord& record, const Part& part) const {
  std::multiset<std::string> then, now;
  for (const auto& [file, fingerprint] : record.inputs) then.insert(fingerprint);
  for (const std::string& input : part.inputs) {
    if (!is_there(input)) return false;
    now.insert(fingerprint_of(input));
  }
  return then == now;
}

bool Runner::is_finished(const Part& part) const {
  const PartRecord* record = file_.find(part.name);
  if (record == nullptr || record->state != PartState::kFinished) return false;
  if (record->identity != identity_of(part, places_)) return false;
  return std::all_of(part.outputs.begin(), part.outputs.end(), is_there) && has_inputs_of(*record, part);
}

// Whether an interrupted attempt at the same command, with the same inputs, has left a checkpoint of its own.
bool Runner::can_resume(const Part& part) const {
  const PartRecord* record = file_.find(part.name);
  if (record == nullptr || part.resume.empty() || !is_there(part.resumes_from)) return false;
  return record->state != PartState::kFinished && record->identity == identity_of(part, places_) &&
         has_inputs_of(*record, part) && record->checkpoint_before != content_fingerprint(part.resumes_from);
}

// The command, or what continues it, or lets it replace what an earlier attempt has made.
std::vector<std::string> Runner::command_of(const Part& part) const {
  if (can_resume(part)) return part.resume;
  std::vector<std::string> command = part.command;
  // A program that was killed early may have left a folder without any of its outputs.
  const bool begun = has_made_something(part) || (!part.folder.empty() && is_there(part.folder));
  if (file_.find(part.name) != nullptr && begun) command.emplace_back("--overwrite");
  return command;
}

std::string Runner::log_of(const Part& part) const {
  return places_.in_out("logs/" + part.name + ".log");
}

// Estimates are for two cores; those of the parts to come are scaled by how this machine did with the parts so far.
double Runner::pace() const {
  constexpr double kFirst = 10;  // seconds as estimated: parts of a moment say little about long ones
  return (measured_ + kFirst) / (estimated_ + kFirst);
}

// Of the parts after the first `done`, without those that seem to be finished: their inputs are not read for this.
double Runner::seconds_after(std::size_t done) const {
  double left = later_;
  for (std::size_t i = done; i < parts_.size(); ++i) {
    const PartRecord* record = file_.find(parts_[i].name);
    const bool finished = record != nullptr && record->state == PartState::kFinished &&
                          record->identity == identity_of(parts_[i], places_);
    left += finished ? 0 : parts_[i].seconds;
  }
  return pace() * left;
}

PartRecord Runner::begin(const Part& part, bool resumes) {
  PartRecord record{part.name, part.title, shell_line(part.command), std::string(version()),
                    identity_of(part, places_)};
  if (resumes) {
    record.seconds = file_.find(part.name)->seconds;
    record.peak_memory = file_.find(part.name)->peak_memory;
    record.checkpoint_before = file_.find(part.name)->checkpoint_before;
  } else if (!part.resumes_from.empty() && is_there(part.resumes_from)) {
    record.checkpoint_before = content_fingerprint(part.resumes_from);
  }
  for (const std::string& input : part.inputs) record.inputs[input] = fingerprint_of(input);
  file_.set(record);
  return record;
}

// Runs a program with its log, and shows meanwhile which part it is and what it printed last.
Cost Runner::run_program_of(const Part& part, const std::vector<std::string>& command, std::size_t index) {
  StatusLine line(stderr);
  const auto start = std::chrono::steady_clock::now();
  const double later = seconds_after(index + 1);
  const std::string count = concat(index + 1, "/", parts_.size());
  return run_logged(command, log_of(part), [&] {
    if (!line.due()) return;
    const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double left = later + std::max(0.0, pace() * part.seconds - passed);
    const auto done = static_cast<std::int64_t>(1000 * passed / std::max(passed + left, 1e-9));
    line.draw(fitting_parts({{count, 0},
                             {part.title, 0},
                             {progress_bar(done, 1000, bar_length(line.width())), 3},
                             {"left " + clock_text(left), 1},
                             {last_line(log_of(part)), 2}},
                            line.width()));
  });
}

// Of a part without a command.
Cost Runner::make(const Part& part) const {
  const auto start = std::chrono::steady_clock::now();
  Cost cost{0, 0, 0};
  try {
    part.make();
  } catch (const Error& error) {
    cost.status = 1;
    std::ofstream(log_of(part), std::ios::app) << error.what() << '\n';
  }
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return cost;
}

void Runner::run_part(const Part& part, std::size_t index) {
  const bool resumes = can_resume(part);
  const std::vector<std::string> command = part.make ? part.command : command_of(part);
  for (const std::string& output : part.outputs)  // a program that can be resumed has a folder of its own
    if (part.resume.empty()) fs::create_directories(fs::path(output).parent_path());
  PartRecord record = begin(part, resumes);
  std::cout << "[" << index + 1 << "/" << parts_.size() << "] " << part.title << std::endl;
  {
    std::ofstream log(log_of(part), resumes ? std::ios::app : std::ios::trunc);
    if (part.make) log << part.title << '\n';
    if (!part.make) log << "$ " << shell_line(command) << '\n';
  }
  if (!part.make) std::cout << "  " << shell_line(command) << std::endl;
  const Cost cost = part.make ? make(part) : run_program_of(part, command, index);
  record.seconds += cost.seconds;
  record.peak_memory = std::max(record.peak_memory, cost.peak_memory);
  const auto missing = std::find_if_not(part.outputs.begin(), part.outputs.end(), is_there);
  const bool complete = cost.status == 0 && missing == part.outputs.end();
  const bool stopped = stop_signal() != 0 && !complete;
  record.state = complete ? PartState::kFinished : stopped ? PartState::kStopped : PartState::kFailed;
  file_.set(record);
  if (complete) {
    estimated_ += resumes ? 0 : part.seconds;
    measured_ += resumes ? 0 : cost.seconds;
    std::cout << "  " << clock_text(record.seconds)
              << (part.make ? "" : concat(", ", (record.peak_memory + 500'000) / 1'000'000, " MB"))
              << ", left " << clock_text(seconds_after(index + 1)) << std::endl;
  } else if (!stopped) {
    report_failure(part, cost.status == 0
                             ? concat("it has made no ", *missing)
                             : concat("exit status ", cost.status, ", '", last_line(log_of(part)), "'"));
  }
}

void Runner::report_failure(const Part& part, const std::string& why) {
  const std::string failed =
      concat("the part ", part.name, " failed: ", why, "; all it printed is in ", log_of(part));
  if (!part.optional) fail(failed);
  lost_.push_back(failed);
  std::cout << "  " << failed << '\n';
}

void Runner::run(double later) {
  later_ = later;
  fs::create_directories(places_.out);
  lock_ = std::make_unique<FolderLock>(places_.out);
  if (file_.records().empty()) file_.write();
  fs::create_directories(places_.out / "logs");
  listen_for_stop_signals("after what can be continued is written");
  lost_.clear();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (is_finished(part)) continue;
    const auto missing = std::find_if_not(part.inputs.begin(), part.inputs.end(), is_there);
    if (missing != part.inputs.end()) {
      lost_.push_back(concat("the part ", part.name, " was left out: there is no ", *missing));
      std::cout << "[" << i + 1 << "/" << parts_.size() << "] " << lost_.back() << '\n';
      continue;
    }
    run_part(part, i);
    if (stop_signal() != 0)
      throw Stopped(stop_signal(),
                    concat("stopped by a signal in the part ", part.name,
                           "; the same command continues the reproduction in ", places_.out.string()));
  }
}

std::string Runner::list() const {
  std::string text;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    text += concat("# ", i + 1, "/", parts_.size(), " ", part.name, ": ", part.title,
                   is_finished(part) ? ", finished" : ", about " + clock_text(part.seconds), "\n",
                   part.make ? "# by this program" : shell_line(part.command), "\n");
  }
  return text + concat("# left: about ", clock_text(seconds_after(0)), " on two cores\n");
}

}  // namespace umbra
