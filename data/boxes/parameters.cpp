#include "data/boxes/parameters.h"

#include <cmath>

#include "data/tables/column_names.h"
#include "engine/base/error.h"

namespace umbra {

Expression parse_parameter(const std::string& text, const std::string& where) {
  Expression parameter = parse_expression(text, where);
  require(!parameter.names().empty(), where, ": the name of a parameter is expected, not a number alone");
  return parameter;
}

std::vector<double> parameter_values(const std::string& text, const Catalog& catalog) {
  const std::string where = concat("parameter '", text, "'");
  const Expression parameter = parse_parameter(text, where);
  std::vector<std::string> names;
  std::string list;
  for (const auto& [name, numbers] : catalog.box_parameters) {
    names.push_back(name);
    list += concat(list.empty() ? "" : " ", name);
  }
  std::vector<std::span<const double>> columns;
  for (const std::string& name : parameter.names()) {
    const auto found = find_name(names, name, where);
    require(found.has_value(), where, ": the catalog has no parameter '", name, "' of its cubes",
            closest_hint(names, name), "; its group /boxes has ", list.empty() ? "none" : list);
    columns.push_back(catalog.box_parameters.at(names[*found]));
  }
  std::vector<double> values = parameter.evaluate(columns, static_cast<std::size_t>(catalog.boxes));
  for (std::size_t cube = 0; cube < values.size(); ++cube)
    require(std::isfinite(values[cube]), where, " is ", values[cube], " for cube ", cube,
            "; a number is expected");
  return values;
}

}  // namespace umbra
