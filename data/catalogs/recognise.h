// Recognises the formats that `import` reads, for `info`. Every recogniser is next to the reader of its format.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/catalogs/table.h"
#include "data/catalogs/text_table.h"
#include "data/tables/content.h"
#include "data/tables/table.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// A file as recognisers see it. It stays open.
class FileLook {
 public:
  /// Looks at the first bytes. Throws Error when the file does not exist, is damaged, or is text that cannot be read.
  explicit FileLook(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }  ///< of the file or folder
  Content content() const { return content_; }                 ///< what begins it
  /// The HDF5 file, or null.
  const Hdf5File* hdf5() const { return hdf5_ ? &*hdf5_ : nullptr; }
  /// Whether it is HDF5 with all these groups or datasets.
  bool has_objects(std::initializer_list<const char*> objects) const;
  /// Whether it is a text table with all these columns.
  bool has_names(std::initializer_list<std::string_view> names) const;
  /// `--columns` for those of `columns` that the text table or `names` has: "x=X,vpeak=Vpeak".
  std::string columns_of(std::span<const ColumnName> columns) const { return columns_of(columns, names_); }
  /// The same for other names.
  static std::string columns_of(std::span<const ColumnName> columns, const std::vector<std::string>& names);

 private:
  std::filesystem::path path_;
  Content content_;
  std::optional<Hdf5File> hdf5_;
  std::vector<std::string> names_;  // of the columns of a text table
};

/// A file that was recognised.
struct Recognised {
  std::unique_ptr<Table> table;  ///< its rows
  TableOptions how = {};         ///< which columns a catalog takes from them
  std::string detail = "";       ///< more about the file, or empty
  TableHeader header = {};       ///< what the table does not say itself; box_size in Mpc/h
  std::optional<double> usual_box_size =
      std::nullopt;               ///< Mpc/h, assumed by the reader if the file does not contain it
  bool skips_motionless = false;  ///< the reader leaves out rows without a velocity
};

// Each returns nothing for a file of another format. They throw Error for a damaged file.

/// A folder of CAMELS simulations.
std::optional<Recognised> recognise_camels(const FileLook& file);
/// See read_hlist().
std::optional<Recognised> recognise_hlist(const FileLook& file);
/// States in `found`, the file as any other table, that it is an hlist without columns that read_hlist() needs, and adds
/// what its comments say of the simulation. Does nothing to other tables.
void describe_incomplete_hlist(const FileLook& file, Recognised& found);
/// See read_um_bin().
std::optional<Recognised> recognise_um_bin(const FileLook& file);
/// See read_umml_csv().
std::optional<Recognised> recognise_umml_csv(const FileLook& file);
/// See read_halotools().
std::optional<Recognised> recognise_halotools(const FileLook& file);
/// Any other table; its columns are guessed from their names. Throws Error for Parquet and NumPy, as open_table() does.
std::optional<Recognised> recognise_table(const FileLook& file);

}  // namespace umbra
