// A network that reads the halos of a sub-box one by one and sums up what it expects of each (docs/training.md):
//
//   embedding   halo -> hidden -> embedding; its mean over the halos of the sub-box
//   summary     mean embedding, log number of halos, parameters -> hidden -> hidden
//   head        halo and summary -> hidden -> ... -> log P(class), a class per mass bin and one for "in none of them"
//   background  summary -> log of the expected galaxies that belong to no halo of the list, per mass bin; starts
//               near their mean number in the training boxes
//
// The expected number of galaxies in a bin is the sum of P over the halos plus the background. Neither the order of the
// halos nor padding changes it, and no weight depends on the length of the lists.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

/// The options of UmHalos; ModelOf<UmHalosOptions> is the model.
struct UmHalosOptions {
  static constexpr std::string_view kName = "um_halos",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "probabilities of each halo's own galaxy, summed over a sub-box, for lists of halos";
  static constexpr bool kTakesLists = true;  ///< see Model::takes_lists()
  std::int64_t hidden = 64;                  ///< units of every hidden layer
  std::int64_t embedding = 32;          ///< numbers that are averaged over the halos of a sub-box; 0: none
  std::int64_t layers = 2;              ///< hidden layers of the head
  double dropout = 0;                   ///< probability of dropping a unit of the summary
  std::int64_t features = 1;            ///< of a halo, taken from the data
  std::int64_t parameters = 1;          ///< of a sub-box, taken from the data
  std::int64_t bins = 14;               ///< mass bins, taken from the data
  std::vector<double> background = {};  ///< SampleShape::background, [bins] or empty

  /// The settings of the first four; the data determine the others.
  std::vector<Setting> settings();
  /// The name and the numbers of units, e.g. "um_halos 64-32".
  std::string label() const { return concat(kName, " ", hidden, "-", embedding); }
  /// Lists of 5 halos with 3 features, and 4 mass bins.
  SampleShape example() const { return {{5, 3 + 1 + kListColumns}, 6 * 5, 1, true}; }
  /// Throws Error unless the samples are lists.
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of UmHalosOptions.
class UmHalos final : public Module {
 public:
  /// Throws Error unless all numbers of units, features and bins are positive.
  UmHalos(Build& build, const UmHalosOptions& options);
  /// x [N, rows, features + parameters + kListColumns] (SampleShape::list) -> [N, (rows + 1) (bins + 1)]: log P of the
  /// classes of every row, then a row with the log of the expected galaxies of the background, whose last number has
  /// no meaning. A row of padding has P = 0 for every bin.
  Var forward(Pass& pass, const Var& x) override;

 private:
  void make_constants(Build& build);
  Var summary(Pass& pass, const Var& halos, const Var& parameters, const Var& share);
  Var background(Pass& pass, const Var& summary);

  UmHalosOptions options_;
  std::shared_ptr<Linear> embed1_, embed2_;  // null without embedding
  std::shared_ptr<Linear> summary1_, summary2_, background_;
  std::shared_ptr<Linear> of_halo_, of_box_;  // the first layer of the head, in two parts
  std::vector<std::shared_ptr<Linear>> head_;
  Tensor no_galaxy_;               // [bins + 1, 1]: added to the logits of padding
  Tensor minus_, limit_, offset_;  // [bins + 1]: -1; kMostBackground; that plus UmHalosOptions::background
};

}  // namespace umbra
