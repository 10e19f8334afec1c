// Tables in FITS files, read with CFITSIO.
#include <fitsio.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <utility>

#include "data/tables/table.h"
#include "engine/base/error.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

constexpr long kMostParts = 16;  // numbers of one column and row

// The message of CFITSIO for a status.
std::string reason(int status) {
  char text[FLEN_STATUS] = {};
  fits_get_errstatus(status, text);
  fits_clear_errmsg();
  return text;
}

bool is_integer_type(int type) {
#ifdef TULONGLONG  // CFITSIO 3.45 and later
  if (type == TULONGLONG) return true;
#endif
  return type == TBYTE || type == TSBYTE || type == TSHORT || type == TUSHORT || type == TINT ||
         type == TUINT || type == TLONG || type == TULONG || type == TLONGLONG;
}

class FitsTable final : public Table {
 public:
  FitsTable(const std::filesystem::path& path, const std::string& group)
      : where_("file '" + path.string() + "'") {
    int status = 0;
    // Not fits_open_file(), which gives brackets in a name a meaning.
    fits_open_diskfile(&file_, path.c_str(), READONLY, &status);
    if (status != 0) fail(where_, " cannot be read as FITS: ", reason(status));
    try {
      choose(group);
      list_columns();
      read_header();
      move_to(1);
      read_header();  // what the table itself says counts
      move_to(extension_);
    } catch (...) {
      close();
      throw;
    }
  }
  ~FitsTable() override { close(); }
  FitsTable(const FitsTable&) = delete;
  FitsTable& operator=(const FitsTable&) = delete;

  std::optional<std::int64_t> rows() const override { return rows_; }
  TableData read(const TableRequest& request) override;

 private:
  struct Source {
    int column = 0;  // from 1, as CFITSIO counts
    long parts = 1;  // numbers of the column per row
    long part = 0;   // which of them
    bool is_integer = false;
  };

  void close() {
    int status = 0;
    if (file_ != nullptr) fits_close_file(file_, &status);
    file_ = nullptr;
  }
  void check(int status, const std::string& what) const {
    if (status != 0) fail(where_, ": ", what, " cannot be read: ", reason(status));
  }
  std::string key(const std::string& name) const;
  void choose(const std::string& group);
  void move_to(int extension) {
    int status = 0;
    fits_movabs_hdu(file_, extension, nullptr, &status);
    check(status, concat("extension ", extension - 1));
  }
  void list_columns();
  void read_header();
  template <class T>
  std::vector<T> read_column(int type, const Source& source, const std::string& name,
                             std::int64_t count) const;
  template <class T>
  void read_columns(int type, const std::vector<std::size_t>& columns, std::int64_t count,
                    std::vector<std::vector<T>>& into, Stage& stage) const;

  std::string where_;
  fitsfile* file_ = nullptr;
  int extension_ = 0;  // with the table, from 1
  std::int64_t rows_ = 0;
  std::vector<Source> sources_;  // [column]
};

// A text in the header of the current extension, or "".
std::string FitsTable::key(const std::string& name) const {
  char text[FLEN_VALUE] = {};
  int status = 0;
  fits_read_key(file_, TSTRING, name.c_str(), text, nullptr, &status);
  if (status != 0) fits_clear_errmsg();
  return status == 0 ? text : "";
}

// Moves to the extension with the table: the only one, or the one with this name or number.
void FitsTable::choose(const std::string& group) {
  int status = 0, extensions = 0, chosen = 0, tables = 0;
  fits_get_num_hdus(file_, &extensions, &status);
  check(status, "the list of extensions");
  std::string list;
  for (int number = 1; number <= extensions; ++number) {
    int type = 0;
    fits_movabs_hdu(file_, number, &type, &status);
    check(status, concat("extension ", number - 1));
    if (type != BINARY_TBL && type != ASCII_TBL) continue;
    const std::string extension = key("EXTNAME"), named = extension.empty() ? concat(number - 1) : extension;
    list += concat(tables++ == 0 ? "'" : ", '", named, "'");
    if (group.empty() || lower_case(extension) == lower_case(group) || concat(number - 1) == group)
      chosen = number;
  }
  require(tables > 0, where_, " contains no table, only images");
  require(!group.empty() || tables == 1, where_, " contains several tables: ", list,
          "; choose one with --group");
  require(chosen > 0, where_, " has no table '", group, "' (--group); there are ", list);
  extension_ = chosen;
  move_to(chosen);
  what_ = concat("FITS table", group.empty() ? "" : " '", group, group.empty() ? "" : "'");
}

void FitsTable::list_columns() {
  int status = 0, count = 0;
  LONGLONG rows = 0;
  fits_get_num_rowsll(file_, &rows, &status);
  fits_get_num_cols(file_, &count, &status);
  check(status, "the description of the table");
  rows_ = rows;
  for (int column = 1; column <= count; ++column) {
    int type = 0;
    long parts = 0, width = 0;
    fits_get_eqcoltype(file_, column, &type, &parts, &width, &status);
    check(status, concat("the type of column ", column));
    const std::string name = key(concat("TTYPE", column)), unit = key(concat("TUNIT", column));
    const std::string known = name.empty() ? concat("c", column) : name;
    const bool is_integer = is_integer_type(type);
    if (!(is_integer || type == TFLOAT || type == TDOUBLE) || parts < 1 || parts > kMostParts) {
      others_.push_back(known);
      continue;
    }
    for (long part = 0; part < parts; ++part) {
      columns_.push_back({parts == 1 ? known : concat(known, "[", part, "]"), unit});
      sources_.push_back({column, parts, part, is_integer});
    }
  }
  require(!columns_.empty(), where_, ": the table has no columns of numbers");
}

void FitsTable::read_header() {
  for (const char* name : {"BOXSIZE", "BOX_SIZE", "LBOX", "HUBBLE", "H0", "H_100", "OMEGA_M", "OMEGAM", "OM0",
                           "OMEGA_B", "OMEGAB", "SIGMA_8", "SIGMA8", "N_S", "NS", "REDSHIFT"}) {
    double value = 0;
    int status = 0;
    fits_read_key(file_, TDOUBLE, name, &value, nullptr, &status);
    if (status == 0)
      header_.set(name, value);
    else
      fits_clear_errmsg();
  }
}

// All numbers of a column, [row, parts]. They are read in pieces, so that a damaged number of rows is found before memory
// for all of them is allocated. Missing integers of FITS (TNULL) become NaN or, as integers, -2, which no id is.
template <class T>
std::vector<T> FitsTable::read_column(int type, const Source& source, const std::string& name,
                                      std::int64_t count) const {
  constexpr std::int64_t kPiece = 1 << 16;  // rows
  T null = std::numeric_limits<T>::has_quiet_NaN ? std::numeric_limits<T>::quiet_NaN() : T{-2};
  std::vector<T> all;
  for (std::int64_t first = 0; first < count; first += kPiece) {
    const std::size_t more = static_cast<std::size_t>(std::min(kPiece, count - first) * source.parts);
    all.resize(all.size() + more);
    int status = 0, any = 0;
    fits_read_col(file_, type, source.column, first + 1, 1, static_cast<LONGLONG>(more), &null,
                  all.data() + all.size() - more, &any, &status);
    check(status, concat("column '", name, "'"));
  }
  return all;
}

// A column with several numbers per row is read once.
template <class T>
void FitsTable::read_columns(int type, const std::vector<std::size_t>& columns, std::int64_t count,
                             std::vector<std::vector<T>>& into, Stage& stage) const {
  std::map<int, std::vector<T>> whole;
  for (const std::size_t column : columns) {
    const Source& source = sources_[column];
    if (source.parts == 1) {
      into.push_back(read_column<T>(type, source, columns_[column].name, count));
      stage.add();
      continue;
    }
    const auto [found, is_new] = whole.try_emplace(source.column);
    std::vector<T>& all = found->second;
    if (is_new) all = read_column<T>(type, source, columns_[column].name, count);
    std::vector<T> values(static_cast<std::size_t>(count));
    for (std::size_t row = 0; row < values.size(); ++row)
      values[row] = all[row * static_cast<std::size_t>(source.parts) + static_cast<std::size_t>(source.part)];
    into.push_back(std::move(values));
    stage.add();
  }
}

TableData FitsTable::read(const TableRequest& request) {
  TableData rows;
  rows.read = std::min(rows_, request.most_rows);
  rows.is_complete = rows.read == rows_;
  Stage stage(request.progress, "reading columns",
              std::ssize(request.numbers) + std::ssize(request.integers));
  read_columns(TDOUBLE, request.numbers, rows.read, rows.numbers, stage);
  static_assert(sizeof(LONGLONG) == sizeof(std::int64_t));
  for (const std::size_t column : request.integers)
    require(sources_[column].is_integer, where_, ": column '", columns_[column].name,
            "' has floating-point numbers, integers are expected");
  read_columns(TLONGLONG, request.integers, rows.read, rows.integers, stage);
  return rows;
}

}  // namespace

bool can_read_fits() {
  return true;
}

std::unique_ptr<Table> open_fits_table(const std::filesystem::path& path, const std::string& group) {
  return std::make_unique<FitsTable>(path, group);
}

}  // namespace umbra
