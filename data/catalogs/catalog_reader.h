// Reads a catalog file in pieces of a fixed number of rows, so that memory does not grow with the file:
//
//   CatalogReader reader(path, columns);
//   Catalog part;
//   while (reader.next(part)) use(part);
//
// Names are read without regard to case. Shape, unit and type of every column of the file are checked; values are read and
// checked only for the wanted columns. Messages count rows over the whole file.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "data/catalogs/catalog.h"
#include "engine/io/hdf5.h"

namespace umbra {

/// Reads the rows of a catalog file in order.
class CatalogReader {
 public:
  static constexpr std::int64_t kRows = std::int64_t{1} << 18;  ///< rows per piece by default

  /// `wanted`: columns to read, where the file has them, in addition to x, y, z and box. `rows`: rows per
  /// piece. Throws Error as read_catalog() does.
  CatalogReader(const std::filesystem::path& path, std::set<std::string> wanted, std::int64_t rows = kRows);

  /// The catalog without its rows: it has every column of the file, but empty.
  const Catalog& header() const { return header_; }
  /// The number of rows of the file.
  std::int64_t rows() const { return rows_; }
  /// Reads the next rows, validated and wrapped, into `part`, a catalog of the wanted columns without
  /// box_parameters. Returns false when there are no more. `part` is overwritten.
  bool next(Catalog& part);
  /// The report on the rows read so far.
  const CatalogReport& report() const { return report_; }

 private:
  void find_columns();

  std::string dataset(const std::string& column) const { return "halos/" + spelling_.at(column); }

  Hdf5File file_;
  std::string where_;  // "file '...'"
  std::set<std::string> wanted_;
  std::map<std::string, std::string, std::less<>> spelling_;  // of the column names in the file
  Catalog header_;
  CatalogReport report_;
  std::int64_t rows_ = 0, at_once_, next_ = 0;
};

}  // namespace umbra
