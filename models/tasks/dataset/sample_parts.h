// What the samples of a data set are used for: to train, to validate or to test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/boxes/split.h"
#include "models/tasks/dataset/settings.h"

namespace umbra {

/// What a sample is used for. The numbers are those of /split.
enum class SamplePart : std::uint8_t {
  kTraining,    ///< the network is trained on it
  kValidation,  ///< the best epoch is chosen on it
  kTest,        ///< neither: it was never seen
  kOutside,     ///< neither: with data.inner_folds, a sample that would validate without them
  kNew          ///< of predictions: no sample of the run; -1 in their /split
};
/// The samples of one part, ascending.
std::vector<std::int64_t> rows_of(const std::vector<SamplePart>& parts, SamplePart part);
/// The random split of a file without /split: a function of the count and of validation_fraction and
/// split_seed.
SampleSplit random_split(std::int64_t count, const DatasetSettings& settings);
/// What a run used the samples with these keys for, by the keys and parts of its own samples, which have the same length.
/// Of several equal samples of the run the part that was seen most counts, in the order of SamplePart. kNew: not a sample
/// of the run.
std::vector<SamplePart> known_parts(const std::vector<double>& keys, const std::vector<double>& keys_of_run,
                                    const std::vector<double>& parts_of_run);
/// Divides the training samples again by the inner folds of `settings`, with equal shares of every class. `labels`: the
/// classes [n], or none. Throws Error, which begins with `where`, when there are fewer training samples than folds.
void divide_training(const DatasetSettings& settings, const std::vector<double>& labels,
                     const std::string& where, std::vector<SamplePart>& parts);

}  // namespace umbra
