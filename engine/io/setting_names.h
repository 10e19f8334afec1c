// What a misspelt setting was meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/setting.h"

namespace umbra {

/// The key that `word` names in another way: the key in other letters ("Train.Batch"), its last word ("epochs",
/// "train.channels", "learning-rate") or a usual short form of it ("lr", "train.lr", "batch_size"). Empty if
/// there is none.
std::string key_named(std::string_view word, const std::vector<Setting>& settings);

/// The key that is nearest to `word`: key_named(), or the least misspelt one (misspelling()). Empty if none is
/// near.
std::string nearest_key(std::string_view word, const std::vector<Setting>& settings);

}  // namespace umbra
