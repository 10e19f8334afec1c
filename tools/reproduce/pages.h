// Tables that README.md and pages of docs have between "<!-- KIND: PART -->" and "<!-- /KIND -->". They are made from
// bench/results by reproduce --pages; a test compares.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/reproduce/part.h"

namespace umbra {

/// A page in which every part of `kind` is what `make` returns for its name. Throws Error if a part has no end.
std::string with_tables(const std::string& page, const std::string& kind,
                        const std::function<std::string(const std::string& part)>& make);

/// The rows of table.json, Table 1 of a reproduction, that the README has, as Markdown: all networks, the forest as the
/// paper and as a distribution, the mean, the best baseline, and what can be reached.
std::string paper_table(const nlohmann::ordered_json& table);

/// Writes the tables of bench/results/camels and bench/results/paper into pages.
void write_pages(const Places& places, const std::vector<std::string>& pages);

}  // namespace umbra
