// A catalog file read in pieces of so many rows, in their order, so that memory does not grow with the file:
//
//   CatalogReader reader(path, columns);
//   Catalog part;
//   while (reader.next(part)) use(part);
//
// Every column of the file is looked at for its shape, unit and type; values are read and checked only of the
// wanted ones. Sentences count rows over the whole file.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "data/catalogs/catalog.h"
#include "engine/io/hdf5.h"

namespace umbra {

class CatalogReader {
 public:
  static constexpr std::int64_t kRows = std::int64_t{1} << 18;

  /// `wanted`: columns to read where the file has them, besides x, y, z and box. Throws Error as read_catalog
  /// does.
  CatalogReader(const std::filesystem::path& path, std::set<std::string> wanted, std::int64_t rows = kRows);

  /// All of the catalog but its rows: every column the file has is there, and empty.
  const Catalog& header() const { return header_; }
  std::int64_t rows() const { return rows_; }
  /// The next rows, validated and wrapped, as a catalog of the wanted columns (without box_parameters); false
  /// when there are no more. `part` is written over and may be the same every time.
  bool next(Catalog& part);
  /// Of the rows read so far.
  const CatalogReport& report() const { return report_; }

 private:
  void find_columns();

  Hdf5File file_;
  std::string where_;  // "file '...'"
  std::set<std::string> wanted_;
  Catalog header_;
  CatalogReport report_;
  std::int64_t rows_ = 0, at_once_, next_ = 0;
};

}  // namespace umbra
