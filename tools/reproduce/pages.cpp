#include "tools/reproduce/pages.h"

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/text_reader.h"
#include "tools/common/json_file.h"
#include "tools/reproduce/camels_table.h"
#include "tools/reproduce/order.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;

bool is_in_front(const Json& row, const std::string& reference) {
  const std::string name = row.at("name"), kind = row.at("kind");
  if (kind == "network") return true;
  return name == reference || name == "mean SMF" || name == "oracle, vpeak of every halo" ||
         name == "forest, mean prediction per voxel, of M*" || name == "forest, distribution per halo, of M*";
}

}  // namespace

std::string with_tables(const std::string& page, const std::string& kind,
                        const std::function<std::string(const std::string& part)>& make) {
  const std::string begin = "<!-- " + kind + ": ", close = " -->\n", end = "<!-- /" + kind + " -->";
  std::string text;
  std::size_t at = 0;
  for (std::size_t found; (found = page.find(begin, at)) != std::string::npos;) {
    const std::size_t name = found + begin.size(), after = page.find(close, name),
                      last = page.find(end, name);
    require(after < last && last != std::string::npos, "a table of ", kind, " has no end '", end, "'");
    text += page.substr(at, after + close.size() - at) + "\n" + make(page.substr(name, after - name)) + "\n";
    at = last;
  }
  return text + page.substr(at);
}

std::string paper_table(const Json& table) {
  std::string text = "| model | paper | χ² | scatter of seeds | median |\n| --- | --- | --- | --- | --- |\n";
  for (const Json& row : table.at("rows")) {
    if (!is_in_front(row, table.at("reference"))) continue;
    const Json& chi2 = row.at("chi2");
    const auto number = [](const Json& value) { return number_text(value.get<double>(), 3); };
    text += concat("| ", row.at("name").get<std::string>(), " | ",
                   row.contains("chi2_of_paper") ? number(row.at("chi2_of_paper")) : "", " | ",
                   with_error(chi2.at("mean").get<double>(), chi2.at("standard_error").get<double>()), " | ",
                   row.contains("seeds") ? number(row.at("seeds").at("chi2").at("scatter")) : "", " | ",
                   number(chi2.at("median")), " |\n");
  }
  return text;
}

void write_pages(const Places& places, const std::vector<std::string>& pages) {
  const CamelsTables camels = read_camels_tables(places.in_source("bench/results/camels"));
  const std::string paper = from_json_file(places.in_source("bench/results/paper/table.json"),
                                           "table.json of reproduce", paper_table);
  for (const std::string& page : pages)
    write_text_file(page, with_tables(with_camels_tables(camels, read_text_file(page)), "paper",
                                      [&](const std::string&) { return paper; }));
}

}  // namespace umbra
