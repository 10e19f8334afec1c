#include "tools/common/import_formats.h"

#include "data/catalogs/camels.h"
#include "data/catalogs/formats.h"

namespace umbra {
namespace {

std::optional<std::filesystem::path> optional_path(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
}

const ImportFormat kFormats[] = {
    {"camels",
     "CAMELS group catalogs: every */groups_*.hdf5 or */fof_subhalo_tab_*.hdf5 below a folder, one cube each",
     true,
     [](const ImportArguments& a, ImportReport* report) {
       return read_camels(a.input, {optional_path(a.parameters), a.snapshot, a.table.rows}, report);
     },
     recognise_camels},
    {"hlist", "consistent-trees hlist_<a>.list: halos only, without galaxies", false,
     [](const ImportArguments& a, ImportReport* report) { return read_hlist(a.input, a.table.rows, report); },
     recognise_hlist},
    {"um-bin", "UniverseMachine sfr_catalog_<a>.bin, with --hlist merged by id", true,
     [](const ImportArguments& a, ImportReport* report) {
       return read_um_bin(a.input, optional_path(a.hlist), a.table.rows, report);
     },
     recognise_um_bin},
    {"umml-csv", "the merged table of Nadler & To (2018), comma-separated", true,
     [](const ImportArguments& a, ImportReport* report) {
       return read_umml_csv(a.input, a.table.rows, report);
     },
     recognise_umml_csv},
    {"halotools", "a halotools HDF5 table: halos only, without galaxies", false,
     [](const ImportArguments& a, ImportReport* report) {
       return read_halotools(a.input, a.table.rows, report);
     },
     recognise_halotools},
    {"table", "any table, in HDF5, FITS, CSV or text, with --columns and --units for other names and units",
     true,
     [](const ImportArguments& a, ImportReport* report) { return read_table(a.input, a.table, report); },
     recognise_table},
};

}  // namespace

std::span<const ImportFormat> import_formats() {
  return kFormats;
}

}  // namespace umbra
