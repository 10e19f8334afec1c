// DataFile: a file to learn from that is no catalog. HDF5 with
//   /inputs   [n, channels] or [n, channels, …] with up to three spatial axes; f32, f64, or u8, which is taken
//             times the attribute `scale` of the dataset (1 where there is none)
//   /targets  integers [n]: classes, counted from 0, with the attribute `classes` (their names, or how many);
//             or floats [n, k] or [n]: values, with the attribute `target_names`
//   /split    integers [n], 0 to train on and 1 to validate on; may be missing
// Whatever else it may be is an Error of one sentence with file, field and what was expected.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "engine/base/fingerprint.h"
#include "models/tasks/dataset/input_rows.h"
#include "models/tasks/dataset/settings.h"

namespace umbra {

/// What is learnt of every row.
struct Targets {
  std::int64_t classes = 0;        // 0: values
  std::int64_t width = 1;          // numbers per row
  std::vector<double> numbers;     // [n, width]
  std::vector<std::string> names;  // [classes] or [width], or none
  /// "3", or "3 ('cat')".
  std::string text_of(std::int64_t index) const;
};

/// What a file to predict of says itself: labels, which may be of classes that the run does not know, or values.
struct KnownTargets {
  std::vector<std::int64_t> labels;  // [n], or none
  std::vector<double> values;        // [n, k], or none
};

/// A random split, where the file has none.
Split random_split(std::int64_t count, const DatasetSettings& settings);
/// Throws Error unless the samples of `file` have the shape that the run `run` takes.
void check_shape(const std::string& file, const Shape& samples, const Shape& wanted, const std::string& run);

class DataFile {
 public:
  /// Looks at /inputs, not at their numbers.
  explicit DataFile(const std::filesystem::path& file);

  std::string name() const { return file_->path().string(); }
  std::int64_t count() const { return count_; }
  const Shape& input_shape() const { return input_shape_; }  // of one row
  /// Rows that are read at once when all are.
  std::int64_t piece() const { return rows_of_piece(input_shape_, chunk_rows_); }
  /// `resident` as in DatasetSettings.
  std::unique_ptr<InputRows> inputs(const std::string& resident) const;
  bool keeps_in_memory(const std::string& resident) const;
  /// In chunks, which many threads cannot read at once.
  bool is_chunked() const { return chunk_rows_ > 0; }

  bool has_targets() const { return file_->has("targets"); }
  /// Reads and checks them all.
  Targets targets() const;
  /// /targets whatever they are: for a run that has so many classes, or 0, or else so many values, and these
  /// names for them, if any. Throws Error when they are something else, or have other names.
  KnownTargets known_targets(std::int64_t classes, std::int64_t values,
                             const std::vector<std::string>& names) const;
  bool has_split() const { return file_->has("split"); }
  /// Of the whole file: its inputs, already in `of_inputs`, its targets, and the split where there is one.
  std::vector<double> fingerprint(Fingerprint of_inputs, const std::vector<double>& targets) const;
  Split split(const DatasetSettings& settings) const;
  /// Throws Error unless there is something of every class to train on.
  void check_classes(const Targets& targets, const Split& split) const;
  /// Throws Error when a setting is not of such inputs and targets.
  void check_settings(const DatasetSettings& settings, const Targets& targets) const;

 private:
  template <class... Parts>
  [[noreturn]] void fail_at(const char* field, const Parts&... parts) const {
    fail(name(), ", /", field, ": ", parts...);
  }
  std::vector<std::int64_t> sides() const;
  std::vector<std::string> names_of(const char* attribute) const;
  Hdf5Entry describe(const char* field, const char* expected) const;
  std::int64_t number_of_classes(Targets& targets) const;
  Targets classes() const;
  Targets values(const Shape& shape) const;

  std::shared_ptr<const Hdf5File> file_;
  std::int64_t count_ = 0, chunk_rows_ = 0, bytes_ = 0;
  Shape input_shape_;
  double scale_ = 1;
};

}  // namespace umbra
