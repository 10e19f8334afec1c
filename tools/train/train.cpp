#include "tools/train/train.h"

#include <cstdio>
#include <iostream>

#include "engine/base/fingerprint.h"
#include "tools/common/ensemble.h"
#include "tools/common/processes.h"
#include "tools/common/stop_signal.h"
#include "tools/train/run_folder.h"
#include "tools/train/training_run.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// Throws Error if one of the folders of the members of a new ensemble holds a run.
void check_member_folders(const fs::path& out, std::int64_t seeds) {
  for (std::int64_t member = 1; member <= seeds; ++member) {
    const fs::path folder = member_folder(out, member);
    require(!fs::exists(folder / "last.h5"), folder.string(), ": this folder already holds a run, and ",
            (out / "config.toml").string(), " is not the configuration of an ensemble to which it belongs; ",
            "choose another folder for the new ensemble");
  }
}

// Throws Error if there is a run or an ensemble, unless it shall be continued or replaced by one of its kind.
void check_folder(const TrainArguments& arguments, std::int64_t seeds) {
  const fs::path out = arguments.out;
  const bool run = fs::exists(out / "last.h5"), ensemble = holds_ensemble(out);
  if (arguments.resume) return;
  if (seeds > 1 && !run && !ensemble) check_member_folders(out, seeds);
  if (!run && !ensemble) return;
  const std::string held =
      concat(out.string(), ": this folder already holds ", run ? "a run" : "an ensemble");
  require(arguments.overwrite, held,
          "; continue it with --resume, replace it with --overwrite, or choose another folder");
  require(run == (seeds == 1), held,
          ", and --overwrite replaces a run by a run and an ensemble by an ensemble; ",
          "choose another folder");
  const fs::path rest = member_folder(out, seeds + 1);
  require(run || !fs::exists(rest), rest.string(), ": this member of the ensemble is not one of the ", seeds,
          " that would replace it; remove it or choose another folder");
}

// The numbers in the checkpoint of the run in `folder`, if it is resumed.
std::optional<Fitted> fitted_in(const fs::path& folder, const TrainArguments& arguments,
                                const RunConfig& config) {
  const fs::path last = folder / "last.h5";
  if (arguments.overwrite || !fs::exists(last)) return std::nullopt;
  const CheckpointInfo info = read_checkpoint_info(last);
  config.task->check_fitted(info.transform, last.string());
  return info.transform;
}

// The data. The first process reads before the others: it may keep files that make reading faster.
std::unique_ptr<TrainingSet> read_set(const TrainArguments& arguments, const RunConfig& config,
                                      const fs::path& folder, Communicator& world) {
  std::unique_ptr<TrainingSet> set;
  const auto read = [&] {
    set =
        std::make_unique<TrainingSet>(arguments, config, fitted_in(folder, arguments, config), world.size());
  };
  first_process(world, read);
  take_time(world, [&] {
    if (!world.first()) read();
  });
  return set;
}

void train_run(const TrainArguments& arguments, const RunConfig& config, Communicator& world) {
  const std::unique_ptr<TrainingSet> set = read_set(arguments, config, arguments.out, world);
  TrainingRun run(arguments, *set, set->config(), arguments.out, world);
  run.open();
  run.describe();
  run.describe_weights();
  run.train();
}

class EnsembleTraining {
 public:
  EnsembleTraining(const TrainArguments& arguments, const RunConfig& config, Communicator& world)
      : arguments_(arguments),
        out_(arguments.out),
        world_(world),
        data_(read_set(arguments, config, member_folder(out_, 1), world)),
        set_(*data_) {
    check_ensemble_files(arguments);
    for (std::int64_t member = 1; member <= config.seeds; ++member)
      check_run_files(arguments, member_folder(out_, member), arguments.resume);
  }

  void train() {
    listen_for_stop_signals("after this step");
    write_first_checkpoints();
    // From here on every member continues its checkpoint.
    TrainArguments arguments = arguments_;
    arguments.overwrite = false;
    arguments.weights.clear();
    const std::int64_t seeds = set_.config().seeds;
    std::vector<std::vector<double>> best;
    std::int64_t as_bad_as_the_mean = 0;
    for (std::int64_t member = 1; member <= seeds; ++member) {
      const RunConfig config = config_of(member);
      TrainingRun run(arguments, set_, config, member_folder(out_, member), world_);
      open();
      if (member == 1) run.describe();
      std::cout << "seed " << config.seed << ", member " << member << " of " << seeds;
      if (run.is_finished()) {
        std::cout << ": has been trained\n";
      } else {
        std::cout << std::endl;
        run.open();
        run.train();
      }
      best.push_back({run.best_metric()});
      as_bad_as_the_mean += set_.beats_the_mean(run.best_metric()) ? 0 : 1;
    }
    const MeanAndScatter all = mean_and_scatter(best);
    std::printf("best validation %s of %lld seeds %.4g +- %.2g (%s)\n",
                set_.config().task->metric(set_.fitted()).c_str(), static_cast<long long>(seeds), all.mean[0],
                all.scatter[0], set_.baselines_text().c_str());
    if (as_bad_as_the_mean > 0)
      std::cout << as_bad_as_the_mean << " of " << seeds
                << (as_bad_as_the_mean == 1 ? " networks is" : " networks are") << " no better than the "
                << set_.baselines().front().name << '\n';
  }

 private:
  RunConfig config_of(std::int64_t member) const {
    RunConfig config = set_.config();
    config.seeds = 1;
    config.seed += member - 1;
    return config;
  }

  // Writes the checkpoints before the first step, with the weights of --weights and in place of those that --overwrite
  // replaces, of all members before one is trained: an interrupted ensemble can then be resumed without these options.
  void write_first_checkpoints() {
    for (std::int64_t member = 1; member <= set_.config().seeds; ++member) {
      const fs::path folder = member_folder(out_, member);
      const bool exists = fs::exists(folder / "last.h5");
      world_.barrier();  // all processes have looked at the files that are there
      if (!arguments_.overwrite && exists) continue;
      TrainingRun run(arguments_, set_, config_of(member), folder, world_);
      open();
      run.open();
      if (member == 1) run.describe_weights();
    }
  }

  // To be called after a run has checked all input.
  void open() {
    if (opened_) return;
    opened_ = true;
    world_.barrier();
    first_process(world_, [&] {
      lock_ = open_folder(out_, kEnsembleFiles);
      RunConfig config = set_.config();
      write_text_file(out_ / "config.toml", config.bind().dump());
    });
  }

  const TrainArguments& arguments_;
  fs::path out_;
  Communicator& world_;
  std::unique_ptr<TrainingSet> data_;
  const TrainingSet& set_;
  bool opened_ = false;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace

void train(const TrainArguments& arguments, Communicator& world) {
  RunConfig config = resolve(arguments);
  world.set_timeout(config.timeout);
  const std::string text = config.bind().dump();
  Fingerprint settings;
  settings.add(std::vector<double>(text.begin(), text.end()));
  world.compare(settings.value(), "the settings");
  check_folder(arguments, config.seeds);
  if (config.seeds > 1)
    EnsembleTraining(arguments, config, world).train();
  else
    train_run(arguments, config, world);
}

}  // namespace umbra
