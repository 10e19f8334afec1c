// The formats that `import` reads and `info` recognises: one line each in import_formats.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "data/catalogs/catalog.h"
#include "data/catalogs/recognise.h"

namespace umbra {

/// What a user gives to `import`. `table.rows` are the options of all formats.
struct ImportArguments {
  std::string input, out, parameters, hlist;
  std::optional<std::int64_t> snapshot;
  bool overwrite = false;
  TableOptions table;
};

/// One format.
struct ImportFormat {
  const char* name;   ///< the subcommand
  const char* what;   ///< one line for --help
  bool has_galaxies;  ///< whether its files may contain stellar masses
  Catalog (*read)(const ImportArguments&, ImportReport*);
  std::optional<Recognised> (*recognise)(const FileLook&);
};

/// All formats. The last one, `table`, recognises every table.
std::span<const ImportFormat> import_formats();

}  // namespace umbra
