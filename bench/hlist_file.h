// A halo catalog as consistent-trees writes it, of any size: 79 columns, about 750 bytes per row.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra {

// How a column is written: a number between two limits, drawn evenly or evenly in its logarithm; an id; or a
// number that all rows have.
struct HlistColumn {
  const char* name;
  enum Kind { kFixed, kId, kEven, kLogarithmic } kind;
  int digits;        // after the point; in kLogarithmic of the notation 1.2345e+12 unless negative
  double low, high;  // kFixed: low
};

inline constexpr double kHlistBox = 250;  // Mpc/h

inline constexpr std::array<HlistColumn, 79> kHlistColumns = {{
    {"scale", HlistColumn::kFixed, 5, 1, 1},
    {"id", HlistColumn::kId, 0, 2.8e9, 2.9e9},
    {"desc_scale", HlistColumn::kFixed, 5, 0, 0},
    {"desc_id", HlistColumn::kFixed, 0, -1, -1},
    {"num_prog", HlistColumn::kEven, 0, 1, 4},
    {"pid", HlistColumn::kId, 0, 2.8e9, 2.9e9},
    {"upid", HlistColumn::kId, 0, 2.8e9, 2.9e9},
    {"desc_pid", HlistColumn::kFixed, 0, -1, -1},
    {"phantom", HlistColumn::kFixed, 0, 0, 0},
    {"sam_Mvir", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"mvir", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"rvir", HlistColumn::kEven, 6, 40, 900},
    {"rs", HlistColumn::kEven, 6, 4, 90},
    {"vrms", HlistColumn::kEven, 6, 40, 900},
    {"mmp?", HlistColumn::kEven, 0, 0, 1},
    {"scale_of_last_MM", HlistColumn::kEven, 5, 0.1, 1},
    {"vmax", HlistColumn::kEven, 6, 40, 900},
    {"x", HlistColumn::kEven, 5, 0, kHlistBox - 1e-4},
    {"y", HlistColumn::kEven, 5, 0, kHlistBox - 1e-4},
    {"z", HlistColumn::kEven, 5, 0, kHlistBox - 1e-4},
    {"vx", HlistColumn::kEven, 3, -900, 900},
    {"vy", HlistColumn::kEven, 3, -900, 900},
    {"vz", HlistColumn::kEven, 3, -900, 900},
    {"Jx", HlistColumn::kLogarithmic, 5, 1e8, 1e14},
    {"Jy", HlistColumn::kLogarithmic, 5, 1e8, 1e14},
    {"Jz", HlistColumn::kLogarithmic, 5, 1e8, 1e14},
    {"Spin", HlistColumn::kEven, 6, 0.001, 0.2},
    {"Breadth_first_ID", HlistColumn::kId, 0, 1e8, 9e9},
    {"Depth_first_ID", HlistColumn::kId, 0, 1e8, 9e9},
    {"Tree_root_ID", HlistColumn::kId, 0, 2.8e9, 2.9e9},
    {"Orig_halo_ID", HlistColumn::kId, 0, 1e6, 9e7},
    {"Snap_num", HlistColumn::kFixed, 0, 177, 177},
    {"Next_coprogenitor_depthfirst_ID", HlistColumn::kFixed, 0, -1, -1},
    {"Last_progenitor_depthfirst_ID", HlistColumn::kId, 0, 1e8, 9e9},
    {"Last_mainleaf_depthfirst_ID", HlistColumn::kId, 0, 1e8, 9e9},
    {"Tidal_Force", HlistColumn::kEven, 5, 0, 2},
    {"Tidal_ID", HlistColumn::kId, 0, 2.8e9, 2.9e9},
    {"Rs_Klypin", HlistColumn::kEven, 6, 4, 90},
    {"Mmvir_all", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"M200b", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"M200c", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"M500c", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"M2500c", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"Xoff", HlistColumn::kEven, 5, 0, 90},
    {"Voff", HlistColumn::kEven, 5, 0, 90},
    {"Spin_Bullock", HlistColumn::kEven, 5, 0.001, 0.2},
    {"b_to_a", HlistColumn::kEven, 5, 0.2, 1},
    {"c_to_a", HlistColumn::kEven, 5, 0.2, 1},
    {"A[x]", HlistColumn::kEven, 5, -90, 90},
    {"A[y]", HlistColumn::kEven, 5, -90, 90},
    {"A[z]", HlistColumn::kEven, 5, -90, 90},
    {"b_to_a(500c)", HlistColumn::kEven, 5, 0.2, 1},
    {"c_to_a(500c)", HlistColumn::kEven, 5, 0.2, 1},
    {"A[x](500c)", HlistColumn::kEven, 5, -90, 90},
    {"A[y](500c)", HlistColumn::kEven, 5, -90, 90},
    {"A[z](500c)", HlistColumn::kEven, 5, -90, 90},
    {"T/|U|", HlistColumn::kEven, 4, 0.4, 0.9},
    {"M_pe_Behroozi", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"M_pe_Diemer", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"Macc", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"Mpeak", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"Vacc", HlistColumn::kEven, 6, 40, 900},
    {"Vpeak", HlistColumn::kEven, 6, 40, 900},
    {"Halfmass_Scale", HlistColumn::kEven, 5, 0.1, 1},
    {"Acc_Rate_Inst", HlistColumn::kLogarithmic, 5, 1e-3, 1e4},
    {"Acc_Rate_100Myr", HlistColumn::kLogarithmic, 5, 1e-3, 1e4},
    {"Acc_Rate_1*Tdyn", HlistColumn::kLogarithmic, 5, 1e-3, 1e4},
    {"Acc_Rate_2*Tdyn", HlistColumn::kLogarithmic, 5, 1e-3, 1e4},
    {"Acc_Rate_Mpeak", HlistColumn::kLogarithmic, 5, 1e-3, 1e4},
    {"Mpeak_Scale", HlistColumn::kEven, 5, 0.1, 1},
    {"Acc_Scale", HlistColumn::kEven, 5, 0.1, 1},
    {"First_Acc_Scale", HlistColumn::kEven, 5, 0.1, 1},
    {"First_Acc_Mvir", HlistColumn::kLogarithmic, 5, 1e10, 1e15},
    {"First_Acc_Vmax", HlistColumn::kEven, 6, 40, 900},
    {"Vmax\\@Mpeak", HlistColumn::kEven, 6, 40, 900},
    {"Tidal_Force_Tdyn", HlistColumn::kEven, 5, 0, 2},
    {"Log_(Vmax/Vmax_max(Tdyn;Tmpeak))", HlistColumn::kEven, 5, -1, 0},
    {"Time_to_future_merger", HlistColumn::kFixed, 5, -1, -1},
    {"Future_merger_MMP_ID", HlistColumn::kFixed, 0, -1, -1},
}};

// Row `row`, the same in every file.
inline std::string hlist_row(std::int64_t row) {
  const Rng rng(1, Purpose::kTest, static_cast<std::uint64_t>(row));
  std::string line;
  for (std::size_t i = 0; i < kHlistColumns.size(); ++i) {
    const HlistColumn& c = kHlistColumns[i];
    const double u = rng.uniform(i);
    char text[40];
    if (c.kind == HlistColumn::kLogarithmic)
      std::snprintf(text, sizeof text, "%.*e ", c.digits, c.low * std::pow(c.high / c.low, u));
    else if (c.kind == HlistColumn::kId && std::string_view(c.name).ends_with("pid") && u < 0.7)
      std::snprintf(text, sizeof text, "-1 ");  // a halo that is in no other
    else
      std::snprintf(text, sizeof text, "%.*f ", c.digits,
                    c.kind == HlistColumn::kFixed ? c.low : c.low + (c.high - c.low) * u);
    line += text;
  }
  line.back() = '\n';
  return line;
}

inline void write_hlist(const std::filesystem::path& path, std::int64_t rows) {
  std::ofstream out(path, std::ios::binary);
  for (std::size_t i = 0; i < kHlistColumns.size(); ++i)
    out << (i == 0 ? "#" : " ") << kHlistColumns[i].name << '(' << i << ')';
  out << "\n#Omega_M = 0.307; Omega_L = 0.693; h0 = 0.678\n#Full box size = " << kHlistBox << " Mpc/h\n";
  constexpr std::int64_t kRows = 1 << 14;
  for (std::int64_t first = 0; first < rows; first += kRows) {
    std::vector<std::string> lines(static_cast<std::size_t>(std::min(kRows, rows - first)));
    parallel_chunks(static_cast<std::int64_t>(lines.size()), 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) lines[static_cast<std::size_t>(i)] = hlist_row(first + i);
    });
    for (const std::string& line : lines) out << line;
  }
  out.close();
  require(out.good(), "'", path.string(), "' could not be written");
}

}  // namespace umbra
