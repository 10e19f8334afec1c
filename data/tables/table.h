// Tables of columns in files of other programs: text, HDF5 and FITS. Which it is follows from the content of the file.
//
//   std::unique_ptr<Table> table = open_table("halos.csv");
//   const TableData rows = table->read({.numbers = {0, 1, 2}});   // columns 0 to 2 of table->columns()
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/stage.h"

namespace umbra {

/// A column of numbers.
struct TableColumn {
  std::string name;  ///< as in the file; of a dataset [n, k]: name[0], name[1], …
  std::string unit;  ///< as in the file, or empty
};

/// What a file says about its simulation, as far as it does. Lengths are in the unit of the file.
struct TableHeader {
  std::optional<double> box_size,  ///< side of the cube
      h,                           ///< Hubble constant / (100 km/s/Mpc)
      omega_m,                     ///< of matter
      omega_b,                     ///< of baryons
      sigma_8,                     ///< r.m.s. overdensity
      n_s,                         ///< spectral index
      redshift;                    ///< of the snapshot
  /// Sets the value that is called `key` in one of its usual spellings, unless it is set. Returns false for another key.
  bool set(const std::string& key, double value);
};

/// Which columns and rows to read.
struct TableRequest {
  std::vector<std::size_t> numbers = {};   ///< columns, as floating-point numbers
  std::vector<std::size_t> integers = {};  ///< columns of integers, which are exact
  /// Whether rows of text in which something is not a number are left out and counted; otherwise they are an Error.
  bool skip_bad_rows = false;
  std::vector<char> needed = {};  ///< [numbers] a missing number in text is an Error and not NaN; empty: none
  std::int64_t most_rows = std::numeric_limits<std::int64_t>::max();  ///< to read at most, from the first on
  bool is_lenient = false;  ///< with most_rows: text that is not a number is NaN
  /// A column below whose minimum rows may be left out, which saves memory; -1: none.
  int cut = -1;
  double minimum = 0;         ///< of `cut`
  StageReport progress = {};  ///< receives how much of the table has been read
};

/// The rows that were read.
struct TableData {
  std::vector<std::vector<double>> numbers;         ///< [request.numbers][row]
  std::vector<std::vector<std::int64_t>> integers;  ///< [request.integers][row]
  std::int64_t read = 0,                            ///< rows in the file, as far as it was read
      bad = 0;                                      ///< rows left out
  bool is_complete = true;                          ///< whether all rows were read
};

/// An open table.
class Table {
 public:
  virtual ~Table() = default;
  /// The columns of numbers, in the order of the file.
  const std::vector<TableColumn>& columns() const { return columns_; }
  /// Their names.
  std::vector<std::string> names() const;
  /// The kind of table, e.g. "CSV table".
  const std::string& what() const { return what_; }
  /// Names of columns that are not numbers.
  const std::vector<std::string>& others() const { return others_; }
  const TableHeader& header() const { return header_; }  ///< what the file says about its simulation
  const std::vector<std::string>& notes() const { return notes_; }  ///< remarks for the user
  /// The number of rows, if it is known before they are read.
  virtual std::optional<std::int64_t> rows() const { return std::nullopt; }
  /// Reads rows. Throws Error when a number cannot be read. To be called once if rows() is not known.
  virtual TableData read(const TableRequest& request) = 0;
  /// A row that was read, for messages: "row 7" or "line 9".
  virtual std::string place(std::size_t row) const;

 protected:
  std::vector<TableColumn> columns_;  ///< see columns()
  std::string what_;                  ///< see what()
  std::vector<std::string> others_,   ///< see others()
      notes_;                         ///< see notes()
  TableHeader header_;                ///< see header()
};

/// Opens the table of a file. `group`: the HDF5 group or table or the FITS extension, needed if there are several. Throws
/// Error for files without a table; the message for Parquet contains the lines that convert it.
std::unique_ptr<Table> open_table(const std::filesystem::path& path, const std::string& group = "");

/// The same for a text: comma- or semicolon-separated or separated by blanks. The names of the columns are in the first
/// line that is not a comment or in the last comment before it; without names they are called c1, c2, …
std::unique_ptr<Table> open_text_table(const std::filesystem::path& path);
/// The same for HDF5: one-dimensional datasets of one length in a group, datasets [n, k], or a table of compound type.
std::unique_ptr<Table> open_hdf5_table(const std::filesystem::path& path, const std::string& group);
/// The same for a FITS table, read with CFITSIO. Throws Error in a build without it.
std::unique_ptr<Table> open_fits_table(const std::filesystem::path& path, const std::string& group);
/// Whether this build contains CFITSIO.
bool can_read_fits();

}  // namespace umbra
