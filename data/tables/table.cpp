#include "data/tables/table.h"

#include <algorithm>

#include "data/tables/content.h"
#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {

bool TableHeader::set(const std::string& key, double value) {
  const std::string name = lower_case(key);
  const auto any = [&](std::initializer_list<const char*> spellings) {
    return std::find(spellings.begin(), spellings.end(), name) != spellings.end();
  };
  const auto take = [&](std::optional<double>& to, double number) {
    if (!to) to = number;
    return true;
  };
  if (any({"box_size", "boxsize", "lbox", "box size"})) return take(box_size, value);
  if (any({"h", "h0", "hubble", "hubbleparam", "h_100", "little_h"}))
    return take(h, value > 10 ? value / 100 : value);  // H0 in km/s/Mpc
  if (any({"omega_m", "omegam", "om0", "omega0", "omega_0"})) return take(omega_m, value);
  if (any({"omega_b", "omegab", "ob0", "omegabaryon"})) return take(omega_b, value);
  if (any({"sigma_8", "sigma8"})) return take(sigma_8, value);
  if (any({"n_s", "ns"})) return take(n_s, value);
  if (any({"redshift"})) return take(redshift, value);
  return false;
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) names.push_back(column.name);
  return names;
}

std::string Table::place(std::size_t row) const {
  return concat("row ", row);
}

std::unique_ptr<Table> open_table(const std::filesystem::path& path, const std::string& group) {
  const std::string where = concat("file '", path.string(), "'"), name = path.string();
  switch (content_of(path)) {
    case Content::kHdf5:
      return open_hdf5_table(path, group);
    case Content::kFits:
      return open_fits_table(path, group);
    case Content::kText:
      require(group.empty(), where, " is a text table, which has no groups; --group is for HDF5 and FITS");
      return open_text_table(path);
    case Content::kParquet:
      fail(where, " is a Parquet file; two lines of Python convert it: import pandas; pandas.read_parquet('",
           name, "').to_csv('", path.stem().string(), ".csv', index=False)");
    case Content::kNumpy:
      fail(where, " is a file of NumPy; write its columns as text (numpy.savetxt) or HDF5 (h5py) instead");
    case Content::kFolder:
      fail(where, " is a folder, a table is expected");
    default:
      fail(where, " is not a table: HDF5, FITS, CSV or text in columns is expected");
  }
}

}  // namespace umbra
