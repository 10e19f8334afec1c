// mutated_inputs: damages small valid files of every kind and has them read, each in a process of its own. A
// file must be read, or refused in one line that names it: no crash, no hang, no giant allocation.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <optional>

#include "engine/base/error.h"
#include "tests/mutated/children.h"
#include "tests/mutated/mutate.h"
#include "tests/mutated/seeds.h"
#include "tools/common/command_line.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::uint64_t count = 0, seed = 1;  // a count of 0: limited by the time only
  double seconds = 0;                 // 0: no limit
  std::size_t jobs = 1;
  std::optional<std::uint64_t> only;
  std::string reader, keep;
};

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / concat("umbra_mutated_", ::getpid())) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The results of the inputs of one reader.
struct Tally {
  std::int64_t inputs = 0, read = 0, refused = 0, failures = 0;
  double slowest = 0, largest = 0;  // ms, MB
};

// Input i is damage number i to a seed of reader i mod readers; it does not depend on the other inputs.
class Campaign {
 public:
  explicit Campaign(const Options& options)
      : options_(options), children_(options.jobs), pending_(options.jobs), tallies_(readers_.size()) {
    next_ = options.only.value_or(0);
    if (options_.reader.empty() || options.only) return;
    const auto found = std::find_if(readers_.begin(), readers_.end(),
                                    [&](const Reader& r) { return r.name == options_.reader; });
    require(found != readers_.end(), "--reader ", options_.reader, ": there is no such reader");
    next_ = static_cast<std::uint64_t>(found - readers_.begin());
    step_ = readers_.size();
  }

  // Returns the number of failures.
  std::int64_t run() {
    make_seeds();
    start_ = std::chrono::steady_clock::now();
    while (more() || children_.busy()) {
      while (more() && children_.free_slot() < children_.size()) begin(children_.free_slot());
      finish(children_.wait());
    }
    print_table();
    return std::accumulate(tallies_.begin(), tallies_.end(), std::int64_t{0},
                           [](std::int64_t sum, const Tally& tally) { return sum + tally.failures; });
  }

 private:
  struct Input {
    std::uint64_t number = 0;
    std::string seed;
    fs::path file, log;
  };

  // What a refusal must name: the file, or its folder if the reader was given the folder.
  static std::string name_of(const Input& input) {
    const bool in_folder = input.seed.find('/') != std::string::npos;
    return (in_folder ? input.file.parent_path() : input.file).filename().string();
  }
  std::size_t reader_of(std::uint64_t input) const { return input % readers_.size(); }
  fs::path seeds_of(std::size_t reader) const { return folder_.path() / "seeds" / readers_[reader].name; }

  // Threads of OpenMP do not survive a fork, so this process must have none: a child makes the seeds. The
  // undamaged seeds must be read, or damaging them would prove little.
  void make_seeds() {
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      fs::create_directories(seeds_of(r));
      const fs::path log = folder_.path() / "log";
      children_.start(0, log, [&] {
        readers_[r].make(seeds_of(r));
        for (const std::string& seed : readers_[r].seeds) readers_[r].read(seeds_of(r) / seed, seeds_of(r));
      });
      const int status = children_.wait().status;
      require(status == 0, "no seeds for ", readers_[r].name, ": ", file_bytes(log));
    }
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  bool more() const {
    if (options_.only) return begun_ == 0;
    return (options_.count == 0 || begun_ < options_.count) &&
           (options_.seconds == 0 || seconds() < options_.seconds);
  }

  void begin(std::size_t slot) {
    const Reader& reader = readers_[reader_of(next_)];
    const fs::path seeds = seeds_of(reader_of(next_));
    const std::string& seed = reader.seeds[next_ / readers_.size() % reader.seeds.size()];
    const fs::path base = folder_.path() / std::to_string(slot);
    const Input input{next_, seed, base / reader.name / seed, base / "log"};
    fs::create_directories(input.file.parent_path());
    Draws draws(Rng(options_.seed, Purpose::kTest, next_));
    const std::string whole = file_bytes(seeds / seed);
    write_file(input.file, is_text(seed) ? mutate_text(whole, draws) : mutate_bytes(whole, draws));
    children_.start(slot, input.log, [&] {
      try {
        reader.read(input.file, seeds);
      } catch (const std::bad_alloc&) {
        fail(input.file.string(), ": not enough memory");
      }
    });
    pending_[slot] = input;
    next_ += step_;
    ++begun_;
  }

  void finish(const Ended& ended) {
    const Input& input = pending_[ended.slot];
    Tally& tally = tallies_[reader_of(input.number)];
    ++tally.inputs;
    tally.slowest = std::max(tally.slowest, ended.milliseconds);
    tally.largest = std::max(tally.largest, ended.megabytes);
    const std::string said = file_bytes(input.log);
    const std::string wrong = complaint(ended, said, name_of(input));
    if (!wrong.empty()) {
      ++tally.failures;
      report(input, wrong, said);
    } else {
      ++(WEXITSTATUS(ended.status) == kRead ? tally.read : tally.refused);
    }
    if (options_.only && wrong.empty()) std::cout << (said.empty() ? "read\n" : said);
    fs::remove(input.file);
  }

  void report(const Input& input, const std::string& wrong, const std::string& said) const {
    const std::string& name = readers_[reader_of(input.number)].name;
    std::cout << name << ", input " << input.number << " of seed " << options_.seed << " (" << input.seed
              << "): " << wrong << "\n  again: mutated_inputs --seed " << options_.seed << " --only "
              << input.number << '\n';
    if (!said.empty()) std::cout << "  standard error: " << said.substr(0, 2000) << '\n';
    if (options_.keep.empty()) return;
    fs::create_directories(options_.keep);
    const std::string kept = concat(name, "_", options_.seed, "_", input.number, "_");
    fs::copy_file(input.file, fs::path(options_.keep) / (kept + input.file.filename().string()),
                  fs::copy_options::overwrite_existing);
  }

  void print_table() const {
    std::printf("%-18s %8s %8s %8s %8s %11s %10s\n", "reader", "inputs", "read", "refused", "failures",
                "slowest ms", "largest MB");
    for (std::size_t r = 0; r < readers_.size(); ++r) {
      const Tally& t = tallies_[r];
      if (t.inputs == 0) continue;
      std::printf("%-18s %8lld %8lld %8lld %8lld %11.0f %10.0f\n", readers_[r].name.c_str(),
                  static_cast<long long>(t.inputs), static_cast<long long>(t.read),
                  static_cast<long long>(t.refused), static_cast<long long>(t.failures), t.slowest,
                  t.largest);
    }
    std::printf("%llu inputs in %.1f s\n", static_cast<unsigned long long>(begun_), seconds());
  }

  const Options& options_;
  const std::vector<Reader>& readers_ = all_readers();
  TemporaryFolder folder_;
  Children children_;
  std::vector<Input> pending_;  // of each slot
  std::vector<Tally> tallies_;  // of each reader
  std::uint64_t next_ = 0, step_ = 1, begun_ = 0;
  std::chrono::steady_clock::time_point start_;
};

void run(Options options) {
  if (options.count == 0 && options.seconds == 0) options.count = 1000;
  const std::int64_t failures = Campaign(options).run();
  require(failures == 0, failures, " inputs were neither read nor refused correctly");
}

}  // namespace
}  // namespace umbra::mutated

int main(int argc, char** argv) {
  umbra::mutated::Options options;
  umbra::ToolApp app("Read damaged files of every kind, each in a process of its own.", "mutated_inputs");
  app.add_option("--count", options.count,
                 "number of inputs; 0: 1000, or without limit if --seconds is given");
  app.add_option("--seconds", options.seconds, "start no input after this many seconds; 0: no limit");
  app.add_option("--seed", options.seed, "of the damage");
  app.add_option("--reader", options.reader, "inputs of this reader only");
  app.add_option("--jobs", options.jobs, "processes at once")->check(CLI::Range(1, 1024));
  app.add_option("--only", options.only, "only the input with this number");
  app.add_option("--keep", options.keep, "folder to keep the inputs that failed");
  return umbra::run_tool(app, argc, argv, [&] { umbra::mutated::run(options); });
}
