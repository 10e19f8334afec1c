#include "tests/engine/op_rules.h"

namespace umbra {

const std::vector<gauntlet::OpRules>& op_rules() {
  static const std::vector<gauntlet::OpRules> all = [] {
    std::vector<gauntlet::OpRules> rules;
    for (const auto& room :
         {batch_norm_rules(), conv_rules(), data_movement_rules(), elementwise_rules(), linear_rules(),
          loss_rules(), optim_rules(), pool_rules(), reduce_rules(), softmax_rules(), stem_rules()}) {
      rules.insert(rules.end(), room.begin(), room.end());
    }
    return rules;
  }();
  return all;
}

}  // namespace umbra
