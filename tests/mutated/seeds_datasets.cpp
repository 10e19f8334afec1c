// Data files for the dataset task: classes with names of variable length, values in packed chunks.
#include "models/tasks/dataset/dataset_task.h"
#include "tests/fixtures/data_files.h"
#include "tests/mutated/seeds.h"

namespace umbra::mutated {
namespace {

namespace fs = std::filesystem;

void make_datasets(const fs::path& folder) {
  std::vector<double> inputs, labels, values, split;
  for (int i = 0; i < 24; ++i) {
    for (int k = 0; k < 12; ++k) inputs.push_back((7 * i + 11 * k) % 256);
    labels.push_back(i % 3);
    values.push_back(i / 10.0);
    split.push_back(i / 20);
  }
  DataFileMaker(folder / "classes.h5")
      .add("inputs", H5T_STD_U8LE, {24, 3, 2, 2}, inputs)
      .add("targets", H5T_STD_I64LE, {24}, labels)
      .number("inputs", "scale", H5T_IEEE_F64LE, 1.0 / 255)
      .texts("targets", "classes", {"first", "second", "third"});
  DataFileMaker(folder / "values.h5")
      .add("inputs", H5T_IEEE_F32LE, {24, 12}, inputs, 5)
      .add("targets", H5T_IEEE_F64LE, {24, 1}, values)
      .add("split", H5T_STD_I8LE, {24}, split)
      .texts("targets", "target_names", {"size"});
}

// Both ways to store the inputs, then all samples as read in training and validation.
void read_dataset(const fs::path& file, const fs::path&) {
  for (const char* resident : {"on", "off"}) {
    DatasetSettings settings;
    settings.resident = resident;
    DatasetData data(file, settings);
    data.scale(data.fit());
    for (const auto& samples : {data.training(), data.validation()}) {
      std::vector<float> input(static_cast<std::size_t>(samples->input_shape().count())),
          target(static_cast<std::size_t>(samples->target_shape().count()));
      for (std::int64_t i = 0; i < samples->size(); ++i) samples->read(i, nullptr, input, target);
    }
  }
}

}  // namespace

std::vector<Reader> dataset_readers() {
  return {{"dataset", {"classes.h5", "values.h5"}, make_datasets, read_dataset}};
}

}  // namespace umbra::mutated
