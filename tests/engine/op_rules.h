// The list of all rules of ops for the gauntlet (tests/gauntlet/README.md). Every folder of engine/ops has a
// file, *_rules.cpp, next to its tests; most ops need no rules.
#pragma once

#include <vector>

#include "tests/gauntlet/rules.h"

namespace umbra {

std::vector<gauntlet::OpRules> batch_norm_rules();
std::vector<gauntlet::OpRules> conv_rules();
std::vector<gauntlet::OpRules> data_movement_rules();
std::vector<gauntlet::OpRules> elementwise_rules();
std::vector<gauntlet::OpRules> linear_rules();
std::vector<gauntlet::OpRules> loss_rules();
std::vector<gauntlet::OpRules> optim_rules();
std::vector<gauntlet::OpRules> pool_rules();
std::vector<gauntlet::OpRules> reduce_rules();
std::vector<gauntlet::OpRules> softmax_rules();
std::vector<gauntlet::OpRules> stem_rules();

/// All of them.
const std::vector<gauntlet::OpRules>& op_rules();

}  // namespace umbra
