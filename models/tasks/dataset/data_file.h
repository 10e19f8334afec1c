// DataFile: an HDF5 file of samples that is not a catalog. It has
//   /inputs   [n, channels] or [n, channels, …] with up to three spatial axes; f32, f64, or u8, which is
//             multiplied by the attribute `scale` of the dataset (1 where there is none)
//   /targets  integers [n]: classes, counted from 0, with the attribute `classes` (their names, or how many) and,
//             of a folder of images, `class_numbers`; or floats [n, k] or [n]: values, with the attribute `target_names`
//   /split    integers [n], 0 to train on, 1 to validate on and 2 to test on; may be missing
//   /files    texts [n] of a fixed length: names of the samples; may be missing
// A folder of images is such a file, too (data/images/image_set.h).
// Any other content is an Error that states file, field and what was expected.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/images/image_set.h"
#include "engine/base/fingerprint.h"
#include "models/tasks/dataset/input_rows.h"
#include "models/tasks/dataset/sample_parts.h"

namespace umbra {

/// The contents of /targets.
struct Targets {
  std::int64_t classes = 0;        ///< 0: values
  std::int64_t width = 1;          ///< numbers per row
  std::vector<double> numbers;     ///< [n, width]
  std::vector<std::string> names;  ///< [classes] or [width], or none
  /// [classes]: what the table of a folder of images calls classes that have names, or none.
  std::vector<double> class_numbers = {};
  bool only_names =
      false;  ///< of a folder of images whose classes or values are called by names, not by numbers
  /// What a flip exchanges (mirror_of). Classes of a folder have the numbers of its table, others are counted from 0.
  std::vector<std::int64_t> mirror(const std::vector<std::string>& pairs, const std::string& where) const;
  /// The number of classes, or of values per sample.
  std::int64_t outputs() const { return classes > 0 ? classes : width; }
  /// The text for class or value `index`: "3", or "3 ('cat')" where there are names.
  std::string text_of(std::int64_t index) const;
};

/// The targets of a file to predict on, if it has any: values, or labels, which may be outside the classes
/// of the run.
struct KnownTargets {
  std::vector<std::int64_t> labels;  ///< [n], or none
  std::vector<double> values;        ///< [n, k], or none
};

/// Throws Error unless the samples of `file` have the shape `wanted`, that of the run `run`.
void check_shape(const std::string& file, const Shape& samples, const Shape& wanted, const std::string& run);

class DataFile;
/// The samples of `data`, an HDF5 file or a folder of images. Throws Error as DataFile and open_image_set() do.
DataFile open_data_file(const std::filesystem::path& data, const DatasetSettings& settings,
                        const StageReport& progress = {});

/// An open data file. It reads the parts of the file on request.
class DataFile {
 public:
  /// Opens the file and checks type and shape of /inputs; it does not read their numbers. Throws Error when
  /// the file cannot be opened or /inputs is not as described above.
  explicit DataFile(const std::filesystem::path& file);
  /// The same for the images of `folder`.
  DataFile(const ImageSet& images, const std::filesystem::path& folder);

  /// Whether these are the images of a folder.
  bool is_folder() const { return is_folder_; }
  /// The path of the file or folder, for messages.
  const std::string& name() const { return name_; }
  /// The HDF5 file, also of a folder.
  const std::filesystem::path& path() const { return file_->path(); }
  /// Remarks about a folder for the user, one line each.
  const std::vector<std::string>& notes() const { return notes_; }
  /// The columns of the table of a folder that were read.
  const ImageColumns& columns() const { return columns_; }
  /// The names of the samples, [n], or none: a dataset /files of another shape or type is not that.
  std::vector<std::string> files() const;
  /// The number of samples.
  std::int64_t count() const { return count_; }
  const Shape& input_shape() const { return input_shape_; }  ///< of one sample: [channels, …]
  /// The number of rows to read at once in a pass over all rows.
  std::int64_t piece() const { return rows_of_piece(input_shape_, chunk_rows_); }
  /// The inputs, held in memory or read from the file at each access: see DatasetSettings::resident.
  std::unique_ptr<InputRows> inputs(const std::string& resident) const;
  /// Whether inputs(resident) are held in memory.
  bool keeps_in_memory(const std::string& resident) const;
  /// Whether /inputs is stored in chunks, which only one thread at a time can read.
  bool is_chunked() const { return chunk_rows_ > 0; }

  /// Whether the file has /targets.
  bool has_targets() const { return file_->has("targets"); }
  /// Reads /targets and checks all numbers. Throws Error with the first row that is wrong.
  Targets targets() const;
  /// Reads /targets for a run with `classes` classes, or with `values` values if `classes` is 0, and with
  /// these names (may be empty). Throws Error when kind, width or names differ.
  KnownTargets known_targets(std::int64_t classes, std::int64_t values,
                             const std::vector<std::string>& names) const;
  /// Whether the file has /split.
  bool has_split() const { return file_->has("split"); }
  /// The fingerprint of the whole file: of its inputs, passed as `of_inputs`, its targets and its /split,
  /// if any.
  std::vector<double> fingerprint(Fingerprint of_inputs, const std::vector<double>& targets) const;
  /// The part of every sample: of /split or random, then divided again where the settings have inner folds, with equal
  /// shares of every class. `labels`: the classes [n], or none. Throws Error for a wrong /split, and when there are fewer
  /// training samples than inner folds.
  std::vector<SamplePart> parts(const DatasetSettings& settings, const std::vector<double>& labels) const;
  /// The samples to train and to validate on. Throws Error when there is none of either.
  SampleSplit split(const std::vector<SamplePart>& parts) const;
  /// Throws Error unless every class has a training sample.
  void check_classes(const Targets& targets, const SampleSplit& split, const DatasetSettings& settings) const;
  /// Throws Error when a setting does not apply to these inputs and targets.
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

  std::shared_ptr<const TemporaryFile> temporary_;  // removes a temporary file after it has been closed
  std::shared_ptr<const Hdf5File> file_;
  std::string name_;
  std::vector<std::string> notes_;
  ImageColumns columns_;
  std::int64_t count_ = 0, chunk_rows_ = 0, bytes_ = 0;
  Shape input_shape_;
  bool is_folder_ = false;
  double scale_ = 1;
};

}  // namespace umbra
