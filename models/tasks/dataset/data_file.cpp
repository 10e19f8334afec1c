#include "models/tasks/dataset/data_file.h"

#include <algorithm>
#include <cmath>

#include "data/images/image.h"
#include "engine/base/listed.h"
#include "models/tasks/dataset/memory.h"

namespace umbra {
namespace {

constexpr std::int64_t kMostClasses = std::int64_t{1} << 24;  // labels are sent to the device as floats
constexpr const char* kInputsExpected = "f32, f64 or u8 numbers [n, channels, ...] are expected";
constexpr const char* kTargetsExpected = "integers [n] (classes) or floats [n, k] (values) are expected";
constexpr const char* kSplitExpected =
    "integers [n] are expected, 0 for a sample to train on, 1 for one to validate on and 2 for one to test on";

// "integers of 2 bytes".
std::string kind_of(const Hdf5Entry& entry) {
  switch (entry.kind) {
    case Hdf5Kind::kInteger:
      return concat("integers of ", entry.item_size, entry.item_size == 1 ? " byte" : " bytes");
    case Hdf5Kind::kFloat:
      return concat("floats of ", entry.item_size, " bytes");
    case Hdf5Kind::kString:
      return "texts";
    case Hdf5Kind::kCompound:
      return "a table (compound type)";
    default:
      return "neither integers nor floats";
  }
}

bool can_be_inputs(const Hdf5Entry& entry) {
  return entry.kind == Hdf5Kind::kInteger
             ? entry.item_size == 1
             : entry.kind == Hdf5Kind::kFloat && (entry.item_size == 4 || entry.item_size == 8);
}

}  // namespace

void check_shape(const std::string& file, const Shape& samples, const Shape& wanted, const std::string& run) {
  require(samples == wanted, file, ", /inputs: its samples have the shape ", samples, ", but ", run,
          " takes ", wanted);
}

DataFile open_data_file(const std::filesystem::path& data, const DatasetSettings& settings,
                        const StageReport& progress) {
  std::error_code problem;
  if (!std::filesystem::is_directory(data, problem)) {
    require(!is_in_image_folder(data), data.string(),
            has_image_name(data) ? ": --data takes the folder of the images, not one of them"
                                 : ": a table of images is read with its folder, which --data takes; import "
                                   "reads tables of halos");
    return DataFile(data);
  }
  return DataFile(open_image_set(data, settings.images, settings.cache, progress), data);
}

DataFile::DataFile(const ImageSet& images, const std::filesystem::path& folder) : DataFile(images.file) {
  temporary_ = images.temporary;
  name_ = folder.string();
  is_folder_ = true;
  notes_ = images.notes;
  columns_ = images.columns;
}

DataFile::DataFile(const std::filesystem::path& file)
    : file_(std::make_shared<const Hdf5File>(Hdf5File::open(file))), name_(file.string()) {
  const Hdf5Entry entry = describe("inputs", kInputsExpected);
  if (!can_be_inputs(entry)) fail_at("inputs", "it holds ", kind_of(entry), ", but ", kInputsExpected);
  const Shape& shape = entry.shape;
  if (shape.rank() < 2 || shape.rank() > 5)
    fail_at("inputs", "its shape is ", shape,
            ", but [n, channels] or [n, channels, ...] with up to three spatial axes is expected");
  if (shape[0] == 0) fail_at("inputs", "it has no rows, but at least one to train on is expected");
  if (shape.count() == 0) fail_at("inputs", "its shape is ", shape, ", but rows of numbers are expected");
  count_ = shape[0];
  input_shape_ = Shape(shape.extents().subspan(1));
  chunk_rows_ = entry.chunk_rows;
  bytes_ = shape.count() * static_cast<std::int64_t>(entry.item_size);
  if (file_->has_attribute("inputs", "scale")) scale_ = file_->attribute_number("inputs", "scale");
  if (scale_ != 1 && entry.kind != Hdf5Kind::kInteger)
    fail_at("inputs", "the attribute scale is ", scale_, ", but only u8 numbers are scaled by it; these are ",
            kind_of(entry));
  if (!std::isfinite(scale_) || scale_ == 0)
    fail_at("inputs", "the attribute scale is ", scale_, ", but a finite number other than 0 is expected");
}

Hdf5Entry DataFile::describe(const char* field, const char* expected) const {
  if (!file_->has_dataset(field)) fail(name(), ": there is no dataset /", field, "; ", expected);
  return file_->describe(field);
}

bool DataFile::keeps_in_memory(const std::string& resident) const {
  return resident == "on" || (resident == "auto" && bytes_ < usable_memory() / 4);
}

std::unique_ptr<InputRows> DataFile::inputs(const std::string& resident) const {
  return input_rows(file_, scale_, keeps_in_memory(resident));
}

std::vector<std::string> DataFile::files() const {
  const bool fixed = file_->has_dataset("files") && file_->describe("files").kind == Hdf5Kind::kString &&
                     file_->describe("files").item_size > 0;
  if (!fixed) return {};
  const Hdf5Entry files = file_->describe("files");
  const bool one_each =
      files.shape.rank() == 1 && files.shape[0] == count_;  // otherwise it is something else
  return one_each ? file_->read_texts("files") : std::vector<std::string>();
}

Targets DataFile::targets() const {
  const Hdf5Entry entry = describe("targets", kTargetsExpected);
  const bool labels = entry.kind == Hdf5Kind::kInteger && entry.shape.rank() == 1;
  const bool numbers = entry.kind == Hdf5Kind::kFloat && (entry.shape.rank() == 1 || entry.shape.rank() == 2);
  if (!labels && !numbers)
    fail_at("targets", "it holds ", kind_of(entry), " of shape ", entry.shape, ", but ", kTargetsExpected);
  if (entry.shape[0] != count_)
    fail_at("targets", "it has ", entry.shape[0], " rows, but /inputs has ", count_);
  Targets targets = labels ? classes() : values(entry.shape);
  targets.only_names = is_folder_ && !targets.names.empty() && targets.class_numbers.empty();
  return targets;
}

// From the attribute, which may have names; 0 if there is no attribute.
std::int64_t DataFile::number_of_classes(Targets& targets) const {
  if (!file_->has_attribute("targets", "classes")) return 0;
  const Hdf5Entry attribute = file_->describe_attribute("targets", "classes");
  std::int64_t number = 0;
  if (attribute.kind == Hdf5Kind::kString && attribute.shape.rank() == 1) {
    targets.names = file_->attribute_texts("targets", "classes");
    number = static_cast<std::int64_t>(targets.names.size());
  } else if (attribute.kind == Hdf5Kind::kInteger && attribute.shape.count() == 1) {
    number = file_->attribute_integer("targets", "classes");
  } else {
    fail_at("targets", "the attribute classes holds ", kind_of(attribute), " of shape ", attribute.shape,
            ", but a list of names or the number of classes is expected");
  }
  if (number < 2 || number > kMostClasses)
    fail_at("targets", "the attribute classes gives ", number, " classes, but 2 to ", kMostClasses,
            " are expected");
  return number;
}

Targets DataFile::classes() const {
  Targets targets;
  const std::int64_t claimed = number_of_classes(targets), most = claimed > 0 ? claimed : kMostClasses;
  const std::vector<std::int64_t> labels = file_->read<std::int64_t>("targets");
  targets.numbers.resize(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= most)
      fail_at("targets", "row ", i, " has the label ", labels[i], ", but 0 to ", most - 1, " are expected",
              claimed > 0 ? " (from the attribute classes)" : "");
    targets.numbers[i] = static_cast<double>(labels[i]);
    targets.classes = std::max(targets.classes, labels[i] + 1);
  }
  if (claimed > 0) targets.classes = claimed;
  if (file_->has_attribute("targets", "class_numbers"))
    targets.class_numbers = file_->attribute_numbers("targets", "class_numbers");
  if (std::ssize(targets.class_numbers) != targets.classes) targets.class_numbers.clear();
  if (targets.classes < 2) fail_at("targets", "all labels are 0, but at least two classes are expected");
  return targets;
}

Targets DataFile::values(const Shape& shape) const {
  Targets targets;
  targets.width = shape.count_from(1);
  if (targets.width == 0) fail_at("targets", "its shape is ", shape, ", but at least one value is expected");
  targets.numbers = file_->read<double>("targets");
  for (std::size_t i = 0; i < targets.numbers.size(); ++i)
    if (!std::isfinite(static_cast<float>(targets.numbers[i])))
      fail_at("targets", "row ", static_cast<std::int64_t>(i) / targets.width, " holds ", targets.numbers[i],
              ", but finite numbers that a 32-bit float can hold are expected");
  if (!file_->has_attribute("targets", "target_names")) return targets;
  targets.names = file_->attribute_texts("targets", "target_names");
  if (static_cast<std::int64_t>(targets.names.size()) != targets.width)
    fail_at("targets", "the attribute target_names has ", targets.names.size(), " names, but ", targets.width,
            " are expected");
  return targets;
}

KnownTargets DataFile::known_targets(std::int64_t classes_of_run, std::int64_t values_of_run,
                                     const std::vector<std::string>& names) const {
  const Hdf5Entry entry = describe("targets", kTargetsExpected);
  const bool labels = classes_of_run > 0;
  const std::int64_t width = labels ? 1 : values_of_run;
  const bool fits = entry.kind == (labels ? Hdf5Kind::kInteger : Hdf5Kind::kFloat) &&
                    entry.shape.rank() >= 1 && entry.shape.rank() <= (labels ? 1 : 2) &&
                    entry.shape[0] == count_ && entry.shape.count_from(1) == width;
  if (!fits)
    fail_at("targets", "it holds ", kind_of(entry), " of shape ", entry.shape, ", but ",
            labels ? concat("integers [", count_, "]") : concat("floats [", count_, ", ", width, "]"),
            " are expected, as in the run; a file without /targets can be predicted, too");
  const char* const attribute = labels ? "classes" : "target_names";
  const std::vector<std::string> own = names_of(attribute);
  if (!own.empty() && !names.empty() && own != names)
    fail_at("targets", "the attribute ", attribute, " lists ", listed(own, "", "'"),
            ", but the run was trained on ", listed(names, "", "'"));
  KnownTargets known;
  if (labels) known.labels = file_->read<std::int64_t>("targets");
  if (!labels) known.values = file_->read<double>("targets");
  return known;
}

std::vector<std::string> DataFile::names_of(const char* attribute) const {
  if (!file_->has_attribute("targets", attribute) ||
      file_->describe_attribute("targets", attribute).kind != Hdf5Kind::kString)
    return {};
  return file_->attribute_texts("targets", attribute);
}

std::vector<double> DataFile::fingerprint(Fingerprint of_inputs, const std::vector<double>& targets) const {
  of_inputs.add(targets);
  if (has_split()) {
    const std::vector<std::int64_t> all = sides();
    of_inputs.add(std::vector<double>(all.begin(), all.end()));
  }
  return of_inputs.value();
}

std::vector<SamplePart> DataFile::parts(const DatasetSettings& settings,
                                        const std::vector<double>& labels) const {
  std::vector<SamplePart> parts(static_cast<std::size_t>(count_), SamplePart::kTraining);
  if (has_split()) {
    const std::vector<std::int64_t> all = sides();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] < 0 || all[i] > 2) fail_at("split", "row ", i, " holds ", all[i], ", but ", kSplitExpected);
      parts[i] = static_cast<SamplePart>(all[i]);
    }
  } else {
    require(count_ >= 2, name(), ": ", count_,
            " sample is too few, but one to train on and one to validate on are expected");
    for (const std::int64_t sample : random_split(count_, settings).validation)
      parts[static_cast<std::size_t>(sample)] = SamplePart::kValidation;
  }
  if (settings.inner_folds > 0) divide_training(settings, labels, name(), parts);
  return parts;
}

SampleSplit DataFile::split(const std::vector<SamplePart>& parts) const {
  SampleSplit split;
  split.train = rows_of(parts, SamplePart::kTraining);
  split.validation = rows_of(parts, SamplePart::kValidation);
  if (!split.train.empty() && !split.validation.empty()) return split;
  const bool trains = !split.train.empty();
  const char* const way_out =
      trains ? ", or add data.inner_folds=5, which validates on a fifth of the samples to train on" : "";
  if (is_folder_)
    fail(name(), ": no image has ", trains ? "val" : "train", " in the column ", columns_.split,
         " of the table, but at least one of each is expected; name some rows so", way_out);
  fail_at("split", "it has no sample to ", trains ? "validate on (1)" : "train on (0)",
          ", but at least one of each is expected; mark some so", way_out);
}

std::vector<std::int64_t> DataFile::sides() const {
  const Hdf5Entry entry = describe("split", kSplitExpected);
  if (entry.kind != Hdf5Kind::kInteger || entry.shape.rank() != 1)
    fail_at("split", "it holds ", kind_of(entry), " of shape ", entry.shape, ", but ", kSplitExpected);
  if (entry.shape[0] != count_)
    fail_at("split", "it has ", entry.shape[0], " rows, but /inputs has ", count_);
  return file_->read<std::int64_t>("split");
}

void DataFile::check_classes(const Targets& targets, const SampleSplit& split,
                             const DatasetSettings& settings) const {
  std::vector<char> seen(static_cast<std::size_t>(targets.classes), 0);
  for (const std::int64_t row : split.train)
    if (targets.classes > 0)
      seen[static_cast<std::size_t>(targets.numbers[static_cast<std::size_t>(row)])] = 1;
  const auto missing = std::find(seen.begin(), seen.end(), 0);
  if (missing == seen.end()) return;
  fail_at("targets", "class ", targets.text_of(missing - seen.begin()),
          " has no sample to train on, but every class from 0 to ", targets.classes - 1,
          " is expected to have one",
          settings.inner_folds > 0
              ? " (data.inner_folds, data.inner_fold and train.split_seed decide which samples are)"
          : has_split() ? ""
                        : " (train.split_seed and train.validation_fraction decide which samples are)",
          "; integers are classes, values are floats");
}

void DataFile::check_settings(const DatasetSettings& settings, const Targets& targets) const {
  settings.augmentation.check(input_shape_, concat(name(), ", /inputs"));
  if (!settings.augmentation.mirrored.empty()) targets.mirror(settings.augmentation.mirrored, name());
  if (targets.classes > 0) return;
  const auto applies_to_classes = [&](const char* key, const auto& value) {
    fail_at("targets", key, "=", value, " applies to classes, but these are values");
  };
  if (settings.label_smoothing != 0) applies_to_classes("loss.label_smoothing", settings.label_smoothing);
  if (settings.mixup != 0) applies_to_classes("loss.mixup", settings.mixup);
  if (settings.class_weights != "none") applies_to_classes("loss.class_weights", settings.class_weights);
}

}  // namespace umbra
