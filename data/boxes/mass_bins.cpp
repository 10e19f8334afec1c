#include "data/boxes/mass_bins.h"

#include "data/observations/moustakas2013.h"
#include "engine/base/error.h"

namespace umbra {

void set_mass_bins(BoxSet& set) {
  const BoxOptions& options = set.options;
  for (int i = 0; i <= options.smf_bins; ++i) set.edges.push_back(options.smf_min + i * options.smf_width);
  const double mpc_per_h = kMoustakasH * kMoustakasH * kMoustakasH;  // 1 Mpc^-3 is 1 / h^3 (Mpc/h)^-3
  const auto table = moustakas2013_smf();
  for (int i = 0; i < options.smf_bins; ++i) {
    const double centre = options.smf_min + (i + 0.5) * options.smf_width;
    const ObservedSmfRow* row = moustakas2013_at(centre);
    require(row != nullptr && set.edges.front() > table.front().low - 1e-6 &&
                set.edges.back() < table.back().high + 1e-6,
            "the mass bins from ", set.edges.front(), " to ", set.edges.back(),
            " are not covered by the observed stellar mass function, which spans ", table.front().low, " to ",
            table.back().high, " in log10 M*/Msun");
    set.sigma.push_back(static_cast<float>(options.per_dex ? row->sigma() / mpc_per_h : row->sigma()));
  }
  set.smf_unit = options.per_dex ? "(Mpc/h)^-3 dex^-1" : "(Mpc/h)^-3 per bin";
}

}  // namespace umbra
